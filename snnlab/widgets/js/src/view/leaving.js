/** When an image leaves: at a fixed step, or where a rule is satisfied; and what that does to all test digits. */
import { exitStep } from "../engine/index.js";
import { Choice } from "./choice.js";
import { h, setText } from "./dom.js";
import { RULE_NAMES } from "./population.js";
import { Slider } from "./slider.js";
import { classesOf, count, nanojoules, percent } from "./words.js";

/** Thresholds: where a rule begins, and between which a slider goes. */
const RANGES = {
  margin: { first: 2, min: 0.5, max: 8, step: 0.5, text: (m) => `${m} votes` },
  confidence: { first: 0.9, min: 0.3, max: 0.99, step: 0.01, text: (c) => percent(c) },
};

export class Leaving {
  /** @param {object} store */
  constructor(store) {
    this.rule = new Choice("leave at", Object.entries(RULE_NAMES), (rule) =>
      store.set(RANGES[rule] ? { rule, threshold: RANGES[rule].first } : { rule }),
    );
    const set = (threshold) => store.set({ threshold });
    this.thresholds = Object.fromEntries(
      Object.entries(RANGES).map(([rule, { min, max, step, text }]) => [
        rule,
        new Slider({ label: `${rule} ≥`, min, max, step, text, spoken: text, onInput: set }),
      ]),
    );
    this.people = h("p", { class: "people" });
    this.element = h(
      "div",
      { class: "leaving" },
      this.rule.element,
      ...Object.values(this.thresholds).map(({ element }) => element),
    );
  }

  show({ rule, threshold }) {
    this.rule.show(rule);
    for (const [name, slider] of Object.entries(this.thresholds)) {
      slider.element.hidden = name !== rule;
      if (name === rule) slider.show(threshold);
    }
  }

  /** What holds for all digits. */
  say(sentence) {
    setText(this.people, sentence);
  }
}

/** The step at which one side of a frame leaves. */
export function leaves(side, { rule, threshold, exit_step: exit }) {
  if (rule === "fixed") return exit;
  const steps = side.predictions.length;
  return exitStep(side.votes, steps, classesOf(side), rule, rule === "first_spike" ? null : threshold);
}

/** Throw unless the rule and its threshold can be used with a decoder. */
export function checkRule({ rule, threshold }, decoder) {
  if (!(rule in RULE_NAMES)) {
    throw new Error(`unknown rule "${rule}"; choose one of ${Object.keys(RULE_NAMES).join(", ")}`);
  }
  if (rule in RANGES && !Number.isFinite(threshold)) throw new Error(`${rule} needs a threshold, got ${threshold}`);
  if (rule === "first_spike" && decoder === "membrane") {
    throw new Error("first spike needs a network that is read by its spikes; this one is read by its potentials");
  }
}

/**
 * The population in a sentence.
 *
 * @param {import("./population.js").Population|null} now
 * @param {{rule: string, threshold: number}} state
 * @param {number} n
 * @param {string} under the attack in words
 */
export function peopleText(now, { rule, threshold }, n, under) {
  if (!now) return rule === "fixed" ? "" : "This rule was not measured on all test digits.";
  const off = now.threshold !== null && Math.abs(now.threshold - threshold) > 1e-9;
  const how =
    rule === "fixed"
      ? `at exit ${now.meanExit}`
      : `by ${RULE_NAMES[rule]}${now.threshold === null ? "" : ` ≥ ${now.threshold}${off ? " (the nearest that was measured)" : ""}`}`;
  const mean = rule === "fixed" ? "" : `, after ${now.meanExit.toFixed(1)} steps on average`;
  const spent = now.energy === null ? "" : ` for ${nanojoules(now.energy)} each`;
  const attacked = now.attacked
    ? `, ${now.attacked.measured ? "" : "about "}${percent(now.attacked.share)} ${under}`
    : "";
  return `All ${count(n)} test digits leave ${how}${mean}${spent}: ${percent(now.clean.share)} are read correctly${attacked}.`;
}
