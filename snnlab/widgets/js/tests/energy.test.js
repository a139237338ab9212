import assert from "node:assert/strict";
import { test } from "node:test";
import { lateFrom, silence } from "../src/engine/encode.js";
import { energyOf } from "../src/engine/energy.js";
import { network } from "../src/engine/network.js";
import { modelPayload } from "./helpers.js";

const T = 4;
// x = (1, .5): onset fires (0111, 0001), latency (1000, 0010)
const IMAGE = Float32Array.of(1, 0.5);

/** All weights q·2^-6: 2 pixels a part → 3 → 2 neurons, β = 0: a hidden neuron fires where its input exceeds 1. */
function small(encoder, q) {
  const parts = encoder?.parts?.length ?? 1;
  const layer = (outputs, inputs) => ({
    shape: [outputs, inputs],
    weight: String.fromCharCode(80 + q).repeat(outputs * inputs),
    exponent: Array(outputs).fill(-6),
    bias: Array(outputs).fill(0),
  });
  const payload = { encoder, kind: encoder ? "snn" : "ann", beta: 0, layers: [layer(3, 2 * parts), layer(2, 3)] };
  return network(modelPayload("onset", payload), T);
}

const code = (name) => ({ name, num_steps: T });
const fusion = (gate, ...names) => ({ ...code("fusion"), gate, parts: names.map(code) });
const spent = (model, image = IMAGE) =>
  Array.from(energyOf(model.operations(model.forward(image))), (e) => Number(e.toFixed(4)));

test("an ANN costs its weights, 4.6 pJ each", () => {
  // 2·3 + 3·2 MACs
  assert.deepEqual(spent(small(null, 0)), [55.2]);
});

test("each spike costs 0.9 pJ per neuron that it reaches, in both layers", () => {
  // Spikes at t = 0 … 3: 0, 1, 1, 2, each reaches 3. Two together fire all 3 hidden neurons, and each of them reaches 2.
  assert.deepEqual(spent(small(code("onset"), 38)), [0, 2.7, 5.4, 16.2]);
});

test("a constant current is multiplied once, whatever the exit", () => {
  // 2·3 MACs
  assert.deepEqual(spent(small(code("direct"), 0)), Array(T).fill(27.6));
});

test("a late perturbation makes it pay once more, if it changes anything", () => {
  const model = small(code("direct"), 0);
  const late = model.behind(lateFrom(model.encoder, IMAGE, 2));
  assert.deepEqual(spent(late), Array(T).fill(27.6));
  assert.deepEqual(spent(late, Float32Array.of(1, 0.25)), [27.6, 27.6, 55.2, 55.2]);
});

test("each part of a fusion is counted in its own way, a gated spike as one", () => {
  const expected = [3, 3, 6, 6].map((synops) => Number((27.6 + 0.9 * synops).toFixed(4)));
  for (const gate of [
    [1, 1],
    [0.25, 0.125],
  ]) {
    assert.deepEqual(spent(small(fusion(gate, "latency", "direct"), 0)), expected);
  }
});

test("a silenced part costs nothing", () => {
  const model = small(fusion([1, 1], "latency", "direct"), 0);
  assert.deepEqual(spent(model.behind(silence(model.encoder, 1))), [2.7, 2.7, 5.4, 5.4]);
  assert.deepEqual(spent(model.behind(silence(model.encoder, 0))), Array(T).fill(27.6));
});

test("a weighted spike of phase is one synaptic operation", () => {
  // 15 = 1111 and 8 = 1000 of 16 levels: 2, 1, 1, 1 spikes
  assert.deepEqual(spent(small(code("phase"), 0)), [5.4, 8.1, 10.8, 13.5]);
});

test("without products of zero, analog input costs its lit pixels and an ANN its active units", () => {
  const dark = Float32Array.of(0.5, 0);
  const counts = (model, image) => Array.from(model.operations(model.forward(image)));
  // 2·3 MACs, of which one pixel's 3 are not zero; no spike.
  assert.deepEqual(counts(small(code("direct"), 0), dark), [6, 6, 6, 6, 3, 3, 3, 3, 0, 0, 0, 0]);
  // With positive weights all 3 units are active, with negative ones none.
  assert.deepEqual(counts(small(null, 38), dark), [12, 3 + 6, 0]);
  assert.deepEqual(counts(small(null, -38), dark), [12, 3, 0]);
  // Spikes are counted where they come, so that black costs nothing anyway.
  assert.deepEqual(counts(small(code("latency"), 0), dark).slice(0, 2 * T), Array(2 * T).fill(0));
});
