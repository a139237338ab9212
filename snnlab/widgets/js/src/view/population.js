/**
 * What the zoo measured about leaving early: for a fixed exit, and for the rules that choose one for each image. A threshold
 * in between is answered by the nearest one that was measured; an ε in between is estimated on a straight line.
 */
import { wilson } from "../engine/index.js";
import { bestCurve, readCurve } from "./accuracy.js";

export const RULE_NAMES = {
  fixed: "fixed",
  margin: "margin",
  confidence: "confidence",
  first_spike: "first spike",
};

/**
 * @typedef {object} Population
 * @property {{share: number, low: number, high: number}|null} clean
 * @property {{share: number, low: number, high: number, measured: boolean}|null} attacked
 * @property {number} meanExit steps read on average, of the clean images
 * @property {number|null} energy nJ on average, of the clean images
 * @property {number|null} threshold that was measured
 */

/** All digits leave at one step. @returns {Population|null} null if this exit was not measured */
export function atFixedExit(results, model, key, exit, eps) {
  const worst = bestCurve(results, model, "worst", exit);
  if (!worst) return null;
  const curve = bestCurve(results, model, key, exit);
  const energy = results.energy?.[model];
  return {
    clean: readCurve(worst, 0),
    attacked: curve && readCurve(curve, eps),
    meanExit: exit,
    energy: energy ? energy[Math.min(exit, energy.length) - 1] / 1000 : null,
    threshold: null,
  };
}

/** Every threshold of a rule that was measured, the soonest to leave first. @returns {Population[]} */
export function atThresholds(results, model, rule, eps) {
  const record = results.dynamic?.[model];
  if (!record) return [];
  const measured = record.rules.flatMap(({ name, threshold }, k) => (name === rule ? [{ threshold, k }] : []));
  const points = measured.map(({ threshold, k }) => {
    const curve = withinBudget(record.correct, k, results.n);
    return {
      threshold: threshold ?? null,
      clean: readCurve(curve, 0),
      attacked: readCurve(curve, eps),
      meanExit: record.mean_exit[k],
      energy: record.energy_pj[k] / 1000,
    };
  });
  return points.sort((a, b) => a.meanExit - b.meanExit);
}

/** The measured threshold that is nearest. @returns {Population|null} */
export function nearest(points, threshold) {
  const distance = (point) => Math.abs((point.threshold ?? 0) - (point.threshold === null ? 0 : threshold));
  return points.reduce((best, point) => (best === null || distance(point) < distance(best) ? point : best), null);
}

/** How many are right under everything within ε, by ε. */
function withinBudget(correct, k, n) {
  return Object.entries(correct)
    .map(([eps, counts]) => ({ eps: Number(eps), ...wilson(counts[k], n) }))
    .sort((a, b) => a.eps - b.eps);
}
