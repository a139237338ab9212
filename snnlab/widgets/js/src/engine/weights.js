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
 * Add weighted inputs to the currents of a layer: sum += Σ_j values[start + j] W[:, j] for from ≤ j < to.
 *
 * Silent inputs cost nothing. The others are taken in fours, so that a sum is read and written once for four inputs.
 *
 * @param {Float64Array} sum [H]
 * @param {Layer} layer
 * @param {ArrayLike<number>} values
 * @param {number} from
 * @param {number} to
 * @param {number} start where the values of this step begin
 */
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
