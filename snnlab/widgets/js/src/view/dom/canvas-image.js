/** Small pictures of an image in [0, 1], and of the difference between two. */
import { say } from "../../language.js";
import { divergingMap, packed } from "../../theme/palette.js";
import { h } from "./elements.js";

/** How much a difference is magnified; the caption gives the factor. */
export const MAGNIFIED = 8;

/** A picture with a caption. @param {string} caption @param {string} [kind] class name */
export class Picture {
  constructor(caption, kind = "") {
    this.canvas = h("canvas", { role: "img", "aria-label": caption });
    this.caption = h("figcaption", {}, caption);
    this.element = h("figure", { class: `picture ${kind}` }, this.caption, this.canvas);
  }

  /** Grey levels; three channels are colours. @param {Float32Array} image  @param {number[]} shape [C, H, W] */
  show(image, shape) {
    const [channels, height, width] = shape;
    const size = height * width;
    const next = channels === 3 ? size : 0;
    paint(this.canvas, width, height, (p) => packed([0, 1, 2].map((c) => 255 * image[c * next + p])));
  }

  /** What was added and taken away, magnified, on the diverging map; channels are averaged. */
  showDifference(before, after, shape, colours, magnified = MAGNIFIED) {
    const [channels, height, width] = shape;
    const size = height * width;
    const tint = divergingMap(colours);
    paint(this.canvas, width, height, (p) => {
      let change = 0;
      for (let c = 0; c < channels; c++) change += (after[c * size + p] - before[c * size + p]) / channels;
      return tint(Math.min(1, Math.max(-1, change * magnified)));
    });
  }
}

/** The clean image, the attacked one, and what lies between them. */
export class Pictures {
  constructor(magnified = MAGNIFIED) {
    this.magnified = magnified;
    this.clean = new Picture(say`clean`);
    this.attacked = new Picture(say`attacked`, "attacked");
    this.difference = new Picture(say`difference ×${magnified}`, "difference");
    this.difference.element.append(
      h("p", { class: "map" }, h("i", { class: "darker" }), say`darker`, h("i", { class: "brighter" }), say`brighter`),
    );
    const all = [this.clean, this.attacked, this.difference];
    this.element = h("div", { class: "pictures" }, ...all.map((picture) => picture.element));
  }

  /** @param {Frame} frame  @param {Colours} colours */
  show({ clean, attacked, shape }, colours) {
    this.clean.show(clean.image, shape);
    this.attacked.show((attacked ?? clean).image, shape);
    this.difference.showDifference(clean.image, (attacked ?? clean).image, shape, colours, this.magnified);
    for (const { element } of [this.attacked, this.difference]) markChanged(element, attacked);
  }
}

/** Mark a picture as changed by an attack, or as idle without one. */
export function markChanged(element, attacked) {
  element.classList.toggle("changed", Boolean(attacked));
  element.classList.toggle("idle", !attacked);
}

/** Paint a canvas of exactly width × height pixels; the style sheet scales it up without smoothing. */
function paint(canvas, width, height, colourOf) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const data = context.createImageData(width, height);
  const pixels = new Uint32Array(data.data.buffer);
  for (let p = 0; p < width * height; p++) pixels[p] = colourOf(p);
  context.putImageData(data, 0, 0);
}

/** A picture without a caption, for the strip of digits. */
export function thumbnail(image, shape) {
  const picture = new Picture("");
  picture.show(image, shape);
  picture.canvas.removeAttribute("role");
  picture.canvas.removeAttribute("aria-label");
  return picture.canvas;
}
