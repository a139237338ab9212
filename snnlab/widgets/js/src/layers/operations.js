/**
 * Layers without a state, one step at a time: `forward` takes the values of a step, in torch's order [C, H, W], `backward` the
 * gradient of its outputs, with what the layer has noted. Mirrors snnlab/networks/chain.py. Sums run in float64.
 */
import { choose, field, sound } from "../engine/check.js";
import { transposed } from "../engine/current.js";
import { addInputs } from "../engine/weights.js";
import { numbers, sizeOf } from "./numbers.js";

/**
 * @typedef {{values: Float32Array, note?: any}} Step
 * @typedef {{kind: string, inputs: number, outputs: number, columns?: Float32Array, forward: (values: any) => Step,
 *   backward: (grad: Float64Array, note: any) => Float64Array}} Operation
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

/**
 * The output positions that an input position reaches along one axis: out · stride = in + padding - tap · dilation.
 * @returns {number[][][]} for every input a list of [tap, output]
 */
function reaches(size, outputs, taps, stride, padding, dilation = 1) {
  return Array.from({ length: size }, (_, at) => {
    const pairs = Array.from({ length: taps }, (_, tap) => [tap, (at + padding - tap * dilation) / stride]);
    return pairs.filter(([, out]) => Number.isInteger(out) && out >= 0 && out < outputs);
  });
}

function conv(spec, key) {
  const [[C, H, W], [O, Y, X]] = [spec.inputs, spec.outputs];
  const { kernel, stride, padding, dilation, groups } = spec;
  const taps = kernel[0] * kernel[1];
  const [given, made] = [C / groups, O / groups];
  const weight = numbers(spec.weight, O * given * taps, key);
  const bias = spec.bias ? numbers(spec.bias, O, key) : new Float32Array(O);
  // The weights of one input channel and tap lie together, so that a spike adds one contiguous run at each position.
  const runs = new Float32Array(weight.length);
  for (let o = 0; o < O; o++) {
    for (let k = 0; k < given * taps; k++) {
      const c = Math.floor(o / made) * given + Math.floor(k / taps);
      runs[(c * taps + (k % taps)) * made + (o % made)] = weight[o * given * taps + k];
    }
  }
  const rows = reaches(H, Y, kernel[0], stride[0], padding[0], dilation[0]);
  const columns = reaches(W, X, kernel[1], stride[1], padding[1], dilation[1]);
  return {
    forward(values) {
      const sum = new Float64Array(O * Y * X); // [Y, X, O]
      for (let p = 0; p < C * H * W; p++) {
        const v = values[p];
        if (v === 0) continue;
        const c = Math.floor(p / (H * W));
        const first = Math.floor(c / given) * made;
        for (const [ky, oy] of rows[Math.floor(p / W) % H]) {
          for (const [kx, ox] of columns[p % W]) {
            const [at, w] = [(oy * X + ox) * O + first, (c * taps + ky * kernel[1] + kx) * made];
            for (let i = 0; i < made; i++) sum[at + i] += v * runs[w + i];
          }
        }
      }
      const out = new Float32Array(sum.length);
      for (let o = 0; o < O; o++) for (let p = 0; p < Y * X; p++) out[o * Y * X + p] = sum[p * O + o] + bias[o];
      return { values: out };
    },
    backward(grad) {
      const out = new Float64Array(C * H * W);
      for (let k = 0; k < grad.length; k++) {
        const g = grad[k];
        if (g === 0) continue; // behind maximum pooling most are
        const o = Math.floor(k / (Y * X));
        const [top, left] = [(Math.floor(k / X) % Y) * stride[0] - padding[0], (k % X) * stride[1] - padding[1]];
        const c0 = Math.floor(o / made) * given;
        for (let c = 0; c < given; c++) {
          for (let ky = 0; ky < kernel[0]; ky++) {
            const y = top + ky * dilation[0];
            if (y < 0 || y >= H) continue;
            const [at, w] = [((c0 + c) * H + y) * W, (o * given + c) * taps + ky * kernel[1]];
            for (let kx = 0, x = left; kx < kernel[1]; kx++, x += dilation[1]) {
              if (x >= 0 && x < W) out[at + x] += g * weight[w + kx];
            }
          }
        }
      }
      return out;
    },
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
