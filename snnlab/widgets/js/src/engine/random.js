/**
 * A small seeded generator, so that what a reader sees can be seen again.
 *
 * Reference: mulberry32 (Tommy Ettinger, public domain), 32 bits of state, full period 2^32.
 */
import { need } from "./check.js";

/** Uniform numbers in [0, 1); streams of one seed are independent. @param {number} seed @returns {() => number} */
export function mulberry32(seed, stream = 0) {
  need(Number.isFinite(seed), `seed must be a finite number, got ${seed}; for example 0`);
  let state = scramble(scramble(Math.trunc(seed)) + stream);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
}

/** Neighbouring seeds would give overlapping streams (the state only counts up), so spread them first (murmur3). */
function scramble(seed) {
  let z = seed | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return z ^ (z >>> 16);
}
