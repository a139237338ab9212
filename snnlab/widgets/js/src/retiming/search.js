/**
 * Retiming: an attack that moves the spikes of one image in time, and adds or removes none. Mirrors snnlab/attacks/retiming.py.
 *
 *   attacker   momentum m ← μ m + g / Σ|g| on the gradient with respect to the spikes; at every iteration a random share of the
 *              neurons takes the trains of highest score Σ_t m[t] s'[t] that the budget leaves
 *   chance     a control: one random retiming that spends the budget
 *
 * All constants are Python's: they come with the network's weights. The same random numbers give the same search.
 */
import { choose, need } from "../engine/check.js";
import { pause } from "../engine/pause.js";
import { AdaptiveSharpness } from "../engine/sharpness.js";
import { gathered, sequenceLoss, shareAt } from "../engine/spiketrain.js";
import { say } from "../language.js";
import { bestTrains, verify } from "./trains.js";

/** Who moves the spikes. */
export const MOVERS = ["attacker", "chance"];
const STEPS = 30; // iterations, as in the records

const { fround } = Math;

/** The worth of one spike of a step and part, [T, parts]; 0: analog. */
export function spikeValues({ parts, numSteps }) {
  const of = ({ table, gate, stochastic }) => {
    const steps = Array.from({ length: numSteps }, (_, t) => {
      if (!table) return Number(stochastic || parts.length === 1);
      let most = 0;
      for (let b = 0; b < table.size; b++) most = Math.max(most, Math.abs(table.trains[b * numSteps + t]));
      return most;
    });
    const most = Math.max(...steps);
    return steps.map((worth) => fround(gate * (worth || most)));
  };
  const columns = parts.map(of);
  return Float32Array.from(
    { length: numSteps * parts.length },
    (_, k) => columns[k % parts.length][Math.floor(k / parts.length)],
  );
}

/** Numbers of spikes of an encoded sequence [T, P], 0 in analog parts. @returns {Uint8Array} */
export function countsOf(encoder, spikes) {
  const values = spikeValues(encoder);
  const size = spikes.length / values.length;
  return Uint8Array.from(spikes, (s, k) => {
    const worth = values[Math.floor(k / size)];
    const count = worth > 0 ? s / worth : 0;
    need(Math.abs(count - Math.round(count)) < 1e-3, say`only spikes can move in time; an analog code (direct) has none`);
    return Math.round(count);
  });
}

/** One search on one image. `put` [M] are the trains now of the M neurons whose spikes can move. */
export class RetimingSearch {
  /** @param {any} network  @param {Float32Array} spikes [T, P]  @param {import("./trains.js").Budget} budget  @param {any} aim */
  constructor(network, spikes, budget, { label, exitStep, random }) {
    this.network = network;
    this.spikes = spikes;
    this.budget = budget;
    this.label = label;
    this.exitStep = exitStep;
    this.random = random;
    const { numSteps } = network;
    this.width = spikes.length / numSteps;
    this.values = spikeValues(network.encoder);
    this.before = countsOf(network.encoder, spikes);
    this.counts = Uint8Array.from(this.before);
    this.most = Math.max(...this.before);
    need(this.most > 0, say`this image has no spikes that could move in time`);
    const trainOf = (p) => Array.from({ length: numSteps }, (_, t) => this.before[t * this.width + p]);
    const all = Array.from({ length: this.width }, (_, p) => ({ neuron: p, train: trainOf(p) }));
    const number = ({ train }) => train.reduce((a, b) => a + b, 0);
    const free = all.filter((of) => number(of) > 0 && number(of) < this.most * numSteps);
    this.neurons = free.map(({ neuron }) => neuron);
    this.clean = free.map(({ train }) => train);
    this.put = [...this.clean];
  }

  /** The worth of a spike of neuron p at step t. */
  worth(t, p) {
    const parts = this.network.parts;
    return this.values[t * parts + Math.floor(p / (this.width / parts))];
  }

  /** The sequence of the trains now. */
  sequence() {
    return Float32Array.from(this.spikes, (s, k) => {
      const worth = this.worth(Math.floor(k / this.width), k % this.width);
      return worth > 0 ? fround(this.counts[k] * worth) : s;
    });
  }

