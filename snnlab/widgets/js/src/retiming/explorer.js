/** The explorer of retiming: a budget on time beside ε; the moved spikes, the votes and the answer follow. */

import { ATTACK, CODE, taken } from "../engine/frame.js";
import { attack, field, mulberry32, network, wilson } from "../engine/index.js";
import { inputOrder } from "../engine/order.js";
import { say } from "../language.js";
import { AccuracyPlot } from "../view/charts/accuracy-curve.js";
import { EpsSlider, ExitSlider } from "../view/controls/attack-controls.js";
import { Choice, Select } from "../view/controls/choice.js";
import { ImagePicker } from "../view/controls/image-picker.js";
import { Slider } from "../view/controls/slider.js";
import { h, setText } from "../view/dom/elements.js";
import { Explorer } from "../view/explorers/base.js";
import { partsOf } from "../view/model/fusion-names.js";
import { chosen, titlesOf } from "../view/model/models.js";
import { HiddenPanel } from "../view/panels/hidden.js";
import { Timeline } from "../view/panels/timeline.js";
import { Verdict } from "../view/panels/verdict.js";
import { VotesPanel } from "../view/panels/votes.js";
import { chanceOf, shownSide, spikes, tieText, verdict } from "../view/text/frame.js";
import { MovesPanel } from "./panel.js";
import sheet from "./retiming.css";
import { retime } from "./search.js";
import { measuredText, movedText, stepsText } from "./text.js";
import { moves } from "./trains.js";

const MOVE = 2; // stream of the search in time
const ALL = 100; // spikes: no limit

const MOVERS = [
  ["attacker", say`an attacker`],
  ["chance", say`chance`],
];

/** The curves by setting: what limits the budget, and how its axis is called. */
const AXES = {
  shift: { name: say`steps that a spike may move, B∞`, end: 4 },
  moved: { name: say`spikes that may move, B0`, end: 40 },
};

export class RetimingExplorer extends Explorer {
  static kind = "retiming";
  static style = "retiming";
  static sheet = sheet;
  /** The budget whose curve is shown: the one that was moved last. */
  inHand = "shift";
  #networks = new Map();
  #round = 0;

  static async load(engine) {
    const [zoo, record] = await Promise.all([engine.zoo(), engine.record("retimed")]);
    field(record, "models", "retimed");
    return { ...zoo, retiming: record };
  }

  constructor(stage, store, engine, zoo) {
    super(stage, store, engine, zoo);
    this.zoo = zoo;
    const measured = zoo.models.filter(({ name }) => zoo.retiming.models[name]);
    this.models = measured.map((model) => (model.group === "codes" ? model : { ...model, title: model.name }));
    this.picker = new ImagePicker(zoo, store);
    stage.onDispose(() => this.#round++);
  }

  declare() {
    const { store, zoo } = this;
    const steps = zoo.num_steps;
    const code = new Select(say`network`, titlesOf(this.models), this.set("encoding"));
    const mover = new Choice(say`who moves spikes`, MOVERS, this.set("mover"));
    const budget = (name) => (value) => {
      this.inHand = name;
      store.set({ [name]: value });
    };
    const far = (n) => (n === 0 ? say`none` : stepsText(n));
    const shift = new Slider({ label: say`each moves by (B∞)`, max: steps - 1, text: far, onInput: budget("shift") });
    const many = (n) => (n === ALL ? say`any` : String(n));
    const moved = new Slider({ label: say`so many move (B0)`, max: ALL, key: 5, text: many, onInput: budget("moved") });
    const eps = new EpsSlider(say`intensity ε`, this.set("eps"));
    const exit = new ExitSlider(steps, this.set("exit_step"));
    this.verdict = new Verdict();
    this.measured = h("p", { class: "said", role: "status" });
    this.time = new Timeline([new MovesPanel(), new HiddenPanel(), new VotesPanel()], {
      onExit: this.set("exit_step"),
      play: this.clock(() => store.get("exit_step")),
    });
    const near = (value) => Math.round(Math.min(value, this.inHand === "shift" ? steps - 1 : ALL));
    this.plot = new AccuracyPlot({ onEps: (value) => budget(this.inHand)(near(value)), onPick: this.set("encoding") });
    const group = this.controlGroup(
      [code.element, mover.element],
      [shift, moved, eps, exit].map(({ element }) => element),
      this.verdict.answer,
    );
    const right = h("div", {}, this.plot.element, this.measured);
    return {
      controls: { encoding: code, mover, shift, moved, eps, exit_step: exit },
      panels: [...this.picker.elements, group, this.verdict.effect, h("div", { class: "both" }, this.time.element, right)],
      limits: {
        image: zoo.digits.labels.length - 1,
        drawing: zoo.digits.shape.reduce((a, b) => a * b, 1),
        encoding: this.models.map(({ name }) => name),
        shift: steps - 1,
        exit_step: steps,
      },
    };
  }

  changed(state) {
    super.changed(state);
    this.picker.show(state);
    this.time.showExit(state.exit_step, this.zoo.num_steps);
  }

  moved(step) {
    this.time.showExit(step, this.zoo.num_steps, this.at !== null);
  }

  ask(state) {
    chosen(this.models, state.encoding);
    const { encoding, shift, moved, mover, eps, exit_step } = state;
    return { ...this.picker.pixels(state), encoding, shift, moved, mover, eps, exit_step };
  }

  async #network(name) {
    if (!this.#networks.has(name)) {
      const payload = await this.engine.record(`model/${name}`);
      this.#networks.set(name, network(payload, this.zoo.num_steps));
    }
    return this.#networks.get(name);
  }

