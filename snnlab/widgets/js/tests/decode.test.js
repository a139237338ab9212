import assert from "node:assert/strict";
import { test } from "node:test";
import { DECODERS, leadingClass, predictions, SILENT } from "../src/engine/decode.js";
import { crossEntropyGradient } from "../src/engine/losses.js";
import { hiddenOrder, inputOrder } from "../src/engine/order.js";
import { mulberry32 } from "../src/engine/random.js";
import { wilson } from "../src/engine/wilson.js";

test("one pass gives the votes at every exit, as a running sum", () => {
  assert.deepEqual([...DECODERS.rate.votes({ spikes: Uint8Array.of(0, 1, 1, 0, 1, 1) }, 2)], [0, 1, 1, 1, 2, 2]);
});

test("the membrane decoder sums potentials, the first-spike decoder keeps the worth of the first spike", () => {
  const membrane = Float32Array.of(0.5, -1, 0.25, -1, 1, 0.5);
  assert.deepEqual([...DECODERS.membrane.votes({ membrane }, 2)], [0.5, -1, 0.75, -2, 1.75, -1.5]);
  const spikes = Uint8Array.of(0, 0, 1, 0, 1, 1); // class 0 fires at t = 1, worth 3 - 1; class 1 at t = 2, worth 1
  assert.deepEqual([...DECODERS.ttfs.votes({ spikes }, 2)], [0, 0, 2, 0, 2, 1]);
});

/** Σ_k weights[k] logit_k at one exit: what a decoder's backward differentiates. */
function weighed(decoder, output, weights, exitStep) {
  const votes = decoder.votes(output, weights.length);
  return weights.reduce((sum, w, k) => sum + w * votes[(exitStep - 1) * weights.length + k], 0);
}

test("the gradient through a sum over time matches finite differences of its logits", () => {
  const output = {
    spikes: Float64Array.of(0, 1, 1, 0, 0, 1, 1, 1),
    membrane: Float64Array.of(0.5, 1.5, 1.25, 0.5, 0.25, 1.75, 1.5, 1.125),
  };
  const weights = Float64Array.of(1, -3);
  for (const name of ["rate", "membrane"]) {
    const decoder = DECODERS[name];
    for (const exitStep of [2, 3, 4]) {
      const grads = decoder.backward(weights, output, exitStep);
      for (const part of ["spikes", "membrane"]) {
        output[part].forEach((_, k) => {
          const [up, down] = [1, -1].map((sign) => {
            const moved = output[part].map((v, i) => (i === k ? v + sign * 2 ** -8 : v));
            return weighed(decoder, { ...output, [part]: moved }, weights, exitStep);
          });
          const expected = (up - down) / 2 ** -7;
          assert.equal(grads[part]?.[k] ?? 0, expected, `${name}, exit ${exitStep}, ${part} ${k}`);
        });
      }
    }
  }
});

test("the first-spike decoder's gradient is the difference that a spike makes to its logits", () => {
  const [weights, all] = [Float64Array.of(1, -3), [...Array(2 ** 8).keys()]];
  for (const pattern of all) {
    const spikes = Float64Array.from({ length: 8 }, (_, k) => (pattern >> k) & 1);
    const grads = DECODERS.ttfs.backward(weights, { spikes }, 4).spikes;
    for (const k of spikes.keys()) {
      const [on, off] = [1, 0].map((v) => weighed(DECODERS.ttfs, { spikes: spikes.with(k, v) }, weights, 4));
      assert.equal(grads[k], on - off, `spikes ${spikes}, entry ${k}`);
    }
  }
});

test("the first-spike decoder's gradient is what one spike more or less does, also to a class that is silent", () => {
  const spikes = Uint8Array.of(0, 0, 0, 1, 0, 1, 1, 0);
  const grad = (exitStep) => [...DECODERS.ttfs.backward(Float64Array.of(1, 10), { spikes }, exitStep).spikes];
  assert.deepEqual(grad(1), [1, 10, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(grad(3), [3, 10, 2, 10, 1, 0, 0, 0]);
  assert.deepEqual(grad(4), [3, 10, 2, 10, 1, 0, 1, 0]);
});

test("a membrane read-out below zero has answered", () => {
  assert.deepEqual([...predictions(Float32Array.of(-2, -1), new Float32Array(2), 2)], [1]);
});

test("a silent output is not class zero", () => {
  assert.deepEqual([...predictions(Float32Array.of(0, 0, 0, 1), new Float32Array(4), 2)], [SILENT, 1]);
});

test("the membrane potential of that step decides between equal counts", () => {
  assert.deepEqual([...predictions(Float32Array.of(1, 1, 2, 2), Float32Array.of(0.1, 0.3, 0.4, -1), 2)], [1, 0]);
});

test("a silent network still leans to a class, which a drawn digit is attacked in", () => {
  assert.equal(leadingClass(new Float32Array(3), Float32Array.of(-0.2, 0.6, 0.1), 3, 1), 1);
});

test("the cross-entropy gradient matches finite differences", () => {
  const logits = [1, 3, 0];
  const loss = (z) => Math.log(z.reduce((sum, v) => sum + Math.exp(v), 0)) - z[2];
  const grad = crossEntropyGradient(logits, 2);
  logits.forEach((_, k) => {
    const [up, down] = [1e-6, -1e-6].map((h) => loss(logits.map((v, i) => (i === k ? v + h : v))));
    assert.ok(Math.abs((up - down) / 2e-6 - grad[k]) < 1e-8);
  });
});

test("pixels are ordered by brightness part by part, neurons by the class they speak for", () => {
  assert.deepEqual([...inputOrder(Float32Array.of(0.1, 0.9, 0.1), 2)], [1, 0, 2, 4, 3, 5]);
  const { hidden: order, preferred } = hiddenOrder(Float32Array.of(0, 1, 2, 0, 3, 1, 0, 5), 2);
  assert.deepEqual([...order], [1, 2, 0, 3]);
  assert.deepEqual([...preferred], [0, 0, 1, 1]);
});

test("Wilson intervals agree with published values and stay inside [0, 1]", () => {
  const { low, high } = wilson(81, 263); // Newcombe 1998: .2553 to .3662
  assert.ok(Math.abs(low - 0.2553) < 5e-5 && Math.abs(high - 0.3662) < 5e-5, `${low}, ${high}`);
  assert.equal(wilson(0, 10).low, 0);
  assert.ok(wilson(10, 10).high <= 1 && wilson(10, 10).high > 1 - 1e-12);
  assert.throws(() => wilson(11, 10), /count from 0 to n/);
});

test("a seed gives one sequence, another seed or stream another", () => {
  const draw = (...args) => Array.from({ length: 5 }, mulberry32(...args));
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
  assert.notDeepEqual(draw(7, 0), draw(7, 1));
  const many = Array.from({ length: 10000 }, mulberry32(0));
  assert.ok(many.every((u) => u >= 0 && u < 1));
  assert.ok(Math.abs(many.reduce((a, b) => a + b, 0) / 10000 - 0.5) < 0.01);
  assert.throws(() => mulberry32(NaN), /seed must be a finite number/);
});
