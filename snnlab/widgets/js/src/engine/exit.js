/**
 * Dynamic early exit: leave at the first step at which the network is sure enough. Mirrors snnlab/networks/early_exit.py.
 *
 *   margin       z_(1) - z_(2) ≥ m        the leading class is m ahead of the next
 *   confidence   max_k softmax(z)_k ≥ c
 *   first_spike  z ≠ 0                    some output neuron has fired (decoders "rate" and "ttfs")
 *
 * z are the logits at an exit. A threshold that is never reached leaves at the last step; ±∞ are thresholds too.
 */
import { choose, need } from "./check.js";

const { fround } = Math;

/** What is compared with the threshold, in float32 as in torch. */
const EVIDENCE = {
  margin: (z) => {
    const [first, second] = Float32Array.from(z).sort().reverse();
    return fround(first - second);
  },
  confidence: (z) => {
    const top = Math.max(...z);
    return fround(1 / z.reduce((sum, v) => fround(sum + fround(Math.exp(fround(v - top)))), 0));
  },
  first_spike: (z) => (z.some((v) => v !== 0) ? 1 : 0),
};

export const EXIT_RULES = Object.keys(EVIDENCE);

/**
 * The step at which one sample leaves.
 * @param {Float32Array} votes logits at exit e in row e-1, [steps, classes]  @param {number} steps T
 * @param {number} classes at least 2  @param {string} rule one of EXIT_RULES
 * @param {number|null} [threshold] m or c; "first_spike" takes none and does not look at it  @returns {number} 1 … steps
 */
export function exitStep(votes, steps, classes, rule, threshold = null) {
  const evidence = EVIDENCE[choose("exit rule", rule, EXIT_RULES)];
  const isNumber = typeof threshold === "number" && !Number.isNaN(threshold);
  need(rule === "first_spike" || isNumber, `${rule} needs a threshold (a number, ±Infinity allowed), got ${threshold}`);
  const expected = `votes [${steps}, ${classes}] with at least 2 classes`;
  need(classes >= 2 && votes.length === steps * classes, `expected ${expected}, got ${votes.length} values`);
  const least = rule === "first_spike" ? 1 : fround(threshold);
  for (let e = 1; e < steps; e++) {
    if (evidence(votes.subarray((e - 1) * classes, e * classes)) >= least) return e;
  }
  return steps;
}
