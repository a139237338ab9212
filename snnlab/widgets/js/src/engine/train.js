/**
 * A spiking network of one or two hidden layers that learns in the page, event by event. Mirrors snnlab/training/bptt.py: surrogate gradients
 * through time, the reset not differentiated, Adam with a cosine rate, batches of 100.
 *
 * A pixel is a few events (t, v). Where a code has fewer spikes than changes, an event is a spike: I[t] += v W[:, p]. Elsewhere it
 * is a change of the spike train, and currents are its prefix sums in time, gradients of weights the suffix sums:
 *
 *   I[t] = b + Σ_{t' ≤ t} Σ_p v W[:, p],      ∂L/∂W[:, p] = Σ_events v Σ_{t' ≥ t} Ī[t']
 */
import { attack } from "./attack.js";
import { choose, integerBetween, need, positive } from "./check.js";
import { binOf } from "./codetable.js";
import { DECODERS, leadingClass } from "./decode.js";
import { STEP_CODES } from "./edges.js";
import { encoder } from "./encode.js";
import { lif, lifBackward, neuron } from "./lif.js";
import { middleOf, SpikingNetwork } from "./network.js";
import { hiddenOrder } from "./order.js";
import { mulberry32 } from "./random.js";
import { SURROGATES, surrogate } from "./surrogate.js";
import { timeConstant } from "./synapse.js";

export const CLASSES = 10;
export const BATCH = 100;
const RATE = 2e-3;
const [BETA1, BETA2, TINY] = [0.9, 0.999, 1e-8];

/** Losses by name: the read-out that belongs to each. */
export const LOSSES = { count: "rate", membrane: "membrane", anytime: "rate" };

/** Codes by name that learn here: tables, and the constant current. */
export const LEARNED = ["direct", ...Object.keys(STEP_CODES)];

/** The surrogate of the attacker that knows the code. */
const INFORMED = { shape: "arctan", slope: 2 };

/**
 * What decides the weights, besides the digits. `eps`: 0 trains on clean digits, else on those of FGSM (informed) at this budget.
 * `second`: neurons of a second hidden layer, if there is one.
 * @typedef {{code: string, steps: number, beta: number, hidden: number, second?: number, surrogate: string, slope: number,
 *   loss: string, eps: number, seed: number, epochs: number}} Recipe
 * @typedef {Object<string, Float32Array>} Weights w1, b1, w2, b2 … layer by layer, transposed: [inputs, outputs]
 */

/** Neurons of every layer, from the pixels to the classes. @param {Recipe} recipe @returns {number[]} */
export const sizesOf = ({ hidden, second = 0 }, pixels) => [pixels, hidden, ...(second > 0 ? [second] : []), CLASSES];

/** PyTorch's default: uniform in ±1/√inputs. @param {Recipe} recipe @returns {Weights} */
export function initial(recipe, pixels) {
  const random = mulberry32(recipe.seed, 7);
  const uniform = (length, inputs) => Float32Array.from({ length }, () => (2 * random() - 1) / Math.sqrt(inputs));
  const sizes = sizesOf(recipe, pixels);
  const weights = {};
  for (const [k, outputs] of sizes.slice(1).entries()) {
    weights[`w${k + 1}`] = uniform(sizes[k] * outputs, sizes[k]);
    weights[`b${k + 1}`] = uniform(outputs, sizes[k]);
  }
  return weights;
}

/** The weights as layers, which share them. @param {Recipe} recipe  @param {Weights} weights */
export function layersOf(recipe, weights) {
  const sizes = sizesOf(recipe, weights.w1.length / recipe.hidden);
  const layer = (outputs, k) => {
    const [columns, bias] = [weights[`w${k + 1}`], weights[`b${k + 1}`]];
    return { inputs: sizes[k], outputs, columns, bias };
  };
  return sizes.slice(1).map(layer);
}

/** The engine's network of these weights, which it shares. @param {Recipe} recipe  @param {Weights} weights @returns {any} */
export function networkOf(recipe, weights) {
  const { code, steps, beta, loss } = recipe;
  const layers = layersOf(recipe, weights);
  const second = /** @type {import("./weights.js").Layer} */ (layers.at(-1));
  const h = surrogate({ shape: recipe.surrogate, slope: recipe.slope });
  return new SpikingNetwork({
    first: layers[0],
    middle: middleOf(layers),
    second,
    encoder: encoder(code, steps),
    neuron: neuron({ beta, threshold: 1, reset: "subtract" }),
    tau: timeConstant(null),
    views: {
      naive: { rule: "straight_through", h },
      relaxed: { rule: "relaxed", h },
      informed: { rule: "relaxed", h: surrogate(INFORMED) },
    },
    decoder: DECODERS[LOSSES[loss]],
    eot: 1,
    hiddenOrder: hiddenOrder(second.columns, CLASSES),
  });
}

