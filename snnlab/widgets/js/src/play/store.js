/** The last network that was trained, kept in the browser; where that is forbidden or full, a sentence. */
import { NAMES } from "../engine/train.js";

/** Where the playground keeps its network, and where the painting of codes does. */
export const PLAYED = "snnlab.playground";
export const PAINTED = "snnlab.painted";
export const FORBIDDEN =
  "This browser keeps nothing for this page (storage is forbidden or full): save the network as a file.";

const text = (values) => {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let out = "";
  for (let k = 0; k < bytes.length; k += 4096) out += String.fromCharCode(...bytes.subarray(k, k + 4096));
  return btoa(out);
};

const floats = (kept) => new Float32Array(Uint8Array.from(atob(kept), (c) => c.charCodeAt(0)).buffer);

/** @param {any} training  @param {string} key of the network  @param {() => any} storage @returns {string|null} a sentence if it is not kept */
export function keep({ recipe, weights, batches, tests, ms }, key = PLAYED, storage = () => globalThis.localStorage) {
  try {
    const packed = Object.fromEntries(NAMES.map((name) => [name, text(weights[name])]));
    storage().setItem(key, JSON.stringify({ recipe, batches, tests, ms, weights: packed }));
    return null;
  } catch {
    return FORBIDDEN;
  }
}

/** What is kept; null: nothing, or nothing that can be read. @returns {any} */
export function kept(key = PLAYED, storage = () => globalThis.localStorage) {
  try {
    const found = JSON.parse(storage().getItem(key));
    if (!found) return null;
    return { ...found, weights: Object.fromEntries(NAMES.map((name) => [name, floats(found.weights[name])])) };
  } catch {
    return null;
  }
}
