/**
 * Neurons of snnTorch over a whole sequence, with constants for each neuron, U[-1] = i[-1] = 0:
 *
 *   Leaky      U[t] = β U[t-1] + I[t]                            Synaptic   i[t] = α i[t-1] + I[t],  U[t] = β U[t-1] + i[t]
 *   subtract   U[t] - θ R[t]        zero   Leaky: β (1 - R[t]) U[t-1] + I[t],  Synaptic: (1 - R[t]) U[t]        R[t] = S[t-1]
 *   S[t] = 1[U[t] > θ]
 *
 * and backwards, with the surrogate h, Ū_out from a read-out of the potential, and the reset not differentiated:
 *
 *   Ū[t] = h(U[t] - θ) S̄[t] + Ū_out[t] + β Ū[t+1],   ī[t] = Ū[t] + α ī[t+1],   Ī[t] = ī[t]  (Leaky: Ū[t])
 *
 * Every operation is rounded to float32, in torch's order: then a spike here is a spike there.
 */
import { choose, field } from "../engine/check.js";
import { surrogate } from "../engine/surrogate.js";
import { numbers, sizeOf } from "./numbers.js";

const { fround } = Math;

/**
 * @typedef {{kind: "neuron", inputs: number, outputs: number, alpha: Float32Array|null, beta: Float32Array, threshold:
 *   Float32Array, reset: string, h: (v: number, k: number) => number}} Neurons
 * @typedef {{spikes: Uint8Array, membrane: Float32Array}} Activity  both [T, n]
 */

/** @param {any} spec @param {string} key @returns {Neurons} */
export function neurons(spec, key) {
  const n = sizeOf(field(spec, "inputs", key));
  /** One number stands for all neurons. */
  const each = (packed) => {
    const values = numbers(packed, packed.count, key);
    return values.length === n ? values : new Float32Array(n).fill(values[0]);
  };
  return {
    kind: "neuron",
    inputs: n,
    outputs: n,
    alpha: spec.alpha ? each(spec.alpha) : null,
    beta: each(field(spec, "beta", key)),
    threshold: each(field(spec, "threshold", key)),
    reset: choose("reset", spec.reset, ["subtract", "zero", "none"]),
    h: surrogate(field(spec, "surrogate", key)),
  };
}

/** @param {Neurons} layer @param {Float32Array} current [T, n] @param {number} numSteps T @returns {Activity} */
export function fire({ inputs: n, alpha, beta, threshold, reset }, current, numSteps) {
  const membrane = new Float32Array(n * numSteps);
  const spikes = new Uint8Array(n * numSteps);
  const synapse = alpha && new Float32Array(n);
  for (let k = 0; k < membrane.length; k++) {
    const i = k % n;
    const fired = k >= n && spikes[k - n] === 1;
    const clears = fired && reset === "zero";
    const before = k < n || (clears && !synapse) ? 0 : membrane[k - n];
    if (synapse) synapse[i] = fround(fround(alpha[i] * synapse[i]) + current[k]);
    const input = synapse ? synapse[i] : current[k];
    let u = fround(fround(beta[i] * before) + input);
    if (fired && reset === "subtract") u = fround(u - threshold[i]);
    if (clears && synapse) u = 0;
    membrane[k] = u;
    spikes[k] = u > threshold[i] ? 1 : 0;
  }
  return { spikes, membrane };
}

/**
 * Gradient with respect to the input current, [T, n], in the memory of `grad`.
 * @param {Neurons} layer  @param {Float64Array} grad S̄, [T, n]; overwritten  @param {Activity} activity what `fire` returned
 * @param {(v: number, k: number) => number} h surrogate, of U - θ and entry k  @param {Float64Array|null} [gradMembrane] Ū_out
 */
export function fireBackward(
  { inputs: n, alpha, beta, threshold, reset },
  grad,
  { spikes, membrane },
  h,
  gradMembrane = null,
) {
  const potential = new Float64Array(n); // Ū[t+1]
  const synapse = new Float64Array(n); // ī[t+1]
  const clears = reset === "zero";
  for (let k = grad.length - 1; k >= 0; k--) {
    const i = k % n;
    let total = grad[k] === 0 ? 0 : h(fround(membrane[k] - threshold[i]), k) * grad[k];
    if (gradMembrane) total += gradMembrane[k];
    if (!(clears && spikes[k] === 1)) total += beta[i] * potential[i];
    potential[i] = total;
    if (!alpha) {
      grad[k] = total;
      continue;
    }
    const cleared = clears && k >= n && spikes[k - n] === 1;
    synapse[i] = (cleared ? 0 : total) + alpha[i] * synapse[i];
    grad[k] = synapse[i];
  }
  return grad;
}
