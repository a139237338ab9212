import assert from "node:assert/strict";
import { test } from "node:test";
import { derivative, encode, encoder } from "../src/engine/encode.js";
import { mulberry32 } from "../src/engine/random.js";

const T = 8;
const GREYS = Float32Array.from({ length: 256 }, (_, v) => v / 255);

/** Spike train of each pixel as a string, "00000111". */
function trains(spec, image) {
  const sequence = encode(encoder(spec), Float32Array.from(image));
  return Array.from(image, (_, p) => Array.from({ length: T }, (_, t) => sequence[t * image.length + p]).join(""));
}

function counts(spec, image) {
  return trains(spec, image).map((train) => [...train].filter((s) => s === "1").length);
}

test("worked examples of every step code", () => {
  assert.deepEqual(trains("onset", [0, 0.25, 0.3, 1]), ["00000000", "00000001", "00000011", "01111111"]);
  assert.deepEqual(trains("offset", [0, 0.25, 0.3, 1]), ["00000000", "11000000", "11100000", "11111111"]);
  assert.deepEqual(trains("latency", [0, 0.25, 0.3, 1]), ["00000000", "00000010", "00000100", "10000000"]);
});

test("rounding down fires ceil(Tx) - 1 times, rounding up ceil(Tx) times, whatever the packing", () => {
  const down = Array.from(GREYS, (x) => Math.max(Math.ceil(T * x) - 1, 0));
  const up = Array.from(GREYS, (x) => Math.ceil(T * x));
  // 1 - x and x may round differently at a tie; no 8-bit grey but 0 and 1 lies on one for T = 8.
  assert.deepEqual(counts({ name: "onset" }, GREYS), down);
  assert.deepEqual(counts({ name: "onset", rounding: "up" }, GREYS), up);
  assert.deepEqual(counts({ name: "offset" }, GREYS), up);
  assert.deepEqual(counts({ name: "offset", rounding: "down" }, GREYS), down);
});

test("onset is offset played backwards, at equal rounding", () => {
  const backwards = trains({ name: "offset", rounding: "down" }, GREYS).map((train) => [...train].reverse().join(""));
  assert.deepEqual(trains("onset", GREYS), backwards);
});

test("latency fires once, black never", () => {
  assert.deepEqual(
    counts("latency", GREYS),
    Array.from(GREYS, (x) => (x === 0 ? 0 : 1)),
  );
});

test("phase bits add up to the intensity cut to eight bits", () => {
  const sequence = encode(encoder("phase"), GREYS);
  GREYS.forEach((x, p) => {
    let sum = 0;
    for (let t = 0; t < T; t++) sum += sequence[t * 256 + p];
    assert.equal(sum, Math.min(Math.floor(x * 256), 255) / 256);
  });
});

test("poisson fires as often as the pixel is bright, and white always", () => {
  const image = Float32Array.of(0, 0.2, 0.7, 1);
  const random = mulberry32(5);
  const fired = [0, 0, 0, 0];
  const repeats = 500;
  for (let k = 0; k < repeats; k++) encode(encoder("poisson"), image, random).forEach((s, i) => (fired[i % 4] += s));
  image.forEach((x, p) => {
    const spread = Math.sqrt(x * (1 - x) * repeats * T);
    assert.ok(Math.abs(fired[p] - x * repeats * T) <= 4 * spread, `pixel ${p} fired ${fired[p]} times`);
  });
});

test("with one seed, poisson spikes differ only where images differ", () => {
  const image = Float32Array.from({ length: 20 }, () => 0.5);
  const other = image.slice();
  other[7] = 0.9;
  const [a, b] = [image, other].map((x) => encode(encoder("poisson"), x, mulberry32(1)));
  a.forEach((s, i) => i % 20 === 7 || assert.equal(s, b[i]));
});

test("fusion puts its parts side by side", () => {
  const image = Float32Array.of(0.2, 0.9);
  const [fused, first, second] = ["fusion(direct, latency)", "direct", "latency"].map((name) =>
    encode(encoder(name), image),
  );
  for (let t = 0; t < T; t++) {
    const row = [...first.subarray(2 * t, 2 * t + 2), ...second.subarray(2 * t, 2 * t + 2)];
    assert.deepEqual([...fused.subarray(4 * t, 4 * t + 4)], row);
  }
});

test("straight-through slopes are the spikes, relaxed slopes are nowhere zero", () => {
  for (const name of ["onset", "offset", "latency", "phase"]) {
    const code = encoder(name);
    const sequence = encode(code, GREYS);
    assert.deepEqual(derivative(code, 0, "straight_through", GREYS, sequence), sequence);
    assert.ok(
      derivative(code, 0, "relaxed", GREYS, sequence).every((d) => d !== 0),
      name,
    );
  }
});

test("relaxed slopes are the derivative of the smooth code", () => {
  const sigmoid = (z) => 1 / (1 + Math.exp(-z));
  const k = 10;
  const smooth = {
    onset: (x, t) => sigmoid(k * (x - 1 + t / T)),
    offset: (x, t) => sigmoid(k * (x - t / T)),
    latency: (x, t) => sigmoid(k * (x - 1 + (t + 1) / T)) - sigmoid(k * (x - 1 + t / T)),
    phase: (x, t) => {
      let sum = 0;
      for (let j = 1; j < 2 ** (t + 1); j++) sum += (j % 2 ? 1 : -1) * sigmoid(k * (x - j * 2 ** -(t + 1)));
      return sum * 2 ** -(1 + t);
    },
  };
  const image = Float32Array.of(0.03, 0.31, 0.5, 0.77, 0.98);
  for (const [name, value] of Object.entries(smooth)) {
    const code = encoder(name);
    const slopes = derivative(code, 0, "relaxed", image, encode(code, image));
    image.forEach((x, p) => {
      for (let t = 0; t < T; t++) {
        const expected = (value(x + 1e-4, t) - value(x - 1e-4, t)) / 2e-4;
        assert.ok(Math.abs(slopes[t * image.length + p] - expected) < 1e-4, `${name}, x = ${x}, t = ${t}`);
      }
    });
  }
});

test("an unknown code, rounding or slope is refused with the valid ones", () => {
  assert.throws(
    () => encoder("ttfs"),
    /unknown encoding "ttfs"; choose one of direct, poisson, onset, offset, latency, phase/,
  );
  assert.throws(
    () => encoder({ name: "onset", rounding: "sideways" }),
    /unknown rounding "sideways"; choose one of down, up/,
  );
  assert.throws(() => encoder({ name: "onset", slope: 0 }), /slope of the relaxed code must be a positive number, got 0/);
  assert.throws(() => encoder("fusion(direct)"), /at least two parts, got 1/);
  assert.throws(() => encoder("onset", 0), /num_steps must be a whole number from 1 to 1024, got 0/);
});
