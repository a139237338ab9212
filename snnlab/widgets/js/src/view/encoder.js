/**
 * The encoder explorer: one image in all codes, side by side. Where in time does a perturbation of size ε make its spikes?
 * No network is involved.
 */
import { Choice } from "./choice.js";
import { CodePanel } from "./code.js";
import { codeSummary, spokenCodes } from "./codewords.js";
import { Digits } from "./digits.js";
import { h, setText } from "./dom.js";
import { Picture } from "./image.js";
import { PixelPicker } from "./pixel.js";
import { Runner } from "./runner.js";
import { Slider } from "./slider.js";
import { epsText } from "./words.js";

const CODES = ["direct", "poisson", "onset", "offset", "latency", "phase", "fusion(direct, latency)"];
const CHANGES = [
  ["brighten", "brighten by ε"],
  ["noise", "random sign"],
];
const MAX_EPS = 0.3;

/** @param {object} stage  @param {object} store  @param {object} engine */
export async function encoderExplorer(stage, store, engine) {
  const zoo = await engine.zoo();
  if (stage.disposed) return;
  new EncoderExplorer(stage, store, engine, zoo).start();
}

class EncoderExplorer {
  #frame = null;
  #change = CHANGES[0][0];

  constructor(stage, store, engine, zoo) {
    Object.assign(this, { stage, store, engine, zoo });
    this.size = zoo.digits.shape.reduce((a, b) => a * b, 1);
    this.runner = new Runner({
      ask: () => ({ request: this.#request(), topic: "codes" }),
      run: (request) => engine.encode(request),
      show: (frame) => this.#show(frame),
      fail: (error) => stage.fail(error),
      busy: (isBusy) => stage.busy(isBusy),
    });
    stage.onDispose(() => this.runner.dispose());
    this.#build();
  }

  start() {
    const { stage, store } = this;
    stage.onDispose(store.subscribe(() => this.#changed()));
    stage.onRepaint(() => this.#paint());
    this.#changed();
  }

  #build() {
    const { zoo, store, stage } = this;
    const set = (name) => (value) => store.set({ [name]: value });
    const steps = zoo.num_steps;
    this.digits = new Digits(zoo.digits, set("image"), { legend: zoo.results ? "digit" : "image" });
    this.change = new Choice("change every pixel", CHANGES, (value) => {
      this.#change = value;
      this.#changed();
    });
    this.eps = new Slider({
      label: "by ε",
      min: 0,
      max: MAX_EPS,
      step: 0.001,
      key: 0.01,
      text: epsText,
      spoken: (eps) => `epsilon ${epsText(eps)}, ${Math.round(eps * 255)} of 255 grey levels`,
      onInput: set("eps"),
    });
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
    this.picker = new PixelPicker(this.pictures.clean, zoo.digits.shape, () => this.#paint());
    this.pixel = h("p", { class: "pixel" });
    this.panels = CODES.map((name) => new CodePanel(name, set("exit_step")));
    this.badge = h("footer", { class: "caption" });
    stage.app.classList.add("encoder");
    stage.app.append(
      this.digits.element,
      h("div", { class: "pair" }, this.pictures.clean.element, this.pictures.attacked.element),
      this.change.element,
      h("div", { class: "tune" }, this.eps.element, this.step.element),
      this.pixel,
      h("div", { class: "codes" }, ...this.panels.map((panel) => panel.element), key()),
      this.badge,
    );
  }

  #changed() {
    const { image, eps, exit_step: step } = this.store.all();
    this.digits.show(image);
    this.change.show(this.#change);
    this.eps.show(eps, Math.max(MAX_EPS, eps || 0));
    this.step.show(step);
    for (const panel of this.panels) panel.showStep(step, this.zoo.num_steps);
    this.runner.request();
  }

  #request() {
    const { image: index, eps, exit_step: step } = this.store.all();
    const { images, labels, shape } = this.zoo.digits;
    const steps = this.zoo.num_steps;
    if (!(Number.isInteger(index) && index >= 0 && index < labels.length)) {
      throw new Error(`image must be a whole number from 0 to ${labels.length - 1}, got ${index}`);
    }
    if (!(Number.isInteger(step) && step >= 1 && step <= steps)) {
      throw new Error(`exit_step must be a whole number from 1 to ${steps}, got ${step}`);
    }
    const image = images.subarray(index * this.size, (index + 1) * this.size);
    return { image, shape, encoders: CODES, eps, attack: this.#change, num_steps: steps, seed: 0 };
  }

  #show(frame) {
    this.#frame = frame;
    this.stage.succeed();
    if (this.stage.reveal()) this.digits.reveal();
    this.#paint();
  }

  #paint() {
    const frame = this.#frame;
    if (!frame) return;
    const { colours } = this.stage;
    const { eps, exit_step: step } = this.store.all();
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
    setText(this.badge, `computed in your browser · an image of ${this.zoo.dataset} · ε = ${epsText(eps)} (L∞)`);
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
