/** When an image leaves: at a fixed step, or where a rule is satisfied; and what that does to all test digits. */

import { exitStep, need } from "../../engine/index.js";
import { count, fixed, say } from "../../language.js";
import { VOCABULARY } from "../../vocabulary.js";
import { h, setText } from "../dom/elements.js";
import { RULE_NAMES } from "../model/exit-population.js";
import { classesOf, lowerText, nanojoules, percent } from "../text/frame.js";
import { Choice } from "./choice.js";
import { Slider } from "./slider.js";

/** How the threshold of a rule reads. */
const THRESHOLD_TEXT = { margin: (m) => say`${m} votes`, confidence: percent };

/** Rules with a threshold, and the range of its slider. */
const RANGES = Object.fromEntries(
  Object.entries(VOCABULARY.exit_rules).flatMap(([rule, { threshold }]) => (threshold ? [[rule, threshold]] : [])),
);

export class ExitRuleControl {
  constructor(store) {
    this.rule = new Choice(say`leave at`, Object.entries(RULE_NAMES), (rule) =>
      store.set(RANGES[rule] ? { rule, threshold: RANGES[rule].default } : { rule }),
    );
    this.thresholds = Object.fromEntries(
      Object.entries(RANGES).map(([rule, range]) => {
        const said = { label: `${rule} ≥`, text: THRESHOLD_TEXT[rule] };
        return [rule, new Slider({ ...said, ...range, onInput: (threshold) => store.set({ threshold }) })];
      }),
    );
    this.people = h("p", { class: "people" });
    const sliders = Object.values(this.thresholds).map(({ element }) => element);
    this.element = h("div", { class: "leaving" }, this.rule.element, ...sliders);
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

/** The step at which one side of a frame leaves. @param {Side} side  @param {State} state */
export function leaves(side, { rule, threshold, exit_step: exit }) {
  if (rule === "fixed") return exit;
  const steps = side.predictions.length;
  return exitStep(side.votes, steps, classesOf(side), rule, rule === "first_spike" ? null : threshold);
}

/** Throw unless the rule and its threshold can be used with a decoder. */
export function checkRule({ rule, threshold }, decoder) {
  need(rule in RULE_NAMES, say`unknown rule "${rule}"; choose one of ${Object.keys(RULE_NAMES).join(", ")}`);
  need(!(rule in RANGES) || Number.isFinite(threshold), say`${rule} needs a threshold, got ${threshold}`);
  const spikes = rule !== "first_spike" || decoder !== "membrane";
  need(spikes, say`first spike needs a network that is read by its spikes; this one is read by its potentials`);
}

/** The population `now` in a sentence. @param {import("../model/exit-population.js").Population|null} now */
export function peopleText(now, { rule, threshold }, n, under) {
  if (!now) return rule === "fixed" ? "" : say`This rule was not measured on all test digits.`;
  const { clean, attacked, meanExit, energy, threshold: measured } = now;
  const off = measured !== null && Math.abs(measured - threshold) > 1e-9 ? say` (the nearest that was measured)` : "";
  const byRule = say`by ${RULE_NAMES[rule]}${measured === null ? "" : ` ≥ ${measured}${off}`}`;
  const how = rule === "fixed" ? say`at exit ${meanExit}` : say`${byRule}, after ${fixed(meanExit, 1)} steps on average`;
  const spent = energy === null ? "" : say` for ${nanojoules(energy)} each`;
  const about = attacked?.measured ? "" : say`about `;
  const worst = attacked
    ? say` Attacked, ${about}${percent(attacked.share)} are read correctly ${under}${lowerText(attacked) && ` (${lowerText(attacked)})`}; the energy under attack was not measured.`
    : "";
  return say`Clean, all ${count(n)} test digits leave ${how}${spent}, and ${percent(clean.share)} are read correctly.${worst}`;
}
