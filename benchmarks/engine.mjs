// How long the browser engine computes, per model and attack: median and 95th percentile over test digits.
//
//   python -c "from snnlab.zoo import export; export.write('_build/web')"
//   node benchmarks/engine.mjs _build/web        prints a table, and writes benchmarks/engine.json
//
// Node and Chromium run the same V8; painting comes on top and is measured in the page.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { BrowserEngine } from "../snnlab/widgets/js/src/engine/index.js";

const folder = process.argv[2];
if (!folder)
  throw new Error("name the folder that snnlab.zoo.export.write has written: node benchmarks/engine.mjs FOLDER");

/** Run one of the page's data scripts and catch what it hands over. */
async function load(key) {
  let payload;
  globalThis.snnlabData = (_, value) => (payload = value);
  vm.runInThisContext(readFileSync(join(folder, `snnlab-${key.replace("/", "-")}.js`), "utf8"));
  return payload;
}

const REPEATS = 60;
const WARM_UP = 10;
const attacks = [
  ["none", "naive"],
  ["noise", "naive"],
];
for (const attack of ["fgsm", "pgd"]) for (const attacker of ["naive", "informed"]) attacks.push([attack, attacker]);

const engine = new BrowserEngine(load);
const { models, digits } = await engine.zoo();
const size = digits.shape.reduce((a, b) => a * b);
const table = {};
for (const { name } of models) {
  table[name] = {};
  for (const [attack, attacker] of attacks) {
    const times = [];
    for (let k = 0; k < REPEATS + WARM_UP; k++) {
      const n = k % digits.labels.length;
      const image = digits.images.slice(n * size, (n + 1) * size);
      const request = {
        image,
        shape: digits.shape,
        label: digits.labels[n],
        encoding: name,
        attack,
        attacker,
        seed: k,
      };
      const { ms } = await engine.run({ ...request, eps: 0.1, exit_step: 8 });
      if (k >= WARM_UP) times.push(ms);
    }
    times.sort((a, b) => a - b);
    const at = (share) => Number(times[Math.floor(share * (REPEATS - 1))].toFixed(2));
    table[name][attack === "fgsm" || attack === "pgd" ? `${attack}.${attacker}` : attack] = {
      median: at(0.5),
      p95: at(0.95),
    };
  }
}

const rows = Object.entries(table).map(([name, row]) => [
  name,
  Object.fromEntries(Object.entries(row).map(([k, v]) => [k, v.median])),
]);
console.table(Object.fromEntries(rows));
const record = {
  what: "browser engine, ms per state (clean and attacked pass, attack), eps = 0.1, exit 8",
  repeats: REPEATS,
  node: process.version,
  cpu: cpus()[0].model,
  ms: table,
};
writeFileSync(join(dirname(fileURLToPath(import.meta.url)), "engine.json"), `${JSON.stringify(record, null, 1)}\n`);
