/** The simulated camera, and attacks on what it records. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { allowed, changed, randomChanges } from "../src/events/attack.js";
import { moved, recorded, Sensor, saccadePath, spikesOf } from "../src/events/camera.js";
import { effectText, liveHow, liveVerdict, measuredText } from "../src/events/text.js";
import { Recorder } from "../src/events/webcam.js";

const CAMERA = { threshold: 0.5, dark: 0.1, duration: 300_000, num_steps: 9, per_step: 6, reach: 2 };

test("a still image gives no events, a blank one neither", () => {
  const image = Float32Array.from({ length: 16 }, (_, k) => k / 16);
  const sensor = new Sensor(CAMERA);
  for (let k = 0; k < 4; k++) assert.deepEqual(sensor.see(image), []);
  assert.deepEqual(recorded(new Float32Array(16), 4, CAMERA), []);
});

test("an event comes each time the logarithm has changed by a threshold, from the level of the last one", () => {
  const sensor = new Sensor({ threshold: 0.5, dark: 0.1 });
  const seen = [0, 0.6, 0.4, 1.7].map((log) => sensor.see([Math.exp(log) - 0.1]));
  assert.deepEqual(
    seen.map((events) => events.map(({ p }) => p)),
    [[], [1], [], [1, 1]],
  );
});

test("the path closes after three strokes, and a shift by whole pixels moves the image", () => {
  assert.deepEqual(saccadePath(3, 2), [
    [-2, -2],
    [2, 0],
    [-2, 2],
    [-2, -2],
  ]);
  assert.deepEqual([...moved([1, 2, 3, 4], 2, [1, 0])], [0, 0, 1, 2]);
  assert.deepEqual([...moved([1, 2, 3, 4], 2, [0, 0.5])], [0.5, 1.5, 1.5, 3.5]);
});

test("events are sorted, on the sensor, and fill the spikes of their steps", () => {
  const image = Float32Array.from({ length: 64 }, (_, k) => Number(k % 3 === 0));
  const events = recorded(image, 8, CAMERA);
  assert.ok(events.length > 50);
  for (const [k, { x, y, t }] of events.entries()) {
    assert.ok(x >= 0 && x < 8 && y >= 0 && y < 8 && t >= 0 && t < CAMERA.duration);
    assert.ok(k === 0 || t >= events[k - 1].t);
  }
  const spikes = spikesOf(events, 8, CAMERA);
  const cells = new Set(events.map(({ x, y, t, p }) => [Math.floor((t * 9) / 300_000), p, y, x].join()));
  assert.equal(
    spikes.reduce((a, b) => a + b, 0),
    cells.size,
  );
});

test("random changes are of their kind, and as many as the budget allows", () => {
  const clean = Float32Array.from({ length: 2 * 2 * 25 }, (_, k) => Number(k % 4 === 0));
  for (const kind of ["add", "remove", "change", "polarity"]) {
    const where = randomChanges(kind, clean, 2, 7, 1);
    assert.equal(new Set(where).size, 7);
    const may = allowed(kind, clean, 2);
    assert.ok(where.every((i) => may[i] === 1));
    const spikes = changed(kind, clean, 2, where);
    const total = (of) => of.reduce((a, b) => a + b, 0);
    const gained = { add: 7, remove: -7, polarity: 0 }[kind];
    if (gained !== undefined) assert.equal(total(spikes) - total(clean), gained);
  }
});

test("sentences say what was changed, by whom, and what was measured", () => {
  const frame = { clean: { input: new Float32Array(4) }, attacked: {}, changes: 1, events: [], fooled: false };
  const [, one] = effectText(frame, { tamper: "add", number: 1 });
  assert.match(one, /^1 spike is added, where the gradient/);
  assert.match(effectText(frame, { tamper: "noise", number: 1 })[1], /at random/);
  assert.equal(effectText({ ...frame, attacked: null }, { tamper: "none", number: 0 }).length, 1);
  const record = { n: 100, seeds: 3, eps: [0, 10] };
  assert.match(measuredText(record, [{ eps: 10, share: 0.5 }], 8), /n = 100 .* 50.% .* at 10 \(3 training runs\)/);
});

test("a recorder remembers the last window of time alone, sorted, and times from its start", () => {
  const recorder = new Recorder(CAMERA, 2);
  assert.deepEqual(recorder.events, []);
  const flicker = (k) => [k % 2, 0, 0, 1 - (k % 2)];
  for (let k = 0; k < 40; k++) recorder.see(flicker(k), 1_000_000 + 30_000 * k);
  const { events } = recorder;
  assert.equal(events.length, 10 * 2 * 4); // ten intervals, two pixels, log(1.1 / 0.1) / 0.5 = 4.8
  for (const [k, { t }] of events.entries()) {
    assert.ok(Number.isInteger(t) && t >= 0 && t < CAMERA.duration);
    assert.ok(k === 0 || t >= events[k - 1].t);
  }
  assert.ok(spikesOf(events, 2, CAMERA).every((s) => s === 0 || s === 1));
});

test("a recorder leaves out images that are not later, and a still scene becomes silent", () => {
  const recorder = new Recorder(CAMERA, 1);
  recorder.see([0], 0);
  recorder.see([1], 100_000);
  const before = recorder.events;
  recorder.see([0], 100_000);
  recorder.see([0], 50_000);
  assert.deepEqual(recorder.events, before);
  assert.ok(before.length > 0);
  for (let k = 2; k < 6; k++) recorder.see([1], 100_000 * k);
  assert.deepEqual(recorder.events, []);
});

test("a live answer says nothing about the truth, and what to do if there is none", () => {
  const side = (k) => ({ predictions: [k], votes: new Float32Array(10), membrane: new Float32Array(10) });
  const frame = (k) => ({ clean: side(k), attacked: null, label: null, target: 0, num_steps: 1, live: true });
  assert.match(liveVerdict(frame(3), 1).text, /^Reads 3/);
  assert.equal(liveVerdict(frame(3), 1).sign, "");
  assert.match(liveVerdict(frame(-1), 1).note, /move something/);
  assert.match(liveHow(CAMERA)[0], /last 300 ms in 9 steps.*stored or sent/);
});
