/**
 * Interval bounds of the fully connected networks: what no attacker inside ε can change. Mirrors snnlab/networks/bounds.py,
 * which derives them, and snnlab/evaluation/certificates.py. In float64, with the rounding that float32 can make added.
 */
import { binOf, firstBin } from "./codetable.js";
import { DECODERS } from "./decode.js";

const UNIT = 2 ** -24;
const TOLERANCE = 2e-6; // what a budget allows beyond ε, doubled
const { abs, fround, max, min } = Math;

/**
 * Lower and upper ends, [T, n].
 * @typedef {{low: Float64Array, high: Float64Array}} Range
 * Ranges of the votes [T, K], the upper end of each vote minus the true class's [T, K], and whether all of an exit are below 0.
 * @typedef {{votes: Range, differences: Float64Array, proved: boolean[]}} Certificate
 */

/**
 * Bound the votes of one image at every exit; null where no bound is known (random codes, a synaptic filter).
 * @param {any} network  @param {Float32Array} image  @param {number} label  @param {number} eps  @returns {Certificate|null}
 */
export function certificate(network, image, label, eps) {
  const code = network.encoder;
  if (code && (network.tau !== 1 || code.stochastic || code.parts.some(({ constant, inverted }) => constant && inverted)))
    return null;
  const votes = code ? spiking(network, image, label, eps) : conventional(network, image, label, eps);
  const { classes, numSteps } = network;
  const proved = Array.from({ length: numSteps }, (_, t) => {
    return !votes.differences.subarray(t * classes, (t + 1) * classes).some((apart, k) => k !== label && apart >= 0);
  });
  return { ...votes, proved };
}

/** The ends of [x - ε, x + ε] ∩ [0, 1]. */
const ends = (x, eps) => [max(0, x - eps - TOLERANCE), min(1, x + eps + TOLERANCE)];

function conventional(network, image, label, eps) {
  const { first, second, numSteps } = network;
  const pixels = rangeOf(image.length);
  image.forEach((x, p) => {
    [pixels.low[p], pixels.high[p]] = ends(x, eps);
  });
  const hidden = affine(first, pixels, 1, ones(1));
  for (const values of [hidden.low, hidden.high]) values.forEach((v, i) => (values[i] = max(0, v)));
  const once = folded(second, hidden, 1, ones(1), label, UNIT);
  const repeated = (values) => Float64Array.from({ length: numSteps * values.length }, (_, k) => values[k % values.length]);
  const votes = { low: repeated(once.votes.low), high: repeated(once.votes.high) };
  return { votes, differences: repeated(once.differences) };
}

function spiking(network, image, label, eps) {
  const { first, second, numSteps, neuron, decoder, classes } = network;
  const { reset, beta } = neuron;
  const inputs = encoded(network, image, eps, null);
  const hidden = neuronRange(neuron, numSteps, {
    stepwise: () => affine(first, inputs, numSteps, ones(numSteps)),
    filtered: affine(first, encoded(network, image, eps, beta), numSteps, decayed(ones(numSteps), 1, beta)),
  }).spikes;
  const charge = { low: decayed(hidden.low, second.inputs, beta), high: decayed(hidden.high, second.inputs, beta) };
  const leaks = decayed(ones(numSteps), 1, beta);
  if (decoder === DECODERS.membrane && reset === "none") {
    const summed = { low: decayed(charge.low, second.inputs, 1), high: decayed(charge.high, second.inputs, 1) };
    const unit = UNIT * (1 + (3 * numSteps) / (2 + second.inputs));
    return folded(second, summed, numSteps, decayed(leaks, 1, 1), label, unit);
  }
  const output = neuronRange(neuron, numSteps, {
    stepwise: () => affine(second, hidden, numSteps, ones(numSteps)),
    filtered: affine(second, charge, numSteps, leaks),
  });
  const votes = read(network, output, numSteps, classes);
  const differences = votes.high.map((z, k) => (k % classes === label ? 0 : z - votes.low[k - (k % classes) + label]));
  return { votes, differences };
}

