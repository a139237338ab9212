import assert from "node:assert/strict";
import { test } from "node:test";
import { DECODERS } from "../src/engine/decode.js";
import { mapsText } from "../src/picture/blocks-panel.js";
import { cropped, doneText } from "../src/picture/opener.js";
import { TASKS } from "../src/picture/task.js";
import { changed, effect, leaders, levelText, snapped, spoken, verdict } from "../src/picture/text.js";

const NAMES = ["airplane", "frog", "ship"];

function frame(more = {}) {
  const side = {
    image: Float32Array.of(0.5, 0.2),
    input: Float32Array.of(1, 0, 0, 1),
    blocks: Uint8Array.of(1, 0, 1, 0, 0, 1),
    votes: Float32Array.of(0, 1, 0, 0, 2, 0.5),
    membrane: null,
    predictions: Int8Array.of(1, 1),
  };
  const base = { label: 1, target: 1, clean: side, attacked: null, num_steps: 2, moved: 0, gradient_zero: 0 };
  return {
    ...base,
    maps: [
      [1, 1, 1],
      [2, 1, 1],
    ],
    ...more,
  };
}

function attacked() {
  const clean = frame().clean;
  const other = {
    ...clean,
    input: Float32Array.of(1, 1, 0, 0),
    blocks: Uint8Array.of(1, 1, 1, 0, 0, 1),
    votes: Float32Array.of(0, 1, 0, 3, 2, 0.5),
    predictions: Int8Array.of(1, 0),
  };
  return frame({ attacked: other, moved: 0.5 });
}

const STATE = { attack: "fgsm", attacker: "informed", eps: 2 / 255, exit_step: 2 };

test("ε is written in grey levels", () => {
  assert.equal(levelText(2 / 255), "2/255");
  assert.equal(levelText(0.25 / 255), "0.25/255");
  assert.equal(snapped(0.0078), 2 / 255); // an address keeps four digits
  assert.equal(snapped(0.1), 0.1);
});

test("an answer is a name, and right or wrong by the class that is known, or by the answer before", () => {
  assert.deepEqual(verdict(frame(), 2, NAMES), { text: "Reads frog", note: "correct", tone: "right", sign: "✓" });
  assert.equal(verdict(attacked(), 2, NAMES).note, "it shows: frog");
  assert.equal(verdict(frame({ label: null }), 2, NAMES).note, "your picture");
  assert.equal(verdict({ ...attacked(), label: null }, 2, NAMES).note, "without the attack: frog");
});

test("the effect counts spikes of the input, and neurons of each block whose spikes changed", () => {
  assert.deepEqual(changed(attacked()), [0, 0.5]);
  const words = effect(attacked(), STATE, NAMES).join(" ");
  assert.match(words, /FGSM \(informed\) moved 50.% of the values by at most 2\/255\./);
  assert.match(words, /In the input it made 1 spike, the first in step 1, and took 1 away\./);
  assert.match(words, /block by block: 0.%, 50.%\. Clean, it reads frog\./);
});

test("a clean picture says since when it is read so, a network without steps that it has none", () => {
  assert.deepEqual(effect(frame(), STATE, NAMES), ["Not attacked. It reads frog from the first step on."]);
  const timeless = frame();
  timeless.clean = { ...timeless.clean, input: null };
  assert.match(effect(timeless, STATE, NAMES)[0], /has no time/);
});

test("the read-out for those who cannot see names attack, ε, answer and the strongest classes", () => {
  assert.equal(spoken(frame(), { ...STATE, attack: "none" }, "latency", NAMES), "latency, no attack: Reads frog, correct.");
  assert.match(spoken(attacked(), STATE, "latency", NAMES), /FGSM, informed, epsilon 2\/255: Reads airplane/);
  assert.deepEqual(leaders(frame().clean, 2, NAMES), ["frog 2.0", "ship 0.5", "airplane 0.0"]);
});

