// Bundles src/main.js into ../bundle/snnlab.js: one classic script, global name `snnlab`. What a first look does not need is
// bundled apart, and loaded when it is needed:
//
//   src/parts/<name>.js     snnlab-<name>.js hands its exports to the page. What main.js contains already it takes from there.
//   src/workers/<name>.js   snnlab-<name>.js is a worker of its own; on a page it hands over its text (a worker from disk
//                           starts from a text only).
//
// Classic scripts because a page opened from disk can load neither ES modules nor fetch.
//
//   node build.mjs                    the committed bundles, the licences of what they contain, the table of their texts
//   node build.mjs --folder FOLDER    the same elsewhere (a test compares the two)
//   node build.mjs --engine FILE      the engine alone, without a view, for tests and benchmarks

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build, transform } from "esbuild";
import { parse } from "smol-toml";
import { entries, pot } from "./strings.mjs";

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

const banner = `/* snnlab ${version}. Source: snnlab/widgets/js. Contains packages listed in snnlab.LICENSES.txt */`;

/** @type {import("esbuild").BuildOptions} */
const options = {
  // Whatever folder it is called from, the output is the same.
  absWorkingDir: here,
  bundle: true,
  format: "iife",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  plugins: [assets, numbersAlone],
  banner: { js: banner },
  metafile: true,
  logLevel: "warning",
};

if (values.engine) {
  await build({ ...options, entryPoints: ["src/engine/index.js"], outfile: resolve(values.engine), globalName: "snnlab" });
} else {
  const { metafile } = await build({ ...options, entryPoints: ["src/main.js"], write: false, outfile: "main.js" });
  const shared = new Set();
  const parts = await Promise.all(
    sources("parts").map((file) => buildPart(file, new Set(Object.keys(metafile.inputs)), shared)),
  );
  const workers = await Promise.all(sources("workers").map(buildWorker));
  const main = await buildMain([...shared].sort());
  const inputs = [main, ...parts, ...workers].flatMap((built) => Object.keys(built.metafile.inputs));
  writeFileSync(join(folder, "snnlab.LICENSES.txt"), licences(inputs));
  writeFileSync(join(folder, "explorers.pot"), pot(entries()));
}

/** The files of a folder of src, sorted. */
function sources(name) {
  const path = join(here, "src", name);
  return existsSync(path)
    ? readdirSync(path)
        .sort()
        .map((file) => `src/${name}/${file}`)
    : [];
}

/** Where the bundle of a file goes. */
function target(file) {
  return join(folder, `snnlab-${basename(file, ".js")}.js`);
}

/** The main bundle, with the modules that parts take from it. @param {string[]} shared their paths */
function buildMain(shared) {
  const contents = [
    'export * from "./src/main.js";',
    ...shared.map((path, k) => `import * as m${k} from "./${path}";`),
    `globalThis.snnlabShared ??= { ${shared.map((path, k) => `${JSON.stringify(path)}: m${k}`).join(", ")} };`,
  ].join("\n");
  const stdin = { contents, resolveDir: here, sourcefile: "main" };
  return build({ ...options, stdin, outfile: join(folder, "snnlab.js"), globalName: "snnlab" });
}

/**
 * One part; the modules that it takes from the main bundle are added to `shared`.
 * @param {string} file @param {Set<string>} main paths of the modules in the main bundle @param {Set<string>} shared
 */
function buildPart(file, main, shared) {
  const fromMain = {
    name: "from the main bundle",
    setup(builder) {
      builder.onResolve({ filter: /./ }, async ({ path, resolveDir, kind, pluginData }) => {
        if (pluginData === "asked" || kind === "entry-point") return undefined;
        const found = await builder.resolve(path, { resolveDir, kind, pluginData: "asked" });
        const name = relative(here, found.path).split(sep).join("/");
        if (!main.has(name)) return found;
        shared.add(name);
        return { path: name, namespace: "shared" };
      });
      builder.onLoad({ filter: /./, namespace: "shared" }, ({ path }) => {
        return { contents: `module.exports = globalThis.snnlabShared[${JSON.stringify(path)}];`, loader: "js" };
      });
    },
  };
  return build({
    ...options,
    entryPoints: [file],
    outfile: target(file),
    plugins: [fromMain, ...options.plugins],
    globalName: "part",
    banner: { js: `${banner}\n(() => {` },
    footer: { js: `globalThis.snnlabData(${JSON.stringify(basename(file, ".js"))}, part);\n})();` },
  });
}

/** One worker: in a worker it runs, on a page it hands over its text. @param {string} file */
function buildWorker(file) {
  const handOver = `globalThis.snnlabData(${JSON.stringify(basename(file, ".js"))}, `;
  return build({
    ...options,
    entryPoints: [file],
    outfile: target(file),
    banner: { js: `${banner}\n(() => { const run = () => {` },
    footer: { js: `}; if (globalThis.document) ${handOver}"(" + run + ")()"); else run(); })();` },
  });
}

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
