/** How codes are written: the grammar of snnlab/encoding/registry.py, and codes that bring their edges. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { derivative, encode, encoder, parse, partsOf } from "../src/engine/index.js";

const GREYS = Float32Array.from({ length: 256 }, (_, v) => v / 255);

test("arguments, gates and options are read inside nested brackets", () => {
  assert.deepEqual(parse(" shuffled( fusion(direct, latency), order = 1 0 ) "), {
    name: "shuffled",
    args: ["fusion(direct, latency)"],
    options: { order: "1 0" },
  });
  const nested = "fusion(direct, 0.5*fusion(latency, 0.5*onset(rounding=up)))";
  const parts = [
    ["direct", 1],
    ["latency", 0.5],
    ["onset(rounding=up)", 0.25],
  ].map(([name, gate]) => ({ name, gate }));
  assert.deepEqual(partsOf(nested), parts);
  assert.deepEqual(
    encoder(nested).parts.map(({ name, gate }) => ({ name, gate })),
    parts,
  );
  assert.equal(encoder(nested).name, nested);
  for (const title of ["latency", "shuffled(latency, order=1 0)", "my net, the second"]) {
    assert.deepEqual(partsOf(title), [{ name: title, gate: 1 }]);
  }
});

test("a nested fusion is its parts side by side, and a rounding is that of the option", () => {
  const sequence = encode(encoder("fusion(direct, fusion(latency, onset(rounding=up)))"), GREYS);
  const parts = ["direct", "latency", { name: "onset", rounding: "up" }].map((code) => encode(encoder(code), GREYS));
  for (let t = 0; t < 8; t++) {
    parts.forEach((part, k) => {
      const row = sequence.subarray((3 * t + k) * 256, (3 * t + k + 1) * 256);
      assert.deepEqual(row, part.subarray(256 * t, 256 * (t + 1)));
    });
  }
});

test("negative encodes 1 - x and turns the gradient, shuffled moves the steps", () => {
  const mirrored = GREYS.map((x) => Math.fround(1 - x));
  const order = [1, 3, 7, 5, 2, 6, 0, 4];
  for (const name of ["onset", "latency", "phase", "offset(rounding=down)"]) {
    const [plain, negative] = [encoder(name), encoder(`negative(${name})`)];
    const [a, b] = [encode(plain, mirrored), encode(negative, GREYS)];
    assert.deepEqual(b, a);
    for (const rule of ["straight_through", "relaxed"]) {
      const [d, e] = [derivative(plain, 0, rule, mirrored, a), derivative(negative, 0, rule, GREYS, b)];
      assert.ok(
        d.every((v, k) => Math.abs(v + e[k]) < 1e-5),
        `${name}, ${rule}`,
      );
    }
    const moved = encode(encoder(`shuffled(${name}, order=${order.join(" ")})`), mirrored);
    order.forEach((from, t) => {
      assert.deepEqual(moved.subarray(256 * t, 256 * (t + 1)), a.subarray(256 * from, 256 * (from + 1)));
    });
  }
});

test("a code that no one has named is computed from its edges", () => {
  const edges = [
    [0.25, 0, 0.5],
    [0.75, 0, -0.5],
    [0.5, 1, 1],
  ];
  const code = encoder({ name: "grey first", num_steps: 2, edges, dark: [0, 0.25] });
  const sequence = encode(code, Float32Array.of(0, 0.25, 0.5, 0.75));
  assert.deepEqual([...sequence], [0, 0.5, 0.5, 0, 0.25, 0.25, 1.25, 1.25]);
  assert.equal(code.name, "grey first");
});

test("what cannot be read is refused with what is expected", () => {
  const refused = [
    ["fusion(direct, latency", /brackets of "fusion\(direct, latency" do not match/],
    ["fusion(direct, , latency)", /an empty argument/],
    ["fusion(direct, morse)", /unknown encoding "morse"; choose one of direct, poisson, onset/],
    ["negative(direct)", /"direct" is no step code/],
    ["negative(onset, latency)", /takes one code in its brackets/],
    ["shuffled(latency, order=0 1)", /a permutation of the steps 0 … 7/],
    ["onset(rounding=sideways)", /unknown rounding "sideways"/],
  ];
  for (const [text, says] of refused) assert.throws(() => encoder(text), says);
});
