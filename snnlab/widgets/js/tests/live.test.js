/** What a page measures itself: digits, one digit's answers, the pool of threads, and what is said of the result. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { asImage, unpackSplit } from "../src/engine/digits.js";
import { BrowserEngine } from "../src/engine/index.js";
import { measureDigit } from "../src/engine/measure.js";
import { network } from "../src/engine/network.js";
import { serve } from "../src/engine/serve.js";
import { keyOf, Measurement, recorded, settingsOf } from "../src/live/measurement.js";
import { ON_PAGE, Pool, REPLACED } from "../src/live/pool.js";
import { onPage, ways } from "../src/live/ports.js";
import { fallenText, recordText, whatText } from "../src/live/text.js";
import { IMAGE, MODELS, modelPayload, PIXELS, request, SHAPE, zooPayload } from "./helpers.js";

const PIXEL_BYTES = Uint8Array.from(IMAGE, (x) => Math.round(255 * x));
const SETTINGS = { encoding: "onset", attack: "fgsm", attacker: "informed", eps: 0.1, exit_step: 8 };
const JOB = {
  task: "measure",
  key: "model/onset",
  prepare: { payload: modelPayload("onset"), numSteps: 8 },
  settings: SETTINGS,
};

const item = (index) => ({ index, label: index % 10, pixels: PIXEL_BYTES });
const items = (n) => Array.from({ length: n }, (_, index) => item(index));

test("a split arrives as it was packed, and a damaged one is reported", async () => {
  const bytes = Uint8Array.from({ length: 3 * PIXELS }, (_, k) => k % 256);
  const payload = { split: "test", shape: SHAPE, labels: [1, 2, 3], pixels: deflateSync(bytes).toString("base64") };
  const { pixels, labels, size } = await unpackSplit(payload);
  assert.deepEqual([pixels, labels, size], [bytes, [1, 2, 3], PIXELS]);
  await assert.rejects(unpackSplit({ ...payload, labels: [1] }), /digits\/test: expected 36 pixels for 1 digits, got 108/);
});

test("a digit is measured as the explorer shows it: the same answers under every setting", async () => {
  const payloads = async (key) => (key === "zoo" ? zooPayload() : modelPayload(key.slice("model/".length)));
  const lab = new BrowserEngine(payloads);
  for (const name of MODELS) {
    const model = network(modelPayload(name), 8);
    for (const [attack, attacker] of [
      ["none", "informed"],
      ["noise", "naive"],
      ["fgsm", "naive"],
      ["pgd", "informed"],
    ]) {
      const exit = name === "ann" ? 8 : 6;
      const asked = request({
        encoding: name,
        attack,
        attacker,
        eps: attack === "none" ? 0 : 0.2,
        exit_step: exit,
        seed: 3,
      });
      const frame = await lab.run(asked);
      const result = await measureDigit(model, IMAGE, 3, asked, 3);
      const side = frame.attacked ?? frame.clean;
      assert.deepEqual(result, { clean: frame.clean.predictions[exit - 1], attacked: side.predictions[exit - 1] });
    }
  }
});

test("a rule decides when a digit leaves, and a silenced part stays silent", async () => {
  const fusion = network(modelPayload("fusion"), 8);
  const read = (settings) => measureDigit(fusion, IMAGE, 3, { ...SETTINGS, attack: "none", eps: 0, ...settings }, 0);
  const never = await read({ rule: "margin", threshold: Number.POSITIVE_INFINITY });
  assert.deepEqual(never, await read({ exit_step: 8 }));
  const first = await read({ rule: "margin", threshold: Number.NEGATIVE_INFINITY });
  assert.deepEqual(first, await read({ exit_step: 1 }));
  await assert.rejects(read({ silenced: 5 }), /silenced/);
  await assert.rejects(read({ exit_step: 9 }), /exit_step/);
});

test("equal settings have one key; image and curve do not belong to it", () => {
  const state = { ...SETTINGS, image: IMAGE, label: 3, curve: "own" };
  assert.equal(keyOf(settingsOf(state)), keyOf(settingsOf({ ...state, label: 4, curve: "worst" })));
  assert.notEqual(keyOf(settingsOf(state)), keyOf(settingsOf({ ...state, eps: 0.2 })));
  const none = { ...state, attack: "none" };
  assert.equal(keyOf(settingsOf(none)), keyOf(settingsOf({ ...none, eps: 0.3, attacker: "naive" })));
});

test("an accuracy counts every digit once, and its interval narrows", () => {
  const measurement = new Measurement(SETTINGS);
  const answer = (index, clean, attacked) => ({ index, label: 1, clean, attacked });
  measurement.add([answer(0, 1, 1), answer(1, 1, 2), answer(2, 2, 1), answer(3, 1, 1)]);
  measurement.add([answer(0, 1, 1)]);
  assert.equal(measurement.n, 4);
  assert.equal(measurement.share?.share, 0.5); // the third is wrong without the attack
  assert.deepEqual(
    measurement.fallen.map(({ index }) => index),
    [1],
  );
  const width = ({ low, high }) => high - low;
  const before = width(measurement.share);
  measurement.add(Array.from({ length: 96 }, (_, k) => answer(4 + k, 1, k % 2 ? 1 : 2)));
  assert.ok(width(measurement.share) < before / 2);
  assert.deepEqual([measurement.rightOfFirst(4), measurement.rightOfFirst(101)], [2, null]);
  assert.match(fallenText(measurement, 40), /^49 of 99 that are read correctly without the attack fell; .* The first 40:$/);
});

test("the record is that of one network at this exit and this attack, or none", () => {
  const results = {
    eps: [0, 0.1],
    n: 5,
    exits: { onset: [8] },
    correct: { onset: { "fgsm.informed": [[5, 4]], worst: [[5, 2]] } },
  };
  const zoo = /** @type {any} */ ({ results });
  assert.equal(recorded(zoo, SETTINGS)?.share, 0.8);
  assert.equal(recorded(zoo, { ...SETTINGS, attack: "none", eps: 0 })?.share, 1);
  for (const other of [{ attack: "pgd" }, { silenced: 0 }, { from_step: 2 }, { rule: "margin" }, { exit_step: 3 }]) {
    assert.equal(recorded(zoo, { ...SETTINGS, ...other }), null);
  }
  const measurement = new Measurement(SETTINGS);
  measurement.add(Array.from({ length: 5 }, (_, index) => ({ index, label: 1, clean: 1, attacked: index ? 1 : 2 })));
  assert.match(recordText(measurement, recorded(zoo, SETTINGS), false), /n = 5, the same digits: 4 right there, 4 here\.$/);
  assert.match(recordText(measurement, null, false), /not in the record/);
  const title = whatText({ ...SETTINGS, from_step: 2 }, { title: "onset", kind: "snn" });
  assert.equal(title, "onset, FGSM (informed), ε = 0.10, from step 3, exit 8");
});

