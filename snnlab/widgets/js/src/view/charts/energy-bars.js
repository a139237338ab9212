/** The energy of one image in several networks, as bars: arithmetic, solid, and the reading of weights, pale. */
import { say } from "../../language.js";
import { explained, h, setText } from "../dom/elements.js";
import { breakEvenText, timesText } from "../text/energy.js";
import { nanojoules } from "../text/frame.js";
import { swatch } from "./marks.js";

const COLUMNS = [say`network`, "", say`energy`, say`beside the ANN`, say`cheaper than the ANN`];

export class EnergyBars {
  #rows = new Map();

  constructor() {
    this.title = h("h4", {});
    this.body = h("tbody", {});
    const head = COLUMNS.map((text) => h("th", { scope: "col" }, text));
    const table = h("table", {}, h("thead", {}, h("tr", { class: "head" }, ...head)), this.body);
    const signs = { arithmetic: say`multiplications and additions`, reading: say`reading weights`, level: say`the ANN` };
    const key = h("p", { class: "explain" }, ...explained("span", signs));
    this.element = h("section", { class: "panel bill" }, this.title, table, key);
  }

  /** Rows {model, cost, ratio, until}, the ANN's first. The bars keep their elements, so that a change is a movement. */
  show(title, rows, colours) {
    this.rows = rows;
    setText(this.title, title);
    if (this.#rows.size !== rows.length) this.#build(rows);
    const most = Math.max(...rows.map(({ cost }) => cost.total));
    this.element.style.setProperty("--ann", String(rows[0].cost.total / most));
    for (const { model, cost, ratio, until } of rows) {
      const row = this.#rows.get(model.name);
      const { colour } = colours.mark(model);
      row.sign.replaceChildren(swatch(colours.mark(model), colours));
      for (const part of ["arithmetic", "reading"]) {
        row[part].style.width = `${(100 * cost[part]) / most}%`;
        row[part].style.background = colour;
      }
      setText(row.energy, nanojoules(cost.total / 1000));
      setText(row.ratio, model.kind === "ann" ? "" : timesText(ratio));
      setText(row.until, model.kind === "ann" ? "" : breakEvenText(until));
    }
  }

  #build(rows) {
    const made = rows.map(({ model }) => {
      const [arithmetic, reading] = ["arithmetic", "reading"].map((kind) => h("i", { class: kind }));
      const [sign, energy, ratio, until] = [h("span", {}), h("b", {}), h("td", {}), h("td", {})];
      const name = h("th", { scope: "row" }, sign, h("span", { class: "name" }, model.title));
      const track = h("td", { class: "track", "aria-hidden": "true" }, h("div", {}, arithmetic, reading));
      const element = h("tr", { "data-name": model.name }, name, track, h("td", {}, energy), ratio, until);
      return [model.name, { element, sign, arithmetic, reading, energy, ratio, until }];
    });
    this.#rows = new Map(made);
    this.body.replaceChildren(...made.map(([, { element }]) => element));
  }
}
