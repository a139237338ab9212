/** The list of curves beside their plot: line and marker, name, and what each says at the ε of the explorer. */
import { readCurve } from "./accuracy.js";
import { h, setText } from "./dom.js";
import { swatch } from "./marks.js";
import { epsText, percent } from "./words.js";

export class Legend {
  #built = null;
  #rows = [];

  /** @param {(name: string) => void} onPick a pointer's short cut; the keyboard has the list of codes */
  constructor(onPick) {
    this.element = h("ul", { class: "legend" });
    this.element.addEventListener("click", (event) => {
      const name = event.target.closest("li")?.dataset.name;
      if (name) onPick(name);
    });
  }

  /** @param {{curves: object[], current: string, eps: number}} content  @param {object} colours */
  show({ curves, current, eps }, colours) {
    const names = [colours.scheme, colours.background, ...curves.map(({ name }) => name)].join();
    if (this.#built !== names) {
      this.#built = names;
      this.#build(curves, colours);
    }
    setText(this.at, `ε = ${epsText(eps)}`);
    for (const [k, { points, name }] of curves.entries()) {
      const read = readCurve(points, eps);
      const { row, value } = this.#rows[k];
      setText(value, read ? `${read.measured ? "" : "≈ "}${percent(read.share)}` : "not measured");
      row.classList.toggle("current", name === current);
    }
  }

  #build(curves, colours) {
    this.at = h("b", {});
    this.#rows = curves.map(({ name, title }) => {
      const value = h("b", {});
      const row = h("li", { "data-name": name }, swatch(name, colours), h("span", { class: "name" }, title), value);
      return { row, value };
    });
    const head = h("li", { class: "head" }, h("span", {}, "accuracy at"), this.at);
    this.element.replaceChildren(head, ...this.#rows.map(({ row }) => row));
  }
}
