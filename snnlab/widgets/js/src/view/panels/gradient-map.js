/** A gradient as a map: red where brightening a pixel harms, blue where darkening does, hatched where it is exactly zero. */
import { divergingMap, mixed, packed, rgb } from "../../theme/palette.js";
import { h } from "../dom/elements.js";
import { fit } from "../dom/sizes.js";

/** Gradients span orders of magnitude; a power below one keeps the small ones visible. */
const CONTRAST = 0.5;

/** Distance and thickness of the hatching, in CSS pixels. */
const HATCH = { every: 5, line: 1.25 };

export class GradientMap {
  constructor(caption) {
    this.canvas = h("canvas", { role: "img" });
    this.element = h("figure", { class: "picture gradient" }, h("figcaption", {}, caption), this.canvas);
  }

  /** @param {Float32Array|null} gradient channels are added up @param {number[]} shape @param {string} says */
  show(gradient, [channels, rows, columns], says, colours) {
    this.canvas.setAttribute("aria-label", says);
    const target = fit(this.canvas);
    if (!target) return;
    const { context, width, height, ratio } = target;
    const size = rows * columns;
    const value = new Float64Array(size);
    if (gradient) for (let i = 0; i < channels * size; i++) value[i % size] += gradient[i];
    const top = value.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const tint = divergingMap(colours);
    const cells = Uint32Array.from(value, (v) => (v === 0 ? 0 : tint(Math.sign(v) * (Math.abs(v) / top) ** CONTRAST)));
    const [ground, line] = [packed(rgb(colours.panel)), packed(mixed(rgb(colours.panel), rgb(colours.quiet), 0.62))];
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let y = 0; y < height; y++) {
      const row = Math.min(rows - 1, Math.floor((y * rows) / height)) * columns;
      for (let x = 0; x < width; x++) {
        const cell = cells[row + Math.min(columns - 1, Math.floor((x * columns) / width))];
        const hatched = (x + y) % (HATCH.every * ratio) < HATCH.line * ratio;
        pixels[y * width + x] = cell || (hatched ? line : ground);
      }
    }
    context.putImageData(image, 0, 0);
  }
}