/** What the code can make of the pixels, [T, P]; with β the same after the filter. */
function encoded({ encoder, numPixels, numSteps }, image, eps, beta) {
  const width = encoder.parts.length * numPixels;
  const range = rangeOf(numSteps * width);
  encoder.parts.forEach(({ table, gate }, part) => {
    const known = new Map();
    const train = (value) => (beta === null ? value : decayed(value, 1, beta));
    const trains =
      table &&
      Array.from({ length: table.size }, (_, b) => {
        return train(Float64Array.from({ length: numSteps }, (_, t) => gate * table.trains[b * numSteps + t]));
      });
    const reached = (a, b) => {
      const key = a * trains.length + b;
      if (!known.has(key)) {
        const inside = trains.slice(a, b + 1);
        const over = (f) => Float64Array.from({ length: numSteps }, (_, t) => f(...inside.map((s) => s[t])));
        known.set(key, [over(min), over(max)]);
      }
      return known.get(key);
    };
    const constant = (x) => train(new Float64Array(numSteps).fill(gate * x));
    for (let p = 0; p < numPixels; p++) {
      const [x0, x1] = ends(image[p], eps);
      const [low, high] = table
        ? reached(firstBin(table, fround(x0)), binOf(table, fround(x1)))
        : [constant(x0), constant(x1)];
      for (let t = 0; t < numSteps; t++) {
        range.low[t * width + part * numPixels + p] = low[t];
        range.high[t * width + part * numPixels + p] = high[t];
      }
    }
  });
  return range;
}

/** W c + b·steps ± (|W| r + rounding), for inputs [T, n]. @returns {Range} */
function affine({ inputs, outputs, columns, bias }, { low, high }, numSteps, steps) {
  const range = rangeOf(numSteps * outputs);
  const [centre, radius, size] = [0, 0, 0].map(() => new Float64Array(outputs));
  for (let t = 0; t < numSteps; t++) {
    for (let i = 0; i < outputs; i++) centre[i] = bias[i] * steps[t];
    radius.fill(0);
    for (let i = 0; i < outputs; i++) size[i] = abs(bias[i]) * steps[t];
    for (let j = 0; j < inputs; j++) {
      const [a, b] = [low[t * inputs + j], high[t * inputs + j]];
      if (a === 0 && b === 0) continue;
      const [c, r, largest] = [(a + b) / 2, (b - a) / 2, max(abs(a), abs(b))];
      for (let i = 0, k = j * outputs; i < outputs; i++, k++) {
        const w = abs(columns[k]);
        centre[i] += c * columns[k];
        radius[i] += r * w;
        size[i] += largest * w;
      }
    }
    for (let i = 0; i < outputs; i++) {
      const reach = radius[i] + UNIT * (inputs + 16) * size[i];
      range.low[t * outputs + i] = centre[i] - reach;
      range.high[t * outputs + i] = centre[i] + reach;
    }
  }
  return range;
}

/** Votes, and differences of two with their weights subtracted first. */
function folded({ inputs, outputs, columns, bias }, { low, high }, numSteps, steps, label, unit) {
  const votes = rangeOf(numSteps * outputs);
  const differences = new Float64Array(numSteps * outputs);
  const size = new Float64Array(outputs);
  for (let t = 0; t < numSteps; t++) {
    const at = t * outputs;
    for (let k = 0; k < outputs; k++) {
      votes.low[at + k] = votes.high[at + k] = steps[t] * bias[k];
      differences[at + k] = steps[t] * (bias[k] - bias[label]);
      size[k] = steps[t] * abs(bias[k]);
    }
    for (let j = 0; j < inputs; j++) {
      const [a, b] = [low[t * inputs + j], high[t * inputs + j]];
      const [c, r, largest] = [(a + b) / 2, (b - a) / 2, max(abs(a), abs(b))];
      const own = columns[j * outputs + label];
      for (let k = 0; k < outputs; k++) {
        const w = columns[j * outputs + k];
        votes.low[at + k] += c * w - r * abs(w);
        votes.high[at + k] += c * w + r * abs(w);
        differences[at + k] += c * (w - own) + r * abs(w - own);
        size[k] += largest * abs(w);
      }
    }
    for (let k = 0; k < outputs; k++) {
      const rounding = unit * (2 + inputs);
      votes.low[at + k] -= rounding * size[k];
      votes.high[at + k] += rounding * size[k];
      differences[at + k] = k === label ? 0 : differences[at + k] + rounding * (size[k] + size[label]);
    }
  }
  return { votes, differences };
}

