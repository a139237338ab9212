/**
 * Surrogate derivatives h(v) of the spike 1[v > 0], v = U - θ. Only the backward pass knows them.
 *
 *   sigmoid       α σ(αv) (1 - σ(αv))
 *   arctan        (α/2) / (1 + (παv/2)²)
 *   fast_sigmoid  1 / (1 + α|v|)²
 *   triangular    α max(0, 1 - α|v|)
 */
import { choose, positive } from "./check.js";

/** @type {Record<string, (v: number, alpha: number) => number>} */
export const SURROGATES = {
  sigmoid: (v, alpha) => alpha * logisticSlope(alpha * v),
  arctan: (v, alpha) => alpha / 2 / (1 + ((Math.PI * alpha * v) / 2) ** 2),
  fast_sigmoid: (v, alpha) => 1 / (1 + alpha * Math.abs(v)) ** 2,
  triangular: (v, alpha) => alpha * Math.max(0, 1 - alpha * Math.abs(v)),
};

/** h of a shape in SURROGATES with α > 0, larger is sharper. @param {any} spec @returns {(v: number) => number} */
export function surrogate(spec) {
  const shape = choose("surrogate", spec?.shape, Object.keys(SURROGATES));
  const alpha = positive("surrogate slope", spec.slope);
  const h = SURROGATES[shape];
  return (v) => h(v, alpha);
}

/** σ(z) (1 - σ(z)), the derivative of the logistic function; symmetric, so exp never overflows. */
export function logisticSlope(z) {
  const e = Math.exp(-Math.abs(z));
  return e / ((1 + e) * (1 + e));
}
