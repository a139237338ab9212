/**
 * The robustness explorer: image → spikes → hidden spikes → votes → verdict, and how often that verdict is right on all test
 * digits. The reader turns image, code, attack, ε and exit; the engine answers with a frame, and this shows it.
 */
import { accuracyCurve } from "./accuracy.js";
import { Badge, facts, how } from "./badge.js";
import { Choice, Select } from "./choice.js";
import { AccuracyPlot } from "./curve.js";
import { Digits } from "./digits.js";
import { h } from "./dom.js";
import { Drawing } from "./draw.js";
import { FlipSearch } from "./flip.js";
import { MAGNIFIED, Picture } from "./image.js";
import { isAnalog } from "./raster.js";
import { Runner } from "./runner.js";
import { Slider } from "./slider.js";
import { Timeline } from "./timeline.js";
import { Verdict } from "./verdict.js";
import {
  ATTACKS,
  curveTitle,
  effect,
  epsText,
  flipText,
  isGradientAttack,
  partsOf,
  resultKey,
  shownSide,
  spoken,
  verdict,
} from "./words.js";

const MAX_EPS = 0.3;
const FIRST_EPS = 0.1;
const DRAWN = -1;
const NO_CURVES = "Accuracy curves belong to the zoo's models. Run snnlab.evaluate on your own to measure them.";

/** @param {object} stage  @param {object} store  @param {object} engine */
export async function robustnessExplorer(stage, store, engine) {
  const zoo = await engine.zoo();
  if (stage.disposed) return;
  const view = new RobustnessExplorer(stage, store, engine, zoo);
  stage.onDispose(() => view.dispose());
  view.start();
}

class RobustnessExplorer {
  #frame = null;
  #request = null;

  constructor(stage, store, engine, zoo) {
    Object.assign(this, { stage, store, engine, zoo });
    this.size = zoo.digits.shape.reduce((a, b) => a * b, 1);
    this.runner = new Runner({
      ask: () => this.#ask(),
      run: (request) => engine.run(request).then((frame) => ({ frame, request })),
      show: ({ frame, request }) => this.#show(frame, request),
      fail: (error) => stage.fail(error),
      busy: (isBusy) => stage.busy(isBusy),
    });
    this.flip = new FlipSearch((request) => engine.run(request), MAX_EPS);
    this.#build();
  }

  start() {
    const { stage, store, engine } = this;
    stage.onDispose(store.subscribe(() => this.#changed()));
    // A kernel that is back may know better than what is shown.
    const stop = engine.onStatus?.((status) => status === null && this.runner.request());
    if (stop) stage.onDispose(stop);
    stage.onRepaint(() => this.#paint());
    this.#changed();
  }

  dispose() {
    this.runner.dispose();
    this.flip.stop();
  }

  // --- building ---------------------------------------------------------------------------------------------------

  #build() {
    const set = (name) => (value) => this.store.set({ [name]: value });
    const { zoo } = this;
    const canDraw = this.size === 784;
    this.digits = new Digits(zoo.digits, set("image"), {
      onDraw: canDraw ? () => this.#openDrawing() : null,
      legend: zoo.results ? "digit" : "image",
    });
    this.drawing = new Drawing(
      (pixels) => this.store.set({ drawing: pixels, image: DRAWN }),
      () => this.#closeDrawing(),
    );
    this.code = new Select(
      "code",
      zoo.models.map(({ name, title }) => [name, title]),
      set("encoding"),
    );
    this.attack = new Choice("attacker", Object.entries(ATTACKS), (value) => this.#chooseAttack(value));
    this.attacker = new Choice(
      "knows the code?",
      [
        ["naive", "naive"],
        ["informed", "informed"],
      ],
      set("attacker"),
    );
    this.eps = new Slider({
      label: "budget ε",
      min: 0,
      max: MAX_EPS,
      step: 0.001,
      key: 0.01,
      text: epsText,
      spoken: (eps) => `${epsText(eps)}, ${Math.round(eps * 255)} of 255 grey levels`,
      onInput: set("eps"),
    });
    this.exit = new Slider({
      label: "exit step",
      min: 1,
      max: zoo.num_steps,
      step: 1,
      text: (exit) => `${exit} of ${zoo.num_steps}`,
      spoken: (exit) => `${exit} of ${zoo.num_steps} steps read`,
      onInput: set("exit_step"),
    });
    this.pictures = {
      clean: new Picture("clean"),
      attacked: new Picture("attacked", "attacked"),
      difference: new Picture(`difference ×${MAGNIFIED}`, "difference"),
    };
    this.pictures.difference.element.append(
      h("p", { class: "map" }, h("i", { class: "darker" }), "darker", h("i", { class: "brighter" }), "brighter"),
    );
    this.time = new Timeline({ onExit: set("exit_step") });
    this.curve = new AccuracyPlot({ onEps: set("eps"), onPick: set("encoding") });
    this.verdict = new Verdict();
    this.badge = new Badge();
    this.#assemble();
  }

  #assemble() {
    const element = (part) => part.element;
    this.stage.app.classList.add("robustness");
    this.stage.app.append(
      this.digits.element,
      this.drawing.element,
      h("div", { class: "pictures" }, ...Object.values(this.pictures).map(element)),
      h(
        "div",
        { class: "controls", role: "group", "aria-label": "controls" },
        this.verdict.answer,
        h("div", { class: "setup" }, ...[this.code, this.attack, this.attacker].map(element)),
        h("div", { class: "tune" }, ...[this.eps, this.exit].map(element)),
      ),
      this.time.element,
      this.verdict.effect,
      this.curve.element,
      this.badge.element,
    );
    if (!this.zoo.results) this.curve.showNothing(NO_CURVES);
  }

  // --- asking -----------------------------------------------------------------------------------------------------

  /** The controls follow at once; the frame follows when it is ready. */
  #changed() {
    const state = this.store.all();
    this.digits.show(state.image);
    this.code.show(state.encoding);
    this.attack.show(state.attack);
    this.attacker.show(state.attacker, !isGradientAttack(state.attack));
    this.eps.show(state.eps, Math.max(MAX_EPS, state.eps || 0));
    this.exit.show(state.exit_step);
    this.time.showExit(state.exit_step, this.#frame?.num_steps ?? this.zoo.num_steps);
    this.flip.stop();
    this.runner.request();
  }

  #ask() {
    const { image, drawing, encoding, attack, attacker, eps, exit_step } = this.store.all();
    const settings = { encoding, attack, attacker, eps, exit_step, seed: 0 };
    const request = { ...this.#pixels(image, drawing), shape: this.zoo.digits.shape, ...settings };
    return { request, topic: [image, encoding, attack, attacker].join() };
  }

  #pixels(index, drawing) {
    const { images, labels } = this.zoo.digits;
    if (index === DRAWN) {
      if (drawing.length !== this.size) throw new Error("nothing is drawn yet; draw a digit or choose one");
      return { image: Float32Array.from(drawing, (v) => v / 255), label: null };
    }
    if (!(Number.isInteger(index) && index >= 0 && index < labels.length)) {
      throw new Error(
        `image must be a whole number from 0 to ${labels.length - 1}, or -1 for a drawn digit; got ${index}`,
      );
    }
    return { image: images.subarray(index * this.size, (index + 1) * this.size), label: labels[index] };
  }

  #chooseAttack(attack) {
    const { eps } = this.store.all();
    this.store.set(attack !== "none" && !(eps > 0) ? { attack, eps: FIRST_EPS } : { attack });
  }

