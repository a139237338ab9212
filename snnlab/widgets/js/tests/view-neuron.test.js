/** One neuron as a reader turns it: its parts add up, its words are true of its numbers. */
import assert from "node:assert/strict";
import test from "node:test";
import { happens, PATTERNS, rates, reach, rheobase, run, sum, summary } from "../src/view/model/neuron-math.js";

const state = (changes = {}) => ({
  beta: 0.9,
  theta: 1,
  reset: "subtract",
  drive: 0.3,
  pattern: PATTERNS.constant,
  ...changes,
});

test("what is left, what comes in and what a spike takes add up to the potential", () => {
  for (const reset of ["subtract", "zero"]) {
    for (const [name, pattern] of Object.entries(PATTERNS)) {
      const found = run(state({ reset, pattern, drive: 0.7 }));
      for (const [t, u] of found.membrane.entries()) {
        const parts = found.carried[t] + found.current[t] - found.taken[t];
        assert.ok(Math.abs(parts - u) < 1e-5, `${reset}, ${name}, step ${t}: ${parts} and ${u}`);
        assert.equal(
          found.taken[t] > 0,
          t > 0 && found.spikes[t - 1] === 1 && (reset === "subtract" || found.carried[t] > 0),
        );
      }
    }
  }
});

test("by hand: β = 1/2, θ = 1, a current of 0.75", () => {
  const found = run(state({ beta: 0.5, drive: 0.75, pattern: "1111" }));
  // 0.75, 0.375 + 0.75 = 1.125 fires, 0.5625 + 0.75 - 1 = 0.3125, 0.15625 + 0.75 = 0.90625
  assert.deepEqual([...found.membrane], [0.75, 1.125, 0.3125, 0.90625]);
  assert.deepEqual([...found.spikes], [0, 1, 0, 0]);
  assert.equal(sum(state({ beta: 0.5, drive: 0.75 }), found, 2), "U[3] = 0.50 · 1.13 + 0.75 − 1.00 = 0.31 ≤ 1.00");
  assert.match(happens(found, 1), /it fires/);
  assert.match(happens(found, 2), /fired one step ago.*stays silent/);
  assert.equal(summary(found), "It fires once, first in step 2.");
});

test("a constant current fires the neuron if, and only if, it exceeds θ(1 - β)", () => {
  for (const [beta, theta] of [
    [0.9, 1],
    [0.5, 0.4],
    [0, 1.2],
  ]) {
    const least = rheobase({ beta, theta });
    const pattern = "1".repeat(64);
    for (const [drive, fires] of [
      [least * 0.98, false],
      [least * 1.05, true],
    ]) {
      const found = run(state({ beta, theta, drive, pattern }));
      assert.equal(found.spikes.includes(1), fires, `β ${beta}, θ ${theta}, I ${drive}`);
      assert.equal(/this one does/.test(reach(state({ beta, theta, drive }))), fires);
    }
  }
});

test("more current never means fewer spikes, and none gives none", () => {
  for (const reset of ["subtract", "zero"]) {
    const found = rates(state({ reset })).map(({ rate }) => rate);
    assert.equal(found[0], 0);
    for (let k = 1; k < found.length; k++) assert.ok(found[k] >= found[k - 1]);
  }
});

test("a regular rhythm is told, an irregular one is not", () => {
  assert.match(
    summary(run(state({ beta: 0, drive: 1.2, pattern: PATTERNS.beats, reset: "zero" }))),
    /8 times, every 3 steps, first in step 1/,
  );
  assert.equal(summary(run(state({ drive: 0 }))), "It never fires.");
  assert.match(summary(run(state({ beta: 0, drive: 1.5, reset: "zero" }))), /24 times, in every step, first in step 1/);
  assert.match(
    reach(state({ pattern: PATTERNS.pulse })),
    /0\.30 would make it fire again and again if it stayed on; here it is on in 1 of 24 steps only/,
  );
});

test("a state that does not exist is said in one sentence", () => {
  assert.throws(() => run(state({ pattern: "0120" })), /pattern must be 2 to 64 signs/);
  assert.throws(() => run(state({ beta: 2 })), /beta must lie in \[0, 1\]/);
  assert.throws(() => run(state({ theta: 0 })), /threshold must be/);
  assert.throws(() => run(state({ drive: Number.NaN })), /drive must lie in/);
});