/** Spikes and potential of neurons whose current lies in a range, by step and after their filter. */
function neuronRange({ beta, threshold, reset }, numSteps, { stepwise, filtered: free }) {
  const n = free.low.length / numSteps;
  const [membrane, spikes] = [rangeOf(free.low.length), rangeOf(free.low.length)];
  const inputs = reset === "none" ? null : stepwise();
  for (let i = 0; i < n; i++) {
    let [low, high, rounding, removed] = [0, 0, 0, 0];
    for (let t = 0; t < numSteps; t++) {
      const k = t * n + i;
      if (!inputs) {
        rounding = beta * rounding + 4 * UNIT * (max(abs(free.low[k]), abs(free.high[k])) + threshold);
        [low, high] = [free.low[k] - rounding, free.high[k] + rounding];
      } else {
        if (t > 0) {
          const after = afterReset(low, high, beta, threshold, reset);
          removed = beta * removed + after.lowered;
          [low, high] = [after.low + inputs.low[k], after.high + inputs.high[k]];
        } else [low, high] = [inputs.low[k], inputs.high[k]];
        rounding = beta * rounding + 4 * UNIT * (max(abs(low), abs(high)) + threshold);
        low -= 4 * UNIT * (abs(low) + threshold);
        high += 4 * UNIT * (abs(high) + threshold);
        low = max(low, free.low[k] - removed - rounding);
        high = min(high, free.high[k] + rounding);
      }
      [membrane.low[k], membrane.high[k]] = [low, high];
      [spikes.low[k], spikes.high[k]] = [Number(low > threshold), Number(high > threshold)];
    }
  }
  return { membrane, spikes };
}

/** The range of β U - θ 1[U > θ] (or of the reset to zero), and by how much a reset can have lowered it. */
function afterReset(low, high, beta, theta, reset) {
  if (high <= theta) return { low: beta * low, high: beta * high, lowered: 0 };
  const subtract = reset === "subtract";
  const [afterLow, afterHigh] = subtract ? [beta * low - theta, beta * high - theta] : [0, 0];
  const lowered = subtract ? theta : beta * high;
  if (low > theta) return { low: afterLow, high: afterHigh, lowered };
  const resting = subtract ? beta * theta - theta : 0;
  return { low: min(beta * low, resting), high: max(beta * theta, afterHigh), lowered };
}

/** The votes of a decoder for output spikes and potentials in a range. */
function read({ decoder }, { spikes, membrane }, numSteps, classes) {
  if (decoder === DECODERS.membrane) {
    const summed = { low: decayed(membrane.low, classes, 1), high: decayed(membrane.high, classes, 1) };
    const largest = decayed(
      summed.low.map((v, k) => max(abs(v), abs(summed.high[k]))),
      classes,
      1,
    );
    const slack = (k) => UNIT * numSteps * largest[k];
    return { low: summed.low.map((v, k) => v - slack(k)), high: summed.high.map((v, k) => v + slack(k)) };
  }
  const votes = (values) => {
    if (decoder === DECODERS.rate) return decayed(values, classes, 1);
    const best = values.map((s, k) => s * (numSteps - Math.floor(k / classes)));
    for (let k = classes; k < best.length; k++) best[k] = max(best[k], best[k - classes]);
    return best;
  };
  return { low: votes(spikes.low), high: votes(spikes.high) };
}

/** F[t] = β F[t-1] + s[t], for values [T, n]. */
function decayed(values, n, beta) {
  const result = Float64Array.from(values);
  for (let k = n; k < result.length; k++) result[k] += beta * result[k - n];
  return result;
}

const ones = (length) => new Float64Array(length).fill(1);

/** @returns {Range} */
const rangeOf = (length) => ({ low: new Float64Array(length), high: new Float64Array(length) });
