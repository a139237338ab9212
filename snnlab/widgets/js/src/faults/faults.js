/**
 * Faults of a chip in a network of two layers. The laws are those of snnlab/networks/faults.py; the random numbers are others.
 *
 *   lost, late          each spike, with probability s: not sent, or a step later (two that meet are one)
 *   dead, stuck         a share s of the hidden neurons never fires, or at every step
 *   threshold, weight   θ (1 + s z) of each neuron, w (1 + s z) of each weight, z normal
 *   flipped_bits        each of the eight bits of a weight, with probability s
 *   fewer_bits          weights of 8 - 7 s bits with a sign
 *
 * Each fault has random numbers of its own, the same at every severity: a stronger fault hits what a weaker one hit, and more.
 */

import { need } from "../engine/check.js";
import { currents } from "../engine/current.js";
import { predictions } from "../engine/decode.js";
import { encode } from "../engine/encode.js";
import { lif } from "../engine/lif.js";
import { mulberry32 } from "../engine/random.js";
import { say } from "../language.js";

/** The faults, in the order in which they are put into a network. */
export const FAULTS = ["fewer_bits", "flipped_bits", "weight", "threshold", "dead", "stuck", "lost", "late"];
const BITS = 8;
const SMALLEST = 0.05; // a threshold stays above this share of itself
const SPIKES = 100; // streams of random numbers of single images

/** @typedef {Object<string, number>} Severities by fault, each from 0 to 1; a fault that is missing is 0 */

/** A chip on which a network runs: weights, thresholds and neurons as its faults leave them. */
export class Chip {
  /** @param {any} model a SpikingNetwork  @param {Severities} severities  @param {number} seed */
  constructor(model, severities, seed) {
    for (const [fault, s] of Object.entries(severities)) {
      need(FAULTS.includes(fault), say`unknown fault "${fault}"; choose one of ${FAULTS.join(", ")}`);
      need(s >= 0 && s <= 1, say`the severity of a fault lies in [0, 1], got ${s} for ${fault}`);
    }
    this.model = model;
    this.severity = (fault) => severities[fault] ?? 0;
    this.seed = seed;
    this.layers = [model.first, model.second].map((layer, k) => this.#weights(layer, k));
    this.factors = this.layers.map(({ outputs }, k) => this.#factors(outputs, k));
    const { outputs } = model.first;
    this.dead = this.#chosen("dead", outputs);
    this.stuck = this.#chosen("stuck", outputs);
  }

  /** Random numbers of a fault; `part` tells layers and images apart. */
  #random(fault, part = 0) {
    return mulberry32(this.seed, 1 + FAULTS.indexOf(fault) + FAULTS.length * part);
  }

  #chosen(fault, count) {
    const random = this.#random(fault);
    return Uint8Array.from({ length: count }, () => Number(random() < this.severity(fault)));
  }

  #factors(outputs, k) {
    const s = this.severity("threshold");
    if (s === 0) return null;
    const z = normal(this.#random("threshold", k));
    return Float32Array.from({ length: outputs }, () => Math.max(SMALLEST, 1 + s * z()));
  }

  #weights(layer, k) {
    const [fewer, flipped, spread] = ["fewer_bits", "flipped_bits", "weight"].map(this.severity);
    if (fewer === 0 && flipped === 0 && spread === 0) return layer;
    let { columns } = layer;
    if (fewer > 0) columns = rounded(columns, layer.outputs, Math.max(1, Math.round(BITS - (BITS - 1) * fewer)));
    if (flipped > 0) columns = flippedBits(columns, layer.outputs, flipped, this.#random("flipped_bits", k));
    if (spread > 0) {
      const z = normal(this.#random("weight", k));
      columns = columns.map((w) => w * (1 + spread * z()));
    }
    return { ...layer, columns };
  }

  /** Trace of one image; `index` gives each image draws of its own. @param {Float32Array} image @param {() => number} random of the code */
  forward(image, random, index = 0) {
    const { model, layers, factors } = this;
    const { numSteps, tau, neuron, blocks, encoder, classes } = model;
    const input = encode(encoder, image, random);
    const current = divided(currents(layers[0], input, numSteps, tau, blocks, encoder.fromStep), factors[0]);
    const hidden = lif(current, numSteps, neuron);
    const sent = this.#sent(this.#fixed(hidden.spikes), numSteps, SPIKES + 2 * index);
    const output = lif(divided(currents(layers[1], sent, numSteps, tau), factors[1]), numSteps, neuron);
    const read = { ...output, spikes: this.#sent(output.spikes, numSteps, SPIKES + 2 * index + 1) };
    const votes = model.decoder.votes(read, classes);
    return {
      image,
      input,
      hidden: sent,
      output: read.spikes,
      membrane: output.membrane,
      votes,
      predictions: predictions(votes, output.membrane, classes),
    };
  }

  #fixed(spikes) {
    const { dead, stuck } = this;
    return spikes.map((s, k) => (stuck[k % stuck.length] ? 1 : dead[k % dead.length] ? 0 : s));
  }

  /** Spikes as they arrive. */
  #sent(spikes, numSteps, part) {
    let out = spikes;
    const [lost, late] = [this.severity("lost"), this.severity("late")];
    if (lost > 0) {
      const random = this.#random("lost", part);
      out = out.map((s) => (random() >= lost ? s : 0));
    }
    if (late === 0) return out;
    const random = this.#random("late", part);
    const held = out.map((s) => (random() < late ? s : 0));
    const n = out.length / numSteps;
    return out.map((s, k) => Math.max(s - held[k], k < n ? 0 : held[k - n]));
  }
}

const divided = (current, factors) => (factors ? current.map((c, k) => c / factors[k % factors.length]) : current);

/** Normal numbers, by Box and Muller. */
function normal(random) {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** The power of two of each neuron: its largest weight fits into so many bits. */
function scales(columns, outputs, levels) {
  const largest = new Float64Array(outputs).fill(2 ** -60);
  for (let k = 0; k < columns.length; k++) largest[k % outputs] = Math.max(largest[k % outputs], Math.abs(columns[k]));
  return largest.map((w) => 2 ** Math.ceil(Math.log2(w / Math.max(levels, 0.5))));
}

/** @param {Float32Array} columns [P, H]  @param {number} outputs H  @param {number} bits */
export function rounded(columns, outputs, bits) {
  const levels = 2 ** (bits - 1) - 1;
  const scale = scales(columns, outputs, levels);
  return columns.map((w, k) => {
    const s = scale[k % outputs];
    return Math.min(Math.max(Math.round(w / s), -levels - 1), Math.max(levels, 0)) * s;
  });
}

/** @param {Float32Array} columns  @param {number} outputs  @param {number} p  @param {() => number} random */
export function flippedBits(columns, outputs, p, random) {
  const scale = scales(columns, outputs, 2 ** (BITS - 1) - 1);
  return columns.map((w, k) => {
    const s = scale[k % outputs];
    let q = Math.round(w / s);
    for (let bit = 0; bit < BITS; bit++) if (random() < p) q ^= 1 << bit;
    return ((q << 24) >> 24) * s; // eight bits in two's complement
  });
}
