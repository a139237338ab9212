import assert from "node:assert/strict";
import { test } from "node:test";
import { inputGradient } from "../src/engine/attack.js";
import { encode, lateFrom } from "../src/engine/encode.js";
import { network } from "../src/engine/network.js";
import { mulberry32 } from "../src/engine/random.js";
import { CODES, engine, IMAGE, modelPayload, PIXELS, request } from "./helpers.js";

const T = 8;
const SPIKING = [...CODES, "fusion"];
const run = (changes) => engine().run(request(changes));

test("a late perturbation leaves the early steps as they were, and is whole in the others", async () => {
  for (const encoding of SPIKING) {
    for (const attack of ["noise", "fgsm", "pgd"]) {
      const { clean, attacked } = await run({ encoding, attack, from_step: 5, seed: 3 });
      const start = (5 * clean.input.length) / T;
      assert.deepEqual(attacked.input.subarray(0, start), clean.input.subarray(0, start), `${encoding}, ${attack}`);
      const whole = encode(network(modelPayload(encoding)).encoder, attacked.image, mulberry32(3));
      assert.deepEqual(attacked.input.subarray(start), whole.subarray(start), `${encoding}, ${attack}`);
    }
  }
});

test("an exit before the perturbation cannot be changed by it", async () => {
  for (const encoding of SPIKING) {
    const { clean, attacked } = await run({ encoding, attack: "noise", eps: 0.5, from_step: 5 });
    assert.deepEqual(attacked.predictions.subarray(0, 5), clean.predictions.subarray(0, 5));
    assert.deepEqual(attacked.votes.subarray(0, 50), clean.votes.subarray(0, 50));
  }
});

test("a perturbation that starts after the last step changes nothing, and sees no gradient", async () => {
  for (const encoding of SPIKING) {
    const { clean, attacked, gradient_zero } = await run({ encoding, attack: "fgsm", from_step: T });
    assert.equal(gradient_zero, 1);
    for (const part of ["image", "input", "hidden", "votes", "predictions", "energy"]) {
      assert.deepEqual(attacked[part], clean[part], `${encoding}, ${part}`);
    }
  }
});

test("a perturbation from the first step on is the ordinary one", async () => {
  for (const encoding of SPIKING) {
    const [ordinary, late] = await Promise.all([run({ encoding }), run({ encoding, from_step: 0 })]);
    assert.deepEqual(late.attacked, ordinary.attacked, encoding);
  }
});

test("gradients of the steps add up: those before a step and those from it on make the whole", async () => {
  // At the clean image a late view computes what the code does; only its gradient is cut.
  const aim = () => ({ label: 3, exitStep: T, attacker: "informed", random: mulberry32(1) });
  for (const encoding of SPIKING.filter((name) => name !== "poisson")) {
    const model = network(modelPayload(encoding));
    const from = (t) => inputGradient(model.behind(lateFrom(model.encoder, IMAGE, t)), IMAGE, aim());
    const late = await Promise.all(Array.from({ length: T + 1 }, (_, t) => from(t)));
    const whole = await inputGradient(model, IMAGE, aim());
    assert.deepEqual(late[0], whole);
    const single = late.slice(0, T).map((grad, t) => grad.map((g, p) => g - late[t + 1][p]));
    for (let p = 0; p < PIXELS; p++) {
      const sum = single.reduce((total, grad) => total + grad[p], 0);
      assert.ok(Math.abs(sum - whole[p]) < 1e-9, `${encoding}, pixel ${p}`);
    }
    if (encoding === "direct") assert.ok(single.every((grad) => grad.some((g) => g !== 0)));
  }
});

test("a step that does not exist, or an ANN that has none, is refused", async () => {
  await assert.rejects(run({ from_step: 9 }), /from_step must be a whole number from 0 to 8, got 9/);
  await assert.rejects(run({ from_step: NaN }), /from_step must be a whole number from 0 to 8, got NaN/);
  await assert.rejects(run({ encoding: "ann", from_step: 2 }), /an ANN has no steps that could be late.*use 0/);
});
