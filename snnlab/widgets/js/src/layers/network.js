/**
 * A network of the reader's own as a chain of layers, forward and backward, with the interface of engine/network.js. Its
 * description comes from snnlab/networks/chain.py.
 */
import { choose, field, sound } from "../engine/check.js";
import { DECODERS, predictions, SILENT } from "../engine/decode.js";
import { derivative, encode, encoder } from "../engine/encode.js";
import { hiddenOrder } from "../engine/order.js";
import { SOFT_READOUTS } from "../engine/soft.js";
import { trainsOf } from "../engine/spiketrain.js";
import { surrogate } from "../engine/surrogate.js";
import { fire, fireBackward, neurons } from "./neurons.js";
import { sizeOf } from "./numbers.js";
import { operation } from "./operations.js";

/** The layers of a payload "network/<k>"; several codes may share them. @param {any} payload @param {string} key */
export function chain(payload, key) {
  const layers = field(payload, "layers", key).map((spec, i) => {
    const name = `${key}, layer ${i + 1}`;
    return spec.kind === "neuron" ? neurons(spec, name) : operation(spec, name);
  });
  layers.reduce(
    (before, { inputs }, i) => {
      sound(before === inputs, `${key}: layer ${i + 1} takes ${inputs} values, the one before returns ${before}`);
      return layers[i].outputs;
    },
    sizeOf(field(payload, "inputs", key)),
  );
  return { ...payload, layers };
}

/** The network of a payload "model/<name>" over a chain; T is for a network without steps. @param {any} payload @param {any} body */
export function layered(payload, body, numSteps) {
  const key = `model/${payload?.name ?? "?"}`;
  const common = { body, layers: body.layers, population: body.population ?? 1, potential: body.potential ?? true };
  if (payload.encoder === null) return new LayeredNetwork({ ...common, encoder: null, numSteps, eot: 1 });
  const code = encoder(field(payload, "encoder", key));
  const decoder = choose("decoder", payload.decoder, Object.keys(DECODERS));
  const informed = surrogate(field(payload, "attack_surrogate", key));
  return new LayeredNetwork({
    ...common,
    encoder: code,
    numSteps: code.numSteps,
    neuron: { threshold: field(payload, "threshold", key) },
    views: { naive: { rule: "straight_through" }, relaxed: { rule: "relaxed" }, informed: { rule: "relaxed", h: informed } },
    decoder: DECODERS[decoder],
    soft: SOFT_READOUTS[decoder],
    search: payload.spike_train,
    eot: code.stochastic ? payload.eot : 1,
  });
}

/** What a layer has done: a spiking one over all steps, any other step by step. @typedef {any} Done */

export class LayeredNetwork {
  #trains;
  /** @type {any} */ encoder;
  /** @type {any[]} */ layers;
  /** @type {number} */ numSteps;
  /** @type {number} neighbouring outputs of one class */ population;
  /** @type {boolean} whether the potential of the output is read */ potential;
  /** @type {any} */ views;
  /** @type {any} */ decoder;

  /** @param {any} components what `layered` reads from a payload */
  constructor(components) {
    Object.assign(this, components);
    const { layers } = this;
    this.parts = this.encoder?.parts.length ?? 1;
    this.classes = layers.at(-1).outputs / this.population;
    this.numPixels = layers[0].inputs / this.parts;
    this.spiking = layers.flatMap(({ kind }, i) => (kind === "neuron" ? [i] : []));
    this.hiddenOrder = this.#hiddenOrder();
  }

