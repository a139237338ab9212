/**
 * Weights as they travel: a layer stores integers q, |q| ≤ 45, one character each, and a power of two per neuron,
 *
 *   W[i, j] = q[i, j] · 2^exponent[i],   b[i] = bias[i] · 2^exponent[i].
 *
 * A sum of such weights over spikes is exact in float32, in any order. That is why two engines can agree on every
 * spike, and not just nearly.
 */
import { field, sound } from "./check.js";

const ZERO = 80;
const LARGEST = 45;

/**
 * W is stored transposed, [P, H]: the weights of one input lie together, so that a spike adds one contiguous run.
 * @typedef {{inputs: number, outputs: number, columns: Float32Array, bias: Float32Array}} Layer
 */

/** @param {any} payload one that has learned in a page is a layer already @param {string} key for messages @returns {Layer} */
export function layer(payload, key) {
  if (payload.columns) return payload;
  const [outputs, inputs] = field(payload, "shape", key);
  const text = field(payload, "weight", key);
  const expected = `${outputs * inputs} weight characters for shape [${outputs}, ${inputs}]`;
  sound(text.length === outputs * inputs, `${key}: expected ${expected}, got ${text.length}`);
  const scale = integers(payload, "exponent", outputs, key, 60).map((e) => 2 ** e);
  const bias = integers(payload, "bias", outputs, key, 2 ** 24);
  const columns = new Float32Array(inputs * outputs);
  for (let k = 0; k < text.length; k++) {
    const [i, j] = [Math.floor(k / inputs), k % inputs];
    const q = text.charCodeAt(k) - ZERO;
    const foreign = Math.abs(q) <= LARGEST ? "" : `${JSON.stringify(text[k])} at row ${i}, column ${j}`;
    sound(!foreign, `${key}: weight character ${foreign} is out of range`);
    columns[j * outputs + i] = q * scale[i];
  }
  return { inputs, outputs, columns, bias: Float32Array.from(bias, (b, i) => b * scale[i]) };
}

function integers(payload, name, length, key, limit) {
  const values = field(payload, name, key);
  sound(values.length === length, `${key}: expected ${length} numbers in "${name}", got ${values.length}`);
  const bad = values.findIndex((v) => !(Number.isInteger(v) && Math.abs(v) <= limit));
  sound(bad < 0, `${key}: "${name}" must hold integers up to ±${limit}, got ${values[bad]} at ${bad}`);
  return values;
}

/** sum += Σ_j values[start + j] W[:, j] for from ≤ j < to, in fours of those that are not silent. @param {any} sum */
export function addInputs(sum, { columns, outputs }, values, from, to, start) {
  const active = [];
  for (let j = from; j < to; j++) if (values[start + j] !== 0) active.push(j);
  for (let k = 0; k < active.length; k += 4) {
    // The last group is filled up with inputs of value zero.
    const [j0, j1, j2, j3] = [0, 1, 2, 3].map((i) => active[k + i] ?? active[k]);
    const [v0, v1, v2, v3] = [0, 1, 2, 3].map((i) => (k + i < active.length ? values[start + active[k + i]] : 0));
    const [c0, c1, c2, c3] = [j0 * outputs, j1 * outputs, j2 * outputs, j3 * outputs];
    for (let i = 0; i < outputs; i++) {
      sum[i] += v0 * columns[c0 + i] + v1 * columns[c1 + i] + v2 * columns[c2 + i] + v3 * columns[c3 + i];
    }
  }
}
