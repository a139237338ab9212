/**
 * Neural codes: how an image x in [0, 1] becomes a sequence s[t], t = 0 … T-1. Mirrors snnlab/encoding.py.
 *
 *   direct   s[t] = x                                       the same analog current at every step
 *   poisson  s[t] ~ Bernoulli(x)
 *   onset    s[t] = 1[t/T > 1 - x]          rounding "up": 1[(t+1)/T > 1 - x]
 *   offset   s[t] = 1[t/T < x]              rounding "down": 1[(t+1)/T < x]
 *   latency  s[t] = 1[t = floor((1 - x) T)]
 *   phase    bit k = t mod K of min(floor(x 2^K), 2^K - 1), most significant first, worth 2^-(1+k)
 *   fusion   the codes of the parts, channel blocks side by side, each scaled by its gate
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

/** Names of the codes; a fusion is written "fusion(0.125*direct, latency)", with gates where they are not 1. */
export const ENCODINGS = [...Object.keys(CODES), "fusion"];

/**
 * A code that is no fusion. Its gate scales what it emits, and the slopes with it; 0 silences it.
 *
 * @typedef {{name: string, gate: number, numSteps: number, rounding: string, slope: number, bits: number,
 *   table: Float64Array[]|null}} Part
 *
 * Steps before `fromStep` encode the image `early`, whatever the image given (see `lateFrom`).
 *
 * @typedef {{name: string, numSteps: number, parts: Part[], stochastic: boolean, fromStep: number,
 *   early: Float32Array|null}} Encoder
 */

/**
 * Make an encoder from its description, or from its name alone.
 *
 * @param {string|{name: string, num_steps?: number, rounding?: string, slope?: number, parts?: object[],
 *   gate?: number[]}} spec
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
  const parts = fused ? gated(given.parts, given.gate ?? given.parts.map(() => 1), steps) : [part(given, steps)];
  if (parts.some((p) => p.numSteps !== steps)) {
    throw new Error(`all parts of a fusion need num_steps = ${steps}, got ${parts.map((p) => p.numSteps).join(", ")}`);
  }
  const titles = parts.map(({ gate, name }) => (gate === 1 ? name : `${gate}*${name}`));
  const name = fused ? `fusion(${titles.join(", ")})` : titles[0];
  const stochastic = parts.some((p) => CODES[p.name].stochastic);
  return { name, numSteps: steps, parts, stochastic, fromStep: 0, early: null };
}

/** The parts of a fusion behind its gate, those of a fusion inside it in its place. */
function gated(parts, gate, steps) {
  const whole = Array.isArray(gate) && gate.length === parts.length && gate.every((g) => Number.isFinite(g) && g >= 0);
  if (!whole) throw new Error(`gate needs a weight of at least 0 for each of ${parts.length} parts, got [${gate}]`);
  return parts.flatMap((p, k) => encoder(p, steps).parts.map((own) => ({ ...own, gate: gate[k] * own.gate })));
}

/**
 * The same code with one part of the fusion silenced: what an ablation at test time takes away.
 *
 * @param {Encoder|null} code
 * @param {number} index of the part
 * @returns {Encoder}
 */
export function silence(code, index) {
  const count = code?.parts.length ?? 0;
  if (count < 2)
    throw new Error(`only a fusion has parts to silence, got ${code?.name ?? "an ANN"}; use silenced = -1`);
  integerBetween("silenced", index, -1, count - 1);
  return { ...code, parts: code.parts.map((p, k) => (k === index ? { ...p, gate: 0 } : p)) };
}

/**
 * The same code under a late perturbation: the steps before `fromStep` show the image `reference`, the others the image that
 * is encoded. Only the late steps have a gradient.
 *
 * @param {Encoder|null} code
 * @param {Float32Array} reference
 * @param {number} fromStep 0 … T
 * @returns {Encoder}
 */
export function lateFrom(code, reference, fromStep) {
  if (!code) throw new Error(`an ANN has no steps that could be late, got from_step = ${fromStep}; use 0`);
  return { ...code, early: reference, fromStep: integerBetween("from_step", fromStep, 0, code.numSteps) };
}

/** @returns {Part} */
function part(spec, numSteps) {
  const name = choose("encoding", spec?.name, ENCODINGS);
  const code = CODES[name];
  const rounding = code.rounding && choose("rounding", spec.rounding ?? code.rounding, ["down", "up"]);
  const slope = positive("slope of the relaxed code", spec.slope ?? 10);
  const bits = Math.min(numSteps, 8);
  return { name, gate: 1, numSteps, rounding, slope, bits, table: name === "phase" ? phaseTable(bits, slope) : null };
}

/** "fusion(0.5*direct, latency)" → {name: "fusion", gate: [0.5, 1], parts: [{name: "direct"}, {name: "latency"}]}. */
function describe(name) {
  const match = /^\s*fusion\s*\((.*)\)\s*$/.exec(name);
  if (!match) return { name: name.trim() };
  const parts = match[1].split(",").map((text) => /^\s*(?:(.*)\*)?(.*?)\s*$/.exec(text));
  return {
    name: "fusion",
    gate: parts.map(([, gate]) => (gate === undefined ? 1 : Number(gate || NaN))),
    parts: parts.map(([, , part]) => ({ name: part.trim() })),
  };
}

/** Whether a part draws random numbers. */
export function isStochastic(part) {
  return Boolean(CODES[part.name].stochastic);
}

/** What a part that is not random emits for one pixel at one step, gate included. */
export function emitted(part, x, t) {
  return fround(part.gate * CODES[part.name].spike(x, t, part));
}

/** Whether a part emits the same values at every step (but for a late perturbation): its current is computed once. */
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
export function encode({ parts, numSteps, early, fromStep }, image, random) {
  const width = parts.length * image.length;
  const sequence = new Float32Array(numSteps * width);
  parts.forEach((part, index) => {
    const { spike } = CODES[part.name];
    for (let t = 0; t < numSteps; t++) {
      const start = t * width + index * image.length;
      const pixels = t < fromStep ? early : image;
      for (let p = 0; p < image.length; p++) {
        const x = pixels[p];
        // Uniform numbers are drawn for black pixels too: with one seed two images then differ only where they differ.
        const s = spike ? spike(x, t, part) : fround(random()) < x ? 1 : 0;
        sequence[start + p] = part.gate * s;
      }
    }
  });
  return sequence;
}

/**
 * ∂s[t]/∂x of one part at every pixel, or null where it is the gate at every step (from `fromStep` on) and pixel.
 *
 * @param {Encoder} encoder
 * @param {number} index of the part
 * @param {string} rule a backward rule
 * @param {Float32Array} image length N
 * @param {Float32Array} sequence what `encode` returned
 * @returns {Float32Array|null} [T, N]
 */
export function derivative({ parts, fromStep }, index, rule, image, sequence) {
  choose("backward rule", rule, BACKWARD_RULES);
  const part = parts[index];
  const { slope, constant } = CODES[part.name];
  if (constant || (rule === "relaxed" && !slope)) return null;
  const n = image.length;
  const width = sequence.length / part.numSteps;
  const out = new Float32Array(part.numSteps * n);
  for (let t = fromStep; t < part.numSteps; t++) {
    const row = out.subarray(t * n, (t + 1) * n);
    if (rule === "straight_through") {
      row.set(sequence.subarray(t * width + index * n, t * width + (index + 1) * n));
    } else {
      for (let p = 0; p < n; p++) row[p] = part.gate * slope(image[p], t, part);
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
