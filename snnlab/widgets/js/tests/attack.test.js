import assert from "node:assert/strict";
import { test } from "node:test";
import { inputGradient } from "../src/engine/attack.js";
import { network } from "../src/engine/network.js";
import { mulberry32 } from "../src/engine/random.js";
import { CODES, engine, IMAGE, MODELS, modelPayload, PIXELS, request } from "./helpers.js";

const aim = (changes) => ({ label: 3, exitStep: 8, attacker: "informed", random: mulberry32(1), ...changes });

test("the budget is never exceeded, under any code and attack", async () => {
  const lab = engine();
  for (const encoding of MODELS) {
    for (const attack of ["noise", "fgsm", "pgd"]) {
      for (const [eps, attacker] of [
        [0.07, "naive"],
        [0.3, "informed"],
        [1, "informed"],
      ]) {
        const { attacked } = await lab.run(request({ encoding, attack, attacker, eps }));
        attacked.image.forEach((x, p) => {
          assert.ok(Math.abs(x - IMAGE[p]) <= eps + 1e-6 && x >= 0 && x <= 1, `${encoding}, ${attack}, ${eps}: pixel ${p}`);
        });
      }
    }
  }
});

test("an informed PGD moves pixels of every network", async () => {
  for (const encoding of MODELS) {
    const { moved } = await engine().run(request({ encoding }));
    assert.ok(moved > 0.4, `${encoding}: ${moved}`);
  }
});

test("no attack and no budget leave nothing to show", async () => {
  for (const changes of [{ attack: "none" }, { eps: 0 }]) {
    const frame = await engine().run(request(changes));
    assert.equal(frame.attacked, null);
    assert.equal(frame.moved, 0);
    assert.equal(frame.gradient_zero, null);
  }
});

test("the naive gradient is blind where no spike was, the informed one is not", async () => {
  const dark = IMAGE.filter((x) => x === 0).length / PIXELS;
  const share = async (attacker) =>
    (await engine().run(request({ encoding: "offset", attack: "fgsm", attacker }))).gradient_zero;
  assert.ok((await share("naive")) >= dark);
  assert.ok((await share("informed")) === 0);
});

test("the ANN's gradient matches finite differences of its loss", async () => {
  const ann = network(modelPayload("ann"), 8);
  const loss = (image) => {
    const logits = [...ann.forward(image).votes.slice(0, 10)];
    return Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0)) - logits[3];
  };
  const image = IMAGE.map((x) => 0.1 + 0.8 * x);
  const grad = await inputGradient(ann, image, aim());
  for (let p = 0; p < PIXELS; p++) {
    const [up, down] = [1, -1].map((sign) => loss(image.map((x, q) => (q === p ? x + sign * 2 ** -9 : x))));
    assert.ok(Math.abs((up - down) / 2 ** -8 - grad[p]) < 2e-3, `pixel ${p}: ${grad[p]}`);
  }
});

test("only the steps that are read send a gradient back", async () => {
  // The code of a dim pixel is silent until late: at an early exit the naive gradient cannot see it.
  const model = network(modelPayload("onset"), 8);
  const image = IMAGE.map(() => 0.3);
  const early = await inputGradient(model, image, aim({ exitStep: 3, attacker: "naive" }));
  assert.ok(early.every((g) => g === 0));
});

test("gradients of a fusion add up over its parts", async () => {
  const fused = modelPayload("fusion");
  const rows = fused.layers[0].weight.match(new RegExp(`[^]{${2 * PIXELS}}`, "g"));
  const first = (inputs, change) => ({ ...fused.layers[0], shape: [12, inputs], weight: rows.map(change).join("") });
  for (const [code, from] of [
    ["direct", 0],
    ["latency", PIXELS],
  ]) {
    // With the other part's weights at zero (the character "P") the fusion is the single code.
    const own = (j) => j >= from && j < from + PIXELS;
    const masked = first(2 * PIXELS, (row) => [...row].map((c, j) => (own(j) ? c : "P")).join(""));
    const alone = first(PIXELS, (row) => row.slice(from, from + PIXELS));
    const networks = [
      network({ ...fused, layers: [masked, fused.layers[1]] }, 8),
      network(modelPayload(code, { layers: [alone, fused.layers[1]] }), 8),
    ];
    const [a, b] = await Promise.all(networks.map((model) => inputGradient(model, IMAGE, aim())));
    assert.deepEqual(a, b, code);
    assert.ok(
      a.some((g) => g !== 0),
      code,
    );
  }
});

test("one seed gives one frame", async () => {
  for (const encoding of ["poisson", "onset"]) {
    const run = (seed) => engine().run(request({ encoding, attack: "noise", seed }));
    const [a, b, c] = await Promise.all([1, 1, 2].map(run));
    assert.deepEqual(a.attacked, b.attacked);
    assert.notDeepEqual(a.attacked.image, c.attacked.image);
  }
});

test("PGD gives way to the event loop, and can be called off there", async () => {
  const controller = new AbortController();
  const run = engine().run(request({ signal: controller.signal }));
  let ended = false;
  const rejected = assert.rejects(run, { name: "AbortError" }).then(() => (ended = true));
  // A message posted now is handled before the attack is over, or the abort would come too late.
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    assert.equal(ended, false);
    controller.abort();
    port1.close();
  };
  port2.postMessage(null);
  await rejected;
});

test("a request called off before it starts does nothing", async () => {
  await assert.rejects(engine().run(request({ signal: AbortSignal.abort() })), { name: "AbortError" });
});

test("a drawn digit is attacked in the class it is read as", async () => {
  const frame = await engine().run(request({ label: null, encoding: "direct", attack: "fgsm" }));
  assert.equal(frame.label, null);
  const answer = frame.clean.predictions[7];
  assert.ok(answer === -1 || frame.target === answer);
});

test("the encoder explorer shows every code of one image, disturbed or not", async () => {
  const ask = {
    image: IMAGE,
    shape: [1, 6, 6],
    encoders: [...CODES, "fusion(direct, latency)"],
    eps: 0.2,
    attack: "brighten",
  };
  const { codes, images } = await engine().encode(ask);
  assert.deepEqual(Object.keys(codes), ask.encoders);
  assert.equal(codes.onset.clean.length, 8 * PIXELS);
  assert.equal(codes["fusion(direct, latency)"].attacked.length, 16 * PIXELS);
  images.attacked.forEach((x, p) => assert.equal(x, Math.fround(Math.min(IMAGE[p] + 0.2, 1))));
  assert.equal((await engine().encode({ ...ask, attack: "none" })).codes.onset.attacked, null);
});
