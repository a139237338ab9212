/** What an attacker sees of a code: the derivative of every step over the intensity, relaxed or straight through. */
import { encoder } from "../engine/index.js";
import { divergingMap, packed, rgb } from "../theme/palette.js";
import { h } from "../view/dom/elements.js";
import { fit } from "../view/dom/sizes.js";
import { edgesOf } from "./table.js";

/** Above the row of black, in CSS pixels, as in paint.css. */
const GAP = 6;

/** The slope of a single edge at its place, k/4; colours end there. */
const STEEPEST = 2.5;

export class SlopeMap {
  constructor() {
    this.canvas = h("canvas", { role: "img" });
    this.element = h("div", { class: "slope-map" }, this.canvas);
  }

  /**
   * Intensity upwards, a column for each step, black below, as the grid beside it; a line where the code has an edge.
   * @param {string} name of the code  @param {import("./table.js").Rows} rows  @param {Colours} colours  @param {string} words
   */
  show(name, rows, colours, words) {
    const [levels, steps] = [rows.length - 1, rows[0].length];
    this.canvas.setAttribute("aria-label", words);
    const target = fit(this.canvas);
    if (!target) return;
    const { context, width, height, ratio } = target;
    const slopes = encoder(name, steps).parts[0].relaxed ?? [];
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const colour = divergingMap(colours);
    const gap = Math.max(1, Math.round(ratio));
    const ink = packed(rgb(colours.ink));
    // The grid has a gap above the row of black.
    const bright = Math.round(((height - GAP * ratio) * levels) / (levels + 1));
    const dark = bright + Math.round(GAP * ratio);
    const fill = (t, y, value) => {
      const from = y * width + Math.round((t * width) / steps);
      pixels.fill(value, from, y * width + Math.round(((t + 1) * width) / steps) - gap);
    };
    for (let t = 0; t < steps; t++) {
      for (let y = 0; y < height; y++) {
        if (y >= bright && y < dark) continue;
        const value = slopes[t]?.(y < bright ? 1 - (y + 0.5) / bright : 0) ?? 0;
        fill(t, y, colour(Math.max(-1, Math.min(1, value / STEEPEST))));
      }
    }
    for (const { row, step } of edgesOf(rows)) {
      const at = Math.round(bright * (1 - (row - 1) / levels));
      for (let y = at - gap; y < Math.min(bright, at); y++) fill(step, y, ink);
    }
    context.putImageData(image, 0, 0);
  }
}
