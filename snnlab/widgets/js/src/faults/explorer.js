/** The explorer of faults: a slider for each fault of a chip; the raster, the answer and the accuracy follow. */

import { field, wilson } from "../engine/index.js";
import { network } from "../engine/network.js";
import { inputOrder } from "../engine/order.js";
import { pause } from "../engine/pause.js";
import { mulberry32 } from "../engine/random.js";
import { say } from "../language.js";
import { AccuracyPlot } from "../view/charts/accuracy-curve.js";
import { Select } from "../view/controls/choice.js";
import { ImagePicker } from "../view/controls/image-picker.js";
import { Slider } from "../view/controls/slider.js";
import { h, setText } from "../view/dom/elements.js";
import { Explorer } from "../view/explorers/base.js";
import { partsOf } from "../view/model/fusion-names.js";
import { chosen, titlesOf } from "../view/model/models.js";
import { HiddenPanel } from "../view/panels/hidden.js";
import { InputPanel } from "../view/panels/input.js";
import { Timeline } from "../view/panels/timeline.js";
import { Verdict } from "../view/panels/verdict.js";
import { VotesPanel } from "../view/panels/votes.js";
import sheet from "../view/styles/explorers/fault.css";
import { chanceOf, verdict } from "../view/text/frame.js";
import { Chip } from "./faults.js";
import { changeText, measuredText } from "./text.js";

const CODE = 1; // stream of random codes
const AT_ONCE = 3; // sample digits between two looks at the page

const percent = (s) => `${Math.round(1000 * s) / 10} %`;
/** The slider of each setting: its fault, its label, how far it goes. */
const SLIDERS = {
  lost: { fault: "lost", label: say`lost spikes`, max: 0.9, step: 0.01, text: percent },
  late: { fault: "late", label: say`late spikes`, max: 1, step: 0.01, text: percent },
  dead: { fault: "dead", label: say`dead neurons`, max: 0.9, step: 0.01, text: percent },
  stuck: { fault: "stuck", label: say`stuck neurons`, max: 0.3, step: 0.005, text: percent },
  mismatch: { fault: "threshold", label: say`spread of thresholds`, max: 1, step: 0.01, text: percent },
  drift: { fault: "weight", label: say`spread of weights`, max: 1, step: 0.01, text: percent },
  flipped: { fault: "flipped_bits", label: say`flipped bits`, max: 0.15, step: 0.001, text: percent },
  bits: { fault: "fewer_bits", label: say`bits a weight`, min: 1, max: 8, step: 1, text: String },
};
const severityOf = (setting, value) => (setting === "bits" ? (8 - value) / 7 : value);
const settingOf = (setting, severity) => (setting === "bits" ? Math.round(8 - 7 * severity) : severity);

export class FaultExplorer extends Explorer {
  static kind = "fault";
  static style = "fault";
  static sheet = sheet;
  /** The setting whose curve is shown: the one that was moved last. */
  inHand = "lost";
  #networks = new Map();
  #chip = { key: "", chip: /** @type {any} */ (null) };
  #round = 0;

  static async load(engine) {
    const [zoo, record] = await Promise.all([engine.zoo(), engine.record("everyday")]);
    field(record, "models", "everyday");
    return { ...zoo, everyday: record };
  }

  constructor(stage, store, engine, zoo) {
    super(stage, store, engine, zoo);
    this.zoo = zoo;
    const measured = zoo.models.filter(({ name, kind }) => kind !== "ann" && zoo.everyday.models[name]);
    this.models = measured.map((model) => (model.group === "codes" ? model : { ...model, title: model.name }));
    this.picker = new ImagePicker(zoo, store);
    stage.onDispose(() => this.#round++);
  }

  declare() {
    const { store } = this;
    const code = new Select(say`network`, titlesOf(this.models), this.set("encoding"));
    /** @type {[string, Slider][]} */
    const sliders = Object.entries(SLIDERS).map(([name, { fault: _fault, ...look }]) => {
      const onInput = (value) => {
        this.inHand = name;
        store.set({ [name]: value });
      };
      return [name, new Slider({ ...look, key: look.step * (look.step < 1 ? 5 : 1), onInput })];
    });
    const again = h(
      "button",
      { type: "button", onclick: () => store.set({ draw: (store.get("draw") + 1) % 1000 }) },
      say`Draw again`,
    );
    const sound = Object.fromEntries(Object.keys(SLIDERS).map((name) => [name, name === "bits" ? 8 : 0]));
    const repair = h("button", { type: "button", onclick: () => store.set(sound) }, say`Repair all`);
    this.verdict = new Verdict();
    this.measured = h("p", { class: "said", role: "status" });
    this.time = new Timeline([new InputPanel(), new HiddenPanel(), new VotesPanel()]);
    this.plot = new AccuracyPlot({
      onEps: (severity) => store.set({ [this.inHand]: settingOf(this.inHand, severity) }),
      onPick: this.set("encoding"),
    });
    this.controls = { encoding: code, ...Object.fromEntries(sliders) };
    const group = this.controlGroup(
      [code.element],
      sliders.map(([, { element }]) => element),
      this.verdict.answer,
    );
    const right = h("div", {}, this.plot.element, this.measured);
    return {
      controls: this.controls,
      panels: [
        ...this.picker.elements,
        group,
        h("div", { class: "presses" }, again, repair),
        this.verdict.effect,
        h("div", { class: "both" }, this.time.element, right),
      ],
      limits: {
        image: this.zoo.digits.labels.length - 1,
        drawing: this.zoo.digits.shape.reduce((a, b) => a * b, 1),
        encoding: this.models.map(({ name }) => name),
      },
    };
  }

  changed(state) {
    super.changed(state);
    this.picker.show(state);
  }

  ask(state) {
    chosen(this.models, state.encoding);
    const severities = Object.fromEntries(
      Object.entries(SLIDERS).map(([name, { fault }]) => [fault, severityOf(name, state[name])]),
    );
    return { ...this.picker.pixels(state), encoding: state.encoding, severities, draw: state.draw };
  }

  async #network(name) {
    if (!this.#networks.has(name)) {
      const payload = await this.engine.record(`model/${name}`);
      this.#networks.set(name, network(payload, this.zoo.num_steps));
    }
    return this.#networks.get(name);
  }

