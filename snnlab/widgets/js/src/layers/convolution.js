/**
 * A convolution of two dimensions, position by position of its outputs. `forward` adds the weights of the inputs that are not
 * zero, in fours; `backward` takes four steps at once, so that a weight is read once for all of them. Sums run in float64.
 */
import { numbers } from "./numbers.js";

/** Inputs under each position of the outputs, flat: pairs of place in a channel and tap. @returns {Int32Array[]} */
function fields([, H, W], [, Y, X], { kernel, stride, padding, dilation }) {
  return Array.from({ length: Y * X }, (_, p) => {
    const [top, left] = [Math.floor(p / X) * stride[0] - padding[0], (p % X) * stride[1] - padding[1]];
    const pairs = [];
    for (let tap = 0; tap < kernel[0] * kernel[1]; tap++) {
      const y = top + Math.floor(tap / kernel[1]) * dilation[0];
      const x = left + (tap % kernel[1]) * dilation[1];
      if (y >= 0 && y < H && x >= 0 && x < W) pairs.push(y * W + x, tap);
    }
    return Int32Array.from(pairs);
  });
}

/** The weights of an input channel and tap lie together, a run of all outputs of its group. */
function runsOf(weight, given, made, outputs, taps) {
  const runs = new Float32Array(weight.length);
  for (let o = 0; o < outputs; o++) {
    for (let k = 0; k < given * taps; k++) {
      const c = Math.floor(o / made) * given + Math.floor(k / taps);
      runs[(c * taps + (k % taps)) * made + (o % made)] = weight[o * given * taps + k];
    }
  }
  return runs;
}

/** sum += Σ_k values[k] runs[places[k] …], for k < count, a multiple of four. */
function addRuns(sum, runs, places, values, count, width) {
  for (let k = 0; k < count; k += 4) {
    const [p0, p1, p2, p3] = [places[k], places[k + 1], places[k + 2], places[k + 3]];
    const [v0, v1, v2, v3] = [values[k], values[k + 1], values[k + 2], values[k + 3]];
    for (let i = 0; i < width; i++) sum[i] += v0 * runs[p0 + i] + v1 * runs[p1 + i] + v2 * runs[p2 + i] + v3 * runs[p3 + i];
  }
}

/** into[4 k + t] = Σ_i runs[at_k + i] grad[t · width + i], of two runs k and four steps t. */
function products(into, runs, at, other, grad, width) {
  let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
  const [second, third, fourth] = [width, 2 * width, 3 * width];
  for (let i = 0; i < width; i++) {
    const [v, w] = [runs[at + i], runs[other + i]];
    const [g0, g1, g2, g3] = [grad[i], grad[second + i], grad[third + i], grad[fourth + i]];
    a += v * g0;
    b += v * g1;
    c += v * g2;
    d += v * g3;
    e += w * g0;
    f += w * g1;
    g += w * g2;
    h += w * g3;
  }
  into[0] = a;
  into[1] = b;
  into[2] = c;
  into[3] = d;
  into[4] = e;
  into[5] = f;
  into[6] = g;
  into[7] = h;
}

/** The same of four runs and a single step. */
function productsOfOne(into, runs, places, first, grad, width) {
  const [p0, p1, p2, p3] = [places[first], places[first + 1], places[first + 2], places[first + 3]];
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < width; i++) {
    const g = grad[i];
    a += runs[p0 + i] * g;
    b += runs[p1 + i] * g;
    c += runs[p2 + i] * g;
    d += runs[p3 + i] * g;
  }
  into[0] = a;
  into[1] = b;
  into[2] = c;
  into[3] = d;
}

/** @param {any} spec of a payload "network/<k>" @param {string} key */
export function conv(spec, key) {
  const [[C, H, W], [O, Y, X]] = [spec.inputs, spec.outputs];
  const { kernel, groups } = spec;
  const taps = kernel[0] * kernel[1];
  const [given, made] = [C / groups, O / groups];
  const bias = spec.bias ? numbers(spec.bias, O, key) : new Float32Array(O);
  const runs = runsOf(numbers(spec.weight, O * given * taps, key), given, made, O, taps);
  const seen = fields(spec.inputs, spec.outputs, spec);
  const [places, active] = [new Int32Array(given * taps + 4), new Float64Array(given * taps + 4)];
  const sum = new Float64Array(made);
  const [four, dots] = [new Float64Array(4 * made), new Float64Array(8)];
  const targets = new Int32Array(given * taps);

  function forward(values) {
    const out = new Float32Array(O * Y * X);
    for (let p = 0; p < Y * X; p++) {
      const field = seen[p];
      for (let group = 0; group < groups; group++) {
        let count = 0;
        for (let c = group * given; c < (group + 1) * given; c++) {
          for (let k = 0; k < field.length; k += 2) {
            const v = values[c * H * W + field[k]];
            if (v === 0) continue;
            places[count] = (c * taps + field[k + 1]) * made;
            active[count] = v;
            count += 1;
          }
        }
        // The last four are filled up with inputs of value zero.
        for (; count % 4; count++) [places[count], active[count]] = [0, 0];
        sum.fill(0);
        addRuns(sum, runs, places, active, count, made);
        const first = group * made;
        for (let i = 0; i < made; i++) out[(first + i) * Y * X + p] = sum[i] + bias[first + i];
      }
    }
    return { values: out };
  }

  /** ∂L/∂s of the steps from - from + count - 1, at most four, added to `out`. */
  function backwardSome(grad, out, from, count) {
    const [size, n] = [H * W, C * H * W];
    for (let p = 0; p < Y * X; p++) {
      const field = seen[p];
      for (let group = 0; group < groups; group++) {
        let silent = true;
        for (let t = 0; t < 4; t++) {
          for (let i = 0; i < made; i++) {
            const g = t < count ? grad[((from + t) * O + group * made + i) * Y * X + p] : 0;
            four[t * made + i] = g;
            if (g !== 0) silent = false;
          }
        }
        if (silent) continue; // behind maximum pooling many are
        let inputs = 0;
        for (let c = group * given; c < (group + 1) * given; c++) {
          for (let k = 0; k < field.length; k += 2) {
            places[inputs] = (c * taps + field[k + 1]) * made;
            targets[inputs] = from * n + c * size + field[k];
            inputs += 1;
          }
        }
        for (let k = inputs; k < inputs + 3; k++) places[k] = 0; // what is beyond them is thrown away
        const step = count === 1 ? 4 : 2;
        for (let k = 0; k < inputs; k += step) {
          const here = Math.min(step, inputs - k);
          if (count === 1) {
            productsOfOne(dots, runs, places, k, four, made);
            for (let j = 0; j < here; j++) out[targets[k + j]] += dots[j];
          } else {
            products(dots, runs, places[k], places[k + 1], four, made);
            for (let j = 0; j < here; j++) {
              for (let t = 0; t < count; t++) out[targets[k + j] + t * n] += dots[4 * j + t];
            }
          }
        }
      }
    }
  }

  /** ∂L/∂s of all steps, [T, C·H·W]. @param {Float64Array} grad [T, O·Y·X] @param {number} steps T */
  function backwardAll(grad, steps) {
    const out = new Float64Array(steps * C * H * W);
    for (let from = 0; from < steps; from += 4) backwardSome(grad, out, from, Math.min(4, steps - from));
    return out;
  }

  return { forward, backwardAll, backward: (grad) => backwardAll(grad, 1) };
}
