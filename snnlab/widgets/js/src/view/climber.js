/** One of the attackers that climb side by side: what it sees, what it makes of the image, how far it gets. */
import { h, setText } from "./dom.js";
import { GradientMap } from "./gradient.js";
import { Hill } from "./hill.js";
import { MAGNIFIED, Picture } from "./image.js";
import { answerAt, brokenAt, doing, ending, gradientAt, imageAt, taken, TITLES, zeroShare } from "./climbwords.js";
import { Verdict } from "./verdict.js";
import { percent } from "./words.js";

export class ClimberColumn {
  /** @param {string} method  @param {(step: number) => void} onStep */
  constructor(method, onStep) {
    this.method = method;
    this.verdict = new Verdict();
    this.ending = h("p", { class: "ending" });
    this.doing = h("p", { class: "doing" });
    this.map = new GradientMap("gradient it follows");
    this.zero = h("p", { class: "zero" });
    this.picture = new Picture("attacked", "attacked changed");
    this.change = new Picture(`change ×${MAGNIFIED}`, "difference");
    this.hill = new Hill(onStep);
    this.element = h(
      "section",
      { class: "climber", "data-method": method, "aria-label": TITLES[method] },
      h("h4", {}, TITLES[method]),
      this.doing,
      this.verdict.answer,
      this.ending,
      h("div", { class: "seen" }, this.map.element, this.picture.element, this.change.element),
      this.zero,
      this.hill.element,
    );
  }

  /** @param {object} own climb  @param {object[]} climbs  @param {number} step  @param {object} model  @param {object} colours */
  show(own, climbs, step, model, colours) {
    const { shape } = own;
    const zero = zeroShare(own, step);
    const seen =
      zero === null
        ? "no gradient was needed"
        : zero === 0
          ? "a gradient on every pixel"
          : `zero on ${percent(zero)} of the pixels`;
    const at = brokenAt(own);
    setText(this.doing, doing(this.method, model));
    this.verdict.show(answerAt(own, step), []);
    setText(this.ending, step < taken(own) || at === null ? `step ${Math.min(step, taken(own))}` : ending(own));
    if (at === null && step >= own.steps) setText(this.ending, ending(own));
    setText(this.zero, seen);
    this.element.classList.toggle("blind", zero !== null && zero >= 0.5);
    this.map.show(gradientAt(own, step), shape, `gradient of ${TITLES[this.method]}: ${seen}`, colours);
    this.picture.show(imageAt(own, step), shape);
    this.change.showDifference(imageAt(own, 0), imageAt(own, step), shape, colours);
    this.hill.show(own, climbs, step, colours);
  }
}
