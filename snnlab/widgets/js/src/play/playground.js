/** The playground: choose a code, a network and how it learns, press "train", and watch it learn; then break it. */

import { inputOrder } from "../engine/order.js";
import { checkRecipe, LEARNED, networkOf } from "../engine/train.js";
import { fixed, say } from "../language.js";
import { Choice, Select } from "../view/controls/choice.js";
import { ImagePicker } from "../view/controls/image-picker.js";
import { Slider } from "../view/controls/slider.js";
import { h, setText, showText } from "../view/dom/elements.js";
import { Explorer } from "../view/explorers/base.js";
import { partsOf } from "../view/model/fusion-names.js";
import { HiddenPanel } from "../view/panels/hidden.js";
import { InputPanel } from "../view/panels/input.js";
import { Timeline } from "../view/panels/timeline.js";
import { Verdict } from "../view/panels/verdict.js";
import { VotesPanel } from "../view/panels/votes.js";
import sheet from "../view/styles/explorers/playground.css";
import { epsText, verdict } from "../view/text/frame.js";
import { Learner } from "./learner.js";
import { LearningChart } from "./learning-chart.js";
import { RunTable } from "./run-table.js";
import { save } from "./save.js";
import { keep, kept } from "./store.js";
import { keptText, keptTitle, progressText, recipeText, testText } from "./text.js";
import { EPOCHS, revived, TEST_EPS, Training } from "./training.js";

const SEED = 0;

/** Of two hidden layers, the later one. */
class LaterHidden extends HiddenPanel {
  show(frame, context) {
    super.show(frame, context);
    if (frame.layers > 1) setText(this.title, say`hidden spikes, second layer`);
  }
}

export class PlaygroundExplorer extends Explorer {
  static kind = "playground";
  static style = "playground";
  static sheet = sheet;
  /** @type {Training|null} */
  training = null;
  /** The run that is compared with: the one before, or the one that the reader has kept. @type {any} */
  before = null;
  isKept = false;

  constructor(stage, store, engine, zoo) {
    super(stage, store, engine, zoo);
    this.zoo = zoo;
    this.picker = new ImagePicker(zoo, store);
    this.learner = new Learner(engine, {
      say: (sentence) => showText(this.notice, sentence),
      changed: () => this.#buttons(),
      told: () => this.runner.request(),
      tested: (training) => showText(this.notice, keep(training) ?? keptText(training, zoo.num_steps)),
    });
    stage.onDispose(() => this.learner.dispose());
  }

