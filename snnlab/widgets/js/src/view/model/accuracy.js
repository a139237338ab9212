/**
 * The zoo's measured accuracies, as the curves need them. Between two measured ε a curve is a straight line, and what is
 * read there is an estimate.
 *
 * A robust accuracy has two ends: `share` is what attacks leave, `proved` what no attack can break, null where no bound is known.
 *
 * @typedef {{eps: number, share: number, low: number, high: number, proved?: number|null}} Point a share with its 95 % interval
 */
import { wilson } from "../../engine/index.js";

/** The row of an exit in what was measured; an ANN, measured at its one exit, answers alike at all. -1: not measured. */
const rowOf = (exits, exit) => (exits.length === 1 && exits[0] === 1 ? 0 : exits.indexOf(exit));

/** The exits at which a model was measured; of an ANN that is every one. @returns {number[]} */
export function measuredExits(results, model, steps) {
  return Array.from({ length: steps }, (_, t) => t + 1).filter((e) => rowOf(results.exits[model] ?? [], e) >= 0);
}

/** One curve of the network that the page has (seed 0), with Wilson's intervals. @returns {Point[]|null} */
export function accuracyCurve(results, model, key, exit) {
  const counts = results.correct[model]?.[key] ?? results.left?.[model]?.[key];
  const row = counts?.[rowOf(results.exits[model] ?? [], exit)];
  const lower = lowerEnd(results, model, key, exit);
  return row ? results.eps.map((eps, k) => ({ eps, ...wilson(row[k], results.n), ...lower(eps) })) : null;
}

/** The curves that are upper ends: all attacks together, or all up to one. */
const UPPER = ["worst", "spike_train"];

/** The lower end of a curve by ε, as a part of its point; nothing for a single attack or a clean accuracy. */
function lowerEnd(results, model, key, exit) {
  const known = results.proved?.[model];
  const row = known?.share[rowOf(known.exits, exit)];
  return (eps) => (UPPER.includes(key) && eps > 0 ? { proved: row?.[known.eps.indexOf(eps)] ?? null } : {});
}

/** The same as a mean over training runs, with an interval over them. @returns {Point[]|null} null: one run */
export function seedsCurve(results, model, key, exit) {
  const record = results.repeats?.[model];
  const row = record ? rowOf(record.exits, exit) : -1;
  if (row < 0 || !record[key]) return null;
  const { mean, low, high } = record[key];
  const lower = lowerEnd(results, model, key, exit);
  return record.eps.map((eps, k) => ({ eps, share: mean[row][k], low: low[row][k], high: high[row][k], ...lower(eps) }));
}

/** At every ε the mean over training runs where there were several, else the one network. @returns {Point[]|null} */
export function bestCurve(results, model, key, exit) {
  const one = accuracyCurve(results, model, key, exit);
  const all = seedsCurve(results, model, key, exit);
  if (!all) return one;
  const rest = (one ?? []).filter(({ eps }) => !all.some((point) => point.eps === eps));
  return [...all, ...rest].sort((a, b) => a.eps - b.eps);
}

/** A fused network with one part silenced at test time, clean and in the worst case at one ε; null: not measured. */
export function withoutPart(results, model, part, eps) {
  const record = results.ablation?.[model];
  const counts = part >= 0 ? record?.correct[part] : null;
  if (!counts) return null;
  const curve = record.eps.map((at, k) => ({ eps: at, ...wilson(counts[k], record.n), ...noBound(at) }));
  return { clean: readCurve(curve, 0), robust: readCurve(curve, eps) };
}

/** What belongs to a point of a robust accuracy of which nothing is proved. */
export const noBound = (eps) => (eps > 0 ? { proved: null } : {});

/** What a curve says at some ε; between two, what is proved at the larger. @returns {Share|null} null beyond the measured range */
export function readCurve(curve, eps) {
  const right = curve.findIndex((point) => point.eps >= eps - 1e-9);
  if (right < 0) return null;
  const after = curve[right];
  const lower = "proved" in after ? { proved: after.proved } : {};
  if (Math.abs(after.eps - eps) < 1e-9)
    return { share: after.share, low: after.low, high: after.high, measured: true, ...lower };
  const before = curve[right - 1];
  if (!before) return null;
  const along = (eps - before.eps) / (after.eps - before.eps);
  const mix = (name) => before[name] + along * (after[name] - before[name]);
  return { share: mix("share"), low: mix("low"), high: mix("high"), measured: false, ...lower };
}
