/**
 * Networks, forward and backward. Mirrors snnlab/network.py.
 *
 *   I_l[t] = W_l s_{l-1}[t] + b_l,   s_l, U_l = LIF(I_l)          spiking, read out by spike counts
 *   z = W_2 max(0, W_1 x + b_1) + b_2                             the ANN twin
 *
 * A network offers, for one image,
 *   forward(image, random) → trace          everything that happened
 *   backward(trace, gradLogits, exitStep, attacker) → ∂L/∂x
 */
import { choose, field } from "./check.js";
import { predictions, rate } from "./decode.js";
import { derivative, encode, encoder, isConstant } from "./encode.js";
import { lif, lifBackward, neuron } from "./lif.js";
import { hiddenOrder } from "./order.js";
import { surrogate } from "./surrogate.js";
import { addInputs, layer } from "./weights.js";

export const ATTACKERS = ["naive", "informed"];

/**
 * @param {object} payload of the key "model/<name>"
 * @param {number} numSteps T of the zoo, for a model without steps of its own
 * @returns {SpikingNetwork|ConventionalNetwork}
 */
export function network(payload, numSteps) {
  const key = `model/${payload?.name ?? "?"}`;
  const kind = choose("kind of model", field(payload, "kind", key), ["snn", "ann"]);
  const layers = field(payload, "layers", key);
  if (!Array.isArray(layers) || layers.length !== 2) {
    throw new Error(`${key}: expected 2 layers, got ${layers?.length}; the web data is damaged, build it again`);
  }
  const [first, second] = layers.map((l, i) => layer(l, `${key}, layer ${i + 1}`));
  if (first.outputs !== second.inputs) {
    throw new Error(
      `${key}: layer 1 has ${first.outputs} outputs, layer 2 ${second.inputs} inputs; build the web data again`,
    );
  }
  return kind === "ann"
    ? new ConventionalNetwork(first, second, numSteps)
    : new SpikingNetwork(first, second, payload, key);
}

/** Two layers of LIF neurons behind an encoder. */
export class SpikingNetwork {
  constructor(first, second, payload, key) {
    Object.assign(this, { first, second });
    this.encoder = encoder(field(payload, "encoder", key));
    this.numSteps = this.encoder.numSteps;
    this.parts = this.encoder.parts.length;
    this.classes = second.outputs;
    this.numPixels = first.inputs / this.parts;
    this.neuron = neuron({
      beta: field(payload, "beta", key),
      threshold: field(payload, "threshold", key),
      reset: field(payload, "reset", key),
    });
    this.views = {
      naive: { rule: "straight_through", h: surrogate(field(payload, "surrogate", key)) },
      informed: { rule: "relaxed", h: surrogate(field(payload, "attack_surrogate", key)) },
    };
    choose("decoder", payload.decoder ?? "rate", ["rate"]);
    this.eot = this.encoder.stochastic ? (payload.eot ?? 10) : 1;
    this.hiddenOrder = hiddenOrder(second.columns, this.classes);
  }

  /**
   * @param {Float32Array} image
   * @param {() => number} random for stochastic codes
   * @returns {{image, input, hidden, output, votes, predictions}} sequences are time first
   */
  forward(image, random) {
    return this.respond(image, encode(this.encoder, image, random));
  }

  /** The same for a sequence [T, P] that has been encoded already. */
  respond(image, input) {
    const { numSteps, classes } = this;
    const hidden = lif(this.#inputCurrent(input), numSteps, this.neuron);
    const output = lif(current(this.second, hidden.spikes, numSteps), numSteps, this.neuron);
    const votes = rate(output.spikes, classes);
    return { image, input, hidden, output, votes, predictions: predictions(votes, output.membrane, classes) };
  }

  /**
   * ∂L/∂x for given ∂L/∂logits at one exit, as the attacker sees it.
   *
   * @returns {Float64Array} length C·H·W
   */
  backward(trace, gradLogits, exitStep, attacker) {
    const { rule, h } = this.views[attacker];
    const { numSteps, classes, first, second } = this;
    // The logits at exit e count the spikes of the steps 0 … e-1: each of those receives the whole gradient.
    const gradOutput = new Float64Array(numSteps * classes);
    for (let t = 0; t < exitStep; t++) gradOutput.set(gradLogits, t * classes);
    const gradReadout = lifBackward(gradOutput, trace.output, numSteps, this.neuron, h);
    const gradHidden = new Float64Array(numSteps * first.outputs);
    for (let t = 0; t < exitStep; t++) {
      for (let i = 0; i < first.outputs; i++) {
        let sum = 0;
        for (let k = 0; k < classes; k++) sum += second.columns[i * classes + k] * gradReadout[t * classes + k];
        gradHidden[t * first.outputs + i] = sum;
      }
    }
    const gradCurrent = lifBackward(gradHidden, trace.hidden, numSteps, this.neuron, h);
    return this.#inputGradient(trace, gradCurrent, exitStep, rule);
  }

  /** I[t] = W s[t] + b, with the parts that are constant in time added once. */
  #inputCurrent(input) {
    const { first, numSteps, numPixels } = this;
    const fixed = Float64Array.from(first.bias);
    const moving = [];
    this.encoder.parts.forEach((part, index) => {
      const [from, to] = [index * numPixels, (index + 1) * numPixels];
      if (isConstant(part)) addInputs(fixed, first, input, from, to, 0);
      else moving.push([from, to]);
    });
    const out = new Float32Array(numSteps * first.outputs);
    for (let t = 0; t < numSteps; t++) {
      const sum = Float64Array.from(fixed);
      for (const [from, to] of moving) addInputs(sum, first, input, from, to, t * first.inputs);
      out.set(sum, t * first.outputs);
    }
    return out;
  }