  /** One image: as it is, with its intensities changed, and then its spikes moved. */
  async #attacked(model, request, seed = 0) {
    const { image, label, shift, moved: number, mover, eps, exit_step: exitStep, signal } = request;
    const coin = () => mulberry32(seed, CODE);
    const clean = model.forward(image, coin());
    const target = label ?? taken(model, clean, exitStep);
    const aim = { label: target, exitStep, signal };
    let [pixels, alone] = [image, null];
    if (eps > 0) {
      const bent = { ...aim, attacker: "informed", random: mulberry32(seed, ATTACK) };
      ({ image: pixels } = await attack("pgd", model, image, eps, bent));
      alone = model.forward(pixels, coin());
    }
    const budget = { shift, moved: number === ALL ? null : number };
    const idle = shift === 0 || number === 0;
    const moved = idle
      ? null
      : await retime(model, (alone ?? clean).input, budget, { ...aim, mover, random: mulberry32(seed, MOVE) });
    const last = moved ? model.respond(pixels, moved.sequence) : alone;
    return { clean, alone, moved, last, target };
  }

  async run(request) {
    const model = await this.#network(request.encoding);
    const { numSteps: steps } = model;
    const { exit_step: exit, image, label, shape, encoding, shift } = request;
    const { clean, alone, moved, last, target } = await this.#attacked(model, request);
    const drawn = moved ? moves(moved.after, moved.before, steps, shift) : [];
    return {
      clean: sideOf(clean),
      attacked: last && sideOf(last),
      alone: alone && sideOf(alone),
      moved: moved && { ...moved, late: drawn.filter(({ from, to }) => from < exit && to >= exit).length },
      moves: drawn,
      total: (alone ?? clean).input.reduce((sum, s) => sum + Number(s > 0), 0),
      order: { input: inputOrder(image, model.parts), ...model.hiddenOrder },
      shape,
      num_steps: steps,
      exit_step: exit,
      label,
      target,
      encoding,
      computed_by: "browser",
    };
  }

  paint(frame, request, colours) {
    const { encoding, decoder } = chosen(this.models, frame.encoding);
    const exit = this.at ?? frame.exit_step;
    this.time.show(frame, { exit, parts: partsOf(encoding), decoder, colours });
    this.verdict.show(verdict(frame, exit), [...tieText(shownSide(frame), exit), ...movedText(frame, request)]);
    this.#curves(frame, request, colours);
    const { n, seeds } = this.zoo.retiming;
    this.caption.say(
      say`Spikes, votes, both attacks on this digit and the sample digits: computed in your browser, aimed at the exit that is read. ε: PGD that knows the code. Curves: recorded, retiming alone, worst case, n = ${n} test digits of ${this.zoo.dataset}, ${seeds} training seeds, 95 % intervals.`,
    );
  }

  #curves(frame, request, colours) {
    const exit = frame.exit_step;
    const { models } = this.zoo.retiming;
    const { name, end } = AXES[this.inHand];
    const points = (model) => {
      const of = models[model.name].exits[exit];
      const measured = of?.[this.inHand] ?? [];
      return measured.length === 0
        ? []
        : [[0, ...of.clean], ...measured].map(([eps, share, low, high]) => ({ eps, share, low, high, measured: true }));
    };
    const curves = this.models.map((model) => ({ ...model, points: points(model) }));
    const now = this.inHand === "moved" && request.moved === ALL ? end : request[this.inHand];
    this.plot.budgets = {
      domain: (shown) => [0, Math.max(end, ...shown.map((curve) => curve.points.at(-1).eps), now)],
      name,
      near: (value) => value,
      ticks: this.inHand === "shift" ? [0, 1, 2, 3, 4] : [0, 10, 20, 30, 40],
    };
    const at = this.inHand === "shift" ? stepsText(now) : spikes(now);
    const content = {
      title: say`Accuracy at exit ${exit} — worst case of retiming`,
      key: [this.inHand, exit].join(),
      curves,
      current: [frame.encoding],
      eps: now,
      at,
      nothing: this.inHand === "moved" ? say`Measured with all steps read alone.` : say`Not measured at exit ${exit}.`,
    };
    this.plot.show({ ...content, chance: chanceOf(frame) }, colours);
  }

  answered(frame, request) {
    const { text, note } = verdict(frame, frame.exit_step);
    this.stage.speak(`${text}, ${note}. ${movedText(frame, request).join(" ")} ${this.plot.sentence}`);
    this.#measure(request);
  }

  /** The sample digits within this budget, one at a time, until another question comes. */
  async #measure({ signal: _signal, ...request }) {
    this.#round++;
    const round = this.#round;
    const { images, labels } = this.zoo.digits;
    const size = images.length / labels.length;
    const model = await this.#network(request.encoding);
    let right = 0;
    setText(this.measured, "");
    for (let k = 0; k < labels.length; k++) {
      const of = { ...request, image: images.subarray(k * size, (k + 1) * size), label: labels[k] };
      await new Promise((resolve) => setTimeout(resolve)); // a frame and the next question come first
      if (round !== this.#round) return;
      const { clean, last } = await this.#attacked(model, of, 1 + k);
      right += Number((last ?? clean).predictions[request.exit_step - 1] === labels[k]);
    }
    if (round !== this.#round) return;
    setText(this.measured, measuredText(wilson(right, labels.length), right, labels.length, request.exit_step));
  }

  revealed() {
    this.picker.digits.reveal();
  }
}

/** @returns {any} a side of a frame */
function sideOf({ image, input, hidden, output, votes, predictions }) {
  return { image, input, hidden: hidden.spikes, output: output.spikes, membrane: output.membrane, votes, predictions };
}
