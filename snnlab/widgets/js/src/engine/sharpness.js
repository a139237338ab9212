/**
 * Adaptive sharpness (ASSG, Wang et al. 2025): an arctan surrogate whose slope follows the membrane, per neuron and step, over
 * the iterations of an attack. Mirrors snnlab/attacks/sharpness.py. With d = |U - θ|,
 *
 *   M ← β₁ M + (1-β₁) d,   D ← β₂ D + (1-β₂) |d - M|,   α = (2/π) tan(aπ) / (M + 1.5 D + 1e-4)
 *
 * The first iteration has M = d, D = 0. An object holds the state of one attack on one image.
 */
import { need } from "./check.js";

const SHARPNESS = 0.425;
const BETA = 0.9;

const { fround } = Math;

export class AdaptiveSharpness {
  #layers = [];
  #turn = 0;
  #factor;

  /** @param {number} [sharpness] a, 0 < a < 1/2 */
  constructor(sharpness = SHARPNESS) {
    this.#factor = (2 / Math.PI) * Math.tan(sharpness * Math.PI);
  }

  /** A new iteration: the layers of the next backward pass are counted from the last one again. */
  begin() {
    this.#turn = 0;
  }

  /** h for entry k of the next layer of this backward pass, after an update. @returns {(v: number, k: number) => number} */
  follow(membrane, threshold) {
    const size = membrane.length;
    this.#layers[this.#turn] ??= { mean: null, deviation: new Float64Array(size) };
    const layer = this.#layers[this.#turn];
    this.#turn += 1;
    const distance = Float64Array.from(membrane, (u) => Math.abs(fround(u - threshold)));
    layer.mean ??= Float64Array.from(distance);
    const { mean, deviation } = layer;
    const followed = `this AdaptiveSharpness has followed ${mean.length} values`;
    need(mean.length === size, `${followed}, got ${size}; make a new one for each attack`);
    const alpha = new Float64Array(size);
    for (let k = 0; k < size; k++) {
      mean[k] = BETA * mean[k] + (1 - BETA) * distance[k];
      deviation[k] = BETA * deviation[k] + (1 - BETA) * Math.abs(distance[k] - mean[k]);
      alpha[k] = this.#factor / (mean[k] + 1.5 * deviation[k] + 1e-4);
    }
    return (v, k) => alpha[k] / 2 / (1 + ((Math.PI / 2) * alpha[k] * v) ** 2);
  }
}
