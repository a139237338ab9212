/**
 * A spike raster: steps from left to right, neurons from top to bottom in an order that does not change with the state.
 * Spikes of both images are drawn in ink; the perturbation's own, present in the attacked raster and absent in the clean
 * one, in the attack's colour and hatched; lost ones faintly. Analog input is drawn as shades of the same.
 *
 * There are more neurons than pixels, so a pixel shows the share of its neurons that spiked. Sparse spikes would vanish
 * in that; a power below one keeps them visible.
 */
import { packed, rgb } from "../palette.js";
import { fit } from "./dom.js";

const CONTRAST = 0.6;
const LOST = 0.22;

/** Between blocks, in CSS pixels. */
const GAP = 4;

/**
 * @typedef {object} Sequence values of one raster
 * @property {ArrayLike<number>} clean [T, P]
 * @property {ArrayLike<number>|null} attacked
 * @property {ArrayLike<number>} order a permutation of the P neurons
 * @property {number} steps T
 * @property {Block[]} [blocks] drawn one below the other; without them, all neurons alike
 * @property {ArrayLike<number>|null} [sideband] [P] values in [0, 1] in drawing order, shown as grey levels on the left
 *
 * @typedef {{first: number, neurons: number, share: number}} Block a run of neurons in drawing order, and its share of the height
 */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Sequence} sequence
 * @param {{left: number, right: number}} margins of the columns inside the canvas, in CSS pixels
 * @param {object} colours of the palette
 */
export function paintRaster(canvas, sequence, margins, colours) {
  const target = fit(canvas);
  if (!target) return;
  const { context, width, height, ratio } = target;
  const image = context.createImageData(width, height);
  const pixels = { width, data: new Uint32Array(image.data.buffer) };
  const left = Math.round(margins.left * ratio);
  const columnWidth = (width - left - margins.right * ratio) / sequence.steps;
  const gap = Math.max(1, Math.round(ratio));
  const blocks = blockRows(sequence, height, ratio);
  const shade = shader(colours, Math.round(4 * ratio));
  for (let t = 0; t < sequence.steps; t++) {
    const [x0, x1] = [Math.round(left + t * columnWidth), Math.round(left + (t + 1) * columnWidth) - gap];
    for (const block of blocks) paintColumn(pixels, sequence, t, block, x0, x1, shade);
  }
  if (sequence.sideband) {
    for (const block of blocks) paintSideband(pixels, sequence.sideband, block, left, ratio);
  }
  context.putImageData(image, 0, 0);
}

/** Rows of the canvas that each block takes, with a gap between blocks. */
export function blockRows({ order, blocks = [{ first: 0, neurons: order.length, share: 1 }] }, height, ratio) {
  const gap = Math.round(GAP * ratio);
  const room = height - gap * (blocks.length - 1);
  let top = 0;
  return blocks.map(({ first, neurons, share }) => {
    const rows = { first, neurons, top: Math.round(top), bottom: Math.round(top + share * room) };
    top += share * room + gap;
    return rows;
  });
}

/**
 * Blocks of the input neurons: part by part of a fusion, and in each part the lit pixels apart from the black ones. Most
 * pixels of a digit are black; drawn to scale, what the lit ones do would be a strip at the edge.
 *
 * @param {ArrayLike<number>} image clean
 * @param {number} parts
 * @returns {(Block & {name: string, part: number})[]}
 */
export function inputBlocks(image, parts) {
  const size = image.length;
  let lit = 0;
  for (let p = 0; p < size; p++) if (image[p] > 0) lit += 1;
  const shares = lit === 0 || lit === size ? [1] : [0.55, 0.45];
  const sizes = shares.length === 1 ? [size] : [lit, size - lit];
  const names = shares.length === 1 ? [lit === 0 ? "black" : "lit"] : ["lit", "black"];
  return Array.from({ length: parts }, (_, part) =>
    sizes.map((neurons, k) => ({
      first: part * size + (k === 0 ? 0 : sizes[0]),
      neurons,
      share: shares[k] / parts,
      name: names[k],
      part,
    })),
  ).flat();
}

function paintColumn(pixels, { clean, attacked, order }, t, { top, bottom, first, neurons }, x0, x1, shade) {
  const rows = bottom - top;
  const start = t * order.length;
  for (let y = 0; y < rows; y++) {
    const from = Math.floor((y * neurons) / rows);
    const to = Math.max(from + 1, Math.floor(((y + 1) * neurons) / rows));
    let [kept, made, lost] = [0, 0, 0];
    for (let k = from; k < to; k++) {
      const i = start + order[first + k];
      const before = clean[i];
      const after = attacked ? attacked[i] : before;
      kept += Math.min(before, after);
      if (after > before) made += after - before;
      else lost += before - after;
    }
    const n = to - from;
    shade(pixels, top + y, x0, x1, kept / n, made / n, lost / n);
  }
}

/** Fills a run of pixels with the colour for given shares of kept, made and lost spikes. */
function shader(colours, hatch) {
  const [panel, ink, attack] = [colours.panel, colours.ink, colours.attack].map(rgb);
  const empty = packed(panel);
  return (pixels, y, x0, x1, kept, made, lost) => {
    const row = y * pixels.width;
    const amount = kept + made + lost * LOST;
    if (amount === 0) {
      pixels.data.fill(empty, row + x0, row + x1);
      return;
    }
    const cover = Math.min(1, amount) ** CONTRAST;
    const share = made / amount;
    const plain = panel.map((p, c) => p + cover * (ink[c] + share * (attack[c] - ink[c]) - p));
    pixels.data.fill(packed(plain), row + x0, row + x1);
    if (share === 0) return;
    // A hatch tells the two apart without colour.
    const light = packed(plain.map((v, c) => v + 0.38 * share * (panel[c] - v)));
    for (let x = x0; x < x1; x++) if ((x + y) % hatch < hatch / 4) pixels.data[row + x] = light;
  };
}

function paintSideband(pixels, values, { top, bottom, first, neurons }, left, ratio) {
  const x0 = Math.max(0, left - Math.round(8 * ratio));
  const x1 = left - Math.round(3 * ratio);
  for (let y = top; y < bottom; y++) {
    const grey = 255 * values[first + Math.floor(((y - top) * neurons) / (bottom - top))];
    pixels.data.fill(packed([grey, grey, grey]), y * pixels.width + x0, y * pixels.width + x1);
  }
}

/** Whether a sequence holds currents rather than spikes: several different values above zero within one step. */
export function isAnalog(values, steps, from = 0, to = values.length / steps) {
  let seen = 0;
  for (let p = from; p < to; p++) {
    const value = values[p];
    if (value === 0 || value === seen) continue;
    if (seen !== 0) return true;
    seen = value;
  }
  return false;
}

/**
 * Values between 0 and 1 to draw: spikes of unequal worth (a phase code's) are drawn fainter, but not as faint as they
 * are worth, or most would not be seen.
 */
export function drawable(values, steps) {
  if (!values || isAnalog(values, steps) || values.every((v) => v === 0 || v === 1)) return values;
  return Float32Array.from(values, (v) => (v === 0 || v === 1 ? v : 0.35 + 0.65 * Math.min(1, 2 * v)));
}
