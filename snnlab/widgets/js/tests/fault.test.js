/** Faults of a chip: severity 0 is the sound network, and each fault has the law that Python's has. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { mulberry32 } from "../src/engine/index.js";
import { network } from "../src/engine/network.js";
import { Chip, FAULTS, flippedBits, rounded } from "../src/faults/faults.js";
import { changeText, measuredText } from "../src/faults/text.js";
import { CODES, IMAGE, modelPayload } from "./helpers.js";

const model = (name = "onset") => network(modelPayload(name), 8);
const look = (chip, index = 0) => chip.forward(IMAGE, mulberry32(0, 1), index);
const spikes = (array) => array.reduce((a, b) => a + b, 0);

test("severity 0 of every fault is the sound network, in every code", () => {
  for (const name of [...CODES, "fusion"]) {
    const sound = model(name).forward(IMAGE, mulberry32(0, 1));
    const chip = look(new Chip(model(name), Object.fromEntries(FAULTS.map((fault) => [fault, 0])), 3));
    assert.deepEqual(chip.hidden, sound.hidden.spikes);
    assert.deepEqual(chip.votes, sound.votes);
    assert.deepEqual(chip.predictions, sound.predictions);
  }
});

test("lost and dead at 1 silence the hidden layer, stuck at 1 fills it", () => {
  const of = (fault) => spikes(look(new Chip(model(), { [fault]: 1 }, 0)).hidden);
  assert.equal(of("lost"), 0);
  assert.equal(of("dead"), 0);
  assert.equal(of("stuck"), 8 * 12);
});

test("late at 1 shifts every spike by one step, and the last ones are gone", () => {
  const sound = model().forward(IMAGE, mulberry32(0, 1)).hidden.spikes;
  const { hidden } = look(new Chip(model(), { late: 1 }, 0));
  assert.equal(spikes(hidden.subarray(0, 12)), 0);
  assert.deepEqual(hidden.subarray(12), sound.subarray(0, 7 * 12));
});

test("a share s of the spikes is lost, and a stronger fault loses those that a weaker one lost", () => {
  const sound = spikes(model().forward(IMAGE, mulberry32(0, 1)).hidden.spikes);
  let left = 0;
  for (let k = 0; k < 200; k++) left += spikes(look(new Chip(model(), { lost: 0.3 }, 1), k).hidden) / 200;
  assert.ok(Math.abs(left / sound - 0.7) < 0.04, `${left} of ${sound}`);
  const [weak, strong] = [0.2, 0.6].map((lost) => look(new Chip(model(), { lost }, 1)).hidden);
  assert.ok(strong.every((s, k) => s <= weak[k]));
});

test("the same seed has the same faults, another seed others", () => {
  const weights = (seed) => new Chip(model(), { weight: 0.2 }, seed).layers[0].columns;
  assert.deepEqual(weights(1), weights(1));
  assert.notDeepEqual(weights(1), weights(2));
});

test("weights of fewer bits lie on a grid, and one flipped bit changes a weight by a power of two", () => {
  const columns = Float32Array.from([0.5, -0.25, 0.9, 0.03]);
  assert.ok(rounded(columns, 1, 8).every((w) => Number.isInteger(w * 128)));
  assert.deepEqual([...rounded(Float32Array.from([1, -1, 0.3, 0.2]), 1, 3)], [1, -1, 0.5, 0]);
  const random = (
    (draws) => () =>
      draws.shift() ?? 1
  )([1, 1, 1, 1, 1, 1, 1, 0]); // the highest bit alone
  assert.equal(flippedBits(Float32Array.from([0.5]), 1, 0.5, random)[0], 0.5 - 128 / 128);
});

test("a fault that does not exist, and a severity outside [0, 1], are errors", () => {
  assert.throws(() => new Chip(model(), { rust: 0.1 }, 0), /unknown fault "rust"; choose one of/);
  assert.throws(() => new Chip(model(), { lost: 1.2 }, 0), /lies in \[0, 1\], got 1.2/);
});

test("sentences count what is missing and new", () => {
  const clean = { hidden: Uint8Array.from([1, 1, 0, 0]) };
  assert.equal(changeText({ clean, attacked: null }), "The chip is sound: 2 hidden spikes.");
  const attacked = { hidden: Uint8Array.from([0, 1, 1, 0]) };
  assert.match(changeText({ clean, attacked }), /^Of 2 hidden spikes 1 are missing, and 1 are new/);
  assert.match(
    measuredText({ low: 0.5, high: 0.9 }, 21, 30),
    /21 of the 30 sample digits are right \(95 % interval 50 to 90 %\)/,
  );
});
