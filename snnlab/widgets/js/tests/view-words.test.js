/** What the explorers say: state and frame in, sentences out. */
import assert from "node:assert/strict";
import test from "node:test";
import { BrowserEngine } from "../src/engine/index.js";
import { count } from "../src/language.js";
import { codeSummary, spokenCodes, summaryText } from "../src/view/text/code.js";
import * as words from "../src/view/text/frame.js";
import { asPython } from "../src/view/text/python.js";
import { engine, request } from "./helpers.js";

const side = (predictions, input = null) => ({
  image: new Float32Array([1, 0]),
  input,
  predictions: Int8Array.from(predictions),
});
const frame = (changes) => ({
  label: 7,
  target: 7,
  num_steps: 2,
  attacked: null,
  moved: 0,
  gradient_zero: null,
  clean: side([7, 7], new Float32Array([1, 0, 1, 0])),
  ...changes,
});
const state = (changes) => ({ attack: "pgd", attacker: "informed", eps: 0.1, exit_step: 2, ...changes });

test("a right answer is said by word, sign and tone", () => {
  assert.deepEqual(words.verdict(frame(), 2), { text: "Reads 7", note: "correct", tone: "right", sign: "✓" });
});

test("a wrong answer names the truth", () => {
  const shown = words.verdict(frame({ attacked: side([7, 3]) }), 2);
  assert.deepEqual(shown, { text: "Reads 3", note: "the truth is 7", tone: "wrong", sign: "✗" });
});

test("a silent network has not answered class zero", () => {
  const shown = words.verdict(frame({ clean: side([-1, -1]) }), 1);
  assert.equal(shown.text, "Silent: no answer");
  assert.equal(shown.tone, "wrong");
});

test("a drawn digit has no truth, and is held against the clean answer", () => {
  const drawn = { label: null, target: 7 };
  assert.equal(words.verdict(frame(drawn), 2).tone, "open");
  assert.equal(words.verdict(frame({ ...drawn, attacked: side([7, 7]) }), 2).note, "as without the attack");
  assert.equal(words.verdict(frame({ ...drawn, attacked: side([7, 3]) }), 2).note, "without the attack: 7");
});

test("an answer is read at the exit, and an ANN's at any exit", () => {
  assert.equal(words.answer(side([3, 7]), 1), 3);
  assert.equal(words.answer(side([3]), 8), 3);
});

test("the perturbation's own spikes are counted, up to the exit and on black pixels", () => {
  // Two pixels, the second black; three steps.
  const clean = new Float32Array([1, 0, 0, 0, 0, 0]);
  const attacked = new Float32Array([0, 0, 1, 0, 0, 1]);
  const found = words.difference(clean, attacked, 3, 2, new Float32Array([1, 0]));
  assert.deepEqual(found, { made: 2, read: 1, lost: 1, first: 2, black: 3 });
});

test("spikes that come after the exit are said to be unread", () => {
  const clean = side([7, 7], new Float32Array([1, 0, 1, 0]));
  const attacked = side([7, 7], new Float32Array([1, 0, 1, 1]));
  const said = words.effect(frame({ clean, attacked, moved: 0.5 }), state({ exit_step: 1 }), false).join(" ");
  assert.match(said, /PGD moved 50\u202f% of the pixels by at most 0\.10\./);
  assert.match(said, /Its only spike comes after the exit\./);
});

test("an attacker without gradient is called blind", () => {
  const attacked = side([7, 7], new Float32Array([1, 0, 1, 0]));
  const said = words.effect(frame({ attacked, gradient_zero: 0.81 }), state(), false).join(" ");
  assert.match(said, /zero on 81\u202f% of the pixels/);
});

test("without an attack the text says since when the answer stands", () => {
  const stands = frame({ clean: side([3, 7, 7, 7], new Float32Array(8)), num_steps: 4 });
  assert.deepEqual(words.effect(stands, state({ attack: "none", exit_step: 4 }), false), [
    "Not attacked.",
    "It has said so since step 2.",
  ]);
  assert.match(words.effect(stands, state({ attack: "none", exit_step: 2 }), false)[1], /just come/);
  assert.match(words.effect(frame({ clean: side([7]) }), state({ attack: "none" }), false)[1], /no time/);
});

test("numbers are shown as they are", () => {
  assert.equal(words.epsText(0.1), "0.10");
  assert.equal(words.epsText(0.125), "0.125");
  assert.equal(words.percent(0.814), "81\u202f%");
  assert.equal(words.percent(0.004), "0.4\u202f%");
  assert.equal(words.percent(0), "0\u202f%");
  assert.equal(count(1234), "1,234");
});

test("curves show the worst case unless the reader asks for the attack that is chosen", () => {
  const key = (changes) => words.resultKey({ attacker: "naive", curve: "own", ...changes });
  assert.equal(words.resultKey({ attack: "pgd", attacker: "naive", curve: "worst" }), "worst");
  assert.equal(key({ attack: "none" }), "worst");
  assert.equal(key({ attack: "noise" }), "noise");
  assert.equal(key({ attack: "fgsm" }), "fgsm.naive");
  assert.equal(key({ attack: "pgd", attacker: "informed" }), "pgd.informed");
  assert.equal(key({ attack: "pgd", attacker: "spike_train" }), "spike_train");
});

