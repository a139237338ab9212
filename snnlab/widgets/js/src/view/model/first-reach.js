/** The first step at which ε can act on a black pixel: encode one that is ε bright. */

import { ENCODINGS, encode, encoder } from "../../engine/index.js";
import { say } from "../../language.js";
import { partsOf } from "./fusion-names.js";

/** @returns {number|null|undefined} a step counted from 1; null: never; undefined: not a code that this page knows */
export function firstReach(encoding, eps, steps, fromStep = 0) {
  if (!partsOf(encoding).every(({ name }) => ENCODINGS.includes(name))) return undefined;
  const code = encoder(encoding, steps);
  // A random code may spike at any step.
  const sequence = code.stochastic ? [] : encode(code, Float32Array.of(eps), () => 0);
  const lit = (t) => code.stochastic || code.parts.some((_, p) => sequence[t * code.parts.length + p] > 0);
  for (let t = fromStep; t < steps; t++) if (eps > 0 && lit(t)) return t + 1;
  return null;
}

/** The same in words, next to an exit. @param {number|null} reach  @param {string} eps as it is written */
export function reachText(reach, eps, exit) {
  if (reach === null) return say`ε = ${eps} makes no black pixel act.`;
  if (reach === 1) return say`ε = ${eps} reaches black pixels from the first step on: no exit comes before it.`;
  return exit < reach
    ? say`ε = ${eps} reaches black pixels only from step ${reach} on, after this exit.`
    : say`ε = ${eps} reaches black pixels from step ${reach} on: leave at exit ${reach - 1} or before, and none of it is read.`;
}