  /** The digit on a sound chip and on the faulty one. */
  async run({ image, label, shape, encoding, severities, draw }) {
    const model = await this.#network(encoding);
    const key = JSON.stringify([encoding, severities, draw]);
    if (this.#chip.key !== key) this.#chip = { key, chip: new Chip(model, severities, draw) };
    const { chip } = this.#chip;
    const clean = new Chip(model, {}, draw).forward(image, mulberry32(0, CODE));
    const broken = Object.values(severities).some((s) => s > 0);
    const attacked = broken ? chip.forward(image, mulberry32(0, CODE)) : null;
    const steps = model.numSteps;
    return {
      clean,
      attacked,
      order: { input: inputOrder(image, model.parts), ...model.hiddenOrder },
      shape,
      num_steps: steps,
      label,
      target: label ?? clean.predictions[steps - 1],
      encoding,
      computed_by: "browser",
    };
  }

  paint(frame, request, colours) {
    const { encoding, decoder } = chosen(this.models, frame.encoding);
    const steps = frame.num_steps;
    this.time.showExit(steps, steps);
    this.time.show(frame, { exit: steps, parts: partsOf(encoding), decoder, colours });
    this.verdict.show(verdict(frame, steps, true), [changeText(frame)]);
    this.#curves(frame, request, colours);
    const { n, draws, seeds } = this.zoo.everyday;
    this.caption.say(
      say`Rasters, answer and the sample digits: computed in your browser, draw ${request.draw}, and read at the last step. Curves: recorded, one fault at a time, n = ${n} test digits of ${this.zoo.dataset}, ${seeds} training seeds, ${draws} draws of each fault, 95 % intervals.`,
    );
  }

  #curves(frame, request, colours) {
    const { fault, label, max } = SLIDERS[this.inHand];
    const { models } = this.zoo.everyday;
    const points = ({ name }) =>
      [[0, ...models[name].clean], ...(models[name].faults[fault] ?? [])].map(([eps, share, low, high]) => {
        return { eps, share, low, high, measured: true };
      });
    const curves = this.models.map((model) => ({ ...model, points: points(model) }));
    const end = this.inHand === "bits" ? 1 : max;
    this.plot.budgets = {
      domain: (shown) => [
        0,
        Math.max(...shown.map((curve) => curve.points.at(-1).eps), Math.min(end, request.severities[fault])),
      ],
      name: this.inHand === "bits" ? say`bits that are missing, of 7` : say`severity: ${label}`,
      near: (severity) => Math.round(1000 * severity) / 1000,
    };
    const at = say`severity ${request.severities[fault]}`;
    const title = say`Accuracy under ${this.inHand === "bits" ? say`fewer bits` : label} alone`;
    const content = { title, key: fault, curves, current: [frame.encoding], eps: request.severities[fault], at };
    this.plot.show({ ...content, chance: chanceOf(frame) }, colours);
  }

  answered(frame, _request) {
    const { text, note } = verdict(frame, frame.num_steps, true);
    this.stage.speak(`${text}, ${note}. ${changeText(frame)}`);
    this.#measure(frame);
  }

  /** The sample digits on this chip, a few at a time, until another question comes. */
  async #measure(frame) {
    this.#round++;
    const [round, { chip }] = [this.#round, this.#chip];
    const { images, labels } = this.zoo.digits;
    const size = images.length / labels.length;
    let right = 0;
    for (let k = 0; k < labels.length; k++) {
      const trace = chip.forward(images.subarray(k * size, (k + 1) * size), mulberry32(0, CODE), 1 + k);
      right += Number(trace.predictions[frame.num_steps - 1] === labels[k]);
      if (k % AT_ONCE === AT_ONCE - 1) await pause();
      if (round !== this.#round) return;
    }
    setText(this.measured, measuredText(wilson(right, labels.length), right, labels.length));
  }

  revealed() {
    this.picker.digits.reveal();
  }
}
