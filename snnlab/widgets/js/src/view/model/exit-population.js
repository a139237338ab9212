/** What was measured about leaving early; a threshold in between is answered by the nearest, an ε on a straight line. */
import { wilson } from "../../engine/index.js";
import { options, VOCABULARY } from "../../vocabulary.js";
import { bestCurve, noBound, readCurve } from "./accuracy.js";

export const RULE_NAMES = Object.fromEntries(options(VOCABULARY.exit_rules));

/**
 * Shares that are right, steps read and energy (nJ) on average of the clean images, and the threshold that was measured.
 * @typedef {{clean: Share|null, attacked: Share|null, meanExit: number, energy: number|null, threshold: number|null}} Population
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
  const points = record.rules.map(({ name, threshold = null }, k) => {
    const curve = withinBudget(record.correct, k, results.n);
    const [clean, attacked] = [readCurve(curve, 0), readCurve(curve, eps)];
    return { name, threshold, clean, attacked, meanExit: record.mean_exit[k], energy: record.energy_pj[k] / 1000 };
  });
  return points.filter(({ name }) => name === rule).sort((a, b) => a.meanExit - b.meanExit);
}

/** The measured threshold that is nearest. @returns {Population|null} */
export function nearest(points, threshold) {
  const distance = (point) => Math.abs((point.threshold ?? 0) - (point.threshold === null ? 0 : threshold));
  return points.reduce((best, point) => (best === null || distance(point) < distance(best) ? point : best), null);
}

/** How many are right under everything within ε, by ε. */
function withinBudget(correct, k, n) {
  return Object.entries(correct)
    .map(([eps, counts]) => ({ eps: Number(eps), ...wilson(counts[k], n), ...noBound(Number(eps)) }))
    .sort((a, b) => a.eps - b.eps);
}
