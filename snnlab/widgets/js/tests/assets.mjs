/** Lets Node import what esbuild bundles beside JavaScript: node --import ./tests/assets.mjs */
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";
import { parse } from "smol-toml";

if (isMainThread) register(import.meta.url);

export async function load(url, context, next) {
  if (!/\.(toml|css)$/.test(url)) return next(url, context);
  const text = await readFile(new URL(url), "utf8");
  const value = url.endsWith(".toml") ? parse(text) : text;
  return { format: "module", shortCircuit: true, source: `export default ${JSON.stringify(value)};` };
}
