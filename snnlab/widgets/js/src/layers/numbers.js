/**
 * Numbers as they travel: base64 of little-endian float32, or of int8 with a power of two for each row,
 *
 *   W[i, j] = q[i, j] · 2^exponent[i]
 *
 * whichever holds them exactly and is smaller.
 */
import { field, sound } from "../engine/check.js";

/** @param {{float32?: string, int8?: string, exponent?: number[]}} packed @param {number} size @param {string} key */
export function numbers(packed, size, key) {
  const isSmall = packed?.int8 !== undefined;
  const bytes = fromBase64(field(packed, isSmall ? "int8" : "float32", key), key);
  const given = isSmall ? bytes.length : bytes.length / 4;
  sound(given === size, `${key}: expected ${size} numbers, got ${given}`);
  if (!isSmall) return new Float32Array(bytes.buffer);
  const scale = field(packed, "exponent", key).map((e) => 2 ** e);
  return Float32Array.from(new Int8Array(bytes.buffer), (q, k) => q * scale[Math.floor((k * scale.length) / size)]);
}

/** @param {number|number[]} shape */
export const sizeOf = (shape) => [shape].flat().reduce((a, b) => a * b, 1);

function fromBase64(text, key) {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    return /** @type {any} */ (sound(false, `${key}: numbers are not base64`));
  }
}