/** @param {Recipe} recipe */
export function checkRecipe({ code: name, steps, beta, hidden, second = 0, surrogate: shape, slope, loss, eps }) {
  const known = LEARNED.includes(name) || name.startsWith("table(");
  need(known, `unknown code "${name}"; choose one of ${LEARNED.join(", ")}, or write a table(rows=…)`);
  choose("loss", loss, Object.keys(LOSSES));
  choose("surrogate", shape, Object.keys(SURROGATES));
  integerBetween("steps", steps, 2, 16);
  integerBetween("hidden", hidden, 1, 512);
  integerBetween("second", second, 0, 512);
  positive("slope", slope);
  need(beta >= 0 && beta <= 1, `beta must lie in [0, 1], got ${beta}`);
  need(eps >= 0 && eps <= 0.3, `eps of the training must lie in [0, 0.3], got ${eps}`);
  encoder(name, steps); // says what is wrong with a table
}

export class Trainer {
  /** @param {{recipe: Recipe, weights: Weights, adam?: any, batches: number}} start `batches` of the whole training */
  constructor({ recipe, weights, adam = null, batches }) {
    checkRecipe(recipe);
    this.recipe = recipe;
    this.weights = weights;
    this.batches = batches;
    this.names = Object.keys(weights);
    const zeros = () => Object.fromEntries(this.names.map((name) => [name, new Float32Array(weights[name].length)]));
    this.grads = zeros();
    this.adam = adam ?? { m: zeros(), v: zeros(), count: 0 };
    this.layers = layersOf(recipe, weights);
    this.network = networkOf(recipe, weights);
    this.h = surrogate({ shape: recipe.surrogate, slope: recipe.slope });
    this.events = eventsOf(this.network.encoder);
  }

  /**
   * One step of Adam on a batch.
   * @param {Float32Array[]} images  @param {number[]} labels  @param {number} seed  @param {AbortSignal} [signal]
   * @returns {Promise<{loss: number, right: number, n: number}>} of the images that it learned from
   */
  async batch(images, labels, seed, signal) {
    const { recipe, network, grads } = this;
    for (const name of this.names) grads[name].fill(0);
    let [loss, right] = [0, 0];
    for (const [k, clean] of images.entries()) {
      let image = clean;
      if (recipe.eps > 0) {
        const aim = { label: labels[k], exitStep: recipe.steps, attacker: "informed", random: mulberry32(seed, k), signal };
        image = (await attack("fgsm", network, clean, recipe.eps, aim)).image;
      }
      const result = this.learn(image, labels[k], 1 / images.length);
      loss += result.loss / images.length;
      right += result.right;
    }
    this.#step();
    network.hiddenOrder = hiddenOrder(network.second.columns, CLASSES);
    return { loss, right, n: images.length };
  }

  /** Add the gradient of one image, times its weight in the batch. @param {Float32Array} image */
  learn(image, label, share) {
    const { recipe, weights, grads, network, h } = this;
    const { steps, hidden } = recipe;
    const { w1, b1 } = weights;
    const events = this.events.of(image);
    const current = new Float64Array(steps * hidden);
    for (const [t, p, v] of events) {
      const [row, column] = [t * hidden, p * hidden];
      if (v === 1) for (let i = 0; i < hidden; i++) current[row + i] += w1[column + i];
      else for (let i = 0; i < hidden; i++) current[row + i] += v * w1[column + i];
    }
    if (this.events.changes) for (let k = hidden; k < current.length; k++) current[k] += current[k - hidden];
    const first = Float32Array.from(current, (value, k) => value + b1[k % hidden]);
    const later = this.layers.slice(1);
    const done = [lif(first, steps, network.neuron)];
    for (const layer of later) done.push(lif(spikeCurrents(layer, done.at(-1).spikes, steps), steps, network.neuron));
    const output = done.at(-1);
    const votes = network.decoder.votes(output, CLASSES);
    const { loss, spikes, membrane } = lossOf(recipe.loss, votes, label, steps, share);
    // Backward: read-out, then layer by layer down to the first.
    let g1 = lifBackward(spikes, output, steps, network.neuron, h, membrane);
    for (let l = later.length - 1; l >= 0; l--) {
      const into = { weights: grads[`w${l + 2}`], bias: grads[`b${l + 2}`] };
      const below = spikesBackward(later[l], g1, done[l].spikes, steps, into);
      g1 = lifBackward(below, done[l], steps, network.neuron, h);
    }
    for (let k = 0; k < g1.length; k++) grads.b1[k % hidden] += g1[k];
    if (this.events.changes) for (let k = g1.length - hidden - 1; k >= 0; k--) g1[k] += g1[k + hidden];
    const gradWeights = grads.w1;
    for (const [t, p, v] of events) {
      const [row, column] = [t * hidden, p * hidden];
      for (let i = 0; i < hidden; i++) gradWeights[column + i] += v * g1[row + i];
    }
    const row = votes.subarray((steps - 1) * CLASSES);
    const silent = row.every((vote) => vote === 0);
    const read = silent ? -1 : leadingClass(votes, output.membrane, CLASSES, steps);
    return { loss, right: read === label ? 1 : 0 };
  }

