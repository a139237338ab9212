/** One of the attackers that climb side by side: what it sees, what it makes of the image, how far it gets. */
import { SPIKE_TRAIN } from "../engine/index.js";
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
    this.map = new GradientMap(method === SPIKE_TRAIN ? "gain of its best train" : "gradient it follows");
    this.zero = h("p", { class: "zero" });
    this.picture = new Picture("attacked", "attacked changed");
    this.change = new Picture(`change ×${MAGNIFIED}`, "difference");
    this.hill = new Hill(onStep);
    this.seen = h("div", { class: "seen" }, this.map.element, this.picture.element, this.change.element);
    this.element = h(
      "section",
      { class: "climber", "data-method": method, "aria-label": TITLES[method] },
      h("h4", {}, TITLES[method]),
      this.doing,
      this.verdict.answer,
      this.ending,
      this.seen,
      this.zero,
      this.hill.element,
    );
  }

  /** @param {object} own climb  @param {object[]} climbs  @param {number} step  @param {object} model  @param {object} colours */
  show(own, climbs, step, model, colours) {
    const { shape } = own;
    const zero = zeroShare(own, step);
    const seen = seenText(this.method, zero);
    this.#present(true);
    const at = brokenAt(own);
    setText(this.doing, doing(this.method, model));
    this.verdict.show(answerAt(own, step), []);
    setText(this.ending, step < taken(own) || at === null ? `step ${Math.min(step, taken(own))}` : ending(own));
    if (at === null && step >= own.steps) setText(this.ending, ending(own));
    setText(this.zero, seen);
    const trains = this.method === SPIKE_TRAIN;
    this.element.classList.toggle("blind", !trains && zero !== null && zero >= 0.5);
    this.map.show(gradientAt(own, step), shape, `${trains ? "gains" : "gradient"} of ${TITLES[this.method]}: ${seen}`, colours);
    this.picture.show(imageAt(own, step), shape);
    this.change.showDifference(imageAt(own, 0), imageAt(own, step), shape, colours);
    this.hill.show(own, climbs, step, colours);
  }

  /** Say that this attacker cannot attack a network, and show nothing else. */
  showNone(model) {
    setText(this.doing, doing(this.method, model));
    this.#present(false);
  }

  #present(there) {
    const { verdict, ending, seen, zero, hill } = this;
    // An SVG has no property `hidden`.
    for (const part of [verdict.answer, ending, seen, zero, hill.element]) part.toggleAttribute("hidden", !there);
  }
}

/** What the map shows, in words. */
function seenText(method, zero) {
  if (method === SPIKE_TRAIN) {
    if (zero === null) return "no search was needed";
    return zero === 0 ? "a better train for every pixel" : `no better train for ${percent(zero)} of the pixels`;
  }
  if (zero === null) return "no gradient was needed";
  return zero === 0 ? "a gradient on every pixel" : `zero on ${percent(zero)} of the pixels`;
}
