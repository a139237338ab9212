/**
 * The leaky integrate-and-fire neuron over a whole sequence, as snntorch.Leaky runs it, U[-1] = 0:
 *
 *   R[t] = 1[U[t-1] > θ]
 *   U[t] = β U[t-1] + I[t] - θ R[t]          (reset "subtract")
 *   U[t] = β (1 - R[t]) U[t-1] + I[t]        (reset "zero")
 *   U[t] = β U[t-1] + I[t]                   (reset "none")
 *   S[t] = 1[U[t] > θ]
 *
 * and backwards, with the surrogate h, Ū_out from a read-out of the potential, and the reset not differentiated:
 *
 *   Ū[t] = h(U[t] - θ) S̄[t] + Ū_out[t] + β Ū[t+1],      Ī[t] = Ū[t]
 *
 * Every operation is rounded to float32, in torch's order: then a spike here is a spike there.
 */
import { choose, need, positive } from "./check.js";

const { fround } = Math;

/**
 * @typedef {{beta: number, threshold: number, reset: "subtract"|"zero"|"none"}} Neuron
 * @typedef {{spikes: Uint8Array, membrane: Float32Array}} Activity  both [T, n]
 */

/** @param {{beta: number, threshold: number, reset: string}} spec β in [0, 1], θ > 0  @returns {Neuron} in float32 */
export function neuron({ beta, threshold, reset }) {
  need(beta >= 0 && beta <= 1, `beta must lie in [0, 1], got ${beta}`);
  return {
    beta: fround(beta),
    threshold: fround(positive("threshold", threshold)),
    reset: choose("reset", reset, ["subtract", "zero", "none"]),
  };
}

/** @param {Float32Array} current I, [T, n]  @param {number} numSteps T  @param {Neuron} constants  @returns {Activity} */
export function lif(current, numSteps, { beta, threshold, reset }) {
  const n = current.length / numSteps;
  const membrane = new Float32Array(current.length);
  const spikes = new Uint8Array(current.length);
  for (let k = 0; k < current.length; k++) {
    const fired = k >= n && spikes[k - n] === 1;
    const before = k < n || (fired && reset === "zero") ? 0 : membrane[k - n];
    let u = fround(fround(beta * before) + current[k]);
    if (fired && reset === "subtract") u = fround(u - threshold);
    membrane[k] = u;
    spikes[k] = u > threshold ? 1 : 0;
  }
  return { spikes, membrane };
}

/**
 * Gradient with respect to the input current.
 * @param {Float64Array} gradSpikes S̄, [T, n]; overwritten  @param {Activity} activity what `lif` returned
 * @param {number} numSteps T  @param {Neuron} constants  @param {(v: number, k: number) => number} h surrogate, of entry k
 * @param {Float64Array|null} [gradMembrane] Ū_out, [T, n]; null is zero
 * @returns {Float64Array} Ī, [T, n], in the memory of gradSpikes
 */
export function lifBackward(gradSpikes, { spikes, membrane }, numSteps, constants, h, gradMembrane = null) {
  const { beta, threshold, reset } = constants;
  const n = gradSpikes.length / numSteps;
  const grad = gradSpikes;
  for (let k = grad.length - 1; k >= 0; k--) {
    let total = grad[k] === 0 ? 0 : h(fround(membrane[k] - threshold), k) * grad[k];
    if (gradMembrane) total += gradMembrane[k];
    const last = k + n >= grad.length;
    const blocked = reset === "zero" && spikes[k] === 1;
    grad[k] = last || blocked ? total : total + beta * grad[k + n];
  }
  return grad;
}
