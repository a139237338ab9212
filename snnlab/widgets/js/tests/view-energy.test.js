/** Prices of an answer, and what the energy explorer says of them. */
import assert from "node:assert/strict";
import test from "node:test";
import { breakEven, countedAt, priced } from "../src/view/model/energy.js";
import { breakEvenText, comparison, priceText } from "../src/view/text/energy.js";

const ANN = { macs: 1000, synops: 0 };
const close = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

test("operations are those of the exit; an ANN has one exit for all", () => {
  const operations = Float32Array.of(6, 6, 3, 3, 10, 20);
  assert.deepEqual(countedAt(operations, 1, false), { macs: 6, synops: 10 });
  assert.deepEqual(countedAt(operations, 2, true), { macs: 3, synops: 20 });
  assert.deepEqual(countedAt(Float32Array.of(12, 9, 0), 8, true), { macs: 9, synops: 0 });
});

test("a free weight costs its arithmetic, and each price is paid for every MAC and SynOp", () => {
  close(priced(ANN, 0).total, 4600);
  const { arithmetic, reading, total } = priced({ macs: 10, synops: 100 }, 5);
  close(arithmetic, 46 + 90);
  close(reading, 550);
  close(total, arithmetic + reading);
});

test("at the break-even price both cost the same: cheaper below, dearer above", () => {
  for (const counted of [
    { macs: 0, synops: 3000 },
    { macs: 500, synops: 800 },
  ]) {
    const x = breakEven(ANN, counted);
    close(priced(counted, x).total, priced(ANN, x).total);
    assert.ok(priced(counted, 0.9 * x).total < priced(ANN, 0.9 * x).total);
    assert.ok(priced(counted, 1.1 * x).total > priced(ANN, 1.1 * x).total);
  }
  assert.equal(breakEven(ANN, { macs: 0, synops: 800 }), Number.POSITIVE_INFINITY); // fewer reads, and cheaper ones
  assert.equal(breakEven(ANN, { macs: 1000, synops: 1 }), 0);
});

test("the sentence names every network on its side of the ANN", () => {
  const rows = [
    { title: "a", ratio: 0.8 },
    { title: "b", ratio: 1 },
    { title: "c", ratio: 0.04 },
  ];
  const [given, result] = comparison(rows, { zeros: "skipped", price: 5, exit_step: 6 });
  assert.match(given, /Every network skips zeros, and reading a weight costs 5\u202fpJ/);
  assert.match(result, /exit 6, .* less than in the ANN with c \(0\.04.*, a \(0\.80.*; as much or more with b \(1\.00/);
  const [multiplied, cheap] = comparison(rows.slice(2), { zeros: "multiplied", price: 0, exit_step: 8 });
  assert.match(multiplied, /The ANN and direct multiply zeros/);
  assert.match(cheap, /as much or more with none\.$/);
  assert.deepEqual([0, 12.34, Number.POSITIVE_INFINITY].map(breakEvenText), [
    "at no price",
    "up to 12\u202fpJ",
    "at every price",
  ]);
  assert.deepEqual([0, 0.45, 650].map(priceText), ["0\u202fpJ", "0.5\u202fpJ", "650\u202fpJ"]);
});
