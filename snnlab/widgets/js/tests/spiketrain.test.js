/** The table of a code, and the search among its spike trains. */
import assert from "node:assert/strict";
import test from "node:test";
import {
  binOf,
  encode,
  encoder,
  firstBin,
  mulberry32,
  network,
  sideBySide,
  spikeTrainAttack,
  TrainSearch,
} from "../src/engine/index.js";
import { crossEntropy } from "../src/engine/losses.js";
import { SOFT_READOUTS } from "../src/engine/soft.js";
import { engine, IMAGE, layerPayload, modelPayload, request } from "./helpers.js";

const STEPPED = ["onset", "offset", "latency", "phase"];
const tableOf = (name, steps = 8) => sideBySide(encoder(name, steps).parts);

/** A small network behind a code, with an image of few pixels. */
function small(name, pixels, seed, steps = 4, changes = {}) {
  const code = encoder(name, steps);
  const parts = code.parts.length;
  const described =
    parts > 1
      ? { name: "fusion", num_steps: steps, parts: code.parts.map(describe), gate: code.parts.map((p) => p.gate) }
      : describe(code.parts[0]);
  const payload = modelPayload("onset", {
    encoder: described,
    layers: [layerPayload(6, parts * pixels, -4, seed), layerPayload(3, 6, -5, seed + 1)],
    ...changes,
  });
  return network(payload, steps);
}

const describe = ({ name, numSteps, rounding }) => ({ name, num_steps: numSteps, slope: 10, rounding });

test("the table of latency with two steps is that of the docstring in Python", () => {
  const { lower, upper, trains } = tableOf("latency", 2);
  assert.deepEqual(
    [...upper].map((x) => Math.round(x * 1000) / 1000),
    [0, 0.5, 1],
  );
  assert.ok(lower[1] > 0 && lower[1] < 1e-6 && lower[2] > 0.49 && lower[2] < 0.51);
  assert.deepEqual([...trains], [0, 0, 0, 1, 1, 0]);
});

test("every intensity has the train of its bin, at the ends of the bin too, and neighbouring bins differ", () => {
  for (const name of [...STEPPED, "fusion(0.5*onset, latency)"]) {
    const code = encoder(name, 8);
    const table = sideBySide(code.parts);
    const trainOf = (x) => [...encode(code, Float32Array.of(x))];
    const random = mulberry32(5);
    const probes = [...table.lower, ...table.upper, ...Array.from({ length: 200 }, random)].map(Math.fround);
    for (const x of probes) {
      const bin = binOf(table, x);
      assert.deepEqual(trainOf(x), [...table.trains.subarray(bin * table.width, (bin + 1) * table.width)], `${name} ${x}`);
      assert.ok(firstBin(table, x) <= bin + 1);
    }
    for (let b = 1; b < table.size; b++) assert.notDeepEqual(trainOf(table.lower[b]), trainOf(table.upper[b - 1]), name);
  }
});

test("analog and random codes have no table, and an ANN no trains", async () => {
  for (const name of ["direct", "poisson"]) assert.equal(encoder(name).parts[0].table, null);
  for (const encoding of ["direct", "poisson", "ann"]) {
    const asked = request({ encoding, attacker: "spike_train" });
    await assert.rejects(engine().run(asked), /no spike trains to search among; use the attacker "informed"/);
  }
  await assert.rejects(engine().run(request({ attacker: "spike_train", attack: "fgsm" })), /iterative: use attack "pgd"/);
});

