/**
 * Networks, forward and backward. Mirrors snnlab/network.py and snnlab/tsslbp.py.
 *
 *   I_l[t] = W_l PSP(s_{l-1})[t] + b_l,   s_l, U_l = LIF(I_l)     spiking; PSP is the identity unless there is a τ_s
 *   z = W_2 max(0, W_1 x + b_1) + b_2                             the ANN twin
 *
 * A network offers, for one image,
 *   forward(image, random) → trace          everything that happened
 *   backward(trace, gradLogits, exitStep, attacker) → ∂L/∂x
 *   energy(trace) → pJ up to every exit
 */
import { choose, field } from "./check.js";
import { addConstant, addWeighted, currents, transposed } from "./current.js";
import { DECODERS, predictions } from "./decode.js";
import { derivative, encode, encoder, isConstant } from "./encode.js";
import { conventionalEnergy, spikingEnergy } from "./energy.js";
import { lif, lifBackward, neuron } from "./lif.js";
import { hiddenOrder } from "./order.js";
import { SOFT_READOUTS } from "./soft.js";
import { trainsOf } from "./spiketrain.js";
import { surrogate } from "./surrogate.js";
import { filterBackward, timeConstant } from "./synapse.js";
import { addInputs, layer } from "./weights.js";

/** What an attacker knows: two views of the network's gradient, or the spike trains of its code. */
export const VIEWS = ["naive", "informed"];
export const SPIKE_TRAIN = "spike_train";
export const ATTACKERS = [...VIEWS, SPIKE_TRAIN];

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
  return kind === "ann" ? new ConventionalNetwork(first, second, numSteps) : spiking(first, second, payload, key);
}

function spiking(first, second, payload, key) {
  const code = encoder(field(payload, "encoder", key));
  const own = surrogate(field(payload, "surrogate", key));
  return new SpikingNetwork({
    first,
    second,
    encoder: code,
    neuron: neuron({
      beta: field(payload, "beta", key),
      threshold: field(payload, "threshold", key),
      reset: field(payload, "reset", key),
    }),
    tau: timeConstant(payload.tau_s),
    views: {
      naive: { rule: "straight_through", h: own },
      relaxed: { rule: "relaxed", h: own },
      informed: { rule: "relaxed", h: surrogate(field(payload, "attack_surrogate", key)) },
    },
    decoder: DECODERS[choose("decoder", payload.decoder ?? "rate", Object.keys(DECODERS))],
    soft: SOFT_READOUTS[payload.decoder ?? "rate"],
    search: field(payload, "spike_train", key),
    eot: code.stochastic ? (payload.eot ?? 10) : 1,
    hiddenOrder: hiddenOrder(second.columns, second.outputs),
  });
}

/** Two layers of LIF neurons behind an encoder. */
export class SpikingNetwork {
  #trains;

  /** @param {object} components what `spiking` reads from a payload */
  constructor(components) {
    Object.assign(this, components);
    this.numSteps = this.encoder.numSteps;
    this.parts = this.encoder.parts.length;
    this.classes = this.second.outputs;
    this.numPixels = this.first.inputs / this.parts;
    this.blocks = this.encoder.parts.map((part, k) => {
      return { from: k * this.numPixels, to: (k + 1) * this.numPixels, constant: isConstant(part) };
    });
  }

  /** The step parts of the code and the table of their trains, worked out when first asked for; null: there are none. */
  get trains() {
    if (this.#trains === undefined) this.#trains = trainsOf(this);
    return this.#trains;
  }

  /** The same network (shared weights) behind another view of its code: with a part silenced, or perturbed late. */
  behind(encoder) {
    return new SpikingNetwork({ ...this, encoder });
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
    const { first, second, numSteps, classes, tau, neuron, blocks } = this;
    const hidden = lif(currents(first, input, numSteps, tau, blocks, this.encoder.fromStep), numSteps, neuron);
    const output = lif(currents(second, hidden.spikes, numSteps, tau), numSteps, neuron);
    const votes = this.decoder.votes(output, classes);
    return { image, input, hidden, output, votes, predictions: predictions(votes, output.membrane, classes) };
  }

  /**
   * ∂L/∂x for given ∂L/∂logits at one exit, as the attacker sees it.
   *
   * @param {string} attacker one of `views`
   * @param {import("./sharpness.js").AdaptiveSharpness|null} [sharpness] in place of the attacker's surrogate
   * @returns {Float64Array} length C·H·W
   */
  backward(trace, gradLogits, exitStep, attacker, sharpness = null) {
    const { rule, h } = this.views[choose("view", attacker, Object.keys(this.views))];
    const read = this.decoder.backward(gradLogits, trace.output, exitStep);
    return this.#inputGradient(trace, this.#driveGradient(trace, read, exitStep, h, sharpness), exitStep, rule);
  }

  /**
   * ∂L/∂s of the encoded sequence, [T, P], for given gradients of the output's spikes and potential.
   *
   * @param {{spikes: Float64Array, membrane: Float64Array|null}} read
   * @param {import("./sharpness.js").AdaptiveSharpness} sharpness
   */
  sequenceGradient(trace, read, exitStep, sharpness) {
    const drive = this.#driveGradient(trace, read, exitStep, null, sharpness);
    return transposed(this.first, drive, this.numSteps, exitStep);
  }

  /** ∂L/∂(W s) of the first layer, [T, H]. */
  #driveGradient(trace, read, exitStep, h, sharpness) {
    const of = (layer) => sharpness?.follow(layer.membrane, this.neuron.threshold) ?? h;
    const { numSteps, second, tau, neuron } = this;
    const gradReadout = lifBackward(read.spikes, trace.output, numSteps, neuron, of(trace.output), read.membrane);
    const gradHidden = transposed(second, filterBackward(gradReadout, numSteps, tau), numSteps, exitStep);
    const gradCurrent = lifBackward(gradHidden, trace.hidden, numSteps, neuron, of(trace.hidden));
    return filterBackward(gradCurrent, numSteps, tau);
  }

  /** @returns {Float32Array} pJ up to every exit, [T] */
  energy(trace) {
    return spikingEnergy(this, trace);
  }

  /** ∂L/∂x[p] = Σ_parts Σ_t ∂s[t]/∂x · W[:, p] · ∂L/∂(W s)[t]. */
  #inputGradient({ image, input }, gradDrive, exitStep, rule) {
    const { encoder, first, numPixels } = this;
    const grad = new Float64Array(numPixels);
    encoder.parts.forEach(({ gate }, index) => {
      if (gate === 0) return;
      const columns = first.columns.subarray(index * numPixels * first.outputs);
      const slopes = derivative(encoder, index, rule, image, input);
      if (slopes) addWeighted(grad, columns, gradDrive, slopes, first.outputs, exitStep);
      else addConstant(grad, columns, gradDrive, first.outputs, encoder.fromStep, exitStep, gate);
    });
    return grad;
  }
}

/** The ANN twin: nothing is encoded, every exit gives the same answer, and both attackers see the same gradient. */
export class ConventionalNetwork {
  constructor(first, second, numSteps) {
    Object.assign(this, { first, second, numSteps });
    this.encoder = null;
    this.trains = null;
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
    addConstant(grad, first.columns, gradHidden, first.outputs, 0, 1);
    return grad;
  }

  /** @returns {Float32Array} pJ of the one answer, [1] */
  energy() {
    return conventionalEnergy(this);
  }
}
