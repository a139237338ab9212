/** Who computed what is shown, on which data, and how. */
import { h, setText } from "./dom.js";
import { count, epsText } from "./words.js";

const WHO = { browser: "computed in your browser", kernel: "computed by PyTorch in your kernel" };

export class Badge {
  #paragraphs = [];

  constructor() {
    this.who = h("span", { class: "badge" });
    this.facts = h("span", { class: "facts" });
    this.flags = h("span", { class: "flags" });
    this.more = h("div", {});
    const summary = h("summary", {}, this.who, this.facts, this.flags, " ", h("u", {}, "how?"));
    this.details = h("details", { ontoggle: () => this.#tell() }, summary, this.more);
    this.element = h("footer", { class: "caption" }, this.details);
  }

  /** @param {object} frame  @param {string} facts  @param {string[]} flags  @param {string[]} how paragraphs */
  show(frame, facts, flags, how) {
    setText(this.who, WHO[frame.computed_by] ?? "precomputed");
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

/** One line about the curves. @param {object|null} zoo results included */
export function facts(zoo, key) {
  if (!zoo.results) return `${zoo.dataset} · no measured curves`;
  const { n, attacks } = zoo.results;
  return `curves: n = ${count(n)} test digits of ${zoo.dataset} · ${attacks[key] ?? key}`;
}

/** What stands behind "how?". */
export function how(frame, state, zoo, key) {
  const here =
    frame.computed_by === "kernel"
      ? "Spikes, votes and the attack on this image are computed by snnlab in your kernel, with PyTorch."
      : "Spikes, votes and the attack on this image are computed by this page, in JavaScript that is tested spike by spike against PyTorch. Nothing leaves your computer.";
  const took = `This took ${frame.ms < 10 ? frame.ms.toFixed(1) : Math.round(frame.ms)} ms.`;
  const aim = frame.attacked
    ? `The attack is aimed at exit ${state.exit_step} and pushes away from class ${frame.target}, with every pixel changed by at most ${epsText(state.eps)}; PGD takes 10 steps of ε/4 from a random start.`
    : "";
  if (!zoo.results) return [`${here} ${took}`, aim].filter(Boolean);
  const { n, attacks } = zoo.results;
  const curves = `The curves are not computed here: they come from the zoo's results on ${count(n)} test digits of ${zoo.dataset} that no choice was made on, with 95 % Wilson intervals for the current curve. A silent network counts as wrong. One training run each, so differences of a few points mean little.`;
  const list = `Attacks run: ${Object.entries(attacks)
    .filter(([name]) => name !== "worst")
    .map(([name, text]) => `${name} (${text})`)
    .join("; ")}. Worst: ${attacks.worst ?? "the smallest of them"}. These curves: ${key}.`;
  return [`${here} ${took}`, aim, curves, list].filter(Boolean);
}
