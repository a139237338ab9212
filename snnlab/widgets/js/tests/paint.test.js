/** Painted codes: tables and their names, the grammar of a line, and when ε on black acts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode, encoder } from "../src/engine/index.js";
import { LINES, RuleError, readRule } from "../src/paint/rule.js";
import { edgesOf, firstAct, nameOf, painted, resized, rowsOf, rowsWhere, TURNS } from "../src/paint/table.js";
import { actText, measuredText, tableText } from "../src/paint/text.js";
import { payloadOf } from "../src/play/payload.js";

const GREYS = Float32Array.from({ length: 256 }, (_, v) => v / 255);
const ruled = (line, steps, levels, p = 1) => {
  const { fires } = readRule(line);
  return rowsWhere((x, t) => fires({ x, t, T: steps, p }), steps, levels);
};

test("a code painted from a code of the vocabulary fires as that code does, at all 256 grey levels", () => {
  for (const name of Object.keys(LINES)) {
    for (const [steps, levels] of [
      [8, 16],
      [4, 32],
      [2, 2],
    ]) {
      const copy = encoder(nameOf(rowsOf(name, steps, levels)), steps);
      assert.deepEqual(encode(copy, GREYS), encode(encoder(name, steps), GREYS), `${name}, ${steps} steps`);
    }
  }
});

test("the line of a code paints what the code is", () => {
  for (const [name, line] of Object.entries(LINES)) assert.deepEqual(ruled(line, 8, 16), rowsOf(name, 8, 16), name);
});

test("painting a cell changes that cell alone, and a name brings its rows back", () => {
  const rows = rowsOf("latency", 4, 4);
  assert.deepEqual(rows, ["0000", "0001", "0010", "0100", "1000"]);
  const next = painted(rows, 0, 2, true);
  assert.deepEqual(next, ["0010", "0001", "0010", "0100", "1000"]);
  assert.equal(painted(rows, 1, 3, true), rows);
  assert.deepEqual(rowsOf(nameOf(next), 8, 16), next);
});

test("edges lie where neighbouring rows differ", () => {
  assert.deepEqual(edgesOf(["00", "01", "10"]), [
    { row: 1, step: 1, gained: true },
    { row: 2, step: 0, gained: true },
    { row: 2, step: 1, gained: false },
  ]);
});

test("ε on black acts first in the earliest step that any intensity up to ε changes", () => {
  const rows = rowsOf("latency", 8, 16);
  for (const eps of [0.05, 0.1, 0.2, 0.3]) assert.equal(firstAct(rows, eps), Math.floor((1 - eps) * 8) + 1);
  assert.equal(firstAct(rowsOf("offset", 8, 16), 0.01), 1);
  assert.equal(firstAct(["10", "10", "01"], 0.5), null);
  assert.equal(firstAct(["10", "10", "01"], 0.51), 1);
  assert.match(actText(rows, 0.1), /acts first in step 8 of 8: an exit at step 7 or before reads none/);
  assert.match(actText(["10", "10"], 0.1), /changes no spike/);
  assert.match(tableText(["00", "01", "10"], 0), /3 spike trains .* 3 edges \(2 gain a spike, 1 lose one\)/);
});

test("an accuracy that rises with ε is a flag on the attack", () => {
  const counts = (...rights) => rights.map((right, k) => ({ eps: k / 10, right, n: 100 }));
  assert.match(
    measuredText("your code 1", counts(90, 40, 60), "FGSM"),
    /^Your code 1 under FGSM: 90.*of 100 test digits\. It rises/,
  );
  assert.doesNotMatch(measuredText("your code 1", counts(90, 40, 40), "FGSM"), /rises/);
  assert.equal(measuredText("your code 1", [], "FGSM"), "");
});

test("a grid of another size keeps what fits", () => {
  const rows = rowsOf("latency", 4, 4);
  assert.deepEqual(resized(rows, 5, 4), ["00000", "00010", "00100", "01000", "10000"]);
  assert.deepEqual(resized(resized(rows, 4, 8), 4, 4), rows);
  for (const turn of [TURNS.invert, TURNS["turn time"], TURNS["swap dark and bright"]]) {
    assert.deepEqual(turn(turn(rows)), rows);
  }
});

test("lines are read with their precedence, chains and words", () => {
  const scope = { x: 0.5, t: 2, T: 8, p: 2 };
  const holds = (line) => readRule(line).fires(scope);
  for (const line of [
    "2 + 3 * 4 == 14",
    "-2 ** 2 == -4",
    "2 ** 3 ** 2 == 512",
    "(1 - x) ** p * T == t",
    "0 < x <= 0.5 and not t == 1",
    "t == 1 or t == 2 and x < 1",
    "fire when min(t, T) % 2 == 0",
    "-1 % 4 == 3",
    "abs(sin(pi)) < 1e-9",
    "not (x > 0.5 or t > 4)",
  ]) {
    assert.equal(holds(line), true, line);
  }
  assert.deepEqual([...readRule("t == floor((1 - x) ** p * T)").uses].sort(), ["T", "p", "t", "x"]);
});

test("what cannot be read is an error at its character", () => {
  const wrong = [
    ["fire when t == flor(x)", 15, /"flor" is not known/],
    ["t == ", 5, /a number, x, t, T or p is expected, not the end/],
    ["t = 3", 2, /write "==" for "="/],
    ["x > 0.5 && t == 1", 8, /write "and"/],
    ["t + 1", 0, /a condition is expected/],
    ["(x > 0) + 1 > 0", 0, /a number is expected/],
    ["t == min(x)", 5, /min takes 2 numbers, not 1/],
    ["t == (x", 7, /"\)" is expected/],
    ["t == 1 2", 7, /an operator or the end is expected, not "2"/],
    ["x > constructor", 4, /not known/],
    ["x # 3", 2, /has no meaning/],
    ["fire t == 1", 5, /"when" is expected/],
  ];
  for (const [line, at, says] of wrong) {
    assert.throws(
      () => readRule(/** @type {string} */ (line)),
      (error) => error instanceof RuleError && error.at === at && /** @type {RegExp} */ (says).test(error.message),
      /** @type {string} */ (line),
    );
  }
});

test("a table that is none says what is expected", () => {
  for (const text of ["table", "table(rows=00)", "table(rows=00 0)", "table(rows=00 02)", "table(rows=000 001)"]) {
    assert.throws(() => encoder(text, 2), /a table has two or more rows of num_steps = 2 signs each/);
  }
});

test("a trained network is described as one of the zoo", () => {
  const recipe = {
    code: "table(rows=00 01 10)",
    steps: 2,
    beta: 0.9,
    hidden: 3,
    surrogate: "sigmoid",
    slope: 4,
    loss: "count",
  };
  const weights = { w1: new Float32Array(12), b1: new Float32Array(3), w2: new Float32Array(30), b2: new Float32Array(10) };
  const payload = payloadOf(
    /** @type {any} */ (recipe),
    weights,
    { attack_surrogate: {}, spike_train: { steps: 1 } },
    "yours",
  );
  assert.deepEqual(payload.encoder, { name: recipe.code, num_steps: 2 });
  assert.equal(payload.layers[0].inputs, 4);
  assert.equal(payload.decoder, "rate");
});