  /** ∂L/∂x[p] = Σ_parts Σ_t ∂s[t]/∂x · W[:, p] · ∂L/∂I[t]. */
  #inputGradient({ image, input }, gradCurrent, exitStep, rule) {
    const { first, numPixels } = this;
    const grad = new Float64Array(numPixels);
    this.encoder.parts.forEach((part, index) => {
      const columns = first.columns.subarray(index * numPixels * first.outputs);
      const slopes = derivative(part, rule, image, input, index);
      if (slopes) addWeighted(grad, columns, gradCurrent, slopes, first.outputs, exitStep);
      else addConstant(grad, columns, gradCurrent, first.outputs, exitStep);
    });
    return grad;
  }
}

/** The ANN twin: nothing is encoded, every exit gives the same answer, and both attackers see the same gradient. */
export class ConventionalNetwork {
  constructor(first, second, numSteps) {
    Object.assign(this, { first, second, numSteps });
    this.encoder = null;
    this.parts = 1;
    this.eot = 1;
    this.classes = second.outputs;
    this.numPixels = first.inputs;
    this.hiddenOrder = hiddenOrder(second.columns, this.classes);
  }

  /** Trace of one image; votes hold the same logits at every exit. */
  forward(image) {
    const { first, second, numSteps, classes } = this;
    const sum = Float64Array.from(first.bias);
    addInputs(sum, first, image, 0, image.length, 0);
    const activation = Float32Array.from(sum, (v) => Math.max(0, v));
    const logits = Float64Array.from(second.bias);
    addInputs(logits, second, activation, 0, activation.length, 0);
    const votes = new Float32Array(numSteps * classes);
    for (let t = 0; t < numSteps; t++) votes.set(logits, t * classes);
    const answer = logits.indexOf(Math.max(...logits));
    return { image, activation, votes, predictions: new Int8Array(numSteps).fill(answer) };
  }

  backward({ activation }, gradLogits) {
    const { first, second, classes, numPixels } = this;
    const gradHidden = new Float64Array(first.outputs);
    for (let i = 0; i < first.outputs; i++) {
      if (activation[i] === 0) continue;
      for (let k = 0; k < classes; k++) gradHidden[i] += second.columns[i * classes + k] * gradLogits[k];
    }
    const grad = new Float64Array(numPixels);
    addConstant(grad, first.columns, gradHidden, first.outputs, 1);
    return grad;
  }
}

/** I[t] = W s[t] + b for binary spikes [T, n]. */
function current(layer, spikes, numSteps) {
  const out = new Float32Array(numSteps * layer.outputs);
  for (let t = 0; t < numSteps; t++) {
    const sum = Float64Array.from(layer.bias);
    addInputs(sum, layer, spikes, 0, layer.inputs, t * layer.inputs);
    out.set(sum, t * layer.outputs);
  }
  return out;
}

/** grad[p] += W[:, p] · Σ_t g[t]: for an input that is the same at every step one product is enough. */
function addConstant(grad, columns, gradCurrent, n, exitStep) {
  const total = new Float64Array(n);
  for (let t = 0; t < exitStep; t++) for (let i = 0; i < n; i++) total[i] += gradCurrent[t * n + i];
  for (let p = 0; p < grad.length; p++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += columns[p * n + i] * total[i];
    grad[p] += sum;
  }
}

/**
 * grad[p] += Σ_t slopes[t, p] (W[:, p] · g[t]).
 *
 * Steps are taken in fours: a weight is read once for four products, and blocks in which the pixel has no slope at all
 * (most, under the straight-through rule) are skipped.
 */
function addWeighted(grad, columns, gradCurrent, slopes, n, exitStep) {
  const pixels = grad.length;
  const padded = new Float64Array(Math.ceil(exitStep / 4) * 4 * n);
  padded.set(gradCurrent.subarray(0, exitStep * n));
  const slopeAt = (t, p) => (t < exitStep ? slopes[t * pixels + p] : 0);
  for (let t = 0; t < exitStep; t += 4) {
    const g0 = t * n;
    const [g1, g2, g3] = [g0 + n, g0 + 2 * n, g0 + 3 * n];
    for (let p = 0; p < pixels; p++) {
      const [d0, d1, d2, d3] = [slopeAt(t, p), slopeAt(t + 1, p), slopeAt(t + 2, p), slopeAt(t + 3, p)];
      if (d0 === 0 && d1 === 0 && d2 === 0 && d3 === 0) continue;
      const w = p * n;
      let [a0, a1, a2, a3] = [0, 0, 0, 0];
      for (let i = 0; i < n; i++) {
        const weight = columns[w + i];
        a0 += weight * padded[g0 + i];
        a1 += weight * padded[g1 + i];
        a2 += weight * padded[g2 + i];
        a3 += weight * padded[g3 + i];
      }
      grad[p] += d0 * a0 + d1 * a1 + d2 * a2 + d3 * a3;
    }
  }
}
