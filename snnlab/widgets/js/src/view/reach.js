/**
 * When a perturbation can first act on a black pixel: the code itself is asked, with one black pixel made brighter by ε. For
 * `latency` that is step floor((1-ε)T), counted from 0; for `onset` the first whole step after (1-ε)T; a current changes at
 * once.
 */
import { encode, encoder, ENCODINGS } from "../engine/index.js";
import { partsOf } from "./fused.js";

/**
 * @param {string} encoding name of a code
 * @param {number} eps
 * @param {number} steps T
 * @param {number} [fromStep] steps before this one, counted from 0, are spared
 * @returns {number|null|undefined} a step counted from 1; null: never; undefined: not a code that this page knows
 */
export function firstReach(encoding, eps, steps, fromStep = 0) {
  if (!partsOf(encoding).every(({ name }) => ENCODINGS.includes(name))) return undefined;
  const code = encoder(encoding, steps);
  // A random code may spike at any step.
  const sequence = code.stochastic ? [] : encode(code, Float32Array.of(eps), () => 0);
  const lit = (t) => code.stochastic || code.parts.some((_, p) => sequence[t * code.parts.length + p] > 0);
  for (let t = fromStep; t < steps; t++) if (eps > 0 && lit(t)) return t + 1;
  return null;
}

/**
 * The same in words, next to an exit.
 *
 * @param {number|null} reach
 * @param {string} eps as it is written
 * @param {number} exit
 */
export function reachText(reach, eps, exit) {
  if (reach === null) return `ε = ${eps} makes no black pixel act.`;
  if (reach === 1) return `ε = ${eps} reaches black pixels from the first step on: no exit comes before it.`;
  return exit < reach
    ? `ε = ${eps} reaches black pixels only from step ${reach} on, after this exit.`
    : `ε = ${eps} reaches black pixels from step ${reach} on: leave at exit ${reach - 1} or before, and none of it is read.`;
}