  #openDrawing() {
    const { digits, drawing } = this;
    const isOpen = drawing.element.hidden;
    drawing.open(isOpen);
    digits.draw.setAttribute("aria-expanded", String(isOpen));
    const { drawing: pixels } = this.store.all();
    if (isOpen && pixels.length === this.size) this.store.set({ image: DRAWN });
  }

  #closeDrawing() {
    this.drawing.open(false);
    this.digits.draw.setAttribute("aria-expanded", "false");
    this.digits.draw.focus();
  }

  // --- showing ----------------------------------------------------------------------------------------------------

  #show(frame, request) {
    this.#frame = frame;
    // What the frame answers: the reader may have gone on since.
    this.#request = request;
    this.stage.succeed();
    if (this.stage.reveal()) this.digits.reveal();
    this.time.showExit(this.store.get("exit_step"), frame.num_steps);
    this.#paint();
    this.stage.speak(`${spoken(frame, request, this.#title(frame))} ${this.curve.sentence}`);
    // In a kernel the scan would stand in the way of the next request.
    if (this.engine.kind === "browser") this.flip.start(request, frame, () => this.#paintVerdict());
  }

  #title(frame) {
    return this.zoo.models.find(({ name }) => name === frame.encoding)?.title ?? frame.encoding;
  }

  #paint() {
    const frame = this.#frame;
    if (!frame) return;
    const { colours } = this.stage;
    this.#paintPictures(frame, colours);
    this.time.show(frame, frame.exit_step, partsOf(this.#title(frame)), colours);
    this.#paintVerdict();
    this.#paintCurves(frame, colours);
  }

  #paintVerdict() {
    const frame = this.#frame;
    const analog = Boolean(frame.clean.input) && isAnalog(frame.clean.input, frame.num_steps);
    const found = frame.attacked ? flipText(this.flip.known(this.#request), MAX_EPS) : "";
    this.verdict.show(
      verdict(frame, frame.exit_step),
      [...effect(frame, this.#request, analog), found].filter(Boolean),
    );
  }

  #paintPictures({ clean, attacked, shape }, colours) {
    const { pictures } = this;
    pictures.clean.show(clean.image, shape);
    pictures.attacked.show((attacked ?? clean).image, shape);
    pictures.difference.showDifference(clean.image, (attacked ?? clean).image, shape, colours);
    for (const name of ["attacked", "difference"]) {
      pictures[name].element.classList.toggle("changed", Boolean(attacked));
      pictures[name].element.classList.toggle("idle", !attacked);
    }
  }

  #paintCurves(frame, colours) {
    const { zoo, badge, curve } = this;
    const state = this.#request;
    const key = resultKey(state);
    badge.show(frame, facts(zoo, key), zoo.results?.flags?.[frame.encoding]?.[key] ?? [], how(frame, state, zoo, key));
    if (!zoo.results) return;
    const curves = zoo.models.flatMap(({ name, title }) => {
      const points = accuracyCurve(zoo.results, name, key, frame.exit_step);
      return points ? [{ name, title, points }] : [];
    });
    const content = {
      title: curveTitle(state, frame.exit_step),
      key: [key, frame.exit_step].join(),
      curves,
      current: frame.encoding,
      eps: state.eps,
      chance: shownSide(frame).predictions.length / shownSide(frame).votes.length,
    };
    curve.show(content, colours);
  }
}
