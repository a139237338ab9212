import assert from "node:assert/strict";
import { test } from "node:test";
import { currents } from "../src/engine/current.js";
import { mulberry32 } from "../src/engine/random.js";
import { filter, filterBackward, timeConstant } from "../src/engine/synapse.js";
import { layer } from "../src/engine/weights.js";
import { layerPayload } from "./helpers.js";

const T = 5;
const noise = (length, seed) => {
  const random = mulberry32(seed);
  return Float64Array.from({ length }, () => 2 * random() - 1);
};
const product = (a, b) => a.reduce((sum, v, k) => sum + v * b[k], 0);

test("a potential worked out by hand: each spike adds 1/τ and decays by 1 - 1/τ", () => {
  assert.deepEqual([...filter(Float64Array.of(1, 0, 1), 3, 2)], [0.5, 0.25, 0.625]);
  assert.deepEqual([...filter(Float64Array.of(1, 0, 0, 4, 0, 0), 3, 4)], [0.25, 0, 0.1875, 1, 0.140625, 0.75]);
});

test("with τ = 1 the potential is the spike", () => {
  assert.deepEqual([...filter(Float64Array.of(1, 0, 1), 3, 1)], [1, 0, 1]);
  assert.deepEqual([...filterBackward(Float64Array.of(1, 0, 1), 3, 1)], [1, 0, 1]);
});

test("backward is the exact adjoint of the filter: ⟨PSP s, g⟩ = ⟨s, PSPᵀ g⟩", () => {
  for (const tau of [1, 1.7, 2, 8]) {
    const [s, g] = [noise(3 * T, 1), noise(3 * T, 2)];
    const forward = product(filter(s.slice(), T, tau), g);
    const backward = product(s, filterBackward(g.slice(), T, tau));
    assert.ok(Math.abs(forward - backward) < 1e-12, `τ = ${tau}: ${forward}, ${backward}`);
  }
});

test("filtered currents are the currents of filtered spikes", () => {
  const weights = layer(layerPayload(4, 6, -5, 3), "layer");
  const spikes = Float64Array.from(noise(6 * T, 4), (v) => (v > 0 ? 1 : 0));
  const potentials = filter(spikes.slice(), T, 2);
  assert.deepEqual(currents(weights, spikes, T, 2), currents(weights, potentials, T, 1));
});

test("blocks that are constant in time change nothing but the work, also if they restart", () => {
  const weights = layer(layerPayload(4, 6, -5, 3), "layer");
  const [early, late] = [noise(3, 5), noise(3, 6)];
  const sequence = Float64Array.from(noise(6 * T, 7));
  for (let t = 0; t < T; t++) sequence.set(t < 2 ? early : late, 6 * t);
  const blocks = [
    { from: 0, to: 3, constant: true },
    { from: 3, to: 6, constant: false },
  ];
  const expected = currents(weights, sequence, T, 2);
  currents(weights, sequence, T, 2, blocks, 2).forEach((v, k) => assert.ok(Math.abs(v - expected[k]) < 1e-6));
});

test("a time constant below one step is refused", () => {
  assert.equal(timeConstant(null), 1);
  for (const tau of [0.5, NaN, Infinity, "2"]) {
    assert.throws(() => timeConstant(tau), /tau_s must be a number of at least 1 step, got/);
  }
});