/** A thread that works as a worker does; `mortal(n)` says whether it dies at its n-th chunk. */
function thread(log, mortal = (_) => false) {
  const port = { kind: "blob", post: (_) => {}, onMessage: (_) => {}, onDeath: () => {}, close: () => log.push("closed") };
  const take = serve(
    (message) => port.onMessage(message),
    () => new Promise((resolve) => setImmediate(resolve)),
  );
  let chunks = 0;
  port.post = (message) => {
    log.push(message.type);
    if (message.type === "start" && mortal(++chunks)) queueMicrotask(() => port.onDeath());
    else queueMicrotask(() => take(message));
  };
  return /** @type {any} */ (port);
}

async function measured(pool, n, signal) {
  const measurement = new Measurement(SETTINGS);
  const notices = [];
  await pool.run(JOB, items(n), {
    onResults: (results) => measurement.add(results),
    onNotice: (text) => notices.push(text),
    signal,
  });
  return { measurement, notices };
}

test("a pool answers for all items, whatever its size", async () => {
  const alone = await measured(new Pool([async () => thread([])], 1), 40);
  const log = [];
  const four = await measured(new Pool([async () => thread(log)], 4), 40);
  assert.equal(alone.measurement.n, 40);
  const sorted = ({ measurement }) => [...measurement.answers.values()].sort((a, b) => a.index - b.index);
  assert.deepEqual(sorted(four), sorted(alone));
  assert.equal(log.filter((type) => type === "prepare").length, 4); // the network goes to each thread once
  assert.deepEqual(four.notices, []);
});

