import assert from "node:assert/strict";
import { test } from "node:test";
import { engine, IMAGE, request } from "./helpers.js";

const refused = {
  "an unknown encoding": [{ encoding: "rate" }, /unknown encoding "rate"; choose one of direct, poisson/],
  "an unknown attack": [{ attack: "cw" }, /unknown attack "cw"; choose one of none, noise, fgsm, pgd/],
  "an unknown attacker": [{ attacker: "lucky" }, /unknown attacker "lucky"; choose one of naive, informed/],
  "a negative budget": [{ eps: -0.1 }, /eps must be a number in \[0, 1\], got -0.1/],
  "a budget that is not a number": [{ eps: NaN }, /eps must be a number in \[0, 1\], got NaN/],
  "a budget in grey levels": [{ eps: 8 }, /eps must be a number in \[0, 1\], got 8; a budget of 8 grey levels is 8\/255/],
  "exit step 0": [{ exit_step: 0 }, /exit_step must be a whole number from 1 to 8, got 0/],
  "an exit step after the last": [{ exit_step: 9 }, /exit_step must be a whole number from 1 to 8, got 9/],
  "half an exit step": [{ exit_step: 2.5 }, /exit_step must be a whole number from 1 to 8, got 2.5/],
  "a label that is no class": [{ label: 10 }, /label must be a whole number from 0 to 9, got 10/],
  "an image of the wrong length": [{ image: IMAGE.slice(1) }, /image must have 36 values for shape \[1, 6, 6\], got 35/],
  "an image for another network": [
    { image: new Float32Array(16), shape: [1, 4, 4] },
    /onset expects an image of 36 pixels, got 16; rescale it/,
  ],
  "a shape that is none": [{ shape: [36] }, /shape must be \[C, H, W\], got \[36\]/],
  "an 8-bit image": [
    { image: new Uint8Array(36) },
    /image must be a Float32Array.* got Uint8Array; divide 8-bit images by 255/,
  ],
  "a pixel above 1": [{ image: IMAGE.map((x) => 2 * x) }, /image must lie in \[0, 1\], got 1\.\d+ at pixel \d+/],
  "a pixel that is not a number": [{ image: IMAGE.map(() => NaN) }, /image must lie in \[0, 1\], got NaN at pixel 0/],
  "no image": [{ image: null }, /image must be a Float32Array of values in \[0, 1\], got null/],
};
for (const [what, [changes, message]] of Object.entries(refused)) {
  test(`${what} is refused`, () => assert.rejects(engine().run(request(changes)), message));
}

/** The engine with one thing about the web data changed. */
function damaged(change) {
  return engine((key, payload) => (key === "model/onset" ? change(payload) : payload)).run(request());
}

function damagedLayer(change) {
  return damaged((payload) => ({
    ...payload,
    layers: [{ ...payload.layers[0], ...change(payload.layers[0]) }, payload.layers[1]],
  }));
}

test("truncated weights are refused", () =>
  assert.rejects(
    damagedLayer(({ weight }) => ({ weight: weight.slice(0, 100) })),
    /model\/onset, layer 1: expected 432 weight characters for shape \[12, 36\], got 100; the web data is damaged/,
  ));

test("weights with a foreign character are refused", () =>
  assert.rejects(
    damagedLayer(({ weight }) => ({ weight: `\u2026${weight.slice(1)}` })),
    /weight character "…" at row 0, column 0 is out of range/,
  ));

test("short, broken or huge exponents and biases are refused", async () => {
  await assert.rejects(
    damagedLayer(({ exponent }) => ({ exponent: exponent.slice(1) })),
    /expected 12 numbers in "exponent", got 11/,
  );
  await assert.rejects(
    damagedLayer(({ exponent }) => ({ exponent: exponent.map(() => 900) })),
    /"exponent" must hold integers/,
  );
  await assert.rejects(
    damagedLayer(({ bias }) => ({ bias: bias.map(() => 0.5) })),
    /"bias" must hold integers .* got 0.5 at 0/,
  );
});

