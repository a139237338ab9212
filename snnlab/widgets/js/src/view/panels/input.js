/** What comes in: spikes, a current, or the image itself, brightest pixels on top. */
import { say } from "../../language.js";
import { blockRows, drawable, inputBlocks, isAnalog, paintRaster } from "../dom/canvas-raster.js";
import { h, setText } from "../dom/elements.js";
import { gateText } from "../model/fusion-names.js";
import { labelRows, RasterPanel } from "./panel.js";

export class InputPanel extends RasterPanel {
  constructor() {
    super("input", say`spikes in`);
    const [made, lost] = [h("i", { class: "made" }), h("i", { class: "lost" })];
    this.key = h("span", { class: "key", hidden: true }, made, say`made by the attack`, lost, say`lost`);
    this.title.after(this.key);
    this.tags = h("div", { class: "rows tags", "aria-hidden": "true" });
    this.body.append(this.tags);
  }

  /** What is drawn one below the other. */
  blocks(image, parts) {
    return inputBlocks(image, parts);
  }

  /** @param {Frame} frame  @param {import("./panel.js").Context} context */
  show(frame, context) {
    const { clean, attacked, order, num_steps: steps } = frame;
    const size = frame.shape.reduce((a, b) => a * b, 1);
    const timeless = !clean.input;
    const values = timeless ? (side) => Float32Array.from(side.image) : (side) => drawable(side.input, steps);
    const blocks = this.blocks(clean.image, order.input.length / size);
    const sequence = {
      clean: values(clean),
      attacked: attacked && values(attacked),
      order: order.input,
      steps: timeless ? 1 : steps,
      blocks,
      sideband: Float32Array.from(order.input, (p) => clean.image[p % size]),
    };
    paintRaster(this.canvas, sequence, context.margins, context.colours);
    this.#label(blocks, context);
    const current = !timeless && blocks.at(-1).part === 0 && isAnalog(clean.input, steps);
    setText(this.title, timeless ? say`image in` : current ? say`current in` : say`spikes in`);
    setText(this.note, timeless ? say`no time: the network sees the image once` : say`brightest pixels on top`);
    this.key.hidden = !attacked;
  }

  /** "lit" and "black" beside the blocks, at the heights where the raster draws them; on the other side the fused parts. */
  #label(blocks, { parts, silenced = -1 }) {
    const { height } = this;
    const places = blockRows({ blocks, order: [] }, height, 1);
    const middle = (of) => (Math.min(...of.map(({ top }) => top)) + Math.max(...of.map(({ bottom }) => bottom))) / 2;
    const names = blocks.map(({ name }, k) => [name, middle([places[k]])]);
    const tags = parts.map((part, k) => {
      const rows = places.filter((_, b) => blocks[b].part === k);
      return [k === silenced ? say`${part.name}\nsilenced` : gateText(part), middle(rows)];
    });
    labelRows(this.rows, names, height);
    labelRows(this.tags, parts.length < 2 ? [] : tags, height);
  }
}