test("an attack towards a class says whether it got there, and claims no curves", () => {
  const reached = frame({ attacked: side([7, 3]), towards: 3 });
  assert.equal(words.verdict(reached, 2).note, "the truth is 7; target reached");
  assert.match(words.effect(reached, state(), true).join(" "), /The target 3 is reached\./);
  const missed = frame({ attacked: side([7, 2]), towards: 3 });
  assert.equal(words.verdict(missed, 2).note, "the truth is 7; target 3 not reached");
  assert.match(words.effect(missed, state(), true).join(" "), /The target 3 is not reached: it reads 2\./);
  const own = frame({ towards: 7 });
  assert.equal(words.verdict(own, 2).note, "correct; the target is its own class");
  assert.match(words.effect(own, state(), true).join(" "), /Not attacked: 7 is this image's own class/);
  const aimed = state({ target: 3, curve: "own" });
  assert.equal(words.resultKey(aimed), "worst");
  assert.match(words.curveTitle(aimed, 8), /worst case of all attacks, which have no target/);
  assert.equal(words.resultKey(state({ attack: "noise", target: 3, curve: "own" })), "noise");
  assert.match(words.spoken(missed, aimed, "onset"), /PGD, informed, towards 3, epsilon 0\.10/);
  assert.deepEqual(words.flipText(0.1, 0.3, 3), ["First read as 3 at ε = 0.10."]);
});

test("a tie is said, and that the potential decides it", () => {
  const tie = { ...side([7, 7]), votes: Float32Array.from([2, 2, 3, 1]), membrane: new Float32Array(4) };
  assert.equal(words.verdict(frame({ clean: tie }), 1).note, "correct; tie, decided by potential");
  assert.equal(words.verdict(frame({ clean: tie }), 2).note, "correct");
  assert.deepEqual(words.tied({ ...tie, membrane: null }, 1), []);
});

test("the spoken sentence holds the state and the outcome", () => {
  const said = words.spoken(frame({ attacked: side([7, 3]) }), state(), "onset");
  assert.equal(said, "onset, PGD, informed, epsilon 0.10, exit 2: Reads 3, the truth is 7.");
});

test("every state of a real engine has a verdict and an effect", async () => {
  const real = engine();
  for (const { name } of (await real.zoo()).models) {
    for (const attack of ["none", "noise", "fgsm", "pgd"]) {
      const asked = request({ encoding: name, attack, exit_step: 3 });
      const shown = await real.run(asked);
      assert.ok(words.verdict(shown, 3).text.length > 5);
      assert.ok(words.effect(shown, asked, name === "direct").every((sentence) => sentence.endsWith(".")));
    }
  }
});

const SHAPE = [1, 1, 3];
const IMAGE = new Float32Array([1, 0.5, 0]);
const codes = (name, eps, attack = "brighten") =>
  new BrowserEngine().encode({ image: IMAGE, shape: SHAPE, encoders: [name], eps, attack });

test("a perturbation of a black pixel spikes late under onset, and at once under offset", async () => {
  const eps = 0.3;
  const summarise = async (name) => codeSummary(name, (await codes(name, eps)).codes[name], 8, IMAGE);
  assert.equal((await summarise("onset")).black, 7);
  assert.equal((await summarise("latency")).black, 6);
  assert.equal((await summarise("offset")).black, 1);
});

test("a current is not counted as spikes", async () => {
  const { codes: made } = await codes("direct", 0.1);
  const summary = codeSummary("direct", made.direct, 8, IMAGE);
  assert.deepEqual(summaryText(summary, 8), ["A current at every step.", "ε flows in from step 1."]);
  const fused = "fusion(direct, latency)";
  const both = codeSummary(fused, (await codes(fused, 0.1)).codes[fused], 8, IMAGE);
  assert.equal(both.total, 2);
  assert.match(summaryText(both, 8)[0], /A current at every step and 2 spikes\./);
});

test("without a change nothing is said about one", async () => {
  const { codes: made } = await codes("onset", 0);
  const summary = codeSummary("onset", made.onset, 8, IMAGE);
  assert.equal(summaryText(summary, 8)[1], "");
  assert.equal(spokenCodes([{ name: "onset", ...summary }], 0), "With epsilon 0.00 black pixels act: onset never.");
});

const tie = (exit) => {
  const votes = Float32Array.of(1, 0, 2, 2);
  return { votes, membrane: Float32Array.of(0, 0, 0.25, 0.75), predictions: Int8Array.of(0, exit) };
};

test("a tie names the classes and the potentials that decide, the winner first; without one there is no sentence", () => {
  assert.deepEqual(words.tieText(tie(1), 2), [
    "A tie at 2 votes: the output potential decides, 0.75 of class 1 against 0.25 of class 0.",
  ]);
  assert.deepEqual(words.tieText(tie(1), 1), []);
  assert.deepEqual([0, 1].map(words.voteLabels(tie(1), 2)), ["= 2", "= 2"]);
  assert.deepEqual([0, 1].map(words.voteLabels(tie(1), 1)), ["1", "0"]);
});

test("a state as Python has every setting once, numbers as an address has them, and the reader's networks by name", () => {
  const text = asPython("exit", { image: 3, encoding: "latency", eps: 0.1, exit_step: 8, drawing: [] });
  assert.equal(
    text,
    `from snnlab.widgets import ExitExplorer

explorer = ExitExplorer(
    image=3,
    encoding="latency",
    eps=0.1,
    exit_step=8,
)
explorer.result()  # what is shown, as arrays; explorer shows it
`,
  );
  assert.match(asPython("robustness", { image: 0 }, true), /\(\n {4}net, images, labels,\n {4}image=0,/);
  assert.match(
    asPython("training", { image: -1, drawing: [0, 255] }, true),
    /models, images, labels,[\s\S]*drawing=\[0, 255\]/,
  );
});
