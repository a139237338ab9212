/** The list of curves beside their plot: line and marker, name, and what each says at the ε of the explorer. */
import { readCurve } from "./accuracy.js";
import { h, setText } from "./dom.js";
import { swatch } from "./marks.js";
import { epsText, intervalText, percent } from "./words.js";

export class Legend {
  #built = null;
  #rows = [];

  /**
   * @param {object} options
   * @param {((name: string) => void)|null} options.onPick a pointer's short cut; the keyboard has the list of codes
   * @param {boolean} [options.intervals] whether to say the 95 % intervals too
   */
  constructor({ onPick, intervals = false }) {
    this.intervals = intervals;
    this.element = h("ul", { class: onPick ? "legend picks" : "legend" });
    if (!onPick) return;
    this.element.addEventListener("click", (event) => {
      const name = event.target.closest("li")?.dataset.name;
      if (name) onPick(name);
    });
  }

  /** @param {{curves: object[], current: string[], eps: number, at?: string}} content  @param {object} colours */
  show({ curves, current, eps, at = `ε = ${epsText(eps)}` }, colours) {
    const names = [colours.scheme, colours.background, ...curves.map(({ name }) => name)].join();
    if (this.#built !== names) {
      this.#built = names;
      this.#build(curves, colours);
    }
    setText(this.at, at);
    for (const [k, { points, name }] of curves.entries()) {
      const read = readCurve(points, eps);
      const { row, value, range } = this.#rows[k];
      setText(value, read ? `${read.measured ? "" : "≈ "}${percent(read.share)}` : "not measured");
      setText(range, read && this.intervals ? intervalText(read) : "");
      row.classList.toggle("current", current.includes(name));
    }
  }

  #build(curves, colours) {
    this.at = h("b", {});
    this.#rows = curves.map((curve) => {
      const [value, range] = [h("b", {}), h("span", { class: "range" })];
      const name = h("span", { class: "name" }, curve.title);
      return {
        row: h("li", { "data-name": curve.name }, swatch(colours.mark(curve), colours), name, value, range),
        value,
        range,
      };
    });
    const head = h("li", { class: "head" }, h("span", {}, "accuracy at"), this.at);
    this.element.replaceChildren(head, ...this.#rows.map(({ row }) => row));
  }
}