test("the gradient of soft spikes matches finite differences of their votes", () => {
  const options = { threshold: 1, slope: 1, classes: 3, exitStep: 3, numSteps: 4 };
  const membrane = Float64Array.from({ length: 12 }, (_, k) => Math.sin(3 * k) + 1);
  const weights = Float64Array.of(1, -2, 0.5);
  const total = (name, u) => SOFT_READOUTS[name].votes(u, options).reduce((sum, vote, k) => sum + weights[k] * vote, 0);
  for (const name of ["rate", "membrane"]) {
    const gradient = SOFT_READOUTS[name].backward(weights, membrane, options);
    for (let k = 0; k < 12; k++) {
      const moved = (by) =>
        total(
          name,
          membrane.map((u, i) => (i === k ? u + by : u)),
        );
      assert.ok(Math.abs((moved(1e-5) - moved(-1e-5)) / 2e-5 - gradient[k]) < 1e-6, `${name} ${k}`);
    }
  }
});

test("on images of at most six pixels the search reaches brute force", async () => {
  const eps = 0.3;
  let [reached, broken, cases] = [0, 0, 0];
  for (const name of ["onset", "latency", "offset"]) {
    for (let seed = 1; seed <= 8; seed++) {
      const pixels = 3 + (seed % 4);
      const model = small(name, pixels, 10 * seed);
      const random = mulberry32(seed, 7);
      const image = Float32Array.from({ length: pixels }, () => Math.fround(random()));
      const label = model.forward(image).predictions.at(-1);
      if (label < 0) continue;
      const best = bruteForce(model, image, eps, label);
      let found = false;
      for (let restart = 0; restart < 10 && !found; restart++) {
        const draw = mulberry32(restart);
        // As in Python, the first restart begins at the image, the others at random trains.
        const near = image.map((x) => Math.min(1, Math.max(0, Math.fround(x + eps * (2 * draw() - 1)))));
        const start = restart ? near : image;
        const aim = { label, exitStep: model.numSteps, random: draw, start };
        const attacked = await spikeTrainAttack(model, image, eps, aim);
        attacked.forEach((x, p) => assert.ok(Math.abs(x - image[p]) <= eps + 1e-6 && x >= 0 && x <= 1));
        found = model.forward(attacked).predictions.at(-1) !== label;
      }
      cases += 1;
      broken += best ? 1 : 0;
      reached += found ? 1 : 0;
      assert.ok(best || !found, "nothing is found where there is nothing");
    }
  }
  assert.ok(cases > 12 && broken > 3, `too few cases: ${broken} of ${cases}`);
  assert.equal(reached, broken);
});

/** Whether any combination of reachable trains is misread. */
function bruteForce(model, image, eps, label) {
  const search = new TrainSearch(model, image, eps, { label, exitStep: model.numSteps, random: () => 0 });
  const values = Float32Array.from(image);
  const tryAll = (p) => {
    if (p === image.length) return model.forward(values).predictions.at(-1) !== label;
    for (let bin = search.first[p]; bin <= search.last[p]; bin++) {
      const { lower, upper } = search.table;
      values[p] = Math.min(Math.max(image[p], Math.max(lower[bin], search.low[p])), Math.min(upper[bin], search.high[p]));
      if (tryAll(p + 1)) return true;
    }
    return false;
  };
  return tryAll(0);
}

test("a search keeps the best iterate: never a lower loss than the image it begins with", async () => {
  for (const name of [...STEPPED, "fusion(direct, latency)"]) {
    const model = small(name, 12, 3, 8);
    const image = Float32Array.from({ length: 12 }, (_, p) => IMAGE[p]);
    const label = Math.max(0, model.forward(image).predictions.at(-1));
    const loss = (pixels) => {
      const search = new TrainSearch(model, image, 0.2, { label, exitStep: 8, random: mulberry32(1) });
      search.begin(pixels);
      return search.look();
    };
    const attacked = await spikeTrainAttack(model, image, 0.2, { label, exitStep: 8, random: mulberry32(1) });
    const [before, after] = [loss(image), loss(attacked)];
    assert.ok(after.reached || after.value >= before.value - 1e-9, `${name}: ${before.value} → ${after.value}`);
  }
});

test("the cross-entropy of large logits is finite", () => {
  assert.ok(Math.abs(crossEntropy([1000, 0], 1) - 1000) < 1e-9);
});
