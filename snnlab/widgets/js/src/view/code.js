/** One code of an image as a small picture: raster, the train of one pixel, and a line of numbers. */
import { summaryText } from "./codewords.js";
import { h, setText } from "./dom.js";
import { drag, stepAt } from "./drag.js";
import { swatch } from "./marks.js";
import { blockRows, drawable, inputBlocks, paintRaster } from "./raster.js";

const MARGINS = { left: 14, right: 0 };

export class CodePanel {
  /** @param {string} name  @param {(step: number) => void} onStep */
  constructor(name, onStep) {
    this.name = name;
    this.mark = h("span", { class: "swatch-box" });
    this.canvas = h("canvas", { role: "img", "aria-label": `${name}: spikes` });
    this.train = h("canvas", { class: "train", "aria-hidden": "true" });
    this.line = h("div", { class: "line", "aria-hidden": "true" });
    this.cursor = h("div", { class: "cursor", "aria-hidden": "true" });
    this.body = h(
      "div",
      { class: "body" },
      this.canvas,
      this.train,
      this.line,
      h("div", { class: "veil", "aria-hidden": "true" }),
      this.cursor,
    );
    this.steps = h("div", { class: "steps", "aria-hidden": "true" });
    this.base = h("span", {});
    this.added = h("b", {});
    this.element = h(
      "section",
      { class: "code" },
      h("h4", {}, this.mark, name),
      this.body,
      this.steps,
      h("p", { class: "summary" }, this.base, " ", this.added),
    );
    this.body.addEventListener("pointerdown", (event) => this.#drag(event, onStep));
  }

  showStep(step, steps) {
    this.numSteps = steps;
    if (this.steps.childElementCount !== steps) {
      this.steps.replaceChildren(...Array.from({ length: steps }, (_, t) => h("span", {}, String(t + 1))));
    }
    for (const [t, label] of [...this.steps.children].entries()) label.classList.toggle("read", t < step);
    this.body.style.setProperty("--exit", String(Math.min(Math.max(step, 0), steps) / steps));
  }

  /**
   * @param {{clean: Float32Array, attacked: Float32Array|null}} code
   * @param {object} frame
   * @param {number} pixel
   * @param {object} summary
   * @param {number} step
   * @param {object} colours
   */
  show({ clean, attacked }, frame, pixel, summary, step, colours) {
    const { num_steps: steps } = frame;
    const size = frame.order.length;
    const parts = clean.length / steps / size;
    const order = Int32Array.from(
      { length: parts * size },
      (_, k) => Math.floor(k / size) * size + frame.order[k % size],
    );
    const image = frame.images.clean;
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
    paintRaster(
      this.train,
      { clean: pick(clean), attacked: pick(attacked), order: [...rows.keys()], steps },
      MARGINS,
      colours,
    );
  }

  /** Height of a neuron's row in the raster, in CSS pixels. */
  #rowOf(rank, blocks) {
    const height = this.canvas.clientHeight;
    const rows = blockRows({ blocks, order: [] }, height, 1);
    const block = rows.find(({ first, neurons }) => rank >= first && rank < first + neurons);
    return block.top + ((rank - block.first + 0.5) / block.neurons) * (block.bottom - block.top);
  }

  #drag(event, onStep) {
    drag(event, this.body, (x, width) => onStep(stepAt(x, width, MARGINS, this.numSteps)));
  }
}
