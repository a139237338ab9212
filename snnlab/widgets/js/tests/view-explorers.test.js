/** What the explorers are made of beside pictures: fused codes, the reach of ε, populations, rules to leave. */
import assert from "node:assert/strict";
import test from "node:test";
import { wilson } from "../src/engine/index.js";
import { checkRule, leaves, peopleText } from "../src/view/controls/exit-rule.js";
import { atFixedExit, atThresholds, nearest } from "../src/view/model/exit-population.js";
import { firstReach, reachText } from "../src/view/model/first-reach.js";
import { gateNumber, gateText, memberTitle, mixesOf, partsOf } from "../src/view/model/fusion-names.js";
import { chosen, ofGroups, withLoss } from "../src/view/model/models.js";
import { ALL_RUNS, facts, flagsOf, ONE_RUN } from "../src/view/panels/caption.js";
import { activity, nanojoules, spokenColumns } from "../src/view/text/frame.js";

test("a fused code is read into parts and gates, any other code into itself", () => {
  assert.deepEqual(partsOf("fusion(0.125*direct, latency)"), [
    { name: "direct", gate: 0.125 },
    { name: "latency", gate: 1 },
  ]);
  assert.deepEqual(partsOf("onset"), [{ name: "onset", gate: 1 }]);
  assert.deepEqual([1 / 32, 0.25, 1, 0.453, 1.55].map(gateNumber), ["1/32", "1/4", "1", "0.45", "1.55"]);
  assert.equal(gateText({ name: "direct", gate: 0.125 }), "direct\n× 1/8");
  assert.equal(gateText({ name: "latency", gate: 1 }), "latency");
});

const FUSED = [
  ["fusion", "fusion(direct, latency)"],
  ["fusion-8th", "fusion(0.125*direct, latency)"],
  ["fusion-learned-fgsm", "fusion(0.3*direct, 1.7*latency)", "fgsm"],
  ["fusion-learned", "fusion(0.5*direct, 1.5*latency)"],
  ["latency", "latency"],
  ["fusion-onset-latency", "fusion(onset, latency)"],
].map(([name, encoding, rule = "bptt"]) => ({ name, encoding, rule }));

test("models of the same parts form a mix: by rising gate, learned gates last, single codes after all", () => {
  const mixes = mixesOf(FUSED);
  assert.deepEqual(
    mixes.map(({ name }) => name),
    ["direct + latency", "onset + latency", "latency"],
  );
  const [dial, onset, alone] = mixes;
  assert.deepEqual(
    dial.members.map(({ model, kind }) => [model.name, kind]),
    [
      ["fusion-8th", "fixed"],
      ["fusion", "fixed"],
      ["fusion-learned", "learned"],
      ["fusion-learned-fgsm", "hardened"],
    ],
  );
  assert.deepEqual(
    dial.members.map((member) => memberTitle(dial, member)),
    ["1/8 direct + latency", "direct + latency", "direct + latency, learned", "direct + latency, learned, FGSM"],
  );
  assert.equal(memberTitle(onset, onset.members[0]), "onset + latency");
  assert.equal(memberTitle(alone, alone.members[0]), "latency");
});

test("ε reaches black pixels of latency in step floor((1-ε)T) counted from 0, and of direct and offset at once", () => {
  for (const eps of [0.05, 0.1, 0.2, 0.25, 0.3]) {
    assert.equal(firstReach("latency", eps, 8), Math.floor((1 - eps) * 8) + 1);
    assert.equal(firstReach("direct", eps, 8), 1);
    assert.equal(firstReach("offset", eps, 8), 1);
    assert.equal(firstReach("poisson", eps, 8), 1);
    assert.equal(firstReach("fusion(0.125*direct, latency)", eps, 8), 1);
  }
  // Onset rounds down: ε has to make a whole step.
  assert.equal(firstReach("onset", 0.2, 8), 8);
  assert.equal(firstReach("onset", 0.1, 8), null);
  assert.equal(firstReach("latency", 0, 8), null);
});

test("a perturbation that is held back cannot reach anything before", () => {
  assert.equal(firstReach("direct", 0.1, 8, 4), 5);
  assert.equal(firstReach("latency", 0.2, 8, 7), null);
  assert.equal(firstReach("latency", 0.2, 8, 2), 7);
});

test("a code of the reader's own is not known, and nothing is said about it", () => {
  assert.equal(firstReach("morse", 0.1, 8), undefined);
});

