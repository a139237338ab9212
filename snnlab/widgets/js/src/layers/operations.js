/**
 * Layers without a state, one step at a time: `forward` takes the values of a step, in torch's order [C, H, W], `backward` the
 * gradient of its outputs, with what the layer has noted. Mirrors snnlab/networks/chain.py. Sums run in float64.
 */
import { choose, field, sound } from "../engine/check.js";
import { transposed } from "../engine/current.js";
import { addInputs } from "../engine/weights.js";
import { conv } from "./convolution.js";
import { numbers, sizeOf } from "./numbers.js";

/**
 * @typedef {{values: Float32Array, note?: any}} Step
 * @typedef {{kind: string, inputs: number, outputs: number, columns?: Float32Array, forward: (values: any) => Step,
 *   backward: (grad: Float64Array, note: any) => Float64Array, backwardAll?: (grad: Float64Array, steps: number) =>
 *   Float64Array}} Operation  `backwardAll`: of all steps at once, where that is faster
 */

/** A layer of a payload "network/<k>". @param {any} spec @param {string} key @returns {Operation} */
export function operation(spec, key) {
  const kind = choose("kind of layer", field(spec, "kind", key), Object.keys(KINDS));
  const [inputs, outputs] = ["inputs", "outputs"].map((side) => sizeOf(field(spec, side, key)));
  return { kind, inputs, outputs, ...KINDS[kind](spec, key, inputs, outputs) };
}

/** @type {Record<string, (spec: any, key: string, inputs: number, outputs: number) => any>} */
const KINDS = { linear, conv, average, max, scale, relu };

function linear(spec, key, inputs, outputs) {
  const rows = numbers(spec.weight, outputs * inputs, key);
  const bias = spec.bias ? numbers(spec.bias, outputs, key) : new Float32Array(outputs);
  const columns = new Float32Array(rows.length);
  for (let i = 0; i < outputs; i++) for (let j = 0; j < inputs; j++) columns[j * outputs + i] = rows[i * inputs + j];
  const layer = { columns, inputs, outputs, bias };
  return {
    columns,
    forward(values) {
      const sum = new Float64Array(outputs);
      addInputs(sum, layer, values, 0, inputs, 0);
      return { values: Float32Array.from(sum, (v, i) => v + bias[i]) };
    },
    backward: (grad) => transposed(layer, grad, 1, 1),
  };
}

/** The inputs under each window of pooling, as lists of positions. @returns {Int32Array[]} */
function windows({ inputs: [C, H, W], outputs: [O, Y, X], kernel, stride, padding }, key) {
  sound(C === O, `${key}: pooling of ${C} channels gives ${O}`);
  const inside = (first, taps, size) =>
    Array.from({ length: taps }, (_, k) => first + k).filter((at) => at >= 0 && at < size);
  const all = [];
  for (let c = 0; c < C; c++) {
    for (let y = 0; y < Y; y++) {
      for (let x = 0; x < X; x++) {
        const rows = inside(y * stride[0] - padding[0], kernel[0], H);
        const columns = inside(x * stride[1] - padding[1], kernel[1], W);
        all.push(Int32Array.from(rows.flatMap((row) => columns.map((column) => (c * H + row) * W + column))));
      }
    }
  }
  return all;
}

function average(spec, key, inputs) {
  const all = windows(spec, key);
  const count = spec.kernel[0] * spec.kernel[1];
  const total = (values) => (window) => window.reduce((sum, p) => sum + values[p], 0) / count;
  return {
    forward: (values) => ({ values: Float32Array.from(all, total(values)) }),
    backward(grad) {
      const out = new Float64Array(inputs);
      all.forEach((window, k) => {
        for (const p of window) out[p] += grad[k] / count;
      });
      return out;
    },
  };
}

function max(spec, key, inputs) {
  const all = windows(spec, key);
  return {
    forward(values) {
      const note = Int32Array.from(all, (window) => window.reduce((best, p) => (values[p] > values[best] ? p : best)));
      return { values: Float32Array.from(note, (p) => values[p]), note };
    },
    backward(grad, note) {
      const out = new Float64Array(inputs);
      for (let k = 0; k < note.length; k++) out[note[k]] += grad[k];
      return out;
    },
  };
}

function scale(spec, key, inputs) {
  const channels = spec.inputs[0];
  const [gain, offset] = ["gain", "offset"].map((name) => numbers(field(spec, name, key), channels, key));
  const channel = (k) => Math.floor((k * channels) / inputs);
  return {
    forward: (values) => ({ values: Float32Array.from(values, (v, k) => v * gain[channel(k)] + offset[channel(k)]) }),
    backward: (grad) => grad.map((g, k) => g * gain[channel(k)]),
  };
}

function relu() {
  return {
    forward(values) {
      const out = Float32Array.from(values, (v) => Math.max(0, v));
      return { values: out, note: out };
    },
    backward: (grad, out) => grad.map((g, k) => (out[k] > 0 ? g : 0)),
  };
}
