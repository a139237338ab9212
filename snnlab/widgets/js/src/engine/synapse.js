/**
 * The synaptic filter of networks that pass on post-synaptic potentials. Mirrors snnlab/training/tssl_bp.py.
 *
 *   a[t] = (1 - 1/τ) a[t-1] + s[t]/τ          s̄[m] = ā[m]/τ + (1 - 1/τ) s̄[m+1]
 *
 * on the right its adjoint. W a[t] is the filtered W s[t], so the currents are filtered, not the spikes. With τ = 1 nothing
 * is filtered. Sequences are [T, n] and are changed in place.
 */
import { need } from "./check.js";

/** τ in steps, at least 1; a network without a filter has none, which is τ = 1. */
export function timeConstant(given) {
  const tau = given ?? 1;
  need(Number.isFinite(tau) && tau >= 1, `tau_s must be a number of at least 1 step, got ${given}`);
  return tau;
}

/** @param {Float64Array} values s, [T, n]  @param {number} numSteps T  @returns {Float64Array} a, in the same memory */
export function filter(values, numSteps, tau) {
  if (tau === 1) return values;
  const n = values.length / numSteps;
  for (let k = 0; k < values.length; k++) values[k] = values[k] / tau + (k < n ? 0 : (1 - 1 / tau) * values[k - n]);
  return values;
}

/** @param {Float64Array} grad ā, [T, n]  @param {number} numSteps T  @returns {Float64Array} s̄, in the memory of `grad` */
export function filterBackward(grad, numSteps, tau) {
  if (tau === 1) return grad;
  const n = grad.length / numSteps;
  for (let k = grad.length - 1; k >= 0; k--) {
    grad[k] = grad[k] / tau + (k + n < grad.length ? (1 - 1 / tau) * grad[k + n] : 0);
  }
  return grad;
}
