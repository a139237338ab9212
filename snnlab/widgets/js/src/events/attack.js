/** The classifier of events, and attacks that add, remove and flip its spikes. Mirrors snnlab/attacks/event_changes.py. */

import { DECODERS } from "../engine/decode.js";
import { neuron } from "../engine/lif.js";
import { SpikingNetwork } from "../engine/network.js";
import { mulberry32 } from "../engine/random.js";
import { surrogate } from "../engine/surrogate.js";
import { timeConstant } from "../engine/synapse.js";
import { layer } from "../engine/weights.js";
import { say } from "../language.js";

const ROUNDS = 20;

/** The network of a payload; it reads spikes [T, P] that no code has made. @returns {SpikingNetwork} */
export function classifier({ name, layers, beta, threshold, reset, decoder }, numSteps) {
  const [first, second] = layers.map((l, k) => layer(l, say`${name}, layer ${k + 1}`));
  const encoder = { numSteps, parts: [{ constant: false }], fromStep: 0 };
  const views = {};
  const about = { first, second, encoder, views, tau: timeConstant(null), decoder: DECODERS[decoder] };
  return new SpikingNetwork({ ...about, neuron: neuron({ beta, threshold, reset }) });
}

/** Which entries of clean spikes [T, 2 · S] may change; of "polarity" the first of each pair. @param {string} kind */
export function allowed(kind, clean, steps) {
  const size = clean.length / steps / 2;
  return Uint8Array.from(clean, (s, i) => {
    if (kind === "change") return 1;
    if (kind !== "polarity") return Number((s === 0) === (kind === "add"));
    return Number(Math.floor(i / size) % 2 === 0 && s !== clean[i + size]);
  });
}

/** Spikes with the changes `where`. @param {Iterable<number>} where */
export function changed(kind, clean, steps, where) {
  const spikes = Float32Array.from(clean);
  const size = clean.length / steps / 2;
  for (const i of where) {
    spikes[i] = 1 - spikes[i];
    if (kind === "polarity") spikes[i + size] = 1 - spikes[i + size];
  }
  return spikes;
}

/** As many random changes as the budget allows. @param {string} kind @returns {number[]} */
export function randomChanges(kind, clean, steps, number, seed) {
  const may = allowed(kind, clean, steps);
  const entries = [...may.keys()].filter((i) => may[i]);
  const random = mulberry32(seed, 1);
  for (let k = 0; k < Math.min(number, entries.length); k++) {
    const other = k + Math.floor(random() * (entries.length - k));
    [entries[k], entries[other]] = [entries[other], entries[k]];
  }
  return entries.slice(0, number);
}

/**
 * Search for at most `number` changes after which the answer at an exit is wrong.
 * @param {SpikingNetwork} network @param {any} clean spikes [T, P] @param {number} label of the class that is right
 * @param {{kind: string, number: number, exit: number, view: any}} budget `view`: the attacker's surrogate
 * @returns {number[]} entries that change
 */
export function search(network, clean, label, { kind, number, exit, view }) {
  const steps = network.numSteps;
  const may = allowed(kind, clean, steps);
  const look = judge(network, clean, label, { kind, exit, view });
  let best = new Set();
  let { score, gain } = look(best);
  let size = Math.max(1, Math.floor(number / 4));
  let tried = new Set();
  for (let round = 0; round < ROUNDS && score < Number.POSITIVE_INFINITY && number > 0; round++) {
    const candidates = top(gain, size, (i) => may[i] && !tried.has(i));
    const picked = candidates.filter((i, k) => gain[i] > 0 || k === 0);
    const proposal = new Set(best);
    for (const i of picked) proposal.has(i) ? proposal.delete(i) : proposal.add(i);
    trim(proposal, number, (i) => (best.has(i) && !picked.includes(i) ? gain[i] : Number.NEGATIVE_INFINITY));
    trim(proposal, number, (i) => -gain[i]);
    const next = look(proposal);
    if (next.score > score) {
      best = proposal;
      ({ score, gain } = next);
      tried = new Set();
      size = Math.min(number, 2 * size);
    } else {
      if (size === 1) for (const i of picked) tried.add(i);
      size = Math.max(1, Math.floor(size / 2));
    }
  }
  return [...best];
}

/** Take out what has the largest finite worth, until no more than `number` are left. */
function trim(set, number, worth) {
  const order = [...set].filter((i) => worth(i) > Number.NEGATIVE_INFINITY).sort((a, b) => worth(b) - worth(a));
  for (const i of order) if (set.size > number) set.delete(i);
}

/** The entries of largest gain. */
function top(gain, number, may) {
  const entries = [];
  for (let i = 0; i < gain.length; i++) if (may(i)) entries.push(i);
  return entries.sort((a, b) => gain[b] - gain[a]).slice(0, number);
}

/** The margin of changed spikes (∞: wrong), and to first order what each change would add. */
function judge(network, clean, label, { kind, exit, view }) {
  const { numSteps: steps, classes, decoder } = network;
  const size = clean.length / steps / 2;
  const h = surrogate(view);
  return (where) => {
    const spikes = changed(kind, clean, steps, where);
    const trace = network.respond(null, spikes);
    const row = trace.votes.subarray((exit - 1) * classes, exit * classes);
    const potential = trace.output.membrane.subarray((exit - 1) * classes, exit * classes);
    const rival = leading(row, label);
    const soft = potential[leading(potential, label)] - potential[label];
    const wrong = trace.predictions[exit - 1] !== label;
    const score = wrong ? Number.POSITIVE_INFINITY : row[rival] - row[label] + 0.01 * Math.tanh(soft);
    const gradLogits = new Float64Array(classes);
    gradLogits[rival] = 1;
    gradLogits[label] = -1;
    const read = decoder.backward(gradLogits, trace.output, exit);
    const slope = network.sequenceGradient(trace, read, exit, { follow: () => h });
    const gain = Float64Array.from(spikes, (s, i) => (1 - 2 * s) * (slope[i] ?? 0));
    if (kind === "polarity") for (let i = 0; i + size < gain.length; i++) gain[i] += gain[i + size];
    return { score, gain };
  };
}

function leading(values, but) {
  let best = but === 0 ? 1 : 0;
  for (let k = 0; k < values.length; k++) if (k !== but && values[k] > values[best]) best = k;
  return best;
}
