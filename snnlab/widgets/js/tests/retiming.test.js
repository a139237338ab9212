/** Spikes that move in time: budgets, best trains, the search, and the sentences. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode, encoder, mulberry32 } from "../src/engine/index.js";
import { network } from "../src/engine/network.js";
import { countsOf, retime, spikeValues } from "../src/retiming/search.js";
import { measuredText, movedText } from "../src/retiming/text.js";
import { bestTrains, moves, programme, spent, verify } from "../src/retiming/trains.js";
import { IMAGE, modelPayload } from "./helpers.js";

const CODES = ["poisson", "onset", "offset", "latency", "phase", "fusion"];

/** All ways to put so many spikes into T steps, at most one a step. */
function puts(T, number) {
  if (T === 0) return number === 0 ? [[]] : [];
  return [...puts(T - 1, number).map((put) => [...put, 0]), ...puts(T - 1, number - 1).map((put) => [...put, 1])];
}

const amounts = (put, train) => spent(put, train, train.length);
const scoreOf = (put, scores) => put.reduce((sum, s, t) => sum + s * scores[t], 0);

test("the best train of a neuron is the best of all that the budget allows", () => {
  const random = mulberry32(3);
  for (let trial = 0; trial < 60; trial++) {
    const train = Array.from({ length: 6 }, () => Number(random() < 0.5));
    const scores = Float64Array.from(train, () => random() - 0.5);
    const number = train.reduce((a, b) => a + b, 0);
    const allowed = (inside) => puts(6, number).filter((put) => inside(amounts(put, train)));
    const most = (inside) => Math.max(...allowed(inside).map((put) => scoreOf(put, scores)));
    for (const shift of [0, 1, 2]) {
      const put = programme(scores, train, shift, 0);
      assert.ok(amounts(put, train).shift <= shift);
      assert.ok(Math.abs(scoreOf(put, scores) - most((of) => of.shift <= shift)) < 1e-9);
    }
    const [put] = bestTrains([scores], [train], { shift: 2, moved: 1 });
    assert.ok(amounts(put, train).moved <= 1 && amounts(put, train).shift <= 2);
    assert.ok(scoreOf(put, scores) >= scoreOf(train, scores) - 1e-9);
  }
});

test("what a retiming spends is worked out by hand, and an added spike is no retiming", () => {
  assert.deepEqual(spent([0, 1, 1, 0], [1, 1, 0, 0], 4), { shift: 1, moved: 1 });
  assert.throws(() => spent([0, 1, 1, 1], [1, 1, 0, 0], 4), /neuron 0 has 3 spikes, 2 before/);
  assert.throws(() => verify([0, 0, 1, 1], [1, 1, 0, 0], 4, { shift: 1, moved: null }), /of 1 steps: a spike moved by 2/);
  assert.throws(() => verify([0, 0, 1, 1], [1, 1, 0, 0], 4, { shift: null, moved: 1 }), /of 1 spikes: 2 moved/);
});

test("arrows are the fewest within the limit, and else go spike by spike", () => {
  const shifted = [[0, 1, 1, 0], [1, 1, 0, 0], 4];
  assert.deepEqual(moves(...shifted, 2), [{ neuron: 0, from: 0, to: 2 }]);
  assert.deepEqual(
    moves(...shifted, 1).map(({ from, to }) => [from, to]),
    [
      [0, 1],
      [1, 2],
    ],
  );
});

test("a retiming of every code keeps the spikes of each pixel, and stays inside its budget", async () => {
  for (const name of CODES) {
    const model = network(modelPayload(name), 8);
    const spikes = encode(model.encoder, IMAGE, mulberry32(0));
    for (const budget of [
      { shift: 1, moved: null },
      { shift: 7, moved: 3 },
    ]) {
      for (const mover of ["attacker", "chance"]) {
        const aim = { label: 3, exitStep: 8, random: mulberry32(1), mover, steps: 4 };
        const { sequence, before, after, spent: amount } = await retime(model, spikes, budget, aim);
        verify(after, before, 8, budget);
        assert.deepEqual(amount, spent(after, before, 8));
        assert.deepEqual(countsOf(model.encoder, sequence), after);
      }
    }
  }
});

test("a spike has the value of the step and part where it is, and an analog part none", () => {
  assert.deepEqual([...spikeValues(encoder("phase", 3))], [0.5, 0.25, 0.125]);
  assert.deepEqual([...spikeValues(encoder("fusion(direct, 0.5*latency)", 2))], [0, 0.5, 0, 0.5]);
  const direct = network(modelPayload("direct"), 8);
  assert.throws(
    () => countsOf(direct.encoder, encode(direct.encoder, IMAGE, mulberry32(0))),
    /analog code \(direct\) has none/,
  );
});

test("a mover that does not exist is an error", async () => {
  const model = network(modelPayload("onset"), 8);
  const spikes = encode(model.encoder, IMAGE, mulberry32(0));
  const aim = { label: 3, exitStep: 8, random: mulberry32(1), mover: "wind" };
  await assert.rejects(retime(model, spikes, { shift: 1, moved: null }, aim), /mover/);
});

test("sentences say what moved, how far, and what ε did alone", () => {
  const side = (k) => ({ predictions: Int8Array.of(k) });
  const frame = { clean: side(6), alone: null, moved: null, total: 12, exit_step: 1 };
  const request = { eps: 0, shift: 2, mover: "attacker" };
  assert.deepEqual(movedText(frame, request), ["No spike moves: all 12 spikes come when the code fires them."]);
  const moved = { spent: { shift: 1, moved: 5 }, late: 2 };
  const [first, second, third, fourth] = movedText({ ...frame, moved, alone: side(6) }, { ...request, eps: 0.1 });
  assert.equal(first, "Intensities changed by ε = 0.10 alone: still a 6.");
  assert.equal(second, "The attacker moved 5 of 12 spikes by 1 step.");
  assert.deepEqual([third, fourth], ["2 steps were allowed.", "2 went behind the exit, where nothing is read."]);
  assert.match(measuredText({ low: 0.5, high: 0.9 }, 21, 30, 4), /at exit 4: 21 of the 30 sample digits are right/);
});