for (const name of ["kind", "encoder", "beta", "threshold", "reset", "surrogate", "attack_surrogate", "layers"]) {
  test(`a model without "${name}" is refused`, () =>
    assert.rejects(
      damaged(({ [name]: _, ...rest }) => rest),
      new RegExp(`model/onset: the field "${name}" is missing; the web data is damaged`),
    ));
}

test("a decoder or a synapse that does not exist is refused", async () => {
  await assert.rejects(
    damaged((payload) => ({ ...payload, decoder: "vote" })),
    /unknown decoder "vote"; choose one of rate, membrane, ttfs/,
  );
  await assert.rejects(
    damaged((payload) => ({ ...payload, tau_s: 0.5 })),
    /tau_s must be a number of at least 1 step, got 0.5/,
  );
});

test("layers that do not fit each other are refused", () =>
  assert.rejects(
    damaged((payload) => ({ ...payload, layers: [payload.layers[1], payload.layers[0]] })),
    /layer 1 has 10 outputs, layer 2 36 inputs/,
  ));

test("a zoo without its models, or with half its digits, is refused", async () => {
  const zoo = (change) => engine((key, payload) => (key === "zoo" ? change(payload) : payload)).zoo();
  await assert.rejects(
    zoo(({ models, ...rest }) => rest),
    /zoo: the field "models" is missing/,
  );
  await assert.rejects(
    zoo((p) => ({ ...p, digits: { ...p.digits, pixels: p.digits.pixels.slice(0, 16) } })),
    /expected 36 pixels for 1 digits, got 12/,
  );
  await assert.rejects(
    zoo((p) => ({ ...p, digits: { ...p.digits, pixels: "\u2026" } })),
    /not base64/,
  );
});

test("results that cannot be counts are refused", async () => {
  for (const counts of [
    [[5, 4]],
    Array(8).fill([5]),
    Array(8).fill([5, 6]),
    Array(8).fill([5, -1]),
    Array(8).fill([5, 0.5]),
    null,
  ]) {
    const lab = engine((_, payload) => ({
      ...payload,
      results: { ...payload.results, correct: { onset: { worst: counts } } },
    }));
    await assert.rejects(lab.zoo(), /results: correct, onset, worst: expected 8 × 2 counts from 0 to 5/);
  }
});

test("results have a row for every exit that was measured", async () => {
  const zoo = (exits, rows) =>
    engine((_, payload) => ({
      ...payload,
      results: { ...payload.results, exits: { onset: exits }, correct: { onset: { worst: Array(rows).fill([5, 4]) } } },
    })).zoo();
  assert.deepEqual((await zoo([8], 1)).results.exits.onset, [8]);
  await assert.rejects(zoo([8], 8), /results: correct, onset, worst: expected 1 × 2 counts/);
});

test("data that failed to load once may load the next time", async () => {
  let failing = true;
  const lab = engine((key, payload) => {
    if (key === "model/onset" && failing) throw new Error("offline");
    return payload;
  });
  await assert.rejects(lab.run(request()), /offline/);
  failing = false;
  assert.equal((await lab.run(request())).encoding, "onset");
});

test("the encoder explorer refuses what it cannot show", async () => {
  const ask = (changes) =>
    engine().encode({ image: IMAGE, shape: [1, 6, 6], encoders: ["onset"], eps: 0, attack: "none", ...changes });
  await assert.rejects(ask({ encoders: ["morse"] }), /unknown encoding "morse"/);
  await assert.rejects(ask({ encoders: [] }), /encoders must be a list of names/);
  await assert.rejects(ask({ attack: "fgsm" }), /unknown attack "fgsm"; choose one of none, noise, brighten/);
  await assert.rejects(ask({ image: new Float32Array(3) }), /image must have 36 values/);
});
