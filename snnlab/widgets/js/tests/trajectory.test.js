/** Attacks that are watched step by step, adaptive sharpness, and what is said of them. */
import assert from "node:assert/strict";
import test from "node:test";
import {
  AdaptiveSharpness,
  ATTACK_VARIANTS,
  attackTrajectory,
  mulberry32,
  network,
  pgd,
  SPIKE_TRAIN,
  saPgd,
  slope,
} from "../src/engine/index.js";
import { margin, marginGradient } from "../src/engine/losses.js";
import {
  brokenAt,
  conclusion,
  doing,
  ending,
  gradientAt,
  imageAt,
  spokenTrajectories,
  zeroShare,
} from "../src/view/text/attack.js";
import { engine, IMAGE, MODELS, modelPayload, PIXELS, request } from "./helpers.js";

const options = (changes = {}) => ({ label: 3, random: mulberry32(1), coin: () => mulberry32(0), ...changes });
const asked = (encoding, method, changes = {}) => request({ encoding, method, label: null, eps: 0.2, ...changes });

test("the margin is that of the strongest wrong class, and classes that tie share its gradient", () => {
  assert.equal(margin([5, 2, 4, 4], 0), -1);
  assert.deepEqual([...marginGradient([5, 2, 4, 4], 0)], [-1, 0, 0.5, 0.5]);
  assert.equal(margin([1, 3], 0), 2);
});

/** The attackers that can attack a model: a search among spike trains needs a code that has some. */
const able = (encoding) =>
  Object.keys(ATTACK_VARIANTS).filter((m) => m !== SPIKE_TRAIN || !["direct", "poisson", "ann"].includes(encoding));

test("no trajectory leaves its budget, and every image follows from the one before by less than ε", async () => {
  for (const encoding of MODELS) {
    for (const method of able(encoding)) {
      for (const eps of [0, 0.1, 1]) {
        const { path } = await engine().trajectory(asked(encoding, method, { eps }));
        path.images.forEach((x, i) => {
          const clean = IMAGE[i % PIXELS];
          assert.ok(Math.abs(x - clean) <= eps + 1e-6 && x >= 0 && x <= 1, `${encoding}, ${method}, ${eps}`);
        });
        assert.deepEqual([...path.images.subarray(0, PIXELS)], [...IMAGE]);
      }
    }
  }
});

test("a trajectory ends where the image is misread, with one gradient fewer than images", async () => {
  for (const method of Object.keys(ATTACK_VARIANTS)) {
    const frame = await engine().trajectory(asked("fusion", method, { eps: 0.5 }));
    const { predictions, margins, gradients, images } = frame.path;
    const steps = predictions.length - 1;
    assert.equal(images.length, (steps + 1) * PIXELS);
    assert.equal(gradients.length, steps * PIXELS);
    assert.equal(margins.length, steps + 1);
    assert.ok(predictions.slice(0, -1).every((answer) => answer === frame.target));
    assert.ok(steps === frame.steps || predictions.at(-1) !== frame.target);
  }
});

test("an image that is misread already is not attacked", async () => {
  const { target } = await engine().trajectory(asked("onset", "naive"));
  const { path } = await engine().trajectory(asked("onset", "naive", { label: (target + 1) % 10 }));
  assert.equal(path.predictions.length, 1);
  assert.equal(path.gradients.length, 0);
});

test("the naive attacker sees nothing where the code is silent, the others see every pixel", async () => {
  const dark = IMAGE.filter((x) => x === 0).length / PIXELS;
  for (const [method, least, most] of [
    ["naive", dark, 1],
    ["bpda", 0, 0],
    ["eot", 0, 0],
    ["assg", 0, 0],
  ]) {
    const zero = zeroShare(await engine().trajectory(asked("offset", method)), 0);
    assert.ok(zero >= least && zero <= most, `${method}: ${zero}`);
  }
});

test("without a code's steps, BPDA is the naive attacker", async () => {
  for (const encoding of ["direct", "ann"]) {
    const [naive, bpda] = await Promise.all(["naive", "bpda"].map((m) => engine().trajectory(asked(encoding, m))));
    assert.deepEqual(naive.path, bpda.path);
  }
});

test("EOT over one draw that does not move the image is BPDA", async () => {
  const model = network(modelPayload("onset"), 8);
  const aim = { label: 3, exitStep: 8, attacker: "relaxed", loss: "margin", random: () => 0.5 };
  const [one, other] = await Promise.all(
    [ATTACK_VARIANTS.eot, ATTACK_VARIANTS.bpda].map((who) => slope(who, model, IMAGE, aim, 1)),
  );
  assert.deepEqual(one, other);
});

test("adaptive sharpness begins with M = |U - θ| and D = 0, and follows by a tenth", () => {
  const sharpness = new AdaptiveSharpness();
  const alpha = (h) => 2 * h(0, 0);
  const scale = (2 / Math.PI) * Math.tan(0.425 * Math.PI);
  sharpness.begin();
  assert.ok(Math.abs(alpha(sharpness.follow(Float32Array.of(1.5), 1)) - scale / (0.5 + 1e-4)) < 1e-9);
  sharpness.begin();
  const mean = 0.9 * 0.5 + 0.1 * 2;
  const deviation = 0.1 * (2 - mean);
  const second = alpha(sharpness.follow(Float32Array.of(3), 1));
  assert.ok(Math.abs(second - scale / (mean + 1.5 * deviation + 1e-4)) < 1e-9);
  assert.throws(() => sharpness.begin() ?? sharpness.follow(Float32Array.of(1, 2), 1), /make a new one for each attack/);
});

