/**
 * The zoo's measured accuracies, as the curves need them. Between two measured ε a curve is a straight line, and what is
 * read there is an estimate.
 */
import { wilson } from "../engine/index.js";

/**
 * One curve.
 *
 * @param {object} results of the zoo
 * @param {string} model
 * @param {string} key of the attack
 * @param {number} exit 1 … T
 * @returns {{eps: number, share: number, low: number, high: number}[]|null} null if this was not measured
 */
export function accuracyCurve(results, model, key, exit) {
  const counts = results.correct[model]?.[key];
  if (!counts) return null;
  const row = counts[Math.min(exit, counts.length) - 1];
  return results.eps.map((eps, k) => ({ eps, ...wilson(row[k], results.n) }));
}

/**
 * What a curve says at some ε.
 *
 * @returns {{share: number, low: number, high: number, measured: boolean}|null} null beyond the measured range
 */
export function readCurve(curve, eps) {
  const right = curve.findIndex((point) => point.eps >= eps - 1e-9);
  if (right < 0) return null;
  const after = curve[right];
  if (Math.abs(after.eps - eps) < 1e-9) return { share: after.share, low: after.low, high: after.high, measured: true };
  const before = curve[right - 1];
  if (!before) return null;
  const along = (eps - before.eps) / (after.eps - before.eps);
  const mix = (name) => before[name] + along * (after[name] - before[name]);
  return { share: mix("share"), low: mix("low"), high: mix("high"), measured: false };
}
