/** The threads of this page, shared by all that computes in it, and the digits that they work on. */
import { unpackSplit } from "../engine/digits.js";
import { dataFolder } from "../host/data-scripts.js";
import { Pool } from "./pool.js";
import { ways } from "./ports.js";

export { ways };

let pool = null;

/** Where the script of a worker is: on a server as a file, everywhere as a text. @param {Engine} engine @param {string} [name] */
export function workerSource(engine, name = "worker") {
  const served = globalThis.location?.protocol.startsWith("http") && dataFolder();
  const url = served ? new URL(`${dataFolder()}snnlab-${name}.js`, document.baseURI).href : null;
  return { url, text: () => engine.part(name) };
}

/** @param {Engine} engine that knows where scripts come from @returns {Pool} */
export function workers(engine) {
  pool ??= new Pool(ways(workerSource(engine)));
  return pool;
}

const splits = new Map();

/** All digits of a split. @param {Engine} engine  @param {"test"|"train"} split */
export function digits(engine, split) {
  if (!splits.has(split)) {
    const loaded = engine.record(`digits/${split}`).then(unpackSplit);
    splits.set(split, loaded);
    loaded.catch(() => splits.delete(split));
  }
  return splits.get(split);
}

/** One of them. @returns {Uint8Array} */
export const digitAt = ({ pixels, size }, index) => pixels.subarray(index * size, (index + 1) * size);
