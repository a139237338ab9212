/** Bars of a table of networks: accuracy under attack, solid, up to the clean one, pale; named lines for chance, the ANN and twice that. */
import { say } from "../../language.js";
import { explained, h, setText } from "../dom/elements.js";
import { intervalText, lowerText, percent } from "../text/frame.js";
import { swatch } from "./marks.js";

const GROUPS = Object.entries({ bptt: say`trained on plain pictures`, pgd: say`trained on attacked pictures` });

export class ResultBars {
  constructor() {
    this.title = h("h4", {});
    this.body = h("div", { class: "bars" });
    const signs = {
      kept: say`accuracy under attack`,
      clean: "clean",
      whisker: say`95 % interval`,
      run: say`a training run`,
    };
    const key = h("p", { class: "explain" }, ...explained("span", signs));
    this.element = h("section", { class: "panel standings" }, this.title, this.body, key);
  }

  /** Rows {model, read, clean, why}, `why` in place of a number; what the ANN keeps. @param {any} content */
  show({ title, rows, ann, chance }, colours) {
    setText(this.title, title);
    const lines = { "--chance": chance, "--ann": ann?.share ?? -1, "--twice": ann ? 2 * ann.share : -1 };
    for (const [name, value] of Object.entries(lines)) this.body.style.setProperty(name, value);
    this.body.classList.toggle("compared", Boolean(ann) && 2 * ann.share <= 1);
    this.body.classList.toggle("anchored", Boolean(ann));
    const groups = GROUPS.map(([rule, text]) => {
      const members = rows.filter(({ model }) => model.rule === rule);
      return members.length ? h("tbody", {}, head(text), ...members.map((row) => line(row, colours))) : null;
    });
    // A caption out of sight would count as the first row of the fixed layout.
    const name = say`${title}: share, 95 % interval, training runs, and share on clean pictures`;
    const names = Object.entries({ chance: say`chance`, ann: "ANN", twice: say`twice the ANN` });
    const across = names.map(([kind, text]) => h("i", { class: `${kind}-line` }, h("b", {}, text)));
    const table = h("table", { "aria-label": name }, ...groups);
    this.body.replaceChildren(table, h("div", { class: "across", "aria-hidden": "true" }, ...across));
  }
}

const width = (share) => `${100 * Math.min(1, Math.max(0, share ?? 0))}%`;

const track = (...drawn) => h("td", { class: "track", "aria-hidden": "true" }, ...drawn);

function head(text) {
  const title = (column) => h("th", { scope: "col" }, column);
  return h("tr", { class: "head" }, title(text), track(), title(say`attacked`), title(say`clean`));
}

/** One network: its bar, its accuracy under attack, and the clean one. */
function line({ model, read, clean, why }, colours) {
  const mark = colours.mark(model);
  const bar = (kind, share) => h("i", { class: kind, style: `width: ${width(share)}; background: ${mark.colour}` });
  const whisker = { class: "whisker", style: `left: ${width(read?.low)}; width: ${width(read && read.high - read.low)}` };
  const seeds = read?.seeds ?? [];
  const runs = h("i", { class: "runs" }, ...seeds.map((share) => h("i", { style: `left: ${width(share)}` })));
  // A narrow screen has no room for the column.
  const before = clean ? say`, clean ${percent(clean.share)}` : "";
  const each = seeds.length > 1 ? say`, runs: ${seeds.map(percent).join(", ")}` : "";
  return h(
    "tr",
    { "data-name": model.name, class: read ? null : "none" },
    h("th", { scope: "row" }, swatch(mark, colours), h("span", { class: "name" }, model.title)),
    track(h("div", {}, bar("clean", clean?.share), bar("kept", read?.share), h("i", whisker), runs)),
    h(
      "td",
      { class: "value" },
      h("b", {}, read ? percent(read.share) : why),
      " ",
      h("span", { class: "range" }, read ? intervalText(read) : ""),
      h("span", { class: "range lower" }, lowerText(read)),
      h("span", { class: "unseen" }, before + each),
    ),
    h("td", { class: "before" }, h("span", {}, clean ? percent(clean.share) : "–")),
  );
}
