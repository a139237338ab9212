/**
 * Neural codes: how an image x in [0, 1] becomes a sequence s[t], t = 0 … T-1. Mirrors snnlab/encoding.py.
 *
 *   direct   s[t] = x                                       the same analog current at every step
 *   poisson  s[t] ~ Bernoulli(x)
 *   onset    s[t] = 1[t/T > 1 - x]          rounding "up": 1[(t+1)/T > 1 - x]
 *   offset   s[t] = 1[t/T < x]              rounding "down": 1[(t+1)/T < x]
 *   latency  s[t] = 1[t = floor((1 - x) T)]
 *   phase    bit k = t mod K of min(floor(x 2^K), 2^K - 1), most significant first, worth 2^-(1+k)
 *   fusion   the codes of the parts, channel blocks side by side
 *
 * Steps are discontinuous, so what an attacker sees is the backward rule: `straight_through`, ∂s/∂x := s[t],
 * or `relaxed`, the derivative of a sigmoid of slope k in place of the step.
 *
 * All comparisons are in float32, as in torch. Sequences are [T, P], P = parts·C·H·W.
 */
import { choose, integerBetween, positive } from "./check.js";
import { logisticSlope } from "./surrogate.js";

const { fround } = Math;

export const BACKWARD_RULES = ["straight_through", "relaxed"];

/**
 * One code, not yet told its number of steps or options.
 *
 * @typedef {object} Code
 * @property {(x: number, t: number, spec: Part) => number} [spike]  s[t] of one pixel
 * @property {(x: number, t: number, spec: Part) => number} [slope]  relaxed ∂s[t]/∂x; absent: 1
 * @property {boolean} [constant]   s[t] is the same at every step
 * @property {boolean} [stochastic]
 * @property {string} [rounding]    default, for the codes that have one
 */
/** @type {Record<string, Code>} */
const CODES = {
  direct: { constant: true, spike: (x) => x },
  poisson: { stochastic: true },
  onset: {
    rounding: "down",
    spike: (x, t, part) => (edge(t, part, "up") > fround(1 - x) ? 1 : 0),
    slope: (x, t, part) => smoothStep(x - 1 + edge(t, part, "up"), part),
  },
  offset: {
    rounding: "up",
    spike: (x, t, part) => (edge(t, part, "down") < x ? 1 : 0),
    slope: (x, t, part) => smoothStep(x - edge(t, part, "down"), part),
  },
  latency: {
    spike: (x, t, part) => (t === Math.floor(fround(fround(1 - x) * part.numSteps)) ? 1 : 0),
    // The window t ≤ (1 - x) T < t + 1 is the difference of two steps in x.
    slope: (x, t, part) =>
      smoothStep(x - 1 + (t + 1) / part.numSteps, part) - smoothStep(x - 1 + t / part.numSteps, part),
  },
  phase: {
    spike: (x, t, { bits }) => {
      const k = t % bits;
      const level = Math.min(Math.floor(x * 2 ** bits), 2 ** bits - 1);
      return ((level >> (bits - 1 - k)) & 1) * 2 ** -(1 + k);
    },
    slope: (x, t, part) => interpolate(part.table[t % part.bits], x),
  },
};

/** Names of the codes; a fusion is written "fusion(direct, latency)". */
export const ENCODINGS = [...Object.keys(CODES), "fusion"];

/**
 * @typedef {{name: string, numSteps: number, rounding: string, slope: number, bits: number, table: Float64Array[]|null}} Part
 * @typedef {{name: string, numSteps: number, parts: Part[], stochastic: boolean}} Encoder
 */

/**
 * Make an encoder from its description, or from its name alone.
 *
 * @param {string|{name: string, num_steps?: number, rounding?: string, slope?: number, parts?: object[]}} spec
 * @param {number} [numSteps] T, where the description does not say
 * @returns {Encoder}
 */
export function encoder(spec, numSteps = 8) {
  const given = typeof spec === "string" ? describe(spec) : spec;
  const fused = given?.name === "fusion" || given?.parts?.length > 0;
  if (fused && !(given.parts?.length >= 2)) {
    throw new Error(`fusion needs at least two parts, got ${given.parts?.length ?? 0}; e.g. "fusion(direct, latency)"`);
  }
  const steps = integerBetween("num_steps", given?.num_steps ?? numSteps, 1, 1024);
  const parts = fused ? given.parts.flatMap((p) => encoder(p, steps).parts) : [part(given, steps)];
  if (parts.some((p) => p.numSteps !== steps)) {
    throw new Error(`all parts of a fusion need num_steps = ${steps}, got ${parts.map((p) => p.numSteps).join(", ")}`);
  }
  const name = fused ? `fusion(${parts.map((p) => p.name).join(", ")})` : parts[0].name;
  return { name, numSteps: steps, parts, stochastic: parts.some((p) => CODES[p.name].stochastic) };
}