  declare() {
    const set = (name) => this.set(name);
    const number = (name) => (value) => this.store.set({ [name]: Number(value) });
    const pairs = (names, title = (name) => name.replace("_", " ")) =>
      names.map((name) => [String(name), title(String(name))]);
    const two = (v) => fixed(v, 2);
    const code = new Select(say`code`, pairs(LEARNED), set("code"));
    this.hidden = new Select(say`hidden neurons`, pairs([32, 64, 128, 256]), number("neurons"));
    const layers = [["0", say`none`], ...pairs([32, 64, 128, 256])];
    this.second = new Select(say`second hidden layer`, layers, number("second"));
    const surrogate = new Select(
      say`surrogate`,
      pairs(["sigmoid", "arctan", "fast_sigmoid", "triangular"]),
      set("surrogate"),
    );
    const loss = new Choice(say`loss`, pairs(["count", "membrane", "anytime"]), set("loss"));
    const learn = new Choice(
      say`learn from`,
      [
        ["clean", say`clean digits`],
        ["fgsm", "FGSM"],
      ],
      set("learn"),
    );
    const steps = new Slider({ label: say`steps T`, min: 2, max: 16, text: String, onInput: set("steps") });
    const beta = new Slider({ label: say`decay β`, max: 1, step: 0.01, key: 0.05, text: two, onInput: set("beta") });
    const slope = new Slider({ label: say`slope`, min: 0.5, max: 20, step: 0.5, text: String, onInput: set("slope") });
    const eps = new Slider({ label: say`training ε`, max: 0.3, step: 0.01, text: epsText, onInput: set("eps") });
    this.eps = eps;
    this.press = h("button", {
      type: "button",
      class: "main",
      onclick: () => (this.learner.busy ? this.pause() : this.train()),
    });
    this.one = h("button", { type: "button", onclick: () => this.train(1) }, say`One batch`);
    this.anew = h("button", { type: "button", onclick: () => this.restart() }, say`Start anew`);
    this.keeps = h("button", { type: "button", onclick: () => this.keepRun() }, say`Keep this run to compare`);
    this.file = h("button", { type: "button", onclick: () => this.save() }, say`Save file`);
    this.back = h("button", { type: "button", hidden: true, onclick: () => this.restore() }, say`Open the last one`);
    this.progress = h("p", { class: "said progress" });
    this.runs = new RunTable();
    this.notice = h("p", { class: "said soft", role: "status", hidden: true });
    this.chart = new LearningChart();
    this.verdict = new Verdict();
    this.time = new Timeline([new InputPanel(), new LaterHidden(), new VotesPanel()]);
    const chart = h("section", { class: "panel curve" }, h("h4", {}, say`Learning`), this.chart.element, this.runs.element);
    const setup = [code.element, this.hidden.element, this.second.element, surrogate.element, loss.element, learn.element];
    const tune = [steps.element, beta.element, slope.element, eps.element];
    this.caption.say(
      say`computed in your browser, seed ${SEED}: Adam, batches of 100 of 3,500 training digits of ${this.zoo.dataset}, ${EPOCHS} epochs; after each, 200 test digits, clean and under FGSM (informed) at ε = ${epsText(TEST_EPS)}. One training run: another seed would differ by a few points. Choose nothing by test digits that you then report.`,
    );
    return {
      controls: { code, surrogate, loss, learn, steps, beta, slope, eps },
      panels: [
        this.controlGroup(setup, tune),
        h("div", { class: "presses" }, this.press, this.one, this.anew, this.keeps, this.file, this.back),
        this.progress,
        this.notice,
        h("div", { class: "both" }, chart, h("div", {}, this.verdict.answer, this.time.element)),
        ...this.picker.elements,
      ],
      limits: { image: this.zoo.digits.labels.length - 1, drawing: this.#pixels },
    };
  }

  get #pixels() {
    return this.zoo.digits.shape.reduce((a, b) => a * b, 1);
  }

  /** What the state says of the training. @param {State} state @returns {import("../engine/train.js").Recipe} */
  recipe({ code, steps, beta, neurons: hidden, second, surrogate, slope, loss, learn, eps }) {
    const about = { code, steps, beta, hidden, surrogate, slope, loss };
    const recipe = { ...about, eps: learn === "fgsm" ? eps : 0, seed: SEED, epochs: EPOCHS };
    return second > 0 ? { ...recipe, second } : recipe;
  }

  changed(state) {
    super.changed(state);
    this.picker.show(state);
    this.hidden.show(String(state.neurons));
    this.second.show(String(state.second));
    this.eps.element.hidden = state.learn !== "fgsm";
    const recipe = this.recipe(state);
    if (this.training && JSON.stringify(recipe) === JSON.stringify(this.training.recipe)) return;
    this.pause();
    this.#begin(recipe);
  }

  /** A new training; one that has learned something is compared with it, unless another is kept for that. */
  #begin(recipe) {
    if (this.training?.batches.length && !this.isKept) this.before = this.training;
    try {
      checkRecipe(recipe);
      this.training = new Training(recipe, this.#pixels);
    } catch {
      this.training = null; // `ask` says what is wrong
    }
    this.#buttons();
  }

