/** What two trainings came to, a row each: settings, and the last test, clean and attacked. */
import { fixed, say } from "../language.js";
import { h } from "../view/dom/elements.js";
import { recipeText, shareText } from "./text.js";
import { TEST_EPS } from "./training.js";

const HEADS = [say`run`, say`settings`, say`epoch`, say`clean`, say`FGSM, ε = ${fixed(TEST_EPS, 2)}`];

export class RunTable {
  #shown = "";

  constructor() {
    this.body = h("tbody", {});
    const head = HEADS.map((text) => h("th", { scope: "col" }, text));
    const table = h("table", { class: "runs" }, h("thead", {}, h("tr", {}, ...head)), this.body);
    this.element = h("div", { class: "tested", role: "status" }, table);
  }

  /** @param {any} now training  @param {any} before the run it is compared with, or null  @param {boolean} isKept by the reader */
  show(now, before, isKept) {
    const rows = [row(say`this run`, now), ...(before ? [row(isKept ? say`kept` : say`before`, before)] : [])];
    const shown = JSON.stringify(rows);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const cells = (texts) => texts.map((text, k) => h(k === 0 ? "th" : "td", k === 0 ? { scope: "row" } : {}, text));
    this.body.replaceChildren(...rows.map((texts, k) => h("tr", { class: k === 0 ? "now" : "before" }, ...cells(texts))));
  }
}

function row(name, { recipe, tests }) {
  const last = tests.at(-1);
  const part = (count) => (last ? shareText(count, last.n) : "–");
  return [
    name,
    recipeText(recipe),
    last ? say`${last.epoch} of ${recipe.epochs}` : say`none yet`,
    part(last?.clean),
    part(last?.robust),
  ];
}
