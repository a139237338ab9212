// Bundles src/main.js into ../bundle/snnlab.js: one classic script, global name `snnlab`.
// A classic script because a page opened from disk can load neither ES modules nor fetch.
//
//   node build.mjs                    the committed bundle, and the licences of what it contains
//   node build.mjs --folder FOLDER    the same elsewhere (a test compares the two)
//   node build.mjs --engine FILE      the engine alone, without a view, for tests and benchmarks

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build, transform } from "esbuild";
import { parse } from "smol-toml";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { folder: { type: "string" }, engine: { type: "string" } } });
const folder = resolve(values.folder ?? join(here, "../bundle"));
const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));

/** Pages show no help of a setting. */
const withoutHelp = (key, value) => (key === "help" || key === "markers" ? undefined : value);

/** What Node's tests read by tests/assets.mjs: a vocabulary as a value, a style sheet as its text, here without its spaces. */
const assets = {
  name: "assets",
  setup(builder) {
    builder.onLoad({ filter: /\.toml$/ }, ({ path }) => {
      return { contents: JSON.stringify(parse(readFileSync(path, "utf8")), withoutHelp), loader: "json" };
    });
    builder.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, "utf8"), { loader: "css", minify: true, target: "es2022" });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

/** Scales here map numbers alone, so the page needs no arithmetic of colours. */
const numbersAlone = {
  name: "numbers alone",
  setup(builder) {
    builder.onLoad({ filter: /[\\/]d3-color[\\/]/ }, () => ({
      contents: "export const color = () => null, rgb = color, hsl = color, hcl = color, lab = color, cubehelix = color;",
    }));
  },
};

/** @type {import("esbuild").BuildOptions & {metafile: true}} */
const common = {
  // Whatever folder it is called from, the output is the same.
  absWorkingDir: here,
  bundle: true,
  format: "iife",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  plugins: [assets, numbersAlone],
  banner: { js: `/* snnlab ${version}. Source: snnlab/widgets/js. Contains packages listed in snnlab.LICENSES.txt */` },
  metafile: true,
  logLevel: "warning",
};

const { metafile } = await build({
  ...common,
  entryPoints: [values.engine ? "src/engine/index.js" : "src/main.js"],
  outfile: values.engine ? resolve(values.engine) : join(folder, "snnlab.js"),
  globalName: "snnlab",
});

// What only networks of a reader need: pages that have one bring it along (host/own-data.js).
if (!values.engine) {
  const layers = {
    entryPoints: ["src/layers/index.js"],
    outfile: join(folder, "snnlab-layers.js"),
    globalName: "snnlabLayers",
  };
  await build({ ...common, ...layers });
}

if (!values.engine) writeFileSync(join(folder, "snnlab.LICENSES.txt"), licences(Object.keys(metafile.inputs)));

/** The licence texts of the packages that the bundle contains, which their terms ask to keep with it. */
function licences(inputs) {
  const names = inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean);
  const texts = [...new Set(names)].sort().map((name) => {
    const installed = join(here, "node_modules", name);
    const { version } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    return `${name} ${version}\n\n${readFileSync(join(installed, "LICENSE"), "utf8").trim()}\n`;
  });
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}
