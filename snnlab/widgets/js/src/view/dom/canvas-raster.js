/**
 * A spike raster: steps from left to right, neurons from top to bottom in an order that does not change with the state.
 * Spikes of both images are drawn in ink, those of the perturbation in the attack's colour and hatched, lost ones faintly.
 * A pixel shows the share of its neurons that spiked; a power below one keeps sparse ones visible.
 */
import { mixed, packed, rgb } from "../../theme/palette.js";
import { fit } from "./sizes.js";

const CONTRAST = 0.6;
const LOST = 0.22;

/** Between blocks, in CSS pixels. */
const GAP = 4;

/**
 * Values [T, P] of one raster, the P neurons in drawing order; blocks drawn one below the other, each with its share of the
 * height; `sideband`: values in [0, 1] in drawing order, shown as grey levels on the left.
 * @typedef {{first: number, neurons: number, share: number}} Block
 * @typedef {{clean: ArrayLike<number>, attacked: ArrayLike<number>|null, order: ArrayLike<number>, steps: number,
 *   blocks?: Block[], sideband?: ArrayLike<number>|null}} Sequence
 */

/** @param {HTMLCanvasElement} canvas @param {Sequence} sequence @param {Margins} margins @param {Colours} colours */
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

/** Blocks of the input neurons, part by part: lit pixels apart from the black ones, which are most. */
export function inputBlocks(image, parts) {
  const size = image.length;
  const lit = image.filter((x) => x > 0).length;
  const both = [
    { name: "lit", neurons: lit, start: 0, share: 0.55 },
    { name: "black", neurons: size - lit, start: lit, share: 0.45 },
  ].filter(({ neurons }) => neurons > 0);
  const whole = both.reduce((sum, { share }) => sum + share, 0);
  return Array.from({ length: parts }, (_, part) =>
    both.map(({ name, neurons, start, share }) => {
      return { name, part, neurons, first: part * size + start, share: share / whole / parts };
    }),
  ).flat();
}

function paintColumn(pixels, { clean, attacked, order }, t, { top, bottom, first, neurons }, x0, x1, shade) {
  const rows = bottom - top;
  const start = t * order.length;
  for (let y = 0; y < rows; y++) {
    const from = Math.floor((y * neurons) / rows);
    const to = Math.max(from + 1, Math.floor(((y + 1) * neurons) / rows));
    let [unchanged, added, lost] = [0, 0, 0];
    for (let k = from; k < to; k++) {
      const i = start + order[first + k];
      const before = clean[i];
      const after = attacked ? attacked[i] : before;
      unchanged += Math.min(before, after);
      if (after > before) added += after - before;
      else lost += before - after;
    }
    const n = to - from;
    shade(pixels, top + y, x0, x1, unchanged / n, added / n, lost / n);
  }
}

/** Fills a run of pixels with the colour for given shares of unchanged, added and lost spikes. */
function shader(colours, hatch) {
  const [panel, ink, attack] = [colours.panel, colours.ink, colours.attack].map(rgb);
  const empty = packed(panel);
  return (pixels, y, x0, x1, unchanged, added, lost) => {
    const row = y * pixels.width;
    const amount = unchanged + added + lost * LOST;
    if (amount === 0) {
      pixels.data.fill(empty, row + x0, row + x1);
      return;
    }
    const share = added / amount;
    const plain = mixed(panel, mixed(ink, attack, share), Math.min(1, amount) ** CONTRAST);
    pixels.data.fill(packed(plain), row + x0, row + x1);
    if (share === 0) return;
    // A hatch tells the two apart without colour.
    const light = packed(mixed(plain, panel, 0.38 * share));
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
  let level = 0;
  for (let p = from; p < to; p++) {
    const value = values[p];
    if (value === 0 || value === level) continue;
    if (level !== 0) return true;
    level = value;
  }
  return false;
}

/** Values to draw: spikes of unequal worth (a phase code's) are drawn fainter, but not as faint as they are worth. */
export function drawable(values, steps) {
  if (!values || isAnalog(values, steps) || values.every((v) => v === 0 || v === 1)) return values;
  return Float32Array.from(values, (v) => (v === 0 || v === 1 ? v : 0.35 + 0.65 * Math.min(1, 2 * v)));
}