test("the reach is said next to the exit", () => {
  assert.match(reachText(7, "0.20", 6), /only from step 7 on, after this exit/);
  assert.match(reachText(7, "0.20", 8), /leave at exit 6 or before/);
  assert.match(reachText(1, "0.20", 3), /from the first step on: no exit comes before it/);
  assert.match(reachText(null, "0.05", 3), /makes no black pixel act/);
});

const RESULTS = {
  eps: [0, 0.1, 0.2],
  n: 100,
  exits: { latency: [1, 2] },
  correct: {
    latency: {
      worst: [
        [80, 40, 20],
        [90, 50, 10],
      ],
    },
  },
  energy: { latency: [10000, 30000] },
  dynamic: {
    latency: {
      rules: [
        { name: "margin", threshold: 2 },
        { name: "margin", threshold: 1 },
        { name: "first_spike", threshold: null },
      ],
      mean_exit: [1.8, 1.4, 1.1],
      energy_pj: [25000, 18000, 12000],
      correct: { 0: [88, 85, 81], 0.1: [45, 43, 41], 0.2: [15, 18, 19] },
    },
  },
};

test("a fixed exit has the measured accuracies and energy of that exit", () => {
  const found = atFixedExit(RESULTS, "latency", "worst", 2, 0.1);
  assert.equal(found.clean.share, 0.9);
  assert.equal(found.attacked.share, 0.5);
  assert.equal(found.energy, 30);
  assert.equal(atFixedExit(RESULTS, "latency", "worst", 3, 0.1), null);
  assert.equal(atFixedExit(RESULTS, "latency", "noise", 2, 0.1).attacked, null);
});

test("a rule has its measured thresholds, the soonest first, and the nearest one answers", () => {
  const points = atThresholds(RESULTS, "latency", "margin", 0.1);
  assert.deepEqual(
    points.map(({ threshold, meanExit }) => [threshold, meanExit]),
    [
      [1, 1.4],
      [2, 1.8],
    ],
  );
  assert.deepEqual(points[1].clean, { ...wilson(88, 100), measured: true });
  assert.deepEqual(points[1].attacked, { ...wilson(45, 100), measured: true, proved: null });
  assert.equal(nearest(points, 3.5).threshold, 2);
  assert.equal(nearest(atThresholds(RESULTS, "latency", "first_spike", 0.1), 2).meanExit, 1.1);
  assert.equal(nearest([], 2), null);
  assert.deepEqual(atThresholds(RESULTS, "onset", "margin", 0.1), []);
});

test("between measured ε a rule's accuracy is an estimate, and beyond them nothing", () => {
  const [point] = atThresholds(RESULTS, "latency", "margin", 0.15);
  assert.equal(point.attacked.measured, false);
  assert.ok(Math.abs(point.attacked.share - (0.43 + 0.18) / 2) < 1e-12);
  assert.equal(atThresholds(RESULTS, "latency", "margin", 0.3)[0].attacked, null);
});

test("the population is put into a sentence, with the threshold that was measured", () => {
  const now = nearest(atThresholds(RESULTS, "latency", "margin", 0.15), 2.5);
  const said = peopleText(now, { rule: "margin", threshold: 2.5 }, 1000, "in the worst case");
  assert.match(said, /all 1,000 test digits leave by margin ≥ 2 \(the nearest that was measured\)/);
  assert.match(said, /after 1\.8 steps on average for 25\u202fnJ each/);
  assert.match(said, /88\u202f% are read correctly\. Attacked, about 30\u202f% are read correctly in the worst case/);
  const fixed = peopleText(atFixedExit(RESULTS, "latency", "worst", 2, 0.1), { rule: "fixed" }, 100, "attacked");
  assert.match(
    fixed,
    /^Clean, all 100 test digits leave at exit 2 for 30\u202fnJ each, and 90\u202f% are read correctly\. Attacked, 50\u202f%/,
  );
  assert.match(peopleText(null, { rule: "margin" }, 100, ""), /not measured/);
});

const VOTES = Float32Array.of(0, 0, 1, 0, 1, 2, 1, 4);
const side = (changes = {}) => ({
  votes: VOTES,
  predictions: Int8Array.of(-1, 0, 1, 1),
  input: new Float32Array(4),
  hidden: Uint8Array.of(0, 1, 0, 1, 0, 0, 0, 0),
  output: Uint8Array.of(0, 0, 1, 0, 0, 1, 0, 1),
  ...changes,
});

