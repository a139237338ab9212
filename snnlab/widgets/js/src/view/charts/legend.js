/** The list of curves beside their plot: line and marker, name, and what each says at the ε of the explorer. */
import { say } from "../../language.js";
import { h } from "../dom/elements.js";
import { readCurve } from "../model/accuracy.js";
import { epsText, intervalText, lowerText, readText } from "../text/frame.js";
import { swatch } from "./marks.js";

export class Legend {
  /** `onPick`: a pointer's short cut; the keyboard has the list of codes. `intervals`: whether to say them too. */
  constructor({ onPick, intervals = false }) {
    this.intervals = intervals;
    this.element = h("ul", { class: onPick ? "legend picks" : "legend" });
    if (!onPick) return;
    this.element.addEventListener("click", (event) => {
      const name = event.target.closest("li")?.dataset.name;
      if (name) onPick(name);
    });
  }

  /** @param {{curves: any[], current: string[], eps: number, at?: string}} content  @param {Colours} colours */
  show({ curves, current, eps, at = `ε = ${epsText(eps)}` }, colours) {
    const rows = curves.map((curve) => {
      const read = readCurve(curve.points, eps);
      return h(
        "li",
        { "data-name": curve.name, class: current.includes(curve.name) ? "current" : null },
        swatch(colours.mark(curve), colours),
        h("span", { class: "name" }, curve.title),
        h("b", {}, readText(read)),
        h("span", { class: "range" }, read && this.intervals ? intervalText(read) : ""),
        h("span", { class: "range lower" }, lowerText(read)),
      );
    });
    this.element.replaceChildren(h("li", { class: "head" }, h("span", {}, say`accuracy at`), h("b", {}, at)), ...rows);
  }
}
