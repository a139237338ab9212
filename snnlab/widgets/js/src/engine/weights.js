/**
 * Weights as they travel: a layer stores integers q, |q| ≤ 45, one character each, and a power of two per neuron,
 *
 *   W[i, j] = q[i, j] · 2^exponent[i],   b[i] = bias[i] · 2^exponent[i].
 *
 * A sum of such weights over spikes is exact in float32, in any order. That is why two engines can agree on every
 * spike, and not just nearly.
 */
import { field } from "./check.js";

const ZERO = 80;
const LARGEST = 45;

/**
 * @typedef {object} Layer
 * @property {number} inputs   P
 * @property {number} outputs  H
 * @property {Float32Array} columns  W transposed, [P, H]: the weights of one input lie together, so that a spike
 *   adds one contiguous run
 * @property {Float32Array} bias  [H]
 */

/**
 * @param {{shape: number[], weight: string, exponent: number[], bias: number[]}} payload
 * @param {string} key what the error messages call it
 * @returns {Layer}
 */
export function layer(payload, key) {
  const [outputs, inputs] = field(payload, "shape", key);
  if (!(Number.isInteger(outputs) && Number.isInteger(inputs) && outputs > 0 && inputs > 0)) {
    throw new Error(`${key}: shape must be [outputs, inputs], got ${JSON.stringify(payload.shape)}; ${AGAIN}`);
  }
  const text = field(payload, "weight", key);
  if (typeof text !== "string" || text.length !== outputs * inputs) {
    throw new Error(
      `${key}: expected ${outputs * inputs} weight characters for shape [${outputs}, ${inputs}], got ${text.length}; ${AGAIN}`,
    );
  }
  const exponent = integers(payload, "exponent", outputs, key, 60);
  const bias = integers(payload, "bias", outputs, key, 2 ** 24);
  const scale = exponent.map((e) => 2 ** e);
  const columns = new Float32Array(inputs * outputs);
  for (let i = 0; i < outputs; i++) {
    for (let j = 0; j < inputs; j++) {
      const q = text.charCodeAt(i * inputs + j) - ZERO;
      if (!(q >= -LARGEST && q <= LARGEST)) {
        const at = `row ${i}, column ${j}`;
        throw new Error(
          `${key}: weight character ${JSON.stringify(text[i * inputs + j])} at ${at} is out of range; ${AGAIN}`,
        );
      }
      columns[j * outputs + i] = q * scale[i];
    }
  }
  return { inputs, outputs, columns, bias: Float32Array.from(bias, (b, i) => b * scale[i]) };
}

const AGAIN = "the web data is damaged, build it again";

function integers(payload, name, length, key, limit) {
  const values = field(payload, name, key);
  if (!Array.isArray(values) || values.length !== length) {
    throw new Error(
      `${key}: expected ${length} numbers in "${name}", got ${values?.length ?? typeof values}; ${AGAIN}`,
    );
  }
  const bad = values.findIndex((v) => !(Number.isInteger(v) && Math.abs(v) <= limit));
  if (bad >= 0) {
    throw new Error(`${key}: "${name}" must hold integers up to ±${limit}, got ${values[bad]} at ${bad}; ${AGAIN}`);
  }
  return values;
}

/**
 * Add a weighted input to the currents of a layer: sum += value · W[:, input].
 *
 * @param {Float64Array} sum [H]
 * @param {Layer} layer
 * @param {number} input
 * @param {number} value
 */
export function addColumn(sum, { columns, outputs }, input, value) {
  const start = input * outputs;
  if (value === 1) {
    for (let i = 0; i < outputs; i++) sum[i] += columns[start + i];
  } else {
    for (let i = 0; i < outputs; i++) sum[i] += value * columns[start + i];
  }
}