  get trains() {
    if (this.#trains === undefined) this.#trains = trainsOf(this);
    return this.#trains;
  }

  behind(encoder) {
    return new LayeredNetwork({ ...this, encoder });
  }

  /** Trace of one image; `random` is for stochastic codes. @param {() => number} [random] */
  forward(image, random) {
    return this.respond(image, this.encoder ? encode(this.encoder, image, random) : image);
  }

  /** The same for a sequence [T, P] that has been encoded already. */
  respond(image, input) {
    const steps = this.encoder ? this.numSteps : 1;
    const done = run(this.layers, input, steps);
    if (!this.encoder) return this.#answerOnce(image, done);
    const last = pooled(done.at(-1).activity, this.population);
    const output = this.potential ? last : { ...last, membrane: new Float32Array(last.membrane.length) };
    const votes = this.decoder.votes(output, this.classes);
    const hidden = this.spiking.length > 1 ? done[this.spiking.at(-2)].activity : null;
    return { image, input, hidden, output, votes, done, predictions: predictions(votes, output.membrane, this.classes) };
  }

  /** An ANN gives the same answer at every exit. */
  #answerOnce(image, done) {
    const { numSteps, classes } = this;
    const logits = done.at(-1).values;
    const votes = new Float32Array(numSteps * classes);
    for (let t = 0; t < numSteps; t++) votes.set(logits, t * classes);
    const answer = logits.some((z) => z !== 0) ? logits.indexOf(Math.max(...logits)) : SILENT;
    return { image, hidden: null, output: null, votes, done, predictions: new Int8Array(numSteps).fill(answer) };
  }

  /** ∂L/∂x for given ∂L/∂logits at one exit, as a view sees it, or through an adaptive surrogate. */
  backward(trace, gradLogits, exitStep, attacker, sharpness = null) {
    if (!this.encoder) return descend(this.layers, trace.done, Float64Array.from(gradLogits), 1);
    const { rule, h } = this.views[choose("view", attacker, Object.keys(this.views))];
    const read = this.decoder.backward(gradLogits, trace.output, exitStep);
    const { parts, fromStep } = this.encoder;
    const same = fromStep === 0 && parts.every(({ constant }) => constant);
    const grad = this.#sequenceGradient(trace, read, exitStep, h, sharpness, same);
    return this.#inputGradient(trace, grad, exitStep, rule, same);
  }

  /** ∂L/∂s of the encoded sequence, [T, P], for given gradients of the output's spikes and potential. */
  sequenceGradient(trace, read, exitStep, sharpness) {
    return this.#sequenceGradient(trace, read, exitStep, null, sharpness, false);
  }

  /** `same`: an input that is the same at every step gets one gradient, the sum over the steps. */
  #sequenceGradient(trace, { spikes, membrane }, exitStep, h, sharpness, same) {
    const rest = exitStep * this.layers.at(-1).outputs;
    const [gradSpikes, gradMembrane] = [spikes, membrane].map((grad) => {
      return grad && unpooled(grad, this.population).subarray(0, rest);
    });
    const options = { h, sharpness, same, gradMembrane: this.potential ? gradMembrane : null };
    const grad = descend(this.layers, trace.done, gradSpikes, exitStep, options);
    if (same) return grad;
    const out = new Float64Array(this.numSteps * this.layers[0].inputs);
    out.set(grad);
    return out;
  }

  /** ∂L/∂x[p] = Σ_parts Σ_t ∂s[t]/∂x · ∂L/∂s[t]. */
  #inputGradient({ image, input }, gradient, exitStep, rule, same) {
    const { encoder, numPixels } = this;
    const width = this.layers[0].inputs;
    const grad = new Float64Array(numPixels);
    encoder.parts.forEach(({ gate }, index) => {
      if (gate === 0) return;
      const slopes = same ? null : derivative(encoder, index, rule, image, input);
      for (let t = same ? 0 : encoder.fromStep; t < (same ? 1 : exitStep); t++) {
        for (let p = 0; p < numPixels; p++) {
          grad[p] += (slopes ? slopes[t * numPixels + p] : gate) * gradient[t * width + index * numPixels + p];
        }
      }
    });
    return grad;
  }

  /** Operations are counted for the networks of the zoo alone. */
  operations() {
    return null;
  }

  /** Rows of the raster: by the class that a neuron excites most, where one layer of weights lies behind it. */
  #hiddenOrder() {
    const [hidden, last] = [this.spiking.at(-2), this.spiking.at(-1)];
    if (hidden === undefined) return { hidden: null, preferred: null };
    const next = this.layers[hidden + 1];
    if (next.kind === "linear" && last === hidden + 2 && this.population === 1)
      return hiddenOrder(next.columns, next.outputs);
    return { hidden: Int32Array.from({ length: this.layers[hidden].outputs }, (_, i) => i), preferred: null };
  }
}

