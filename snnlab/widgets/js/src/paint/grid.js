/** The grid that is painted: a row for each level of intensity, bright on top, a column for each step, black below. */
import { fixed, say } from "../language.js";
import { inside } from "../view/dom/drag.js";
import { h } from "../view/dom/elements.js";
import { middles } from "./table.js";

const MOVES = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** "0.44 to 0.50", or "black". */
export function levelText(row, levels) {
  if (row === 0) return say`black`;
  return say`intensity ${fixed((row - 1) / levels, 2)} to ${fixed(row / levels, 2)}`;
}

export class PaintGrid {
  /** @type {import("./table.js").Rows} */
  #rows = [];
  /** @type {HTMLElement[][]} */
  #cells = [];
  #size = "";
  /** @type {[number, number]} */
  #at = [1, 0];
  /** What a stroke paints; null: none is under way. @type {string|null} */
  #ink = null;
  /** @type {[number, number]} */
  #last = [1, 0];

  /** @param {(cells: [number, number][], fires: boolean) => void} onPaint  @param {(sentence: string) => void} speak */
  constructor(onPaint, speak) {
    this.onPaint = onPaint;
    this.speak = speak;
    const label = say`code: rows of intensity, columns of steps; arrows move, space paints, Shift with an arrow paints along`;
    this.element = h("div", { class: "grid", role: "grid", "aria-multiselectable": "true", "aria-label": label });
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("focusin", (event) => this.#focused(event));
    this.element.addEventListener("pointerdown", (event) => this.#down(event));
    this.element.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) this.element.addEventListener(name, () => this.#lift());
  }

  /** @param {import("./table.js").Rows} rows  @param {number|null} first step on which ε on black acts  @param {number} eps */
  show(rows, first, eps) {
    const [levels, steps] = [rows.length - 1, rows[0].length];
    this.#rows = rows;
    if (this.#size !== `${levels} ${steps}`) this.#build(levels, steps);
    for (const [row, cells] of this.#cells.entries()) {
      for (const [step, cell] of cells.entries()) {
        const fires = rows[row][step] === "1";
        cell.setAttribute("aria-selected", String(fires));
        cell.classList.toggle("acts", first === step + 1);
      }
    }
    for (const [step, head] of this.heads.entries()) head.classList.toggle("acts", first === step + 1);
    // Where black reaches under ε, along the levels.
    this.reach.style.height = `${(100 * (1 + Math.min(1, eps) * levels)) / (levels + 1)}%`;
    this.reach.hidden = eps <= 0;
  }

  #build(levels, steps) {
    this.#size = `${levels} ${steps}`;
    this.#at = [Math.min(this.#at[0], levels), Math.min(this.#at[1], steps - 1)];
    this.element.style.setProperty("--steps", String(steps));
    this.element.style.setProperty("--levels", String(levels));
    this.heads = Array.from({ length: steps }, (_, t) => h("span", { role: "columnheader" }, String(t + 1)));
    const corner = h("span", { role: "columnheader", class: "corner" }, say`step`);
    const grey = middles(levels);
    this.#cells = Array.from({ length: levels + 1 }, (_, row) =>
      Array.from({ length: steps }, (_, step) =>
        h("span", { role: "gridcell", tabindex: -1, "aria-label": say`${levelText(row, levels)}, step ${step + 1}` }),
      ),
    );
    const lines = this.#cells.map((cells, row) => {
      const shade = h("i", { style: `background: rgb(${[0, 0, 0].map(() => Math.round(255 * grey[row])).join()})` });
      // Every fourth of the intensities is written.
      const text = row === 0 ? say`black` : (row * 4) % levels === 0 ? String(row / levels) : "";
      const said = h("span", { class: "unseen" }, levelText(row, levels));
      const head = h("span", { role: "rowheader" }, h("b", { "aria-hidden": "true" }, text), said, shade);
      return h("div", { role: "row", class: row === 0 ? "dark" : "" }, head, ...cells);
    });
    this.reach = h("div", { class: "black-reach", "aria-hidden": "true" });
    const body = h("div", { role: "rowgroup", class: "cells" }, ...lines.reverse());
    this.body = body;
    this.element.replaceChildren(h("div", { role: "row", class: "heads" }, corner, ...this.heads), body);
    const reach = h("div", { class: "reaches", role: "presentation" }, this.reach);
    body.append(reach);
    this.#aim();
  }

  /** The cell that Tab reaches. */
  #aim() {
    for (const cells of this.#cells) for (const cell of cells) cell.tabIndex = -1;
    this.#cells[this.#at[0]][this.#at[1]].tabIndex = 0;
  }

  #focused({ target }) {
    for (const [row, cells] of this.#cells.entries()) {
      const step = cells.indexOf(target);
      if (step >= 0) this.#at = [row, step];
    }
    this.#aim();
  }

  #fires([row, step]) {
    return this.#rows[row][step] === "1";
  }

  #key(event) {
    const { key, shiftKey, altKey, ctrlKey, metaKey } = event;
    if (altKey || ctrlKey || metaKey) return;
    const [row, step] = this.#at;
    if (key === " " || key === "Enter") {
      const fires = !this.#fires(this.#at);
      this.onPaint([[row, step]], fires);
      this.speak(say`${levelText(row, this.#cells.length - 1)}, step ${step + 1}: ${fires ? say`fires` : say`silent`}`);
    } else if (MOVES[key] || key === "Home" || key === "End") {
      const [levels, steps] = [this.#cells.length - 1, this.#cells[0].length];
      const [up, right] = MOVES[key] ?? [0, key === "Home" ? -step : steps - 1 - step];
      /** @type {[number, number]} */
      const next = [Math.min(levels, Math.max(0, row + up)), Math.min(steps - 1, Math.max(0, step + right))];
      if (shiftKey && MOVES[key]) this.onPaint([next], this.#fires(this.#at));
      this.#at = next;
      this.#aim();
      this.#cells[next[0]][next[1]].focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The cell below a pointer, by the place of the rows. @returns {[number, number]|null} */
  #under(event) {
    const [top, dark] = [this.#cells.at(-1)?.[0], this.#cells[0][0]];
    const [{ x, y }, height] = [inside(event, this.body), this.body.clientHeight];
    const [first, levels, steps] = [
      /** @type {HTMLElement} */ (top).offsetLeft,
      this.#cells.length - 1,
      this.#cells[0].length,
    ];
    const step = Math.floor(((x - first) / (this.body.clientWidth - first)) * steps);
    if (step < 0 || step >= steps || y < 0 || y >= height) return null;
    if (y >= dark.offsetTop) return [0, step];
    const row = levels - Math.floor((y / dark.offsetTop) * levels);
    return [Math.min(levels, Math.max(1, row)), step];
  }

  #down(event) {
    const cell = event.button === 0 ? this.#under(event) : null;
    if (!cell) return;
    event.preventDefault();
    this.element.setPointerCapture(event.pointerId);
    this.#ink = this.#fires(cell) ? "0" : "1";
    this.#last = cell;
    this.onPaint([cell], this.#ink === "1");
  }

  /** The keys go on where the stroke has ended. */
  #lift() {
    if (this.#ink === null) return;
    this.#ink = null;
    this.#at = this.#last;
    this.#aim();
    this.#cells[this.#at[0]][this.#at[1]].focus({ preventScroll: true });
  }

  /** A stroke: all cells between two events of the pointer. */
  #move(event) {
    const cell = this.#ink === null ? null : this.#under(event);
    if (!cell) return;
    const [from, to] = [this.#last, cell];
    const length = Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]));
    if (length === 0) return;
    const between = Array.from({ length }, (_, k) => {
      const share = (k + 1) / length;
      return /** @type {[number, number]} */ (from.map((v, axis) => Math.round(v + share * (to[axis] - v))));
    });
    this.#last = cell;
    this.onPaint(between, this.#ink === "1");
  }
}
