/** One attacker of several side by side: its gradient, its image, and its margin. */

import { SPIKE_TRAIN } from "../../engine/index.js";
import { say } from "../../language.js";
import { MarginPlot } from "../charts/margin.js";
import { SlicePlot, sliceText } from "../charts/slice.js";
import { MAGNIFIED, Picture } from "../dom/canvas-image.js";
import { h, setText } from "../dom/elements.js";
import { answerAt, brokenAt, doing, ending, gradientAt, imageAt, PAIR, TITLES, taken, zeroShare } from "../text/attack.js";
import { percent } from "../text/frame.js";
import { GradientMap } from "./gradient-map.js";
import { Verdict } from "./verdict.js";

export class AttackColumn {
  /** @param {string} method  @param {(step: number) => void} onStep */
  constructor(method, onStep) {
    this.method = method;
    this.verdict = new Verdict();
    this.ending = h("p", { class: "ending" });
    this.doing = h("p", { class: "doing" });
    this.map = new GradientMap(method === SPIKE_TRAIN ? say`gain of its best train` : say`gradient it follows`);
    this.zero = h("p", { class: "zero" });
    this.picture = new Picture(say`attacked`, "attacked changed");
    this.change = new Picture(say`change ×${MAGNIFIED}`, "difference");
    this.margin = new MarginPlot(onStep);
    this.images = h("div", { class: "seen" }, this.map.element, this.picture.element, this.change.element);
    this.slice = new SlicePlot();
    this.sliced = h("p", { class: "sliced" });
    this.title = h("h4", {});
    const shown = [this.doing, this.verdict.answer, this.ending, this.images, this.zero, this.margin.element];
    const parts = [this.title, ...shown, this.slice.element, this.sliced];
    this.element = h("section", { class: "attack-column", "data-method": method, "aria-label": TITLES[method] }, ...parts);
  }

  /** @param {Trajectory} trajectory  @param {Trajectory[]} trajectories  @param {number} step  @param {any} model  @param {Colours} colours */
  show(trajectory, trajectories, step, model, colours) {
    const { shape, steps } = trajectory;
    const trains = this.method === SPIKE_TRAIN;
    const zero = zeroShare(trajectory, step);
    const shown = mapText(trains, zero);
    const [first, now] = [imageAt(trajectory, 0), imageAt(trajectory, step)];
    const last = taken(trajectory);
    const over = brokenAt(trajectory) === null ? step >= steps : step >= last;
    this.#present(true);
    setText(this.doing, doing(this.method, model));
    this.verdict.show(answerAt(trajectory, step), []);
    setText(this.ending, over ? ending(trajectory) : say`step ${Math.min(step, last)}`);
    setText(this.zero, shown);
    this.element.classList.toggle("blind", !trains && zero !== null && zero >= 0.5);
    const says = trains ? say`gains of ${TITLES[this.method]}: ${shown}` : say`gradient of ${TITLES[this.method]}: ${shown}`;
    this.map.show(gradientAt(trajectory, step), shape, says, colours);
    this.picture.show(now, shape);
    this.change.showDifference(first, now, shape, colours);
    this.margin.show(trajectory, trajectories, step, colours);
    const isSliced = trajectories.length === PAIR.length;
    setText(this.title, isSliced && this.method !== "naive" ? say`informed (${TITLES[this.method]})` : TITLES[this.method]);
    for (const part of [this.slice.element, this.sliced]) part.toggleAttribute("hidden", !isSliced);
    if (!isSliced) return;
    this.slice.show(trajectory, trajectories, colours);
    setText(this.sliced, sliceText(trajectory));
  }

  /** Say that this attacker cannot attack a network, and show nothing else. */
  showNone(model) {
    setText(this.title, TITLES[this.method]);
    setText(this.doing, doing(this.method, model));
    this.#present(false);
  }

  #present(there) {
    const { verdict, ending, images, zero, margin, slice, sliced } = this;
    // An SVG has no property `hidden`.
    const all = [verdict.answer, ending, images, zero, margin.element, slice.element, sliced];
    for (const part of all) part.toggleAttribute("hidden", !there);
  }
}

function mapText(trains, zero) {
  if (zero === null) return trains ? say`no search was needed` : say`no gradient was needed`;
  if (zero === 0) return trains ? say`a better train for every pixel` : say`a gradient on every pixel`;
  return trains ? say`no better train for ${percent(zero)} of the pixels` : say`zero on ${percent(zero)} of the pixels`;
}