  /** Adam with a cosine rate, as torch.optim.Adam. */
  #step() {
    const { adam, weights, grads, batches } = this;
    const rate = 0.5 * RATE * (1 + Math.cos((Math.PI * Math.min(adam.count, batches)) / batches));
    adam.count += 1;
    const [c1, c2] = [1 - BETA1 ** adam.count, 1 - BETA2 ** adam.count];
    for (const name of this.names) {
      const [w, g, m, v] = [weights[name], grads[name], adam.m[name], adam.v[name]];
      for (let k = 0; k < w.length; k++) {
        // Of a pixel that was never lit there is nothing to learn.
        if (g[k] === 0 && v[k] === 0) continue;
        m[k] = BETA1 * m[k] + (1 - BETA1) * g[k];
        v[k] = BETA2 * v[k] + (1 - BETA2) * g[k] * g[k];
        w[k] -= (rate * (m[k] / c1)) / (Math.sqrt(v[k] / c2) + TINY);
      }
    }
  }
}

/** The currents of a layer behind spikes, [T, outputs]. @returns {Float32Array} */
function spikeCurrents({ inputs, outputs, columns, bias }, spikes, steps) {
  const currents = new Float32Array(steps * outputs);
  for (let t = 0; t < steps; t++) {
    const sum = Float64Array.from(bias);
    for (let i = 0; i < inputs; i++) {
      if (spikes[t * inputs + i] === 0) continue;
      for (let k = 0; k < outputs; k++) sum[k] += columns[i * outputs + k];
    }
    currents.set(sum, t * outputs);
  }
  return currents;
}

/**
 * Add the gradients of a layer's weights, and return that of the spikes before it.
 * @param {any} layer  @param {Float64Array} g of its currents, [T, outputs]
 */
function spikesBackward({ inputs, outputs, columns }, g, spikes, steps, { weights, bias }) {
  const below = new Float64Array(steps * inputs);
  for (let t = 0; t < steps; t++) {
    const row = t * outputs;
    for (let k = 0; k < outputs; k++) bias[k] += g[row + k];
    for (let i = 0; i < inputs; i++) {
      const fired = spikes[t * inputs + i] === 1;
      const at = i * outputs;
      let sum = 0;
      for (let k = 0; k < outputs; k++) {
        sum += columns[at + k] * g[row + k];
        if (fired) weights[at + k] += g[row + k];
      }
      below[t * inputs + i] = sum;
    }
  }
  return below;
}

/** Cross-entropy of the loss's logits, and its gradient with respect to the output's spikes and potential. */
function lossOf(name, votes, label, steps, share) {
  const exits = name === "anytime" ? Array.from({ length: steps }, (_, t) => t) : [steps - 1];
  const grad = new Float64Array(steps * CLASSES);
  let loss = 0;
  for (const e of exits) {
    const z = votes.subarray(e * CLASSES, (e + 1) * CLASSES);
    const top = Math.max(...z);
    const exps = Array.from(z, (v) => Math.exp(v - top));
    const total = exps.reduce((a, b) => a + b, 0);
    loss += (Math.log(total) - (z[label] - top)) / exits.length;
    for (let k = 0; k < CLASSES; k++) {
      const g = ((exps[k] / total - (k === label ? 1 : 0)) * share) / exits.length;
      // A running sum passes its gradient on to every step before the exit.
      for (let t = 0; t <= e; t++) grad[t * CLASSES + k] += g;
    }
  }
  if (LOSSES[name] === "membrane") return { loss, spikes: new Float64Array(grad.length), membrane: grad };
  return { loss, spikes: grad, membrane: null };
}

/** How images become events. `changes`: an event is a change of the train, not a spike. @param {any} code of one part */
function eventsOf({ parts: [part], numSteps }) {
  const { table, constant } = part;
  if (constant) {
    const of = (image) => Array.from(image.keys()).flatMap((p) => (image[p] > 0 ? [[0, p, image[p]]] : []));
    return { changes: true, of };
  }
  const rows = Array.from({ length: table.size }, (_, b) => table.trains.subarray(b * numSteps, (b + 1) * numSteps));
  const spikes = (row) => Array.from(row.keys()).flatMap((t) => (row[t] ? [[t, row[t]]] : []));
  const turns = (row) => spikes(row.map((value, t) => value - (t ? row[t - 1] : 0)));
  const counted = (lists) => lists.reduce((sum, list) => sum + list.length, 0);
  const [by, turned] = [rows.map(spikes), rows.map(turns)];
  const changes = counted(turned) < counted(by);
  const lists = changes ? turned : by;
  return {
    changes,
    of: (image) => Array.from(image.keys()).flatMap((p) => lists[binOf(table, image[p])].map(([t, v]) => [t, p, v])),
  };
}
