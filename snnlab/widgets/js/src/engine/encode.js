/**
 * Neural codes: how an image x in [0, 1] becomes a sequence s[t], t = 0 … T-1. Mirrors snnlab/encoding.
 *
 *   direct    s[t] = x                  the same analog current at every step
 *   poisson   s[t] ~ Bernoulli(x)
 *   fusion    the codes of the parts, channel blocks side by side, each scaled by its gate
 *   step code a list of edges (edges.js): by name, or with a model
 *
 * Backward rules: `straight_through`, ∂s/∂x := s[t], or `relaxed`, the derivative of a sigmoid of slope k for each step.
 * All comparisons are in float32, as in torch. Sequences are [T, P], P = parts·C·H·W.
 */
import { choose, integerBetween, need, positive } from "./check.js";
import { binOf } from "./codetable.js";
import { edgeTable, negative, paintedEdges, relaxed, STEP_CODES, shuffled } from "./edges.js";
import { gated, parse } from "./grammar.js";

const { fround } = Math;

export const BACKWARD_RULES = ["straight_through", "relaxed"];

/** Codes that are no list of edges: the same value at every step, or random numbers. */
const OTHER = { direct: { constant: true }, poisson: { stochastic: true } };

/** Names of the codes; what is written in brackets: "fusion(0.125*direct, latency)", "negative(onset)". */
export const ENCODINGS = [...Object.keys(OTHER), ...Object.keys(STEP_CODES), "fusion", "negative", "shuffled", "table"];

/**
 * A code that is no fusion. Its gate scales what it emits, and the slopes with it; 0 silences it. `inverted`: made by
 * `negative`, the straight-through gradient is -s[t]; `relaxed`: ∂s[t]/∂x of a step code, one function a step, or null: 1.
 * Steps before `fromStep` encode the image `early`, whatever the image given (see `lateFrom`).
 * @typedef {{name: string, gate: number, numSteps: number, constant: boolean, stochastic: boolean, inverted: boolean,
 *   table: import("./codetable.js").CodeTable|null, relaxed: ((x: number) => number)[]|null}} Part
 * @typedef {{name: string, numSteps: number, parts: Part[], stochastic: boolean, fromStep: number,
 *   early: Float32Array|null}} Encoder
 */

/**
 * Make an encoder from its description, or from how it is written.
 * @param {string|{name: string, num_steps?: number, rounding?: string, slope?: number, edges?: import("./edges.js").Edge[],
 *   dark?: number[], inverted?: boolean, parts?: object[], gate?: number[]}} spec a model brings its edges
 * @param {number} [numSteps] T, where the description does not say  @returns {Encoder}
 */
export function encoder(spec, numSteps = 8) {
  /** @type {any} */
  const given = typeof spec === "string" ? described(spec) : spec;
  const steps = integerBetween("num_steps", given?.num_steps ?? numSteps, 1, 1024);
  const fused = given?.name === "fusion" || given?.parts?.length > 0;
  const { name, parts } = fused ? fusion(given, steps) : single(given, steps);
  return { name, numSteps: steps, parts, stochastic: parts.some((p) => p.stochastic), fromStep: 0, early: null };
}

/** "fusion(0.5*direct, latency)" → {name: "fusion", gate: [0.5, 1], parts: ["direct", "latency"]}; others by name alone. */
function described(text) {
  const { name, args } = parse(text);
  if (name !== "fusion") return { name: text.trim() };
  const written = args.map(gated);
  return { name, gate: written.map(([gate]) => gate), parts: written.map(([, code]) => code) };
}

/** A fusion; the parts of a fusion inside it stand in its place. */
function fusion({ parts: specs = [], gate = specs.map(() => 1) }, steps) {
  need(specs.length >= 2, `fusion needs at least two parts, got ${specs.length}; e.g. "fusion(direct, latency)"`);
  const whole = Array.isArray(gate) && gate.length === specs.length && gate.every((g) => Number.isFinite(g) && g >= 0);
  need(whole, `gate needs a weight of at least 0 for each of ${specs.length} parts, got [${gate}]`);
  const codes = specs.map((part) => encoder(part, steps));
  const lengths = codes.map((code) => code.numSteps);
  need(
    lengths.every((length) => length === steps),
    `all parts of a fusion need num_steps = ${steps}, got ${lengths.join(", ")}`,
  );
  const titles = codes.map(({ name }, k) => (gate[k] === 1 ? name : `${gate[k]}*${name}`));
  const parts = codes.flatMap((code, k) => code.parts.map((part) => ({ ...part, gate: gate[k] * part.gate })));
  return { name: `fusion(${titles.join(", ")})`, parts };
}

