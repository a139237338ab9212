// Processor time of the page's engine for a colour picture through the convolutional networks of CIFAR-10: median over our drawings.
//
//   python -c "from snnlab.zoo import export; export.write('_build/web')"
//   node --import ./snnlab/widgets/js/tests/assets.mjs benchmarks/pictures.mjs _build/web       prints a table
//
// Processor time, because it can be measured while a machine is busy; waiting, a worker's messages and painting come on top
// (laboratory.py). Random codes are left out: they average each gradient over several draws, and take as many times as long.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import vm from "node:vm";
import { unpackZoo } from "../snnlab/widgets/js/src/engine/zoo.js";
import { TASKS } from "../snnlab/widgets/js/src/picture/task.js";

const folder = process.argv[2];
if (!folder)
  throw new Error("name the folder that snnlab.zoo.export.write has written: node benchmarks/pictures.mjs FOLDER");

/** Run one of the page's data scripts and catch what it hands over. */
function load(key) {
  let payload;
  globalThis.snnlabData = (_, value) => (payload = value);
  vm.runInThisContext(readFileSync(join(folder, `snnlab-${key.replace("/", "-")}.js`), "utf8"));
  return payload;
}

const processor = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const { digits, models, num_steps: numSteps } = unpackZoo(load("pictures"));
const size = digits.shape.reduce((a, b) => a * b);
const { prepare, each } = TASKS.picture;
const table = {};
for (const { name, encoding } of models) {
  if (encoding.includes("poisson")) continue;
  const made = prepare({ payload: load(`picture/${name}`), numSteps });
  table[name] = {};
  for (const attack of ["none", "fgsm", "pgd"]) {
    const times = [];
    for (let k = -3; k < digits.labels.length; k++) {
      const n = Math.max(k, 0);
      const image = digits.images.slice(n * size, (n + 1) * size);
      const about = { image, shape: digits.shape, label: digits.labels[n], encoding: name, exit_step: numSteps };
      const began = processor();
      await each(made, {}, { ...about, attack, attacker: "informed", eps: 2 / 255, seed: k }, undefined);
      if (k >= 0) times.push(processor() - began);
    }
    times.sort((a, b) => a - b);
    table[name][attack] = Math.round(times[Math.floor(times.length / 2)]);
  }
}
console.table(table);
