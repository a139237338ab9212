/**
 * A step code is a list of edges: at which intensity which step gains or loses a spike. Mirrors snnlab/encoding/edges.py and
 * step_codes.py.
 *
 *   s[t](x) = dark[t] + Σ_edges of t  weight · 1[x ≥ first],     relaxed ∂s[t]/∂x = Σ weight · k σ'(k (x - intensity))
 *
 * An edge is [intensity, step, weight, first]; `first` is the first float32 intensity beyond it, and may be left out where it is
 * `intensity` itself. Models bring their edges; here are those of the codes that have a name.
 */
import { choose, need } from "./check.js";
import { bisect, tableOf } from "./codetable.js";
import { logisticSlope } from "./surrogate.js";

const { fround } = Math;

const WINDOW = 2; // edges that a step may have for its relaxed derivative to be summed at every pixel
const POINTS = 1025; // intensities at which the derivative of other codes is tabulated
const RESIDUE = 1e-9; // sums of weights below this are zero
const NO_LONGER_BLACK = 2 ** -24; // of a table: the least intensity above black
const ONE = 0x3f800000; // the bits of 1 in float32; the next number stands for "never"

/**
 * @typedef {[number, number, number, number?]} Edge
 * @typedef {{edges: Edge[], dark: number[]}} Edges  dark: the train of black
 */

/** @returns {Edge} */
const edge = (intensity, step, weight, first = fround(intensity)) => [intensity, step, weight, first];

/** @type {Record<string, (numSteps: number, options: Record<string, string>) => Edges>} */
export const STEP_CODES = {
  onset: (T, { rounding = "down" }) => {
    const shift = choose("rounding", rounding, ["down", "up"]) === "up" ? 1 : 0;
    const fires = (x, t) => fround((t + shift) / T) > fround(1 - x);
    return rising(T, (t) => 1 - (t + shift) / T, fires);
  },
  offset: (T, { rounding = "up" }) => {
    const shift = choose("rounding", rounding, ["down", "up"]) === "down" ? 1 : 0;
    const fires = (x, t) => fround((t + shift) / T) < x;
    return rising(T, (t) => (t + shift) / T, fires);
  },
  latency: (T) => {
    const fires = (x, t) => Math.floor(fround(fround(1 - x) * T)) < t;
    const { edges } = rising(T + 1, (t) => 1 - t / T, fires);
    const begins = edges.slice(1).map(([intensity, t, , first]) => edge(intensity, t - 1, 1, first));
    const ends = edges.slice(0, -1).map(([intensity, t, , first]) => edge(intensity, t, -1, first));
    return { edges: [...begins, ...ends], dark: Array(T).fill(0) };
  },
  phase: (T) => {
    const bits = Math.min(T, 8);
    /** @type {Edge[]} */
    const edges = [];
    for (let t = 0; t < T; t++) {
      const k = t % bits;
      for (let j = 1; j < 2 ** (k + 1); j++) edges.push([j * 2 ** -(k + 1), t, (j % 2 ? 1 : -1) * 2 ** -(k + 1)]);
    }
    return { edges, dark: Array(T).fill(0) };
  },
  binary: (T) => ({ edges: Array.from({ length: T }, (_, t) => edge(0.5, t, 1)), dark: Array(T).fill(0) }),
};

/**
 * The edges of a code that is written as its table: rows of signs, dark to bright. The first row is the train of black; of the L
 * others, row l is that of (l - 1) / L < x ≤ l / L. @param {number} T  @param {string} rows @returns {Edges}
 */
export function paintedEdges(T, rows) {
  const trains = rows.trim().split(/\s+/);
  const signs = trains.length > 1 && trains.every((train) => train.length === T && /^[01]*$/.test(train));
  const expected = `two or more rows of num_steps = ${T} signs each, 0 or 1, dark to bright from the row of black on`;
  need(signs, `a table has ${expected}, as in 'table(rows=00 01 10)' for two steps, got rows="${rows}"`);
  const L = trains.length - 1;
  /** @type {Edge[]} */
  const edges = [];
  for (let l = 0; l < L; l++) {
    const first = Math.max(after(fround(l / L)), NO_LONGER_BLACK);
    for (let t = 0; t < T; t++) {
      const jump = Number(trains[l + 1][t]) - Number(trains[l][t]);
      if (jump !== 0) edges.push(edge(l / L, t, jump, first));
    }
  }
  return { edges, dark: Array.from(trains[0], Number) };
}

