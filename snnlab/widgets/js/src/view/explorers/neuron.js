/** The explorer of one neuron: input, leak, threshold, reset, and how often it fires for a constant current. */

import { scaleLinear } from "d3-scale";
import { fixed, say } from "../../language.js";
import { axes, curveLine, dot, label, stroke } from "../charts/frame.js";
import { Choice } from "../controls/choice.js";
import { Slider } from "../controls/slider.js";
import { explained, h, setText, svg } from "../dom/elements.js";
import { fitSvg } from "../dom/sizes.js";
import { equation, happens, MAX_DRIVE, PATTERNS, rates, reach, rheobase, run, sum, summary } from "../model/neuron-math.js";
import { NeuronTrace } from "../panels/neuron-trace.js";
import { Explorer } from "./base.js";

const MARGIN = { top: 22, right: 12, bottom: 34, left: 34 };
const RESETS = Object.entries({ subtract: say`subtract θ`, zero: say`to zero` });
const two = (v) => fixed(v, 2);

export class NeuronExplorer extends Explorer {
  static kind = "neuron";
  static style = "neuron";

  static async load() {}

  declare() {
    const { store } = this;
    const slider = (label, name, min, max, spoken, text = two) =>
      new Slider({ label, min, max, step: 0.01, key: 0.05, text, spoken, onInput: this.set(name) });
    const drive = slider(say`current I`, "drive", 0, MAX_DRIVE, (v) => say`current ${two(v)}`);
    const decay = (v) => say`decay ${two(v)}, ${tau(v)}`;
    const beta = slider(say`decay β`, "beta", 0, 1, decay, (v) => `${two(v)} · ${short(v)}`);
    const theta = slider(say`threshold θ`, "theta", 0.2, 2, (v) => say`threshold ${two(v)}`);
    const reset = new Choice(say`reset`, RESETS, this.set("reset"));
    const names = Object.keys(PATTERNS).map((name) => [name, name]);
    this.pattern = new Choice(say`input`, names, (name) => store.set({ pattern: PATTERNS[name] }));
    const onStep = (t) => t + 1 !== store.get("step") && store.set({ step: t + 1 });
    const play = this.clock(() => store.get("pattern").length);
    this.trace = new NeuronTrace({ onToggle: (t) => this.#toggle(t), onStep });
    this.trace.element.append(key(play));
    this.rule = h("p", { class: "equation" });
    this.equation = h("p", { class: "equation" });
    this.explanation = h("p", { class: "happens" });
    this.verdict = h("strong", {});
    this.effect = h("p", { class: "effect" });
    this.rate = svg("svg", { class: "plot rate", role: "img" });
    this.caption.say(say`computed in your browser · the equations are those that the book's networks run`);
    return {
      controls: { drive, beta, theta, reset },
      panels: [
        this.controlGroup([this.pattern.element, reset.element], [drive.element, beta.element, theta.element]),
        this.trace.element,
        h("div", { class: "lensed" }, this.rule, this.equation, this.explanation),
        h("p", { class: "answer" }, this.verdict),
        this.effect,
        h("section", { class: "panel curve" }, h("h4", {}, say`Spikes a step, for every constant current`), this.rate),
      ],
      limits: { step: 64 },
    };
  }

  #toggle(t) {
    const { pattern } = this.store.all();
    this.store.set({
      pattern: `${pattern.slice(0, t)}${pattern[t] === "1" ? "0" : "1"}${pattern.slice(t + 1)}`,
      step: t + 1,
    });
  }

  changed(state) {
    super.changed(state);
    this.pattern.show(Object.keys(PATTERNS).find((name) => PATTERNS[name] === state.pattern) ?? "");
  }

  ask(state) {
    const { beta, theta, reset, drive, pattern, step } = state;
    const lens = Math.min(Math.max(1, Math.round(step) || 1), pattern.length) - 1;
    return { beta, theta, reset, drive, pattern, lens };
  }

  run(request) {
    return new Promise((resolve) => resolve({ activity: run(request), rates: rates(request) }));
  }

  answered({ activity }, request) {
    this.stage.speak(`${summary(activity)} ${sum(request, activity, request.lens)}. ${happens(activity, request.lens)}`);
  }

  paint({ activity, rates: measured }, request, colours) {
    const lens = this.at === null ? request.lens : this.at - 1;
    this.stage.app.style.setProperty("--input", colours.code("direct").colour);
    setText(this.verdict, summary(activity));
    setText(this.effect, reach(request));
    setText(this.rule, equation(request.reset));
    setText(this.equation, sum(request, activity, lens));
    setText(this.explanation, happens(activity, lens));
    this.trace.show(request, activity, lens, summary(activity), colours);
    this.#paintRates(measured, request, colours);
  }

  #paintRates(measured, state, colours) {
    const here = measured.reduce((a, b) => (Math.abs(b.drive - state.drive) < Math.abs(a.drive - state.drive) ? b : a));
    const share = Math.round(100 * here.rate);
    const size = fitSvg(this.rate, say`At a constant current of ${two(state.drive)} it fires in ${share} % of the steps.`);
    if (!size) return;
    const x = scaleLinear([0, MAX_DRIVE], [MARGIN.left, size.width - MARGIN.right]);
    const y = scaleLinear([0, 1], [size.height - MARGIN.bottom, MARGIN.top]);
    const least = x(Math.min(rheobase(state), MAX_DRIVE));
    const line = { stroke: colours.code("direct").colour, "stroke-width": 2.5 };
    this.rate.replaceChildren(
      ...axes(x, y, say`current I`, size),
      stroke(least, y(0), least, y(1), { class: "chance" }),
      label(least + 4, y(1) + 4, "θ(1 − β)", "tick halo"),
      curveLine(measured, (p) => [x(p.drive), y(p.rate)], line),
      dot(x(Math.min(state.drive, MAX_DRIVE)), y(here.rate), colours.ink, colours, 5.5),
    );
  }
}

const tau = (beta) => (beta >= 1 ? say`no leak` : say`τ = ${fixed(1 / (1 - beta), beta < 0.95 ? 1 : 0)} steps`);

const short = (beta) => (beta >= 1 ? say`no leak` : `τ ${fixed(1 / (1 - beta), beta < 0.9 ? 1 : 0)}`);

function key(play) {
  const signs = {
    left: say`β U of the step before`,
    in: say`current of this step`,
    paid: say`taken by a spike, one step later`,
  };
  const hint = h("p", {}, say`Click a bar of the current I to switch the input of that step on or off.`);
  return h("div", { class: "explain" }, h("div", { class: "hint" }, play, hint), ...explained("p", signs));
}