test("an image leaves where its rule is satisfied first, and at a fixed step without one", () => {
  assert.equal(leaves(side(), { rule: "fixed", exit_step: 3 }), 3);
  assert.equal(leaves(side(), { rule: "first_spike" }), 2);
  assert.equal(leaves(side(), { rule: "margin", threshold: 1 }), 2);
  assert.equal(leaves(side(), { rule: "margin", threshold: 3 }), 4);
});

test("a rule that does not exist or cannot be used says so", () => {
  assert.throws(() => checkRule({ rule: "mood", threshold: 1 }, "rate"), /choose one of fixed, margin/);
  assert.throws(() => checkRule({ rule: "margin", threshold: Number.NaN }, "rate"), /needs a threshold/);
  assert.throws(() => checkRule({ rule: "first_spike", threshold: 1 }, "membrane"), /read by its spikes/);
  checkRule({ rule: "first_spike", threshold: Number.NaN }, "rate");
});

test("energy is stated for clean digits, before the accuracy under attack", () => {
  const text = peopleText(atFixedExit(RESULTS, "latency", "worst", 2, 0.1), { rule: "fixed" }, 100, "attacked");
  const [clean, attacked] = text.split("Attacked, ");
  assert.match(clean, /nJ/);
  assert.doesNotMatch(attacked, /nJ/);
});

test("activity is counted until the exit", () => {
  const frame = { clean: side(), attacked: null };
  assert.equal(activity(frame, 1), "1 spike of 1 of 2 hidden neurons. No output spike.");
  assert.equal(activity(frame, 4), "2 spikes of 1 of 2 hidden neurons. The first output spike comes in step 2.");
  assert.equal(activity({ clean: side({ input: null }), attacked: null }, 4), "An ANN has no spikes.");
});

test("several networks are spoken of in one sentence", () => {
  const frame = { clean: side(), attacked: null, label: 1, target: 1 };
  const columns = [
    { title: "BPTT", frame },
    { title: "converted", frame: { ...frame, label: 0 } },
  ];
  const said = spokenColumns(columns, { attack: "none", exit_step: 4 }, "latency");
  assert.equal(said, "latency, no attack, exit 4. BPTT: Reads 1, correct. converted: Reads 1, the truth is 0.");
});

test("energy keeps a digit that matters", () => {
  assert.equal(nanojoules(3.71), "3.7\u202fnJ");
  assert.equal(nanojoules(935.2), "935\u202fnJ");
});

test("an explorer offers its groups; networks of the reader's own belong to none, and are all offered", () => {
  const zoo = { models: [{ name: "a", group: "codes" }, { name: "b", group: "exit" }, { name: "mine" }] };
  assert.deepEqual(
    ofGroups(zoo, "codes").map(({ name }) => name),
    ["a", "mine"],
  );
  assert.equal(chosen(zoo.models, "b").group, "exit");
  assert.throws(() => chosen(zoo.models, "morse"), /unknown encoding "morse"; choose one of a, b, mine/);
  assert.equal(withLoss({ title: "latency", loss: "anytime" }).title, "latency, anytime loss");
  assert.equal(withLoss({ title: "latency", loss: "count" }).title, "latency");
});

test("flags stand beside numbers; means over several runs are not of a single seed; own networks have neither", () => {
  const flags = { onset: { worst: ["single seed", "silent outputs"] } };
  const repeats = { onset: { seeds: 3, worst: {} } };
  const zoo = { dataset: "mnist5k", results: { n: 500, attacks: { worst: "all" }, flags, repeats } };
  assert.deepEqual(flagsOf(zoo, "onset", "worst", ONE_RUN), ["single seed", "silent outputs"]);
  assert.deepEqual(flagsOf(zoo, "onset", "worst", ALL_RUNS), ["silent outputs"]);
  assert.deepEqual(flagsOf({ results: null }, "onset", "worst", ALL_RUNS), []);
  assert.equal(facts(zoo, "worst", "onset"), "curves: n = 500 test digits of mnist5k · 3 training runs · all");
  assert.match(facts(zoo, "noise", "onset"), /1 training run · noise/);
  assert.equal(facts({ dataset: "mine", results: null }, "worst", "onset"), "mine · no measured curves");
});
