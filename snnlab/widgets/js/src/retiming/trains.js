/**
 * Budgets on time, and the best trains inside one. Mirrors snnlab/attacks/time_budget.py.
 *
 * With s_t the spikes of a neuron at step t and C_t = Σ_{u ≤ t} s_u, before and after the attack:
 *
 *   shift   B∞   C_{t-b} ≤ C'_t ≤ C_{t+b}          no spike moves by more than b steps
 *   moved   B0   Σ_t max(s_t - s'_t, 0) ≤ b        at most b spikes of an image move
 *
 * The best train of a neuron has the highest score Σ_t g_t s'_t within b steps: a dynamic programme over steps and spikes so far.
 * Spikes that move have a price, found by bisection, so that no more move than may.
 */
import { need } from "../engine/check.js";
import { say } from "../language.js";

const HALVINGS = 12; // of the interval of prices

/**
 * Whole numbers of spikes, [T, P], of P neurons; null: not limited.
 * @typedef {{shift: number|null, moved: number|null}} Budget
 */

/** What a retiming spends: the largest shift, and how many spikes moved. @returns {{shift: number, moved: number}} */
export function spent(after, before, numSteps) {
  const P = before.length / numSteps;
  let [shift, moved] = [0, 0];
  for (let p = 0; p < P; p++) {
    const [from, to] = [times(before, p, P), times(after, p, P)];
    need(
      from.length === to.length,
      say`retiming left its budget: neuron ${p} has ${to.length} spikes, ${from.length} before`,
    );
    // Spikes cannot be told apart: in order, the largest shift is the least that it can be.
    for (const [k, t] of to.entries()) shift = Math.max(shift, Math.abs(t - from[k]));
  }
  for (let k = 0; k < before.length; k++) moved += Math.max(0, before[k] - after[k]);
  return { shift, moved };
}

/** What a retiming spends; throws unless it is inside its budget. */
export function verify(after, before, numSteps, { shift, moved }) {
  const found = spent(after, before, numSteps);
  const most = Math.max(...before);
  need(Math.max(...after) <= most, say`retiming left its budget: more than ${most} spikes of a neuron in one step`);
  need(found.shift <= (shift ?? numSteps), say`retiming left its budget of ${shift} steps: a spike moved by ${found.shift}`);
  need(found.moved <= (moved ?? Infinity), say`retiming left its budget of ${moved} spikes: ${found.moved} moved`);
  return found;
}

/** The steps of a neuron's spikes, in order; as often as there are spikes. */
function times(spikes, p, P) {
  const out = [];
  for (let t = 0; t * P < spikes.length; t++) for (let k = 0; k < spikes[t * P + p]; k++) out.push(t);
  return out;
}

/**
 * The moves from one sequence to another, to be drawn: the fewest where these are within the limit, else spike by spike in order.
 * @returns {{neuron: number, from: number, to: number}[]}
 */
export function moves(after, before, numSteps, limit) {
  const P = before.length / numSteps;
  return Array.from({ length: P }, (_, neuron) => {
    const [gone, come] = [before, after].map((one, k) => {
      const other = k === 0 ? after : before;
      const more = (t) => Math.max(0, one[t * P + neuron] - other[t * P + neuron]);
      return Array.from({ length: numSteps }, (_, t) => Array(more(t)).fill(t)).flat();
    });
    const near = gone.every((t, k) => Math.abs(come[k] - t) <= limit);
    const [from, to] = near ? [gone, come] : [times(before, neuron, P), times(after, neuron, P)];
    return from.map((t, k) => ({ neuron, from: t, to: to[k] }));
  })
    .flat()
    .filter(({ from, to }) => from !== to);
}

/**
 * Trains of highest score within a budget, [M] arrays of T numbers.
 * @param {Float64Array[]} scores of M neurons, T each  @param {number[][]} trains before  @param {Budget} limits of all of
 *   them  @param {number} most spikes of a neuron in one step
 */
export function bestTrains(scores, trains, { shift, moved }, most = 1) {
  let span = 1e-30;
  for (const of of scores) for (const g of of) span = Math.max(span, Math.abs(g));
  span *= 2;
  const still = 1e-6 * span; // a spike stays where moving it gains nothing
  const priced = (price) => trains.map((train, m) => programme(scores[m], train, shift, still + price, most));
  let cheap = priced(0);
  if (moved === null || total(cheap, trains) <= moved) return cheap;
  let [low, high, dear] = [span * 1e-5, span, trains];
  for (let k = 0; k < HALVINGS; k++) {
    const middle = Math.sqrt(low * high);
    const put = priced(middle);
    if (total(put, trains) > moved) [low, cheap] = [middle, put];
    else [high, dear] = [middle, put];
  }
  return filled(scores, trains, cheap, dear, moved);
}

const cost = (put, train) => train.reduce((sum, s, t) => sum + Math.max(0, s - put[t]), 0);
const total = (puts, trains) => puts.reduce((sum, put, m) => sum + cost(put, trains[m]), 0);

/** `dear`, with the trains of `cheap` that gain most for what they spend, while the budget lasts. */
function filled(scores, trains, cheap, dear, moved) {
  const offers = trains
    .map((train, m) => {
      const price = Math.max(0, cost(cheap[m], train) - cost(dear[m], train));
      const gain = scores[m].reduce((sum, g, t) => sum + g * (cheap[m][t] - dear[m][t]), 0);
      return { m, price, worth: gain / Math.max(price, 1) };
    })
    .filter(({ worth }) => worth > 0)
    .sort((a, b) => b.worth - a.worth);
  const out = [...dear];
  let left = moved - total(dear, trains);
  for (const { m, price } of offers) {
    left -= price;
    if (left < 0) break;
    out[m] = cheap[m];
  }
  return out;
}

/** The train of one neuron of highest score less prices. @param {number|null} shift  @returns {number[]} */
export function programme(scores, train, shift, price, most = 1) {
  const T = train.length;
  const before = [];
  train.reduce((sum, s, t) => (before[t] = sum + s), 0);
  const number = before[T - 1];
  let value = Float64Array.from({ length: number + 1 }, (_, c) => (c === 0 ? 0 : -Infinity));
  const picks = [];
  for (let t = 0; t < T; t++) {
    const least = shift === null || t < shift ? 0 : before[t - shift];
    const largest = shift === null || t + shift >= T ? number : before[t + shift];
    const best = new Float64Array(number + 1).fill(-Infinity);
    const pick = new Uint8Array(number + 1);
    for (let j = 0; j <= Math.min(most, number); j++) {
      const paid = j * scores[t] - price * Math.max(0, train[t] - j);
      for (let c = Math.max(j, least); c <= largest; c++) {
        if (value[c - j] + paid > best[c]) [best[c], pick[c]] = [value[c - j] + paid, j];
      }
    }
    picks.push(pick);
    value = best;
  }
  const put = Array(T).fill(0);
  for (let t = T - 1, at = number; t >= 0; t--) {
    put[t] = picks[t][at];
    at -= put[t];
  }
  return put;
}
