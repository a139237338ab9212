/** One code of an image as a small picture: raster, the train of one pixel, and a line of numbers. */

import { inputOrder } from "../../engine/index.js";
import { say } from "../../language.js";
import { swatch } from "../charts/marks.js";
import { blockRows, drawable, inputBlocks, paintRaster } from "../dom/canvas-raster.js";
import { drag, stepAt } from "../dom/drag.js";
import { h, setText } from "../dom/elements.js";
import { summaryText } from "../text/code.js";
import { numberSteps } from "./panel.js";

const MARGINS = { left: 14, right: 0 };

export class CodePanel {
  /** @param {string} name  @param {(step: number) => void} onStep */
  constructor(name, onStep) {
    this.name = name;
    this.mark = h("span", { class: "swatch-box" });
    this.canvas = h("canvas", { role: "img", "aria-label": say`${name}: spikes` });
    this.train = h("canvas", { class: "train", "aria-hidden": "true" });
    const unseen = (kind) => h("div", { class: kind, "aria-hidden": "true" });
    this.line = unseen("line");
    this.body = h("div", { class: "body" }, this.canvas, this.train, this.line, unseen("veil"), unseen("cursor"));
    this.steps = unseen("steps");
    this.base = h("span", {});
    this.added = h("b", {});
    const summary = h("p", { class: "summary" }, this.base, " ", this.added);
    this.element = h("section", { class: "code" }, h("h4", {}, this.mark, name), this.body, this.steps, summary);
    const move = (x, width) => onStep(stepAt(x, width, MARGINS, this.numSteps));
    this.body.addEventListener("pointerdown", (event) => drag(event, this.body, move));
  }

  showStep(step, steps) {
    this.numSteps = steps;
    numberSteps(this.steps, steps, step);
    this.body.style.setProperty("--exit", String(Math.min(Math.max(step, 0), steps) / steps));
  }

  /** Show a code of a frame, its train at one pixel, and its summary. */
  show({ clean, attacked }, frame, pixel, summary, step, colours) {
    const { num_steps: steps } = frame;
    const image = frame.images.clean;
    const size = image.length;
    const parts = clean.length / steps / size;
    const order = inputOrder(image, parts);
    const blocks = inputBlocks(image, parts);
    const sideband = Float32Array.from(order, (p) => image[p % size]);
    const values = { clean: drawable(clean, steps), attacked: attacked && drawable(attacked, steps), steps };
    paintRaster(this.canvas, { ...values, order, blocks, sideband }, MARGINS, colours);
    this.#showPixel(values, pixel, size, parts, colours);
    this.line.style.top = `${this.#rowOf(order.indexOf(pixel), blocks)}px`;
    this.mark.replaceChildren(swatch(colours.code(this.name), colours));
    const [base, added] = summaryText(summary, step);
    setText(this.base, base);
    setText(this.added, added);
    this.canvas.setAttribute("aria-label", `${this.name}: ${base} ${added}`);
  }

  /** The train of the marked pixel, a row for each part of the code. */
  #showPixel({ clean, attacked, steps }, pixel, size, parts, colours) {
    const width = clean.length / steps;
    const rows = Array.from({ length: parts }, (_, k) => k * size + pixel);
    const pick = (values) =>
      values &&
      Float32Array.from({ length: steps * parts }, (_, i) => values[Math.floor(i / parts) * width + rows[i % parts]]);
    const train = { clean: pick(clean), attacked: pick(attacked), order: [...rows.keys()], steps };
    paintRaster(this.train, train, MARGINS, colours);
  }

  /** Height of a neuron's row in the raster, in CSS pixels. */
  #rowOf(rank, blocks) {
    const height = this.canvas.clientHeight;
    const rows = blockRows({ blocks, order: [] }, height, 1);
    const block = rows.find(({ first, neurons }) => rank >= first && rank < first + neurons);
    return block.top + ((rank - block.first + 0.5) / block.neurons) * (block.bottom - block.top);
  }
}
