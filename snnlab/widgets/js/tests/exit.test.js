import assert from "node:assert/strict";
import { test } from "node:test";
import { EXIT_RULES, exitStep } from "../src/engine/index.js";

// Three exits of two classes: z = (0, 0), (1, 0), (3, 0).
const VOTES = Float32Array.of(0, 0, 1, 0, 3, 0);
const leave = (rule, threshold) => exitStep(VOTES, 3, 2, rule, threshold);

test("a sample leaves at the first step at which the rule holds", () => {
  assert.deepEqual(
    [0, 0.5, 1, 1.5, 3].map((m) => leave("margin", m)),
    [1, 2, 2, 3, 3],
  );
  // softmax: 1/2, e/(e + 1) = .73, e³/(e³ + 1) = .95
  assert.deepEqual(
    [0.5, 0.7, 0.9].map((c) => leave("confidence", c)),
    [1, 2, 3],
  );
  assert.equal(leave("first_spike"), 2);
});

test("a threshold that is never reached leaves at the last step, minus infinity at the first", () => {
  for (const rule of ["margin", "confidence"]) {
    assert.equal(leave(rule, 99), 3);
    assert.equal(leave(rule, Infinity), 3);
    assert.equal(leave(rule, -Infinity), 1);
  }
  assert.equal(exitStep(new Float32Array(6), 3, 2, "first_spike"), 3);
});

test("the margin is to the second class, wherever it stands, and potentials may be negative", () => {
  assert.equal(exitStep(Float32Array.of(-4, -1, -2, -4, 1, -2), 2, 3, "margin", 2), 2);
});

test("thresholds are compared in float32, as torch does: ten equal classes have a confidence of 0.1 each", () => {
  assert.equal(exitStep(new Float32Array(20), 2, 10, "confidence", 0.1), 1);
});

test("certainty beyond float32 counts as certain", () => {
  assert.equal(exitStep(Float32Array.of(0, 8, 0, 40), 2, 2, "confidence", 1), 2);
});

test("a rule, a threshold or votes that are none are refused", () => {
  assert.deepEqual(EXIT_RULES, ["margin", "confidence", "first_spike"]);
  assert.throws(() => leave("entropy", 1), /unknown exit rule "entropy"; choose one of margin, confidence, first_spike/);
  assert.throws(() => leave("margin"), /margin needs a threshold \(a number, ±Infinity allowed\), got null/);
  assert.throws(() => leave("confidence", NaN), /confidence needs a threshold .* got NaN/);
  assert.throws(() => exitStep(VOTES, 4, 2, "margin", 1), /expected votes \[4, 2\] .* got 6 values/);
});