/** @returns {Part} */
function part(spec, numSteps) {
  const name = choose("encoding", spec?.name, ENCODINGS);
  const code = CODES[name];
  const rounding = code.rounding && choose("rounding", spec.rounding ?? code.rounding, ["down", "up"]);
  const slope = positive("slope of the relaxed code", spec.slope ?? 10);
  const bits = Math.min(numSteps, 8);
  return { name, numSteps, rounding, slope, bits, table: name === "phase" ? phaseTable(bits, slope) : null };
}

/** "fusion(direct, latency)" → {name: "fusion", parts: [{name: "direct"}, {name: "latency"}]}. */
function describe(name) {
  const match = /^\s*fusion\s*\((.*)\)\s*$/.exec(name);
  if (!match) return { name: name.trim() };
  return { name: "fusion", parts: match[1].split(",").map((p) => ({ name: p.trim() })) };
}

/** Whether a part emits the same value at every step, so that the network computes its current once. */
export function isConstant(part) {
  return Boolean(CODES[part.name].constant);
}

/**
 * Encode an image.
 *
 * @param {Encoder} encoder
 * @param {Float32Array} image length N = C·H·W
 * @param {() => number} [random] uniform numbers, for `poisson`
 * @returns {Float32Array} [T, parts·N]
 */
export function encode({ parts, numSteps }, image, random) {
  const width = parts.length * image.length;
  const sequence = new Float32Array(numSteps * width);
  parts.forEach((part, index) => {
    const { spike } = CODES[part.name];
    for (let t = 0; t < numSteps; t++) {
      const start = t * width + index * image.length;
      for (let p = 0; p < image.length; p++) {
        const x = image[p];
        // Uniform numbers are drawn for black pixels too: with one seed two images then differ only where they differ.
        sequence[start + p] = spike ? spike(x, t, part) : fround(random()) < x ? 1 : 0;
      }
    }
  });
  return sequence;
}

/**
 * ∂s[t]/∂x of one part at every pixel, or null where it is 1 at every step and pixel.
 *
 * @param {Part} part
 * @param {string} rule a backward rule
 * @param {Float32Array} image length N
 * @param {Float32Array} sequence what `encode` returned
 * @param {number} index of the part
 * @returns {Float32Array|null} [T, N]
 */
export function derivative(part, rule, image, sequence, index) {
  choose("backward rule", rule, BACKWARD_RULES);
  const { slope, constant } = CODES[part.name];
  if (constant || (rule === "relaxed" && !slope)) return null;
  const n = image.length;
  const width = sequence.length / part.numSteps;
  const out = new Float32Array(part.numSteps * n);
  for (let t = 0; t < part.numSteps; t++) {
    const row = out.subarray(t * n, (t + 1) * n);
    if (rule === "straight_through") {
      row.set(sequence.subarray(t * width + index * n, t * width + (index + 1) * n));
    } else {
      for (let p = 0; p < n; p++) row[p] = slope(image[p], t, part);
    }
  }
  return out;
}

/** t/T, or (t+1)/T for the rounding that shifts this code by a step. */
function edge(t, { numSteps, rounding }, shifted) {
  return fround((rounding === shifted ? t + 1 : t) / numSteps);
}

/** d/dx σ(k·distance) = k σ(1 - σ). */
function smoothStep(distance, { slope }) {
  return slope * logisticSlope(slope * distance);
}

/**
 * The relaxed phase code's derivative at 1025 equidistant intensities, a row per bit: bit k flips at j 2^-(k+1),
 * up for odd j and down for even j. It depends on x alone, so the 502 sigmoids are computed once, not per pixel.
 */
function phaseTable(bits, slope, points = 1025) {
  return Array.from({ length: bits }, (_, k) =>
    Float64Array.from({ length: points }, (_, i) => {
      let sum = 0;
      for (let j = 1; j < 2 ** (k + 1); j++) {
        const flank = slope * logisticSlope(slope * (i / (points - 1) - j * 2 ** -(k + 1)));
        sum += j % 2 === 1 ? flank : -flank;
      }
      return sum * 2 ** -(1 + k);
    }),
  );
}

function interpolate(table, x) {
  const position = x * (table.length - 1);
  const left = Math.min(Math.floor(position), table.length - 2);
  return table[left] + (position - left) * (table[left + 1] - table[left]);
}