/** All layers over a sequence [T, n]. @returns {Done[]} */
function run(layers, sequence, numSteps) {
  let values = sequence;
  return layers.map((layer) => {
    if (layer.kind === "neuron") {
      const activity = fire(layer, values, numSteps);
      values = activity.spikes;
      return { activity };
    }
    const out = new Float32Array(numSteps * layer.outputs);
    const notes = [];
    for (let t = 0; t < numSteps; t++) {
      const now = values.subarray(t * layer.inputs, (t + 1) * layer.inputs);
      if (t > 0 && now.every((v, i) => v === values[(t - 1) * layer.inputs + i])) {
        out.copyWithin(t * layer.outputs, (t - 1) * layer.outputs, t * layer.outputs);
        notes.push(notes.at(-1));
        continue;
      }
      const step = layer.forward(now);
      out.set(step.values, t * layer.outputs);
      notes.push(step.note);
    }
    values = out;
    return { values, notes };
  });
}

/** The gradient of the input, from that of the last layer, over the first steps. @param {any} [options] @returns {Float64Array} */
function descend(layers, done, gradient, numSteps, options = {}) {
  const { h = null, sharpness = null, same = false, gradMembrane = null } = options;
  let [grad, steps, atMembrane] = [gradient, numSteps, gradMembrane];
  const first = layers.findIndex(({ kind }) => kind === "neuron");
  for (let i = layers.length - 1; i >= 0; i--) {
    const layer = layers[i];
    if (layer.kind === "neuron") {
      const { spikes, membrane } = done[i].activity;
      const { threshold, inputs: n } = layer;
      const adaptive = sharpness?.follow(distance(membrane, threshold, n), 0);
      grad = fireBackward(layer, grad, { spikes, membrane }, adaptive ?? h ?? layer.h, atMembrane);
      atMembrane = null;
      if (same && i === first) [grad, steps] = [summed(grad, n), 1];
      continue;
    }
    if (layer.backwardAll) {
      grad = layer.backwardAll(grad, steps);
      continue;
    }
    const before = new Float64Array(steps * layer.inputs);
    for (let t = 0; t < steps; t++) {
      const now = grad.subarray(t * layer.outputs, (t + 1) * layer.outputs);
      if (now.some((g) => g !== 0)) before.set(layer.backward(now, done[i].notes[t]), t * layer.inputs);
    }
    grad = before;
  }
  return grad;
}

const distance = (membrane, threshold, n) => Float32Array.from(membrane, (u, k) => u - threshold[k % n]);

/** The sum over the steps. */
function summed(grad, n) {
  const out = new Float64Array(n);
  for (let k = 0; k < grad.length; k++) out[k % n] += grad[k];
  return out;
}

/** Spikes and potential of neighbouring outputs, added up. */
function pooled({ spikes, membrane }, population) {
  if (population === 1) return { spikes, membrane };
  const add = (values, out) => {
    for (let k = 0; k < values.length; k++) out[Math.floor(k / population)] += values[k];
    return out;
  };
  const size = spikes.length / population;
  return { spikes: add(spikes, new Uint8Array(size)), membrane: add(membrane, new Float32Array(size)) };
}

/** A copy, because it is overwritten. */
const unpooled = (grad, population) =>
  population === 1
    ? grad
    : Float64Array.from({ length: grad.length * population }, (_, k) => grad[Math.floor(k / population)]);
