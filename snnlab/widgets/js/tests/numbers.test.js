/** Numbers of a network as they travel: whole numbers with a power of two a row, or float32. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { numbers } from "../src/layers/numbers.js";

test("24 bits come in four runs of characters, and each row has its own power of two", () => {
  const sent = { int24: "mMmMZzZzmMmMazaz", exponent: [-24, -23] }; // as snnlab.networks.chain packs ±0.1 and ±0.3
  const [a, b, c, d] = numbers(sent, 4, "weight");
  assert.ok(Math.abs(a - 0.1) < 2 ** -24 && Math.abs(b + 0.3) < 2 ** -24);
  assert.ok(c === 2 * a && d === 2 * b);
});

test("every kind says how many numbers it has, and what is no base64", () => {
  assert.deepEqual([...numbers({ int8: "IMBgAA==", exponent: [-6, -5] }, 4, "weight")], [0.5, -1, 3, 0]);
  for (const sent of [{ int8: "IMBg", exponent: [0] }, { int24: "mMmMZzZz", exponent: [0] }, { float32: "AAAAAA==" }]) {
    assert.throws(() => numbers(sent, 4, "weight"), /weight: expected 4 numbers, got/);
  }
  assert.throws(() => numbers({ int24: "()()", exponent: [0] }, 1, "weight"), /not base64/);
});
