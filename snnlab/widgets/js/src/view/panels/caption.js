/** Who computed what is shown, on which data, and how. */

import { SPIKE_TRAIN } from "../../engine/index.js";
import { count, fixed, say } from "../../language.js";
import { h, setText } from "../dom/elements.js";
import { epsText, isTargeted, SURVIVORS, searches, trainingRuns } from "../text/frame.js";

const WHO = { browser: say`computed in your browser`, kernel: say`computed by PyTorch in your kernel` };

export class Caption {
  #paragraphs = [];

  constructor() {
    this.who = h("span", { class: "badge" });
    this.facts = h("span", { class: "facts" });
    this.flags = h("span", { class: "flags" });
    this.more = h("div", {});
    const summary = h("summary", {}, this.who, this.facts, this.flags, " ", h("u", {}, say`how?`));
    this.details = h("details", { ontoggle: () => this.#tell() }, summary, this.more);
    this.element = h("footer", { class: "caption" }, this.details);
    this.sentence = h("span", {});
  }

  /** One sentence, where there are no records to explain. @param {string} sentence */
  say(sentence) {
    this.details.replaceWith(this.sentence);
    setText(this.sentence, sentence);
  }

  /** @param {{computed_by: string}} frame  @param {string} facts  @param {string[]} flags  @param {string[]} how paragraphs */
  show(frame, facts, flags, how) {
    setText(this.who, WHO[frame.computed_by] ?? say`precomputed`);
    this.who.dataset.who = frame.computed_by;
    setText(this.facts, facts);
    setText(this.flags, flags.length ? `⚑ ${flags.join(" · ")}` : "");
    this.#paragraphs = how;
    if (this.details.open) this.#tell();
  }

  #tell() {
    this.more.replaceChildren(...this.#paragraphs.map((text) => h("p", {}, text)));
  }
}

/** One line about the curves. @param {Zoo} zoo  @param {string} key of the attack  @param {string|null} model whose training runs are counted; null: of one network alone */
export function facts(zoo, key, model, targeted = false) {
  if (!zoo.results) return say`${zoo.dataset} · no measured curves`;
  const { n, attacks, repeats } = zoo.results;
  const runs = repeats?.[model]?.[key] ? (repeats[model].seeds ?? 1) : 1;
  const trained = trainingRuns(runs);
  const of = targeted ? say` (of attacks without a target)` : "";
  return say`curves${of}: n = ${count(n)} test digits of ${zoo.dataset} · ${trained} · ${attacks[key] ?? (key === SPIKE_TRAIN ? say`spike-train attack, not recorded by itself` : key)}`;
}

/** Flags of a model's accuracies; a mean over several training runs has no "single seed". @returns {string[]} */
export function flagsOf({ results }, model, key, runs) {
  const flags = results?.flags?.[model]?.[key] ?? [];
  return runs === ALL_RUNS && results?.repeats?.[model]?.[key] ? flags.filter((flag) => flag !== say`single seed`) : flags;
}

/** What lies behind curves of one network. */
export const ONE_RUN = say`They are those of the one network that is shown, with 95 % Wilson intervals over the digits for the current curve: training it again would move them by a few points.`;

/** What lies behind means over training runs. */
export const ALL_RUNS = say`Points are means over training runs from several seeds, with 95 % t intervals over the runs; the network that is shown is the first of them. Where only one run was measured, the interval is Wilson's, over the digits.`;

/** Where and how fast. @param {{computed_by: string, ms: number}} frame */
export function whoComputed({ computed_by: who, ms }) {
  const here =
    who === "kernel"
      ? say`Spikes, votes and the attack on this image are computed by snnlab in your kernel, with PyTorch.`
      : say`Spikes, votes and the attack on this image are computed by this page, in JavaScript that is tested spike by spike against PyTorch. Nothing leaves your computer.`;
  return say`${here} This took ${ms < 10 ? fixed(ms, 1) : Math.round(ms)} ms.`;
}

/** What the attack on this image aims at, and how it goes. @param {Frame} frame  @param {State} state */
function aimText(frame, { attack, attacker, target, eps, exit_step: exit }) {
  const at = frame.clean.input ? say`is aimed at exit ${exit} and ` : "";
  const way = isTargeted({ attack, target })
    ? say`moves towards class ${target}`
    : say`pushes away from class ${frame.target}`;
  const aim = say`The attack ${at}${way}, with every pixel changed by at most ${epsText(eps)}`;
  if (searches({ attack, attacker })) {
    return say`${aim}. It is a search among the spike trains that the code gives within ε. At every step a random share of the pixels takes the train that serves it best to first order. The pixel gets the nearest intensity that has it.`;
  }
  return say`${aim}; PGD takes 10 steps of ε/4 from a random start.`;
}

const UNTARGETED = say`The accuracies belong to attacks that any wrong answer contents, and not to this one: an attack towards one class was not recorded. It breaks at most what the best attack without a target breaks.`;

/** The paragraphs behind "how?". @param {Frame} frame @param {State} state @param {Zoo} zoo @returns {string[]} */
export function how(frame, state, zoo, key, runs, more = []) {
  const aim = frame.attacked ? aimText(frame, state) : "";
  const other = isTargeted(state) ? UNTARGETED : "";
  if (!zoo.results) return [whoComputed(frame), aim, ...more].filter(Boolean);
  const { n, attacks } = zoo.results;
  const curves = say`The accuracies are not computed here: they come from the zoo's results on ${count(n)} test digits of ${zoo.dataset} that no choice was made on. ${runs} A silent network counts as wrong.`;
  const { worst = say`the smallest of them, image by image`, ...rest } = attacks;
  const run = Object.entries(rest).map(([name, text]) => `${name} (${text})`);
  const list = say`Attacks run: ${run.join("; ")}. Worst: ${worst}. Shown now: ${key}.`;
  const survivors = key === SPIKE_TRAIN ? SURVIVORS : "";
  return [whoComputed(frame), aim, ...more, other, curves, survivors, list].filter(Boolean);
}
