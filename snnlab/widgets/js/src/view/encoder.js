/**
 * The encoder explorer: one image in all codes, side by side. Where in time does a perturbation of size ε make its spikes?
 * No network is involved.
 */
import { Choice } from "./choice.js";
import { EpsSlider } from "./controls.js";
import { converse } from "./converse.js";
import { CodePanel } from "./code.js";
import { codeSummary, spokenCodes } from "./codewords.js";
import { h, setText } from "./dom.js";
import { Picture } from "./image.js";
import { PixelPicker } from "./pixel.js";
import { BUDGET, imageOf, oneOf, whole } from "./settable.js";
import { Slider } from "./slider.js";
import { Subject } from "./subject.js";
import { epsText } from "./words.js";

const CODES = ["direct", "poisson", "onset", "offset", "latency", "phase", "fusion(direct, latency)"];
const CHANGES = [
  ["brighten", "brighten by ε"],
  ["noise", "random sign"],
];

/** @param {object} stage  @param {object} store  @param {object} engine */
export async function encoderExplorer(stage, store, engine) {
  const zoo = await engine.zoo();
  if (!stage.disposed) new EncoderExplorer(stage, store, engine, zoo);
}

class EncoderExplorer {
  constructor(stage, store, engine, zoo) {
    Object.assign(this, { stage, store, engine, zoo });
    const { image } = imageOf(zoo);
    const change = oneOf(CHANGES.map(([name]) => name));
    this.settings = { image, change, ...BUDGET, exit_step: whole(1, zoo.num_steps) };
    this.#build();
    this.session = converse(this, this);
  }

  #build() {
    const { zoo, store, stage } = this;
    const set = (name) => (value) => store.set({ [name]: value });
    const steps = zoo.num_steps;
    this.subject = new Subject(zoo, store, { canDraw: false });
    this.change = new Choice("change every pixel", CHANGES, set("change"));
    this.eps = new EpsSlider("by ε", set("eps"));
    this.step = new Slider({
      label: "read until",
      min: 1,
      max: steps,
      step: 1,
      text: (step) => `step ${step} of ${steps}`,
      spoken: (step) => `step ${step} of ${steps}`,
      onInput: set("exit_step"),
    });
    this.pictures = {
      clean: new Picture("image: point at a pixel"),
      attacked: new Picture("changed by ε", "attacked changed"),
    };
    this.picker = new PixelPicker(this.pictures.clean, zoo.digits.shape, () => this.session.repaint());
    this.pixel = h("p", { class: "pixel" });
    this.panels = CODES.map((name) => new CodePanel(name, set("exit_step")));
    this.facts = h("span", {});
    this.badge = h("footer", { class: "caption" }, this.facts);
    stage.app.classList.add("encoder");
    stage.app.append(
      this.subject.digits.element,
      h("div", { class: "pair" }, this.pictures.clean.element, this.pictures.attacked.element),
      this.change.element,
      h("div", { class: "tune" }, this.eps.element, this.step.element),
      this.pixel,
      h("div", { class: "codes" }, ...this.panels.map((panel) => panel.element), key()),
      this.badge,
    );
  }

  changed(state) {
    this.subject.show(state);
    this.change.show(state.change);
    this.eps.show(state.eps);
    this.step.show(state.exit_step);
    for (const panel of this.panels) panel.showStep(state.exit_step, this.zoo.num_steps);
  }

  ask(state) {
    const { change, eps, exit_step: step } = state;
    const steps = this.zoo.num_steps;
    if (!(Number.isInteger(step) && step >= 1 && step <= steps)) {
      throw new Error(`exit_step must be a whole number from 1 to ${steps}, got ${step}`);
    }
    const { image, shape } = this.subject.pixels(state);
    const request = { image, shape, encoders: CODES, eps, attack: change, num_steps: steps, seed: 0 };
    return { request, topic: "codes" };
  }

  run(request) {
    return this.engine.encode(request);
  }

  revealed() {
    this.subject.digits.reveal();
  }

  paint(frame, { eps }, colours) {
    const step = this.store.get("exit_step");
    const { clean, attacked } = frame.images;
    this.pictures.clean.show(clean, frame.shape);
    this.pictures.attacked.show(attacked ?? clean, frame.shape);
    this.picker.show(clean);
    setText(this.pixel, this.#pixelText(clean, attacked));
    const summaries = this.panels.map((panel) => {
      const code = frame.codes[panel.name];
      const summary = codeSummary(panel.name, code, frame.num_steps, clean);
      panel.show(code, frame, this.picker.pixel, summary, step, colours);
      return { name: panel.name, ...summary };
    });
    setText(this.facts, `computed in your browser · an image of ${this.zoo.dataset} · ε = ${epsText(eps)} (L∞)`);
    this.stage.speak(spokenCodes(summaries, eps));
  }

  #pixelText(clean, attacked) {
    const { pixel } = this.picker;
    const after = attacked && attacked[pixel] !== clean[pixel] ? ` → ${attacked[pixel].toFixed(2)}` : "";
    return `The marked pixel is ${describeIntensity(clean[pixel])} (${clean[pixel].toFixed(2)}${after}). The line shows its place in each code, and the row below its spike train.`;
  }
}

function describeIntensity(x) {
  if (x === 0) return "black";
  if (x < 0.34) return "dark";
  return x < 0.67 ? "grey" : "bright";
}

function key() {
  return h(
    "div",
    { class: "explain" },
    h("p", {}, h("i", { class: "kept" }), "spikes of the image"),
    h("p", {}, h("i", { class: "made" }), "spikes that ε adds"),
    h("p", {}, h("i", { class: "lost" }), "spikes that ε takes away"),
    h("p", {}, h("i", { class: "marked" }), "the marked pixel"),
    h(
      "p",
      { class: "quiet" },
      "A row is a pixel, brightest on top; black pixels stand apart below. Steps run from left to right; what lies after the last step that is read fades.",
    ),
  );
}