  /** Loss, answer and gradient [T, P], divided by its size, at the trains now. */
  look(sharpness) {
    sharpness.begin();
    const trace = this.network.respond(null, this.sequence());
    const { value, gradient } = sequenceLoss(this.network, trace, this, sharpness);
    let size = 0;
    for (const g of gradient) size += Math.abs(g);
    size = Math.max(size, 1e-20);
    const wrong = trace.predictions[this.exitStep - 1] !== this.label;
    return { value, wrong, gradient: gradient.map((g) => g / size) };
  }

  /** Give chosen neurons the best trains that the others leave them. @param {number[]} chosen  @param {Float64Array[]} scores */
  move(chosen, scores) {
    if (chosen.length === 0) return;
    const { budget, clean, put, width } = this;
    const others = new Set(chosen);
    const gone = (m) => clean[m].reduce((sum, s, t) => sum + Math.max(0, s - put[m][t]), 0);
    const elsewhere = put.reduce((sum, _, m) => (others.has(m) ? sum : sum + gone(m)), 0);
    const left = budget.moved === null ? null : budget.moved - elsewhere;
    const before = chosen.map((m) => clean[m]);
    const found = bestTrains(scores, before, { ...budget, moved: left }, this.most);
    for (const [k, m] of chosen.entries()) {
      put[m] = found[k];
      for (const [t, s] of found[k].entries()) this.counts[t * width + this.neurons[m]] = s;
    }
  }

  /** One random retiming that spends the budget. */
  chance() {
    const { neurons, network } = this;
    const scores = neurons.map(() => new Float64Array(network.numSteps));
    for (let t = 0; t < network.numSteps; t++) for (const of of scores) of[t] = this.random();
    this.move([...neurons.keys()], scores);
  }

  /** Trains of highest score of a random share of the neurons. */
  step(momentum, share) {
    const limit = fround(share);
    const chosen = [...this.neurons.keys()].filter(() => fround(this.random()) < limit);
    const { width, network } = this;
    const score = (m) => {
      const p = this.neurons[m];
      return Float64Array.from({ length: network.numSteps }, (_, t) => momentum[t * width + p] * this.worth(t, p));
    };
    this.move(chosen, chosen.map(score));
  }
}

/**
 * Move the spikes of one image.
 * @param {any} network a SpikingNetwork  @param {Float32Array} spikes [T, P]  @param {import("./trains.js").Budget} budget
 * @param {{label: number, exitStep: number, random: () => number, mover?: string, steps?: number, signal?: AbortSignal}} aim
 * @returns {Promise<{sequence: Float32Array, before: Uint8Array, after: Uint8Array, spent: {shift: number, moved: number}}>}
 *   verified against the budget
 */
export async function retime(network, spikes, budget, aim) {
  const { mover = "attacker", steps = STEPS, signal, random } = aim;
  choose("mover", mover, MOVERS);
  const search = new RetimingSearch(network, spikes, budget, aim);
  if (mover === "chance") search.chance();
  else await follow(search, network.search, { steps, signal, random });
  const { before, counts: after } = search;
  return { sequence: search.sequence(), before, after, spent: verify(after, before, network.numSteps, budget) };
}

/** The best trains along the gradient, left in `search.counts`. */
async function follow(search, { momentum: decay, shares, sharpness: [from, to] }, { steps, signal, random }) {
  const sharpness = new AdaptiveSharpness(from + (to - from) * random());
  let [best, most, momentum] = [search.counts, Number.NEGATIVE_INFINITY, null];
  for (let step = 0; step <= steps; step++) {
    if (step > 0) await pause(signal);
    const { value, wrong, gradient } = search.look(sharpness);
    if (wrong || value > most) [best, most] = [Uint8Array.from(search.counts), value];
    if (wrong || step === steps) break;
    momentum = gathered(momentum, gradient, decay);
    search.step(momentum, Math.max(shareAt(shares, step, steps), 1 / search.width));
  }
  search.counts = best;
}
