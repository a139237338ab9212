// Bundles src/main.js into ../bundle/snnlab.js: one classic script, global name `snnlab`.
// A classic script because a page opened from disk can load neither ES modules nor fetch.
//
//   node build.mjs                    the committed bundle
//   node build.mjs --outfile FILE     the same bundle elsewhere (a test compares the two)
//   node build.mjs --engine FILE      the engine alone, without a view, for tests and benchmarks
import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { outfile: { type: "string" }, engine: { type: "string" } } });

// Paths as given on the command line count from where it was typed, all others from this folder, so that
// the output does not depend on the working directory.
const entry = values.engine ? "src/engine/index.js" : "src/main.js";
const outfile = resolve(values.engine ?? values.outfile ?? join(here, "../bundle/snnlab.js"));
const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));

await build({
  absWorkingDir: here,
  entryPoints: [entry],
  outfile,
  bundle: true,
  format: "iife",
  globalName: "snnlab",
  target: "es2020",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  loader: { ".css": "text" },
  banner: { js: `/* snnlab ${version}; source: snnlab/widgets/js. Contains parts of d3 (ISC licence, Mike Bostock). */` },
  logLevel: "info",
});
