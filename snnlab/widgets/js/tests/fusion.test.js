import assert from "node:assert/strict";
import { test } from "node:test";
import { inputGradient } from "../src/engine/attack.js";
import { derivative, encode, encoder, silence } from "../src/engine/encode.js";
import { network } from "../src/engine/network.js";
import { mulberry32 } from "../src/engine/random.js";
import { engine, IMAGE, modelPayload, PIXELS, request } from "./helpers.js";

const aim = (attacker) => ({ label: 3, exitStep: 8, attacker, random: mulberry32(1) });
const fused = modelPayload("fusion"); // direct, latency

/** The fusion with the weights of one part replaced. */
function reweighted(index, character) {
  const rows = fused.layers[0].weight.match(new RegExp(`[^]{${2 * PIXELS}}`, "g"));
  const own = (j) => Math.floor(j / PIXELS) === index;
  const weight = rows.map((row) => [...row].map((c, j) => (own(j) ? character : c)).join("")).join("");
  return network({ ...fused, layers: [{ ...fused.layers[0], weight }, fused.layers[1]] });
}

test("a gate scales what its part emits, and the slopes with it", () => {
  const [gated, plain] = ["fusion(0.5*onset, 0.125*latency)", "fusion(onset, latency)"].map((name) => encoder(name));
  assert.equal(gated.name, "fusion(0.5*onset, 0.125*latency)");
  const [a, b] = [gated, plain].map((code) => encode(code, IMAGE));
  a.forEach((s, k) => assert.equal(s, b[k] * (k % (2 * PIXELS) < PIXELS ? 0.5 : 0.125)));
  [0.5, 0.125].forEach((gate, index) => {
    for (const rule of ["straight_through", "relaxed"]) {
      const [own, whole] = [derivative(gated, index, rule, IMAGE, a), derivative(plain, index, rule, IMAGE, b)];
      assert.deepEqual(
        own,
        whole.map((d) => gate * d),
      );
    }
  });
});

test("a gate can be moved into the weights and back: spikes and gradients are the same", async () => {
  const quartered = fused.layers[0].exponent.map((e) => e - 2);
  const bias = fused.layers[0].bias.map((b) => 4 * b);
  const light = { ...fused, layers: [{ ...fused.layers[0], exponent: quartered, bias }, fused.layers[1]] };
  const gated = { ...fused, encoder: { ...fused.encoder, gate: [0.25, 0.25] } };
  const [a, b] = [light, gated].map((payload) => network(payload));
  assert.deepEqual(a.forward(IMAGE).output, b.forward(IMAGE).output);
  for (const attacker of ["naive", "informed"]) {
    const [g, h] = await Promise.all([a, b].map((model) => inputGradient(model, IMAGE, aim(attacker))));
    g.forEach((v, p) => assert.ok(Math.abs(v - h[p]) < 1e-9));
  }
});

test("a silenced part is nowhere: its weights change neither the answer nor the gradient", async () => {
  for (const index of [0, 1]) {
    const models = ["P", "Z", "2"].map((character) => {
      const model = reweighted(index, character);
      return model.behind(silence(model.encoder, index));
    });
    const traces = models.map((model) => model.forward(IMAGE));
    const gradients = await Promise.all(models.map((model) => inputGradient(model, IMAGE, aim("informed"))));
    for (const k of [1, 2]) {
      assert.deepEqual(traces[k].output, traces[0].output);
      assert.deepEqual(gradients[k], gradients[0]);
    }
    const loud = ["P", "Z"].map((character) => reweighted(index, character).forward(IMAGE).output.membrane);
    assert.notDeepEqual(...loud);
  }
});

test("a frame with a silenced part shows no spike of it, clean or attacked", async () => {
  for (const silenced of [0, 1]) {
    const { clean, attacked } = await engine().run(request({ encoding: "fusion", silenced }));
    for (const { input } of [clean, attacked]) {
      const own = input.filter((_, k) => Math.floor((k % (2 * PIXELS)) / PIXELS) === silenced);
      assert.ok(own.every((s) => s === 0));
      assert.ok(input.some((s) => s !== 0));
    }
  }
});

test("silencing leaves the network as it was for the next request", async () => {
  const lab = engine();
  const ask = (silenced) => lab.run(request({ encoding: "fusion", silenced })).then(({ clean }) => clean);
  const before = await ask(-1);
  await ask(0);
  assert.deepEqual(await ask(-1), before);
});

test("a gate or a part that does not exist is refused", async () => {
  const spec = (gate) => ({ ...fused.encoder, gate });
  for (const gate of [[1], [1, -1], [1, NaN], "1"]) {
    assert.throws(() => encoder(spec(gate)), /gate needs a weight of at least 0 for each of 2 parts, got/);
  }
  assert.throws(() => encoder("fusion(much*direct, latency)"), /the gate of a part is a number/);
  await assert.rejects(
    engine().run(request({ encoding: "fusion", silenced: 2 })),
    /silenced must be a whole number from -1 to 1, got 2/,
  );
  for (const encoding of ["onset", "ann"]) {
    await assert.rejects(engine().run(request({ encoding, silenced: 0 })), /only a fusion has parts to silence, got/);
  }
});
