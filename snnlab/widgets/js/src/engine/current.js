/**
 * The current that a layer receives from a sequence, and what its gradient says about the sequence:
 *
 *   I[t] = PSP(W s)[t] + b,      ∂L/∂s[t] = Wᵀ PSPᵀ(Ī)[t]
 *
 * with the synaptic filter of synapse.js. Sums run in float64: over spikes they are exact, in any order.
 */
import { filter } from "./synapse.js";
import { addInputs } from "./weights.js";

/**
 * A run of inputs; a constant one has the same values at every step, unless they change at `restart`.
 *
 * @typedef {{from: number, to: number, constant?: boolean}} Block
 */

/** I, [T, H], of a sequence [T, P]; constant blocks take other values at `restart`. @param {Block[]} [blocks] */
export function currents(layer, sequence, numSteps, tau, blocks = [{ from: 0, to: layer.inputs }], restart = 0) {
  const n = layer.outputs;
  const sums = new Float64Array(numSteps * n);
  const constant = blocks.filter((block) => block.constant);
  const moving = blocks.filter((block) => !block.constant);
  let held = null;
  for (let t = 0; t < numSteps; t++) {
    const start = t * layer.inputs;
    if (t === 0 || t === restart) {
      held = new Float64Array(n);
      for (const { from, to } of constant) addInputs(held, layer, sequence, from, to, start);
    }
    const sum = held.slice();
    for (const { from, to } of moving) addInputs(sum, layer, sequence, from, to, start);
    sums.set(sum, t * n);
  }
  filter(sums, numSteps, tau);
  const out = new Float32Array(sums.length);
  for (let k = 0; k < out.length; k++) out[k] = sums[k] + layer.bias[k % n];
  return out;
}

/** Wᵀ g[t] of the steps 0 … steps - 1; the others stay zero. @returns {Float64Array} [T, P] */
export function transposed({ columns, inputs, outputs }, grad, numSteps, steps) {
  const out = new Float64Array(numSteps * inputs);
  for (let t = 0; t < steps; t++) {
    for (let j = 0; j < inputs; j++) {
      let sum = 0;
      for (let i = 0; i < outputs; i++) sum += columns[j * outputs + i] * grad[t * outputs + i];
      out[t * inputs + j] = sum;
    }
  }
  return out;
}

/** grad[p] += gate W[:, p] · Σ_t g[t], from ≤ t < to: where the input is the same at every step one product is enough. */
export function addConstant(grad, columns, gradCurrent, n, from, to, gate = 1) {
  const total = new Float64Array(n);
  for (let t = from; t < to; t++) for (let i = 0; i < n; i++) total[i] += gate * gradCurrent[t * n + i];
  for (let p = 0; p < grad.length; p++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += columns[p * n + i] * total[i];
    grad[p] += sum;
  }
}

/** grad[p] += Σ_t slopes[t, p] (W[:, p] · g[t]), in fours of steps; those without a slope are skipped. */
export function addWeighted(grad, columns, gradCurrent, slopes, n, exitStep) {
  const pixels = grad.length;
  const padded = new Float64Array(Math.ceil(exitStep / 4) * 4 * n);
  padded.set(gradCurrent.subarray(0, exitStep * n));
  const slopeAt = (t, p) => (t < exitStep ? slopes[t * pixels + p] : 0);
  for (let t = 0; t < exitStep; t += 4) {
    const g0 = t * n;
    const [g1, g2, g3] = [g0 + n, g0 + 2 * n, g0 + 3 * n];
    for (let p = 0; p < pixels; p++) {
      const [d0, d1, d2, d3] = [slopeAt(t, p), slopeAt(t + 1, p), slopeAt(t + 2, p), slopeAt(t + 3, p)];
      if (d0 === 0 && d1 === 0 && d2 === 0 && d3 === 0) continue;
      const w = p * n;
      let [a0, a1, a2, a3] = [0, 0, 0, 0];
      for (let i = 0; i < n; i++) {
        const weight = columns[w + i];
        a0 += weight * padded[g0 + i];
        a1 += weight * padded[g1 + i];
        a2 += weight * padded[g2 + i];
        a3 += weight * padded[g3 + i];
      }
      grad[p] += d0 * a0 + d1 * a1 + d2 * a2 + d3 * a3;
    }
  }
}
