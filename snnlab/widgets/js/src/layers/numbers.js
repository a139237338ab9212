/**
 * Numbers as they travel: base64 of little-endian float32, or of int8 or 24 bits with a power of two for each row,
 *
 *   W[i, j] = q[i, j] · 2^exponent[i]
 *
 * The four characters of a number of 24 bits (q + 2^23, the highest digit first) come in four runs: digits of one place
 * compress better together.
 */
import { field, sound } from "../engine/check.js";

/** @param {{float32?: string, int8?: string, int24?: string, exponent?: number[]}} packed @param {number} size @param {string} key */
export function numbers(packed, size, key) {
  const kind = ["int8", "int24"].find((name) => packed?.[name] !== undefined) ?? "float32";
  const text = field(packed, kind, key);
  const bytes = fromBase64(kind === "int24" ? interleaved(text) : text, key);
  const given = bytes.length / { int8: 1, int24: 3, float32: 4 }[kind];
  sound(given === size, `${key}: expected ${size} numbers, got ${given}`);
  if (kind === "float32") return new Float32Array(bytes.buffer);
  const scale = field(packed, "exponent", key).map((e) => 2 ** e);
  const whole = kind === "int8" ? new Int8Array(bytes.buffer) : Int32Array.from({ length: size }, (_, k) => wide(bytes, k));
  return Float32Array.from(whole, (q, k) => q * scale[Math.floor((k * scale.length) / size)]);
}

const wide = (bytes, k) => ((bytes[3 * k] << 16) | (bytes[3 * k + 1] << 8) | bytes[3 * k + 2]) - 2 ** 23;

function interleaved(text) {
  const run = text.length / 4;
  return Array.from({ length: text.length }, (_, k) => text[(k % 4) * run + Math.floor(k / 4)]).join("");
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
