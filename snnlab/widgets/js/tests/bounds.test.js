/** Bounds: whatever stays inside ε stays inside them, and they are Python's (with SNNLAB_BOUNDS, a file of its answers). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { certificate } from "../src/engine/bounds.js";
import { mulberry32, network } from "../src/engine/index.js";
import { IMAGE, modelPayload } from "./helpers.js";

const NETWORKS = [
  ...["ann", "direct", "onset", "offset", "latency", "phase", "fusion"].map((name) => [name, {}]),
  ...["subtract", "zero", "none"].flatMap((reset) =>
    ["membrane", "ttfs", "rate"].map((decoder) => ["onset", { reset, decoder }]),
  ),
];

for (const [name, changes] of NETWORKS) {
  test(`votes of ${name} ${JSON.stringify(changes)} stay inside their bands for every image inside ε`, () => {
    const net = network(modelPayload(name, changes), 8);
    const random = mulberry32(7);
    for (const eps of [0, 0.03, 0.1]) {
      const bound = certificate(net, IMAGE, 3, eps);
      for (let draw = 0; draw < 20; draw++) {
        const moved = IMAGE.map((x) => Math.min(1, Math.max(0, x + eps * Math.sign(random() - 0.5))));
        const { votes, predictions } = net.forward(moved, random);
        votes.forEach((vote, k) => {
          assert.ok(bound.votes.low[k] <= vote + 1e-6 && vote <= bound.votes.high[k] + 1e-6);
          const own = votes[k - (k % net.classes) + 3];
          assert.ok(vote - own <= bound.differences[k] + 1e-6);
        });
        for (const [t, proved] of bound.proved.entries()) assert.ok(!proved || predictions[t] === 3);
      }
    }
  });
}

test("a random code and a synaptic filter have no bound", () => {
  assert.equal(certificate(network(modelPayload("poisson"), 8), IMAGE, 3, 0.1), null);
  assert.equal(certificate(network(modelPayload("onset", { tau_s: 2 }), 8), IMAGE, 3, 0.1), null);
});

const file = process.env.SNNLAB_BOUNDS;
test("bounds are Python's, and the same exits are proved", { skip: !file }, () => {
  const { models, images, labels } = JSON.parse(readFileSync(String(file), "utf8"));
  for (const { name, eps, payload, differences, proved } of models) {
    const net = network(payload, 8);
    for (const [i, image] of images.entries()) {
      const bound = certificate(net, Float32Array.from(image), labels[i], eps);
      for (const [t, row] of differences.entries()) {
        for (const [k, value] of row[i].entries()) {
          const apart = Math.abs(bound.differences[t * net.classes + k] - value);
          assert.ok(apart < 1e-4, `${name}, ε = ${eps}, exit ${t + 1}, class ${k}: ${apart}`);
        }
        assert.equal(bound.proved[t], proved[t][i]);
      }
    }
  }
});