/** A code that is no fusion: from its edges, or by name. */
function single(spec, numSteps) {
  const common = { gate: 1, numSteps, constant: false, stochastic: false, inverted: false, table: null, relaxed: null };
  const name = String(spec?.name);
  if (!spec?.edges && OTHER[name]) return { name, parts: [{ ...common, ...OTHER[name], name }] };
  const k = positive("slope of the relaxed code", spec?.slope ?? 10);
  const { edges, dark = Array(numSteps).fill(0), inverted = false } = spec?.edges ? spec : named(name, numSteps, spec);
  const code = { edges, dark };
  return { name, parts: [{ ...common, name, inverted, table: edgeTable(code), relaxed: relaxed(code, k) }] };
}

/** The edges of a code by how it is written; options may come beside it, as `rounding`. */
function named(text, numSteps, spec) {
  const { name, args, options } = parse(text);
  const inside = () => {
    need(args.length === 1, `${name} takes one code in its brackets, as in "${name}(latency…)", got "${text}"`);
    return named(args[0], numSteps, {});
  };
  if (name === "negative") {
    const code = inside();
    return { ...negative(code), inverted: !code.inverted };
  }
  if (name === "shuffled") {
    const code = inside();
    return { ...shuffled(code, (options.order ?? "").split(/\s+/).map(Number)), inverted: code.inverted };
  }
  if (name === "table") return paintedEdges(numSteps, options.rows ?? "");
  const make = STEP_CODES[choose("encoding", name, ENCODINGS)];
  need(make, `"${text}" is no step code; choose one of ${Object.keys(STEP_CODES).join(", ")}`);
  return make(numSteps, spec?.rounding ? { rounding: spec.rounding } : options);
}

/** The same code with one part of the fusion silenced. @param {Encoder|null} code @returns {Encoder} */
export function silence(code, index) {
  const count = code?.parts.length ?? 0;
  need(count >= 2, `only a fusion has parts to silence, got ${code?.name ?? "an ANN"}; use silenced = -1`);
  integerBetween("silenced", index, -1, count - 1);
  return { ...code, parts: code.parts.map((p, k) => (k === index ? { ...p, gate: 0 } : p)) };
}

/** The same code under a late perturbation: the steps before `fromStep` show `reference`. @param {Encoder|null} code */
export function lateFrom(code, reference, fromStep) {
  need(code, `an ANN has no steps that could be late, got from_step = ${fromStep}; use 0`);
  return { ...code, early: reference, fromStep: integerBetween("from_step", fromStep, 0, code.numSteps) };
}

/** The sequence of an image, [T, parts·N]; `random` is for poisson. @param {Encoder} encoder @param {Float32Array} image */
export function encode({ parts, numSteps, early, fromStep }, image, random) {
  const width = parts.length * image.length;
  const sequence = new Float32Array(numSteps * width);
  parts.forEach((part, index) => {
    const { table, gate } = part;
    const bins = table && [early, image].map((pixels) => pixels && Int32Array.from(pixels, (x) => binOf(table, x)));
    for (let t = 0; t < numSteps; t++) {
      const start = t * width + index * image.length;
      const late = t >= fromStep ? 1 : 0;
      const pixels = late ? image : early;
      for (let p = 0; p < image.length; p++) {
        let s = pixels[p];
        if (table) s = table.trains[bins[late][p] * numSteps + t];
        // Uniform numbers are drawn for black pixels too: with one seed two images then differ only where they differ.
        else if (part.stochastic) s = fround(random()) < s ? 1 : 0;
        sequence[start + p] = gate * s;
      }
    }
  });
  return sequence;
}

/**
 * ∂s[t]/∂x of one part at every pixel, or null where it is the gate at every step (from `fromStep` on) and pixel.
 * @param {Encoder} encoder  @param {number} index of the part  @param {string} rule a backward rule
 * @param {Float32Array} image length N  @param {Float32Array} sequence what `encode` returned
 * @returns {Float32Array|null} [T, N]
 */
export function derivative({ parts, fromStep }, index, rule, image, sequence) {
  choose("backward rule", rule, BACKWARD_RULES);
  const { constant, relaxed: slopes, gate, numSteps, inverted } = parts[index];
  if (constant || (rule === "relaxed" && !slopes)) return null;
  const n = image.length;
  const width = sequence.length / numSteps;
  const out = new Float32Array(numSteps * n);
  for (let t = fromStep; t < numSteps; t++) {
    const spikes = sequence.subarray(t * width + index * n, t * width + (index + 1) * n);
    const slope = rule === "relaxed" ? (_, p) => gate * slopes[t](image[p]) : (s) => (inverted ? -s : s);
    out.set(spikes.map(slope), t * n);
  }
  return out;
}
