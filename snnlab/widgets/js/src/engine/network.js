/**
 * Networks, forward and backward. Mirrors snnlab/networks/classifier.py and snnlab/training/tssl_bp.py.
 *
 *   I_l[t] = W_l PSP(s_{l-1})[t] + b_l,   s_l, U_l = LIF(I_l)     spiking; PSP is the identity unless there is a τ_s
 *   z = W_2 max(0, W_1 x + b_1) + b_2                             the ANN twin
 */
import { choose, field, sound } from "./check.js";
import { addConstant, addWeighted, currents, transposed } from "./current.js";
import { DECODERS, predictions } from "./decode.js";
import { derivative, encode, encoder } from "./encode.js";
import { conventionalOperations, spikingOperations } from "./energy.js";
import { lif, lifBackward, neuron } from "./lif.js";
import { hiddenOrder } from "./order.js";
import { SOFT_READOUTS } from "./soft.js";
import { trainsOf } from "./spiketrain.js";
import { surrogate } from "./surrogate.js";
import { filterBackward, timeConstant } from "./synapse.js";
import { addInputs, layer } from "./weights.js";

/** What an attacker knows: two views of the network's gradient, or the spike trains of its code. */
export const SPIKE_TRAIN = "spike_train";
export const ATTACKERS = ["naive", "informed", SPIKE_TRAIN];

/** The network of a payload "model/<name>"; T of the zoo is for a model without steps of its own. @param {any} payload */
export function network(payload, numSteps) {
  const key = `model/${payload?.name ?? "?"}`;
  const kind = choose("kind of model", field(payload, "kind", key), ["snn", "ann"]);
  const layers = field(payload, "layers", key);
  const most = kind === "ann" ? 2 : 3;
  sound(layers.length >= 2 && layers.length <= most, `${key}: expected 2 layers (spiking: or 3), got ${layers.length}`);
  const all = layers.map((l, i) => layer(l, `${key}, layer ${i + 1}`));
  for (const [k, { inputs }] of all.slice(1).entries()) {
    const sizes = `layer ${k + 1} has ${all[k].outputs} outputs, layer ${k + 2} ${inputs} inputs`;
    sound(all[k].outputs === inputs, `${key}: ${sizes}`);
  }
  return kind === "ann" ? new ConventionalNetwork(all[0], all[1], numSteps) : spiking(all, payload, key);
}

/** A layer between the first and the last, or null. */
export const middleOf = (layers) => (layers.length > 2 ? layers[1] : null);

function spiking(layers, payload, key) {
  const [first, second] = [layers[0], layers.at(-1)];
  const of = (name) => field(payload, name, key);
  const code = encoder(of("encoder"));
  const trainedSurrogate = surrogate(of("surrogate"));
  return new SpikingNetwork({
    first,
    middle: middleOf(layers),
    second,
    encoder: code,
    neuron: neuron({ beta: of("beta"), threshold: of("threshold"), reset: of("reset") }),
    tau: timeConstant(payload.tau_s),
    views: {
      naive: { rule: "straight_through", h: trainedSurrogate },
      relaxed: { rule: "relaxed", h: trainedSurrogate },
      informed: { rule: "relaxed", h: surrogate(of("attack_surrogate")) },
    },
    decoder: DECODERS[choose("decoder", payload.decoder ?? "rate", Object.keys(DECODERS))],
    soft: SOFT_READOUTS[payload.decoder ?? "rate"],
    search: of("spike_train"),
    eot: code.stochastic ? (payload.eot ?? 10) : 1,
    hiddenOrder: hiddenOrder(second.columns, second.outputs),
  });
}

/** Two layers of LIF neurons behind an encoder, or three: then `hidden` of a trace is the later of the hidden ones. */
export class SpikingNetwork {
  #trains;
  /** @type {any} what is between input and output: see `spiking` */ encoder;
  /** @type {import("./weights.js").Layer} */ first;
  /** @type {import("./weights.js").Layer|null} between them */ middle;
  /** @type {import("./weights.js").Layer} the last */ second;
  /** @type {any} constants of all neurons */ neuron;
  /** @type {number} time constant of the filter, or 0 */ tau;
  /** @type {any} backward rule and surrogate of each attacker */ views;
  /** @type {any} */ decoder;

  /** @param {any} components what `spiking` reads from a payload */
  constructor(components) {
    Object.assign(this, components);
    this.numSteps = this.encoder.numSteps;
    this.parts = this.encoder.parts.length;
    this.classes = this.second.outputs;
    this.numPixels = this.first.inputs / this.parts;
    const { numPixels } = this;
    this.blocks = this.encoder.parts.map(({ constant }, k) => ({ from: k * numPixels, to: (k + 1) * numPixels, constant }));
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

  /** Trace of one image, sequences time first; `random` is for stochastic codes. @param {() => number} random */
  forward(image, random) {
    return this.respond(image, encode(this.encoder, image, random));
  }

  /** The same for a sequence [T, P] that has been encoded already. */
  respond(image, input) {
    const { first, middle, second, numSteps, classes, tau, neuron, blocks } = this;
    const early = lif(currents(first, input, numSteps, tau, blocks, this.encoder.fromStep), numSteps, neuron);
    const hidden = middle ? lif(currents(middle, early.spikes, numSteps, tau), numSteps, neuron) : early;
    const output = lif(currents(second, hidden.spikes, numSteps, tau), numSteps, neuron);
    const votes = this.decoder.votes(output, classes);
    return { image, input, early, hidden, output, votes, predictions: predictions(votes, output.membrane, classes) };
  }

  /** ∂L/∂x for given ∂L/∂logits at one exit, as a view sees it, or through an adaptive surrogate. */
  backward(trace, gradLogits, exitStep, attacker, sharpness = null) {
    const { rule, h } = this.views[choose("view", attacker, Object.keys(this.views))];
    const read = this.decoder.backward(gradLogits, trace.output, exitStep);
    return this.#inputGradient(trace, this.#driveGradient(trace, read, exitStep, h, sharpness), exitStep, rule);
  }

  /** ∂L/∂s of the encoded sequence, [T, P], for given gradients of the output's spikes and potential. */
  sequenceGradient(trace, read, exitStep, sharpness) {
    const drive = this.#driveGradient(trace, read, exitStep, null, sharpness);
    return transposed(this.first, drive, this.numSteps, exitStep);
  }

  /** ∂L/∂(W s) of the first layer, [T, H]. */
  #driveGradient(trace, read, exitStep, h, sharpness) {
    const of = (layer) => sharpness?.follow(layer.membrane, this.neuron.threshold) ?? h;
    const { numSteps, middle, second, tau, neuron } = this;
    const above = (layer, grad) => transposed(layer, filterBackward(grad, numSteps, tau), numSteps, exitStep);
    const through = (grad, activity, atMembrane = null) =>
      lifBackward(grad, activity, numSteps, neuron, of(activity), atMembrane);
    let grad = through(above(second, through(read.spikes, trace.output, read.membrane)), trace.hidden);
    if (middle) grad = through(above(middle, grad), trace.early);
    return filterBackward(grad, numSteps, tau);
  }

  operations(trace) {
    return spikingOperations(this, trace);
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
class ConventionalNetwork {
  constructor(first, second, numSteps) {
    this.first = first;
    this.second = second;
    this.numSteps = numSteps;
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

  operations(trace) {
    return conventionalOperations(this, trace);
  }
}