test("SA-PGD's first step is ε along the sign, later ones are halved at checkpoints", () => {
  const step = saPgd(0.1, 10);
  const x = Float32Array.of(0.5, 0.5, 0.5);
  const gradient = Float32Array.of(2, -1, 0);
  const moves = Array.from({ length: 6 }, () => [...step(x, gradient)].map((y) => y - 0.5));
  assert.ok(Math.abs(moves[0][0] - 0.1) < 1e-6 && Math.abs(moves[0][1] + 0.1) < 1e-6 && moves[0][2] === 0);
  assert.ok(Math.abs(moves[2][0]) <= 0.05 + 1e-6, "halved at 22 % of 10 steps");
  assert.ok(Math.abs(moves[4][0]) <= 0.025 + 1e-6, "and 19 % later");
});

test("PGD's step is ε/4, more where few steps could not cross the budget", () => {
  const moved = (steps) => pgd(0.1, steps)(Float32Array.of(0.5), Float32Array.of(-3))[0] - 0.5;
  assert.ok(Math.abs(moved(10) + 0.025) < 1e-6);
  assert.ok(Math.abs(moved(5) + 0.05) < 1e-6);
});

test("a trajectory that is called off stops", async () => {
  const controller = new AbortController();
  const running = engine().trajectory(asked("poisson", "eot", { signal: controller.signal }));
  controller.abort();
  await assert.rejects(running, { name: "AbortError" });
});

test("a bad request says what is valid", async () => {
  await assert.rejects(engine().trajectory(asked("onset", "magic")), /choose one of naive, bpda, eot, assg/);
  await assert.rejects(engine().trajectory(asked("onset", "bpda", { eps: 2 })), /eps must be a number in \[0, 1\]/);
  await assert.rejects(engine().trajectory(asked("morse", "bpda")), /unknown encoding "morse"/);
});

test("a stochastic code shows every attacker the same first image", async () => {
  const model = network(modelPayload("poisson"), 8);
  const first = await attackTrajectory("naive", model, IMAGE, 0.1, options());
  const again = await attackTrajectory("bpda", model, IMAGE, 0.1, options());
  assert.equal(first.margins[0], again.margins[0]);
});

/** Trajectories of a two-pixel image. */
const found = (method, answers, gradients = answers.slice(1).map(() => [0.5, -1])) => ({
  method,
  shape: [1, 1, 2],
  steps: 3,
  label: 7,
  target: 7,
  path: {
    images: Float32Array.from(answers.flatMap((_, k) => [0.1 * k, 0])),
    gradients: Float32Array.from(gradients.flat()),
    margins: Float32Array.from(answers, (a) => (a === 7 ? -2 : 1)),
    predictions: Int8Array.from(answers),
  },
});
const BLIND = found(
  "naive",
  [7, 7, 7, 7],
  [
    [0, 0],
    [0, 1],
    [0, 1],
  ],
);
const TRAJECTORIES = [BLIND, found("bpda", [7, 9]), found("eot", [7, 7, 9]), found("assg", [7, 7, 7, -1])];

test("what is shown at a step is that of the last step taken, once the attack is over", () => {
  assert.equal(zeroShare(BLIND, 0), 1);
  assert.equal(zeroShare(BLIND, 3), 0.5);
  assert.deepEqual([...gradientAt(TRAJECTORIES[1], 3)], [0.5, -1]);
  assert.equal(imageAt(TRAJECTORIES[1], 3)[0], Math.fround(0.1));
  assert.equal(zeroShare(found("naive", [9]), 0), null);
});

test("the outcome of every attacker is told in words", () => {
  assert.deepEqual(TRAJECTORIES.map(brokenAt), [null, 1, 2, 3]);
  assert.equal(ending(BLIND), "not broken in 3 steps");
  assert.equal(ending(TRAJECTORIES[2]), "broken at step 2");
  const said = spokenTrajectories(TRAJECTORIES, 2, "offset", 0.1);
  assert.match(said, /naive: gradient zero on 50\u202f% of the pixels, still reads 7/);
  assert.match(said, /EOT: broken at step 2, reads 9\. ASSG: still reads 7/);
  assert.match(spokenTrajectories(TRAJECTORIES, 3, "offset", 0.1), /ASSG: broken at step 3, falls silent/);
});

test("a blind attacker beside one who sees is called what it is, and nothing is claimed where nobody succeeds", () => {
  assert.match(conclusion(TRAJECTORIES).join(" "), /broken by BPDA in 1 step, EOT in 2 and ASSG in 3\. What looked robust/);
  const nobody = ["bpda", "eot", "assg"].map((method) => found(method, [7, 7, 7, 7]));
  assert.match(conclusion([BLIND, ...nobody]).join(" "), /the missing gradient is not what protects it/);
  const all = ["naive", "bpda", "eot", "assg"].map((method) => found(method, [7, 9]));
  assert.match(
    conclusion(all).join(" "),
    /It breaks this image in 1 step, and all others break it as well: nothing is hidden here/,
  );
  assert.match(conclusion(all.slice(0, 2)).join(" "), /in 1 step, and so does \S+: nothing is hidden here/);
  assert.match(conclusion([all[0], nobody[0]]).join(" "), /in 1 step, \S+ does not: nothing is hidden here/);
  assert.match(conclusion([found("naive", [9]), ...nobody]).join(" "), /without any attack/);
});

test("what EOT averages over is said: encodings of a random code, images near one that is not", () => {
  assert.match(doing("eot", { kind: "snn", stochastic: true }), /10 encodings/);
  assert.match(
    doing("eot", { kind: "snn", stochastic: false }),
    /images nearby \(smoothing\): nothing in this code is random/,
  );
  assert.match(doing("bpda", { kind: "ann", stochastic: false }), /the same as naive/);
});