  /** Compare the runs to come with this one, as it is now. */
  keepRun() {
    const { recipe, batches, tests } = /** @type {Training} */ (this.training);
    this.before = { recipe, batches: [...batches], tests: [...tests] };
    this.isKept = true;
    this.stage.speak(say`Kept to compare: ${recipeText(recipe)}. ${testText(tests)}`);
    this.repaint();
  }

  restart() {
    this.pause();
    this.#begin(this.recipe(this.store.all()));
    this.runner.request();
  }

  ask(state) {
    checkRecipe(this.recipe(state));
    return { ...this.picker.pixels(state), recipe: this.recipe(state) };
  }

  /** What the present weights make of the digit. */
  async run({ image, label, shape }) {
    const training = /** @type {Training} */ (this.training);
    const network = networkOf(training.recipe, training.weights);
    const trace = network.forward(image, () => 0.5);
    const { votes, predictions, input, hidden, output } = trace;
    const clean = {
      image,
      input,
      hidden: hidden.spikes,
      output: output.spikes,
      votes,
      membrane: output.membrane,
      predictions,
    };
    const order = { input: inputOrder(image, 1), ...network.hiddenOrder };
    const { steps } = training.recipe;
    const layers = network.middle ? 2 : 1;
    return { clean, attacked: null, order, layers, shape, num_steps: steps, label, target: label, computed_by: "browser" };
  }

  paint(frame, _request, colours) {
    const { training, before } = this;
    if (!training) return;
    const { steps, code, loss } = training.recipe;
    this.time.showExit(steps, steps);
    const context = { exit: steps, parts: partsOf(code), decoder: loss === "membrane" ? "membrane" : "rate", colours };
    this.time.show(frame, context);
    this.verdict.show(verdict(frame, steps), []);
    setText(this.progress, `${recipeText(training.recipe)} · ${progressText(training)}`);
    this.runs.show(training, before, this.isKept);
    const compared = before ? say` Before: ${recipeText(before.recipe)}. ${testText(before.tests)}` : "";
    this.chart.show(training, before, colours, `${progressText(training)} ${testText(training.tests)}${compared}`);
  }

  answered(frame, _request) {
    if (this.learner.busy) return;
    const { text, note } = verdict(frame, frame.num_steps);
    this.stage.speak(`${text}, ${note}. ${progressText(/** @type {Training} */ (this.training))}`);
  }

  revealed() {
    this.picker.digits.reveal();
    const found = kept();
    this.back.hidden = found === null;
    if (found) setText(this.back, keptTitle(found));
  }

  #buttons() {
    const { training } = this;
    const begun = (training?.batches.length ?? 0) > 0;
    setText(
      this.press,
      this.learner.busy ? say`Pause` : training?.finished ? say`Trained` : begun ? say`Continue` : say`Train`,
    );
    this.press.disabled = !this.learner.busy && (!training || training.finished);
    this.one.disabled = this.learner.busy || !training || training.finished;
    this.file.disabled = !begun;
    this.keeps.disabled = this.learner.busy || !training?.tests.length;
    this.anew.disabled = !begun;
  }

  pause() {
    this.learner.pause();
  }

  /** Go on learning. @param {number} [most] items at most */
  async train(most) {
    if (this.training) await this.learner.train(this.training, most);
  }

  /** The network as a file for `snnlab.load`. */
  save() {
    showText(this.notice, save(/** @type {Training} */ (this.training)));
  }

  /** The network that this browser has kept; one that had not finished goes on. */
  restore() {
    const found = kept();
    if (!found) return;
    this.pause();
    const training = revived(found, this.#pixels);
    const { eps, seed: _seed, epochs: _epochs, hidden: neurons, second = 0, ...settings } = training.recipe;
    if (this.training?.batches.length && !this.isKept) this.before = this.training;
    this.training = training;
    this.store.set({ ...settings, neurons, second, learn: eps > 0 ? "fgsm" : "clean", ...(eps > 0 ? { eps } : {}) });
    this.back.hidden = true;
    this.#buttons();
    this.runner.request();
    if (!training.finished) this.train();
  }
}
