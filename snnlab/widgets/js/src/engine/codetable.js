/**
 * A deterministic pixel code as a table: which intensities give which spike train. Mirrors snnlab/codetable.py.
 *
 *   x in [lower_b, upper_b]  ⇒  s(x) = s_b,   b = 0 … B-1, dark to bright
 *
 * The table is found by asking the code itself: a grid of intensities shows where its train changes, and bisection finds each
 * change to the last bit of float32.
 */
import { emitted, isStochastic } from "./encode.js";

const { fround } = Math;

/**
 * @typedef {object} CodeTable
 * @property {Float32Array} lower  first intensity of each bin, [B]
 * @property {Float32Array} upper  last intensity of each bin, [B]
 * @property {Float32Array} trains  the train of each bin, [B, T, C'], C' parts
 * @property {number} size  B
 * @property {number} width  T·C'
 */

/**
 * The table of parts side by side, gates included: one bin for every combination of their trains.
 *
 * @param {import("./encode.js").Part[]} parts
 * @param {number} numSteps T
 * @param {{grid: number, most_bins: number}} constants as Python has them
 * @returns {CodeTable|null} null if there is none: a part is random, or analog
 */
export function codeTable(parts, numSteps, { grid, most_bins: mostBins }) {
  if (parts.some(isStochastic)) return null;
  const trainOf = (x) => train(parts, numSteps, x);
  const changes = [];
  let [before, x] = [trainOf(0), 0];
  for (let k = 1; k <= grid; k++) {
    const [next, after] = [fround(k / grid), trainOf(fround(k / grid))];
    if (!same(before, after)) {
      if (changes.length + 2 > mostBins) return null;
      changes.push(bisected(trainOf, x, next, before));
    }
    [before, x] = [after, next];
  }
  const lower = Float32Array.from([0, ...changes.map(([, above]) => above)]);
  const upper = Float32Array.from([...changes.map(([below]) => below), 1]);
  const width = numSteps * parts.length;
  const trains = new Float32Array(lower.length * width);
  lower.forEach((value, b) => trains.set(trainOf(value), b * width));
  return { lower, upper, trains, size: lower.length, width };
}

/** The bin of an intensity. */
export function binOf({ lower }, x) {
  let [low, high] = [0, lower.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lower[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** The first bin that reaches `x` or above: the lowest one that meets an interval beginning at `x`. */
export function firstBin({ upper }, x) {
  let [low, high] = [0, upper.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (upper[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The train of one intensity, [T, C']. */
function train(parts, numSteps, x) {
  const out = new Float32Array(numSteps * parts.length);
  for (let t = 0; t < numSteps; t++) {
    for (const [c, part] of parts.entries()) out[t * parts.length + c] = emitted(part, x, t);
  }
  return out;
}

/** The last intensity that gives `train` and the first that does not, between `below` and `above`. */
function bisected(trainOf, below, above, train) {
  let [low, high] = [below, above];
  for (;;) {
    const middle = fround(fround(low + high) / 2);
    if (!(middle > low && middle < high)) return [low, high];
    if (same(trainOf(middle), train)) low = middle;
    else high = middle;
  }
}

const same = (a, b) => a.every((value, k) => value === b[k]);
