/**
 * Bars of a table of networks: what each keeps under the attack, solid, up to what it keeps on clean pictures, pale. A tick is
 * a training run, a whisker the 95 % interval. Two lines stand across all bars: what the ANN keeps, and twice that.
 */
import { h, setText } from "./dom.js";
import { swatch } from "./marks.js";
import { intervalText, percent } from "./words.js";

const GROUPS = [
  ["bptt", "trained on plain pictures"],
  ["pgd", "trained on attacked pictures"],
];

export class Standings {
  #built = null;
  #rows = new Map();

  constructor() {
    this.title = h("h4", {});
    this.body = h("div", { class: "bars" });
    this.key = h(
      "p",
      { class: "explain" },
      h("span", {}, h("i", { class: "kept" }), "kept under attack"),
      h("span", {}, h("i", { class: "clean" }), "clean"),
      h("span", {}, h("i", { class: "whisker" }), "95 % interval"),
      h("span", {}, h("i", { class: "run" }), "a training run"),
    );
    this.element = h("section", { class: "panel standings" }, this.title, this.body, this.key);
  }

  /**
   * @param {object} content
   * @param {string} content.title
   * @param {{model: object, read: object|null, clean: object|null, why: string}[]} content.rows why: in place of a number
   * @param {object|null} content.ann what the ANN keeps
   * @param {number} content.chance
   * @param {object} colours
   */
  show({ title, rows, ann, chance }, colours) {
    setText(this.title, title);
    const key = [colours.scheme, colours.background, ...rows.map(({ model }) => model.name)].join();
    if (this.#built !== key) {
      this.#built = key;
      this.#build(rows, colours);
    }
    const lines = { "--chance": chance, "--ann": ann?.share ?? -1, "--twice": ann ? 2 * ann.share : -1 };
    for (const [name, value] of Object.entries(lines)) this.body.style.setProperty(name, value);
    this.body.classList.toggle("compared", Boolean(ann) && 2 * ann.share <= 1);
    this.body.classList.toggle("anchored", Boolean(ann));
    // A caption out of sight would count as the first row of the fixed layout.
    this.table.setAttribute("aria-label", `${title}: share, 95 % interval, training runs, and share on clean pictures`);
    for (const { model, read, clean, why } of rows) {
      const row = this.#rows.get(model.name);
      row.element.classList.toggle("none", !read);
      row.bar.style.width = width(read?.share);
      row.clean.style.width = width(clean?.share);
      row.whisker.style.left = width(read?.low);
      row.whisker.style.width = width(read ? read.high - read.low : 0);
      row.runs.replaceChildren(...(read?.seeds ?? []).map((share) => h("i", { style: `left: ${width(share)}` })));
      setText(row.value, read ? percent(read.share) : why);
      setText(row.range, read ? intervalText(read) : "");
      setText(row.before, clean ? percent(clean.share) : "–");
      const runs = read && read.seeds.length > 1 ? `, runs: ${read.seeds.map(percent).join(", ")}` : "";
      setText(row.each, clean ? `, clean ${percent(clean.share)}${runs}` : runs); // a narrow screen has no room for the column
    }
  }

  #build(rows, colours) {
    this.#rows = new Map(rows.map(({ model }) => [model.name, line(model, colours)]));
    const groups = GROUPS.map(([rule, text]) => {
      const members = rows.filter(({ model }) => model.rule === rule);
      if (members.length === 0) return null;
      const head = h(
        "tr",
        { class: "head" },
        h("th", { scope: "col" }, text),
        h("td", { class: "track", "aria-hidden": "true" }),
        h("th", { scope: "col" }, "attacked"),
        h("th", { scope: "col" }, "clean"),
      );
      return h("tbody", {}, head, ...members.map(({ model }) => this.#rows.get(model.name).element));
    });
    this.table = h("table", {}, ...groups.filter(Boolean));
    const across = h(
      "div",
      { class: "across", "aria-hidden": "true" },
      h("i", { class: "chance-line" }, h("b", {}, "chance")),
      h("i", { class: "ann-line" }, h("b", {}, "ANN")),
      h("i", { class: "twice-line" }, h("b", {}, "twice the ANN")),
    );
    this.body.replaceChildren(this.table, across);
  }
}

const width = (share) => `${100 * Math.min(1, Math.max(0, share ?? 0))}%`;

function line(model, colours) {
  const mark = colours.mark(model);
  const [bar, clean, whisker, runs] = ["kept", "clean", "whisker", "runs"].map((name) => h("i", { class: name }));
  bar.style.background = clean.style.background = mark.colour;
  const [value, range, before] = [h("b", {}), h("span", { class: "range" }), h("span", {})];
  const each = h("span", { class: "unseen" });
  const element = h(
    "tr",
    { "data-name": model.name },
    h("th", { scope: "row" }, swatch(mark, colours), h("span", { class: "name" }, model.title)),
    h("td", { class: "track", "aria-hidden": "true" }, h("div", {}, clean, bar, whisker, runs)),
    h("td", { class: "value" }, value, " ", range, each),
    h("td", { class: "before" }, before),
  );
  return { element, bar, clean, whisker, runs, value, range, before, each };
}
