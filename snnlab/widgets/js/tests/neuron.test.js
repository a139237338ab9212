import assert from "node:assert/strict";
import { test } from "node:test";
import { lif, lifBackward, neuron } from "../src/engine/lif.js";
import { SURROGATES, surrogate } from "../src/engine/surrogate.js";

const HALF = { beta: 0.5, threshold: 1, reset: "subtract" };

test("a neuron worked out by hand, reset by subtraction one step after the spike", () => {
  // U = .75, .375+.75 = 1.125 ⚡, .5625+.75-1 = .3125, .15625+.75 = .90625
  const { spikes, membrane } = lif(Float32Array.of(0.75, 0.75, 0.75, 0.75), 4, neuron(HALF));
  assert.deepEqual([...membrane], [0.75, 1.125, 0.3125, 0.90625]);
  assert.deepEqual([...spikes], [0, 1, 0, 0]);
});

test("reset to zero forgets the potential and keeps the input of that step", () => {
  const { membrane } = lif(Float32Array.of(0.75, 0.75, 0.75, 0.75), 4, neuron({ ...HALF, reset: "zero" }));
  assert.deepEqual([...membrane], [0.75, 1.125, 0.75, 1.125]);
});

test("a neuron at its threshold stays silent: the spike needs more", () => {
  assert.deepEqual([...lif(Float32Array.of(1), 1, neuron(HALF)).spikes], [0]);
});

test("neurons side by side do not touch each other", () => {
  const { spikes } = lif(Float32Array.of(2, 0, 0, 2), 2, neuron({ ...HALF, beta: 0 }));
  assert.deepEqual([...spikes], [1, 0, 0, 1]);
});

test("membrane potentials are float32 after every operation", () => {
  const { membrane } = lif(Float32Array.of(0.1, 0.1), 2, neuron({ ...HALF, beta: 0.9 }));
  const { fround } = Math;
  assert.equal(membrane[1], fround(fround(fround(0.9) * fround(0.1)) + fround(0.1)));
});

test("backward follows its recursion, worked out by hand", () => {
  const activity = { membrane: Float32Array.of(0.75, 1.125, 0.3125), spikes: Uint8Array.of(0, 1, 0) };
  const grad = lifBackward(Float64Array.of(1, 1, 1), activity, 3, neuron(HALF), () => 1);
  assert.deepEqual([...grad], [1.75, 1.5, 1]);
  const reset = lifBackward(Float64Array.of(1, 1, 1), activity, 3, neuron({ ...HALF, reset: "zero" }), () => 1);
  assert.deepEqual([...reset], [1.5, 1, 1]);
});

test("what a read-out of the potential sends back joins the spikes' gradient", () => {
  const activity = { membrane: Float32Array.of(0.75, 1.125, 0.3125), spikes: Uint8Array.of(0, 1, 0) };
  const grad = lifBackward(Float64Array.of(1, 0, 0), activity, 3, neuron(HALF), () => 1, Float64Array.of(0, 1, 2));
  assert.deepEqual([...grad], [2, 2, 2]);
});

test("a neuron that does not leak keeps what it is given, and its gradient", () => {
  const constants = neuron({ ...HALF, beta: 1 });
  const { spikes, membrane } = lif(Float32Array.of(0.75, 0.75, 0.75, 0.75), 4, constants);
  assert.deepEqual([...membrane], [0.75, 1.5, 1.25, 1]);
  assert.deepEqual([...spikes], [0, 1, 1, 0]);
  assert.deepEqual([...lifBackward(Float64Array.of(0, 0, 0, 1), { spikes, membrane }, 4, constants, () => 1)], [1, 1, 1, 1]);
});

test("below threshold the membrane is linear in its input, and the gradient says so", () => {
  // With h = 1 and no spike, Σ_t U[t] has the gradient Σ_{s ≥ t} β^(s-t), by finite differences.
  const input = Float32Array.of(0.1, 0.2, 0.05, 0.1);
  const constants = neuron(HALF);
  const total = (values) => lif(values, 4, constants).membrane.reduce((a, b) => a + b, 0);
  const grad = lifBackward(new Float64Array(4).fill(1), lif(input, 4, constants), 4, constants, () => 1);
  input.forEach((_, t) => {
    const [up, down] = [1, -1].map((sign) => total(input.map((v, s) => (s === t ? v + sign * 2 ** -7 : v))));
    assert.ok(Math.abs((up - down) / 2 ** -6 - grad[t]) < 1e-5);
  });
});

test("surrogates are the derivatives of smooth steps", () => {
  const steps = {
    sigmoid: (v, a) => 1 / (1 + Math.exp(-a * v)),
    arctan: (v, a) => 0.5 + Math.atan((Math.PI * a * v) / 2) / Math.PI,
    fast_sigmoid: (v, a) => v / (1 + a * Math.abs(v)),
    triangular: (v, a) => {
      const z = Math.min(Math.max(a * v, -1), 1);
      return 0.5 + z - (z * Math.abs(z)) / 2;
    },
  };
  assert.deepEqual(Object.keys(steps), Object.keys(SURROGATES));
  for (const [shape, step] of Object.entries(steps)) {
    const h = surrogate({ shape, slope: 2 });
    for (const v of [-1.3, -0.4, -0.01, 0.2, 0.45, 3]) {
      const expected = (step(v + 1e-6, 2) - step(v - 1e-6, 2)) / 2e-6;
      assert.ok(Math.abs(h(v) - expected) < 1e-5, `${shape} at ${v}: ${h(v)}, expected ${expected}`);
    }
  }
});

test("impossible neurons are refused", () => {
  assert.throws(() => neuron({ ...HALF, beta: 1.5 }), /beta must lie in \[0, 1\], got 1.5/);
  assert.throws(() => neuron({ ...HALF, threshold: 0 }), /threshold must be a positive number, got 0/);
  assert.throws(() => neuron({ ...HALF, reset: "off" }), /unknown reset "off"; choose one of subtract, zero, none/);
  assert.throws(() => surrogate({ shape: "box", slope: 1 }), /unknown surrogate "box"; choose one of sigmoid/);
});