test("a picture is cropped to its middle square, and the menu reports it", () => {
  const data = Uint8ClampedArray.from({ length: 4 * 4 * 2 }, (_, k) => Math.floor(k / 4)); // 4 × 2 pixels 0 … 7
  const square = cropped({ data, width: 4, height: 2 });
  assert.deepEqual([square.width, square.height], [2, 2]);
  assert.deepEqual(
    [...square.data].filter((_, k) => k % 4 === 0),
    [1, 2, 5, 6],
  );
  assert.equal(doneText({ width: 4, height: 2 }, ["scaled"]), "cropped to its middle square, scaled");
  assert.equal(doneText({ width: 2, height: 2 }, ["scaled"]), "scaled");
});

test("maps of the blocks are described by their number and size", () => {
  assert.equal(
    mapsText([
      [32, 16, 16],
      [64, 8, 8],
    ]),
    "32 maps of 16×16, 64 of 8×8",
  );
});

test("the charge of an output is its potential and the spikes before, and the potential carries its gradient", () => {
  const spikes = Uint8Array.of(1, 0, 1, 0);
  const membrane = Float32Array.of(1.5, 0.25, 1.25, 0.5);
  assert.deepEqual([...DECODERS.current.votes({ spikes, membrane }, 2)], [1.5, 0.25, 2.25, 0.5]);
  const { spikes: none, membrane: grad } = DECODERS.current.backward(Float64Array.of(1, -1), { spikes, membrane }, 1);
  assert.deepEqual([...none], [0, 0, 0, 0]);
  assert.deepEqual([...grad], [1, -1, 0, 0]);
});

/** A network of a convolution of one weight, neurons, and a read-out of two classes. */
function payload() {
  const int8 = (...values) => ({ int8: btoa(String.fromCharCode(...values)), exponent: values.map(() => 0) });
  const one = (value) => ({
    float32: btoa(String.fromCharCode(...new Uint8Array(Float32Array.of(value).buffer))),
    count: 1,
  });
  const neuron = (shape, beta) => {
    const about = { kind: "neuron", inputs: shape, outputs: shape, beta: one(beta), threshold: one(1), reset: "subtract" };
    return { ...about, surrogate: { shape: "sigmoid", slope: 4 } };
  };
  const conv = { kind: "conv", inputs: [1, 2, 2], outputs: [1, 2, 2], kernel: [1, 1], stride: [1, 1], padding: [0, 0] };
  const average = {
    kind: "average",
    inputs: [1, 2, 2],
    outputs: [1, 1, 1],
    kernel: [2, 2],
    stride: [2, 2],
    padding: [0, 0],
  };
  const linear = { kind: "linear", inputs: [1], outputs: [2], weight: int8(1, 2), bias: null };
  const layers = [
    { ...conv, dilation: [1, 1], groups: 1, weight: int8(2), bias: null },
    neuron([1, 2, 2], 0.5),
    average,
    linear,
    neuron([2], 1),
  ];
  const model = { name: "tiny", encoder: { name: "direct", num_steps: 2 }, decoder: "current", threshold: 1, eot: 1 };
  return {
    model: { ...model, attack_surrogate: { shape: "arctan", slope: 2 }, spike_train: null },
    network: { inputs: [1, 2, 2], potential: true, population: 1, layers },
  };
}

test("the worker's task answers with both sides, the spikes of the hidden blocks, and their shapes", async () => {
  const made = TASKS.picture.prepare({ payload: payload(), numSteps: 2 });
  const image = Float32Array.of(0.9, 0.1, 0.6, 0.4);
  const request = {
    image,
    shape: [1, 2, 2],
    label: 1,
    encoding: "tiny",
    attack: "fgsm",
    attacker: "naive",
    eps: 0.1,
    exit_step: 2,
  };
  const answer = await TASKS.picture.each(made, {}, request, undefined);
  assert.deepEqual(answer.maps, [[1, 2, 2]]);
  assert.deepEqual([...answer.clean.blocks], [1, 0, 1, 0, 1, 0, 0, 1]);
  assert.ok(answer.attacked.image.every((x, p) => Math.abs(x - image[p]) < 0.1001));
  assert.equal(answer.computed_by, "browser");
});