test("a thread that dies is replaced, said so, and no digit is lost", async () => {
  let born = 0;
  const birth = async () => {
    born += 1;
    const first = born === 1;
    return thread([], (chunk) => first && chunk === 2);
  };
  const { measurement, notices } = await measured(new Pool([birth], 2), 30);
  assert.equal(measurement.n, 30);
  assert.equal(born, 3);
  assert.deepEqual(notices, [REPLACED]);
});

test("threads that die again and again end in an error", async () => {
  await assert.rejects(measured(new Pool([async () => thread([], () => true)], 1), 3), /stop again and again/);
});

test("a silent thread is taken for dead", async () => {
  let born = 0;
  const deaf = async () => {
    born += 1;
    const port = thread([]);
    if (born === 1) port.post = () => {};
    return port;
  };
  const { measurement, notices } = await measured(new Pool([deaf], 1, 20), 2);
  assert.deepEqual([measurement.n, notices], [2, [REPLACED]]);
});

test("a stopped measurement ends at once, and the pool goes on with the next", async () => {
  const log = [];
  const pool = new Pool([async () => thread(log)], 2);
  const controller = new AbortController();
  const seen = [];
  const run = pool.run(JOB, items(500), {
    onResults: (results) => {
      seen.push(...results);
      controller.abort();
    },
    signal: controller.signal,
  });
  await assert.rejects(run, { name: "AbortError" });
  assert.ok(seen.length < 10);
  assert.ok(log.includes("stop"));
  assert.equal((await measured(pool, 10)).measurement.n, 10);
  assert.ok(seen.length < 10); // what was stopped is not handed over any more
});

test("where no worker starts the page measures in slices, and reports it", async () => {
  const refused = async () => {
    throw new Error("refused");
  };
  let slices = 0;
  let now = 0;
  const schedule = (done) => {
    slices += 1;
    setImmediate(done);
  };
  const page = async () => onPage(schedule, () => (now += 5));
  const pool = new Pool([refused, refused, page], 4);
  const { measurement, notices } = await measured(pool, 12);
  assert.deepEqual([pool.kind, pool.size, measurement.n, notices], ["page", 1, 12, [ON_PAGE]]);
  assert.ok(slices >= 6);
});

test("a wrong request is the sentence of the engine", async () => {
  const job = { ...JOB, settings: { ...SETTINGS, attack: "laser" } };
  const pool = new Pool([async () => thread([])], 1);
  await assert.rejects(pool.run(job, items(1), { onResults: () => {} }), /unknown attack "laser"/);
});

test("a file of the server is tried before a text, and the page comes last", () => {
  const text = async () => "";
  assert.equal(ways({ url: "http://host/snnlab-worker.js", text }).length, 3);
  assert.equal(ways({ url: null, text }).length, 2);
  assert.deepEqual([...asImage(Uint8Array.of(0, 255))], [0, 1]);
});

test("a measurement towards a class counts who gets there, and has no record", () => {
  const asked = { encoding: "onset", attack: "fgsm", attacker: "informed", eps: 0.1, exit_step: 8 };
  assert.equal(keyOf(settingsOf({ ...asked, target: -1 })), keyOf(settingsOf(asked)));
  const settings = settingsOf({ ...asked, target: 8 });
  const measurement = new Measurement(settings);
  measurement.add([
    { index: 0, label: 3, clean: 3, attacked: 8 },
    { index: 1, label: 3, clean: 3, attacked: 5 },
    { index: 2, label: 4, clean: 4, attacked: 4 },
  ]);
  assert.match(fallenText(measurement, 40), /^2 of 3 that are read correctly without the attack fell, 1 to the target 8;/);
  assert.match(whatText(settings, { title: "onset", kind: "snn" }), /towards 8 \(without the digits of class 8\)/);
  assert.equal(recorded({ results: {} }, settings), null);
});