/** The edges of s[t](1 - x). @param {Edges} code @returns {Edges} */
export function negative({ edges, dark }) {
  const bright = dark.map((d, t) => snapped(edges.reduce((sum, e) => (e[1] === t ? sum + e[2] : sum), d)));
  const turned = edges.map(([intensity, t, weight, first = fround(intensity)]) => {
    return edge(
      1 - intensity,
      t,
      -weight,
      firstIntensity((x) => fround(1 - x) < first),
    );
  });
  return { edges: turned, dark: bright };
}

/** The edges of s[order[t]](x). @param {Edges} code @param {number[]} order @returns {Edges} */
export function shuffled({ edges, dark }, order) {
  const steps = order.toSorted((a, b) => a - b);
  const moves = order.length === dark.length && steps.every((s, t) => s === t) && order.some((s, t) => s !== t);
  const example = "'shuffled(latency, order=1 0)' for two steps";
  const expected = `a permutation of the steps 0 … ${dark.length - 1} that moves some, as in ${example}`;
  need(moves, `order must be ${expected}, got ${order.join(" ")}`);
  const moved = edges.map(([intensity, t, weight, first]) => edge(intensity, order.indexOf(t), weight, first));
  return { edges: moved, dark: order.map((t) => dark[t]) };
}

/** The spike train of every interval of intensities. @param {Edges} code  @returns {import("./codetable.js").CodeTable} */
export function edgeTable({ edges, dark }) {
  const jumps = new Map([[0, Array(dark.length).fill(0)]]);
  for (const [intensity, t, weight, first = fround(intensity)] of edges) {
    if (first > 1) continue;
    if (!jumps.has(first)) jumps.set(first, Array(dark.length).fill(0));
    jumps.get(first)[t] += weight;
  }
  const lower = [...jumps.keys()].sort((a, b) => a - b);
  let train = dark;
  const trains = lower.map((first) => {
    train = train.map((s, t) => s + jumps.get(first)[t]);
    return train.map((s) => fround(snapped(s)));
  });
  return tableOf(lower, trains);
}

/** ∂s[t]/∂x of the relaxed code of slope k, a function of the intensity for each step. @param {Edges} code */
export function relaxed({ edges, dark }, k) {
  return dark.map((_, step) => {
    const own = edges.filter(([, t]) => t === step);
    const sum = (x) => own.reduce((total, [at, , weight]) => total + weight * k * logisticSlope(k * (x - at)), 0);
    if (own.length <= WINDOW) return sum;
    const table = Float64Array.from({ length: POINTS }, (_, i) => sum(i / (POINTS - 1)));
    return (x) => interpolate(table, x);
  });
}

/** One rising edge a step; `fires` decides which float32 intensities lie beyond. @returns {Edges} */
function rising(T, intensity, fires) {
  const first = (t) => firstIntensity((x) => fires(x, t));
  const edges = Array.from({ length: T }, (_, t) => edge(intensity(t), t, 1, first(t)));
  return { edges, dark: Array(T).fill(0) };
}

/** The first float32 intensity for which a condition holds, true for all brighter ones; just above 1 if there is none. */
function firstIntensity(holds) {
  const float = (bits) => new Float32Array(Int32Array.of(bits).buffer)[0];
  return float(bisect(ONE + 1, (bits) => holds(float(bits))));
}

/** The float32 number after one that is not negative. */
function after(x) {
  const float = Float32Array.of(x);
  new Int32Array(float.buffer)[0] += 1;
  return float[0];
}

function interpolate(table, x) {
  const position = x * (table.length - 1);
  const left = Math.min(Math.floor(position), table.length - 2);
  return table[left] + (position - left) * (table[left + 1] - table[left]);
}

const snapped = (value) => (Math.abs(value) < RESIDUE ? 0 : value);
