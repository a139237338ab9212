/** The last network that was trained, kept in the browser; where that is forbidden or full, a sentence. */

import { say } from "../language.js";

/** Where the playground keeps its network, and where the painting of codes does. */
export const PLAYED = "snnlab.playground";
export const PAINTED = "snnlab.painted";
export const FORBIDDEN = say`This browser keeps nothing for this page (storage is forbidden or full): save the network as a file.`;

const text = (values) => {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let out = "";
  for (let k = 0; k < bytes.length; k += 4096) out += String.fromCharCode(...bytes.subarray(k, k + 4096));
  return btoa(out);
};

const floats = (kept) => new Float32Array(Uint8Array.from(atob(kept), (c) => c.charCodeAt(0)).buffer);

const each = (group, make) => Object.fromEntries(Object.entries(group).map(([name, values]) => [name, make(values)]));
const packed = (group) => each(group, text);
const unpacked = (group) => each(group, floats);

/**
 * Keep a training after an epoch, with the state of its optimiser if there is room for it.
 * @param {any} training  @param {string} key of the network  @param {() => any} storage @returns {string|null} a sentence if it
 *   is not kept
 */
export function keep({ recipe, weights, adam, batches, tests, ms }, key = PLAYED, storage = () => globalThis.localStorage) {
  const plain = { recipe, batches, tests, ms, weights: packed(weights) };
  const whole = adam && { ...plain, adam: { m: packed(adam.m), v: packed(adam.v), count: adam.count } };
  for (const content of [whole, plain]) {
    try {
      if (content) storage().setItem(key, JSON.stringify(content));
      if (content) return null;
    } catch {
      // without the optimiser it may fit
    }
  }
  return FORBIDDEN;
}

/** What is kept; null: nothing, or nothing that can be read. @returns {any} */
export function kept(key = PLAYED, storage = () => globalThis.localStorage) {
  try {
    const found = JSON.parse(storage().getItem(key));
    if (!found?.tests.length) return null;
    const { adam } = found;
    const optimiser = adam ? { m: unpacked(adam.m), v: unpacked(adam.v), count: adam.count } : null;
    return { ...found, weights: unpacked(found.weights), adam: optimiser };
  } catch {
    return null;
  }
}
