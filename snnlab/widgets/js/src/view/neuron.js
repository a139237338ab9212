/**
 * The explorer of one neuron: input, leak, threshold, reset; what is left, what comes in, what a spike takes; and how often it
 * fires for every constant current. The browser computes, with a kernel too: the equations are the same.
 */
import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { happens, MAX_DRIVE, PATTERNS, rates, reach, rheobase, run, sum, summary } from "./charge.js";
import { Choice } from "./choice.js";
import { converse } from "./converse.js";
import { h, setText, sizeOf, svg } from "./dom.js";
import { axes } from "./plot.js";
import { between, oneOf, whole } from "./settable.js";
import { Slider } from "./slider.js";
import { Trace } from "./trace.js";

const MARGIN = { top: 22, right: 12, bottom: 34, left: 34 };
const RESETS = [
  ["subtract", "subtract θ"],
  ["zero", "to zero"],
];
const SETTINGS = {
  drive: between(0, 10),
  pattern: (signs) => /^[01]{2,64}$/.test(signs),
  beta: between(0, 1),
  theta: between(1e-3, 10),
  reset: oneOf(RESETS.map(([name]) => name)),
  step: whole(0, 63),
};
const two = (v) => v.toFixed(2);

/** @param {object} stage  @param {object} store */
export async function neuronExplorer(stage, store, engine) {
  if (!stage.disposed) new NeuronExplorer(stage, store, engine);
}

class NeuronExplorer {
  settings = SETTINGS;

  constructor(stage, store, engine) {
    Object.assign(this, { stage, store, engine });
    const set = (name) => (value) => store.set({ [name]: value });
    const slider = (label, name, min, max, spoken, text = two) =>
      new Slider({ label, min, max, step: 0.01, key: 0.05, text, spoken, onInput: set(name) });
    this.sliders = {
      drive: slider("current I", "drive", 0, MAX_DRIVE, (v) => `current ${two(v)}`),
      beta: slider("decay β", "beta", 0, 1, (v) => `decay ${two(v)}, ${tau(v)}`, (v) => `${two(v)} · ${short(v)}`),
      theta: slider("threshold θ", "theta", 0.2, 2, (v) => `threshold ${two(v)}`),
    };
    this.reset = new Choice("reset", RESETS, set("reset"));
    const names = Object.keys(PATTERNS).map((name) => [name, name]);
    this.pattern = new Choice("input", names, (name) => store.set({ pattern: PATTERNS[name] }));
    this.trace = new Trace({
      onToggle: (t) => this.#toggle(t),
      onStep: (t) => t !== store.get("step") && store.set({ step: t }),
    });
    this.equation = h("p", { class: "equation" });
    this.words = h("p", { class: "happens" });
    this.verdict = h("strong", {});
    this.answer = h("p", { class: "answer" }, this.verdict);
    this.effect = h("p", { class: "effect" });
    this.rate = svg("svg", { class: "plot rate", role: "img" });
    this.#assemble();
    converse(this, this);
  }

  #toggle(t) {
    const { pattern } = this.store.all();
    this.store.set({ pattern: `${pattern.slice(0, t)}${pattern[t] === "1" ? "0" : "1"}${pattern.slice(t + 1)}`, step: t });
  }

  #assemble() {
    const { stage, sliders, reset, pattern, trace, equation, words, answer, effect, rate } = this;
    stage.app.classList.add("neuron");
    trace.element.append(key());
    stage.app.append(
      h(
        "div",
        { class: "controls", role: "group", "aria-label": "controls" },
        h("div", { class: "setup" }, pattern.element, reset.element),
        h("div", { class: "tune" }, ...Object.values(sliders).map(({ element }) => element)),
      ),
      trace.element,
      h("div", { class: "lensed" }, equation, words),
      answer,
      effect,
      h("section", { class: "panel curve" }, h("h4", {}, "Spikes a step, for every constant current"), rate),
      h("footer", { class: "caption" }, "computed in your browser · the equations are those that the book's networks run"),
    );
  }

  changed(state) {
    for (const [name, slider] of Object.entries(this.sliders)) slider.show(state[name]);
    this.reset.show(state.reset);
    this.pattern.show(Object.keys(PATTERNS).find((name) => PATTERNS[name] === state.pattern) ?? "");
  }

  ask(state) {
    const { beta, theta, reset, drive, pattern, step } = state;
    const request = { beta, theta, reset, drive, pattern };
    return { request: { ...request, lens: Math.min(Math.max(0, Math.round(step) || 0), pattern.length - 1) }, topic: "neuron" };
  }

  run(request) {
    return new Promise((resolve) => resolve({ activity: run(request), rates: rates(request) }));
  }

  answered({ activity }, request) {
    this.stage.speak(`${summary(activity)} ${sum(request, activity, request.lens)}. ${happens(request, activity, request.lens)}`);
  }

  paint({ activity, rates: measured }, request, colours) {
    const { lens } = request;
    this.stage.app.style.setProperty("--input", colours.code("direct").colour);
    setText(this.verdict, summary(activity));
    setText(this.effect, reach(request));
    setText(this.equation, sum(request, activity, lens));
    setText(this.words, happens(request, activity, lens));
    this.trace.show(request, activity, lens, summary(activity), colours);
    this.#paintRates(measured, request, colours);
  }

  #paintRates(measured, state, colours) {
    const { width, height } = sizeOf(this.rate);
    if (width === 0) return;
    const x = scaleLinear([0, MAX_DRIVE], [MARGIN.left, width - MARGIN.right]);
    const y = scaleLinear([0, 1], [height - MARGIN.bottom, MARGIN.top]);
    const path = line(
      (p) => x(p.drive),
      (p) => y(p.rate),
    );
    const least = rheobase(state);
    const here = measured.reduce((a, b) => (Math.abs(b.drive - state.drive) < Math.abs(a.drive - state.drive) ? b : a));
    this.rate.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.rate.setAttribute("aria-label", `At a constant current of ${two(state.drive)} it fires in ${Math.round(100 * here.rate)} % of the steps.`);
    this.rate.replaceChildren(
      ...axes(x, y, { label: "current I", width, height }),
      svg("line", { class: "chance", x1: x(Math.min(least, MAX_DRIVE)), x2: x(Math.min(least, MAX_DRIVE)), y1: y(0), y2: y(1) }),
      svg("text", { class: "tick halo", x: x(Math.min(least, MAX_DRIVE)) + 4, y: y(1) + 4 }, "θ(1 − β)"),
      svg("path", { d: path(measured), class: "curve-line", stroke: colours.code("direct").colour, "stroke-width": 2.5 }),
      svg("circle", { cx: x(Math.min(state.drive, MAX_DRIVE)), cy: y(here.rate), r: 5.5, fill: colours.ink, stroke: colours.background, "stroke-width": 2 }),
    );
  }
}

/** β as a time constant. */
const tau = (beta) => (beta >= 1 ? "no leak" : `τ = ${(1 / (1 - beta)).toFixed(beta < 0.95 ? 1 : 0)} steps`);

const short = (beta) => (beta >= 1 ? "no leak" : `τ ${(1 / (1 - beta)).toFixed(beta < 0.9 ? 1 : 0)}`);

function key() {
  const item = (name, text) => h("p", {}, h("i", { class: name }), text);
  return h(
    "div",
    { class: "explain" },
    item("left", "β U of the step before"),
    item("in", "current of this step"),
    item("paid", "taken by a spike, one step later"),
    h("p", { class: "quiet" }, "Click a bar of the current to switch it."),
  );
}
