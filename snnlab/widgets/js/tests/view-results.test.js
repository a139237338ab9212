/** The table of results: shares pooled over seeds, the fair rival, and a verdict that says when a ratio says nothing. */
import assert from "node:assert/strict";
import test from "node:test";
import { wilson } from "../src/engine/index.js";
import {
  claimed,
  curveOf,
  decoded,
  exitsOf,
  fairAnn,
  levelsOf,
  nearestLevel,
  readAt,
} from "../src/view/model/results-table.js";
import { intervalText } from "../src/view/text/frame.js";
import { facts, finding, flagsOf, how, levelText, spoken, threatOf } from "../src/view/text/results.js";

const part = (exits, correct, flags = {}) => ({ eps: [0, 2, 4], exits, correct, flags });

/** Two ANNs, a spiking network with two seeds and two exits, one that was trained on attacked pictures. */
const RECORD = {
  n: 100,
  num_steps: 2,
  chance: 0.1,
  source: "ann",
  dataset: "things",
  seeds: { ann: [0], second: [0], direct: [0, 1], robust: [0] },
  threats: { transfer: ["transfer"], adaptive: ["worst"] },
  attacks: { transfer: "PGD made elsewhere", worst: "all of them" },
  models: [
    { name: "ann", title: "ANN", kind: "ann", rule: "bptt", code: "ann" },
    { name: "second", title: "second ANN", kind: "ann", rule: "bptt", code: "ann" },
    { name: "direct", title: "direct", kind: "snn", rule: "bptt", code: "direct" },
    { name: "robust", title: "direct", kind: "snn", rule: "pgd", code: "direct" },
  ],
  results: {
    ann: { current: part([1], { worst: [[[80, 5, 0]]] }) },
    second: { current: part([1], { worst: [[[80, 6, 0]]], transfer: [[[80, 30, 10]]] }) },
    direct: {
      current: part(
        [1, 2],
        {
          worst: [
            [
              [50, 10, 0],
              [70, 14, 0],
            ],
            [
              [50, 10, 0],
              [72, 16, 0],
            ],
          ],
          transfer: [
            [
              [50, 40, 30],
              [70, 50, 40],
            ],
            [
              [50, 40, 30],
              [72, 54, 44],
            ],
          ],
        },
        { worst: ["more steps still help"] },
      ),
      ttfs: part([2], { worst: [[[60, 3, 0]], [[64, 5, 0]]] }),
    },
    robust: { current: part([2], { worst: [[[60, 50, 40]]] }) },
  },
};

const at = (changes = {}) => ({ against: "transfer", decoder: "current", exit: 2, level: 4, ...changes });

test("seeds are pooled, and each is told", () => {
  const read = readAt(RECORD, "direct", at());
  const { share, low, high } = wilson(42, 100); // of the pictures there are, however many runs answer them
  assert.deepEqual(read, { eps: 4, share, low, high, seeds: [0.4, 0.44] });
  assert.deepEqual(
    curveOf(RECORD, "direct", at({ exit: 1 })).map((p) => p.share),
    [0.5, 0.4, 0.3],
  );
});

test("an ANN answers alike at every exit and through every decoding; a spiking network does not", () => {
  assert.equal(readAt(RECORD, "second", at({ exit: 1 })).share, 0.1);
  assert.equal(readAt(RECORD, "second", at({ decoder: "ttfs" })).share, 0.1);
  assert.equal(readAt(RECORD, "direct", at({ decoder: "ttfs" })), null);
  assert.equal(readAt(RECORD, "direct", at({ against: "worst", decoder: "ttfs", level: 2 })).share, 0.04);
  assert.equal(decoded(RECORD, "nothing", "current"), undefined);
  assert.deepEqual(exitsOf(RECORD, "current"), [1, 2]);
});

test("what was not measured is none, not zero", () => {
  assert.equal(readAt(RECORD, "ann", at()), null);
  assert.equal(readAt(RECORD, "robust", at({ exit: 1, against: "worst" })), null);
  assert.equal(readAt(RECORD, "robust", at({ exit: 2, against: "worst" })).share, 0.4);
  assert.equal(readAt(RECORD, "direct", at({ level: 8 })), null);
});

test("how many runs there were is said of all networks", () => {
  assert.match(facts(RECORD), /1 or 2 training runs$/);
  const even = { ...RECORD, seeds: { ann: [0], second: [0] } };
  assert.match(facts(even), /· 1 training run$/);
});

test("a little is not nothing, at the ends of an interval neither", () => {
  assert.equal(intervalText({ low: 0.001, high: 0.006 }).replaceAll("\u2060", ""), "[0.1–0.6]");
  assert.equal(intervalText({ low: 0, high: 0.042 }).replaceAll("\u2060", ""), "[0–4]");
});

test("a seed that was measured at fewer exits counts where it was", () => {
  const uneven = structuredClone(RECORD);
  for (const seeds of Object.values(uneven.results.direct.current.correct)) seeds[1][0] = null;
  assert.deepEqual(readAt(uneven, "direct", at()).seeds, [0.4, 0.44]);
  assert.deepEqual(readAt(uneven, "direct", at({ exit: 1 })).seeds, [0.3]);
});

test("under transfer the rival is the ANN on which the attack was not made", () => {
  assert.equal(fairAnn(RECORD, "transfer").name, "second");
  assert.equal(fairAnn(RECORD, "adaptive").name, "ann");
});

test("the factor of two is reached, missed, not decided, or means nothing", () => {
  const clear = claimed(RECORD, "transfer", at());
  assert.equal(clear.state, "undecided"); // four times as much, but 33 % at least and twice 17 % at most leave room
  assert.ok(Math.abs(clear.ratio - 4.2) < 1e-9);
  assert.equal(claimed(RECORD, "transfer", at({ level: 2 })).state, "undecided"); // 52 of 100 against 30
  assert.equal(claimed(RECORD, "transfer", at({ level: 0 })).state, "missed"); // 71 against 80
  assert.equal(claimed(RECORD, "adaptive", at({ against: "worst", level: 4 })).state, "chance");
  assert.equal(claimed(RECORD, "adaptive", at({ against: "worst", level: 2, exit: 1 })).state, "chance");
  assert.equal(claimed(RECORD, "transfer", at({ level: 8 })).state, "unmeasured");
  const more = structuredClone(RECORD);
  more.results.second.current.correct.transfer = [[[80, 30, 3]]];
  assert.equal(claimed(more, "transfer", at()).state, "reached");
});

test("where the ANN has nothing correct there is no ratio, and none is shown", () => {
  const nothing = structuredClone(RECORD);
  nothing.results.second.current.correct.transfer = [[[80, 30, 0]]];
  const { verdict, sentence } = finding(nothing, "transfer", at());
  assert.equal(claimed(nothing, "transfer", at()).ratio, null);
  assert.equal(verdict, "no ratio");
  assert.doesNotMatch(verdict + sentence, /∞|Infinity|NaN/);
});

test("a level is offered where at least half of the networks were measured", () => {
  assert.deepEqual(levelsOf(RECORD), [0, 2, 4]);
  const further = structuredClone(RECORD);
  further.results.robust.current.eps = [0, 2, 8];
  assert.deepEqual(levelsOf(further), [0, 2, 4]);
  further.results.direct.current.eps = [0, 2, 8];
  assert.deepEqual(levelsOf(further), [0, 2, 4, 8]);
});

test("networks trained on attacked pictures do not count for the claim on plain ones", () => {
  assert.equal(claimed(RECORD, "adaptive", at({ against: "worst" })).best.model.name, "direct");
});

test("the claim is one on fused codes: where a table has any, a better code that is not fused does not decide", () => {
  const both = structuredClone(RECORD);
  both.models.push({ name: "fused", title: "direct + onset", kind: "snn", rule: "bptt", code: "fusion" });
  both.results.fused = structuredClone(both.results.direct);
  for (const seed of both.results.fused.current.correct.transfer)
    for (const row of seed) for (const k of row.keys()) row[k] = Math.min(row[k], 20);
  const found = claimed(both, "transfer", at());
  assert.equal(found.best.model.name, "fused");
  assert.ok(found.ratio < claimed(RECORD, "transfer", at()).ratio);
  const { sentence } = finding(both, "transfer", at());
  assert.match(sentence, /the best fused code, direct \+ onset, has an accuracy of 20/);
  assert.match(sentence, /The best spiking network of all, direct, is not fused: 42/);
  assert.doesNotMatch(finding(RECORD, "transfer", at()).sentence, /fused/);
});

test("a verdict tells both numbers, with their intervals", () => {
  const { verdict, sentence, tone } = finding(RECORD, "transfer", at());
  assert.equal(verdict, "4.2 ×");
  assert.equal(tone, "none");
  assert.match(
    sentence,
    /At ε = 4\/255 the best spiking network, direct, has an accuracy of 42\u202f% \[3\d.*\], the second ANN 10\u202f% \[/,
  );
  assert.match(finding(RECORD, "adaptive", at({ against: "worst" })).sentence, /so a ratio says nothing/);
  assert.match(finding(RECORD, "transfer", at({ level: 0 })).sentence, /^On clean pictures/);
  assert.equal(finding(RECORD, "transfer", at({ level: 8 })).verdict, "not measured");
  assert.match(spoken(RECORD, "transfer", at()), /^transfer, PGD-20, epsilon 4\/255, exit 2\. 4\.2 ×\./);
});

test("a verdict carries the flags of the number that it rests on", () => {
  assert.match(finding(RECORD, "adaptive", at({ against: "worst" })).sentence, /⚑ direct: more steps still help\.$/);
  assert.doesNotMatch(finding(RECORD, "transfer", at()).sentence, /⚑/);
});

test("levels are grey levels of 255, and the nearest that was measured is taken", () => {
  assert.equal(nearestLevel([0, 0.5, 1, 2, 4], 2 / 255), 2);
  assert.equal(nearestLevel([0, 0.5, 1, 2, 4], 0.5), 4);
  assert.deepEqual([0, 0.5, 4].map(levelText), ["0", "½/255", "4/255"]);
});

test("flags are never dropped, and an unknown attack is said with those that are known", () => {
  assert.deepEqual(flagsOf(RECORD, at({ against: "worst" })), ["direct: more steps still help"]);
  assert.ok(how(RECORD, "worst", ["direct: more steps still help"]).some((text) => text.includes("more steps still help")));
  assert.equal(threatOf(RECORD, "transfer"), "transfer");
  assert.throws(() => threatOf(RECORD, "magic"), /choose one of transfer, worst/);
});

test("where one training run alone was measured, it says so, exit by exit", () => {
  const direct = { ...RECORD, models: [RECORD.models[2]] };
  assert.deepEqual(flagsOf(direct, at()), []);
  const later = structuredClone(direct);
  later.results.direct.current.correct.transfer[1][0] = null; // the second seed has no first exit
  assert.deepEqual(flagsOf(later, at({ exit: 1 })), ["direct: single seed at this exit"]);
  assert.deepEqual(flagsOf(later, at({ exit: 2 })), []);
});
