/** What explorers have in common: controls that follow the state, a request to the engine, panels, and a caption. */
import { say } from "../../language.js";
import { validators } from "../../state/settings.js";
import { AttackControls, CurveControl, checkAttacker, EpsSlider, ExitSlider } from "../controls/attack-controls.js";
import { Select } from "../controls/choice.js";
import { CopyButton } from "../controls/copy-button.js";
import { ImagePicker } from "../controls/image-picker.js";
import { Player } from "../controls/player.js";
import { Pictures } from "../dom/canvas-image.js";
import { isAnalog } from "../dom/canvas-raster.js";
import { h } from "../dom/elements.js";
import { chosen, ofGroups, titlesOf, YOURS } from "../model/models.js";
import { ALL_RUNS, Caption, facts, flagsOf, how } from "../panels/caption.js";
import { HiddenPanel } from "../panels/hidden.js";
import { InputPanel } from "../panels/input.js";
import { Timeline } from "../panels/timeline.js";
import { Verdict } from "../panels/verdict.js";
import { VotesPanel } from "../panels/votes.js";
import { Runner } from "../session/runner.js";
import {
  chanceOf,
  effect,
  isTargeted,
  NO_CURVES,
  notRecorded,
  resultKey,
  shownSide,
  tieText,
  verdict,
} from "../text/frame.js";
import { asPython } from "../text/python.js";

/** Settings whose change makes another question; a change of the others repeats the question with another number. */
const TOPIC = ["image", "encoding", "code", "silenced", "attack", "attacker", "target", "rule"];

export class Explorer {
  /** Name in settings.toml. @type {string} */
  static kind;
  /** Class of the style sheet. @type {string} */
  static style;

  /** The data that it needs. @param {any} engine @returns {Promise<any>} */
  static load(engine) {
    return engine.zoo();
  }

  /** @param {import("../session/stage.js").Stage} stage  @param {any} store  @param {any} engine  @param {any} data */
  constructor(stage, store, engine, data) {
    this.stage = stage;
    this.store = store;
    this.engine = engine;
    this.data = data;
    this.caption = new Caption();
    this.last = null;
    /** The step until which the last answer is shown while time is played; null: as the state has it. @type {number|null} */
    this.at = null;
    /** What measures in the page, once it is asked for (src/live). @type {any} */
    this.live = null;
  }

  /** Build the page, then ask whenever the state changes, and paint the last answer. */
  start() {
    const { stage, store, engine } = this;
    const { controls = {}, panels, limits } = this.declare();
    const { kind, style } = /** @type {typeof Explorer} */ (this.constructor);
    this.controls = controls;
    this.settings = validators(kind, limits);
    stage.app.classList.add(style);
    stage.app.append(...panels.filter((panel) => panel !== null), this.caption.element);
    this.runner = new Runner({
      ask: () => this.#asked(store.all()),
      run: (request) => this.run(request).then((answer) => ({ answer, request })),
      show: (next) => this.#show(next),
      fail: (error) => stage.fail(error),
      busy: (isBusy) => stage.busy(isBusy),
    });
    const changed = () => {
      this.player?.stop();
      this.at = null;
      this.changed(store.all());
      this.live?.changed();
      this.runner.request();
    };
    this.initial = store.all();
    this.shared = store.keep?.(this.settings, (state) => this.#fits(state));
    this.#addCopies(this.shared);
    stage.onDispose(() => this.runner.dispose());
    stage.onDispose(() => this.player?.stop());
    stage.onDispose(store.subscribe(changed));
    // A kernel that is back answers again.
    stage.onDispose(engine.onStatus?.((status) => status === null && this.runner.request()));
    stage.onRepaint(() => this.repaint());
    changed();
  }

  #asked(state) {
    return { request: this.ask(state), topic: TOPIC.map((name) => state[name]).join() };
  }

  #show(next) {
    this.last = next;
    this.stage.succeed();
    if (this.stage.reveal()) {
      this.revealed();
      this.shared?.revealed();
    }
    this.repaint();
    this.answered(next.answer, next.request);
  }

  /** Paint the last answer; the reader may have gone on since. */
  repaint() {
    if (this.last) this.paint(this.last.answer, this.last.request, this.stage.colours);
    this.live?.paint();
  }

  #fits(state) {
    try {
      this.ask(state);
      return true;
    } catch {
      return false;
    }
  }

  /** The caption offers the state that is shown: as Python, as a link if the page has an address, and what one can take along. */
  #addCopies(shared) {
    const { stage, store, data } = this;
    const { kind } = /** @type {typeof Explorer} */ (this.constructor);
    const text = () => {
      const state = store.all();
      return asPython(kind, Object.fromEntries(Object.keys(this.settings).map((name) => [name, state[name]])), data?.custom);
    };
    const speak = (sentence) => stage.speak(sentence);
    const copies = [new CopyButton({ label: say`copy as Python`, name: say`Python of this state`, text, speak })];
    if (shared) {
      const { link, complete, leave } = shared;
      copies.push(
        new CopyButton({ label: say`link to this state`, name: say`Link to this state`, text: link, complete, speak }),
      );
      stage.onDispose(leave);
    }
    const open = ({ toggle }) => toggle(this, menu);
    const onclick = () =>
      this.engine
        .part("along")
        .then(open)
        .catch((error) => stage.fail(error));
    const menu = h("button", { type: "button", "aria-expanded": "false", onclick }, say`take along`);
    const row = [...copies.map(({ element }) => element), h("div", { class: "copy" }, menu)];
    this.caption.element.prepend(h("div", { class: "copies" }, ...row));
    for (const copy of copies) stage.onDispose(() => copy.dispose());
  }

  /**
   * Controls by the setting that they show, panels in the order of the page, and limits of settings that depend on the data.
   * @returns {{controls?: Object<string, any>, panels: (Element|null)[], limits?: Object<string, number|string[]>}}
   */
  declare() {
    throw new Error("an explorer declares its controls and panels");
  }

  /** The request to the engine. Throws if the state does not exist. @param {State} _state @returns {any} */
  ask(_state) {
    throw new Error("an explorer says what it asks");
  }

  paint(_answer, _request, _colours) {
    throw new Error("an explorer paints its answer");
  }

  set(name) {
    return (value) => this.store.set({ [name]: value });
  }

  /**
   * A button that plays time in the answer that is shown: step by step until the last one that is read. The state stays as it is.
   * @param {() => number} last
   */
  clock(last) {
    const set = (step) => {
      this.at = step < last() ? step : null;
      this.repaint();
      this.moved(step);
    };
    const steps = {
      get: () => this.at ?? 0,
      set,
      get last() {
        return last();
      },
    };
    this.player = new Player(steps);
    return this.player.button;
  }

  /** Called at each step of the time that is played. @param {number} _step */
  moved(_step) {}

  /** The controls follow the state at once. */
  changed(state) {
    for (const [name, control] of Object.entries(this.controls)) control.show(state[name]);
  }

  run(request) {
    return this.engine.run(request);
  }

  /** Called once, when the first answer is visible. */
  revealed() {}

  /** Called after each new answer has been painted. @param {any} _answer  @param {any} _request */
  answered(_answer, _request) {}

  /** The pinned controls: an answer, what is chosen once, and what is tuned. */
  controlGroup(setup, tune, answer = null) {
    const attributes = { class: "controls", role: "group", "aria-label": say`controls` };
    return h("div", attributes, answer, h("div", { class: "setup" }, ...setup), h("div", { class: "tune" }, ...tune));
  }
}

/** An explorer of one image that the reader picks, changed by ε, and of networks that see it. */
export class ImageExplorer extends Explorer {
  static epsLabel = say`budget ε`;

  constructor(stage, store, engine, zoo) {
    super(stage, store, engine, zoo);
    this.zoo = zoo;
    this.models = this.offered();
    const { epsLabel } = /** @type {typeof ImageExplorer} */ (this.constructor);
    this.picker = new ImagePicker(zoo, store);
    this.eps = new EpsSlider(epsLabel, this.set("eps"));
  }

  start() {
    super.start();
    this.engine.foresee?.(this.foreseen());
  }

  /** The networks to choose from. @returns {Model[]} */
  offered() {
    return ofGroups(this.zoo, "codes", YOURS);
  }

  /** Names of the networks that may be asked for. */
  foreseen() {
    return this.models.map(({ name }) => name);
  }

  model(name) {
    return chosen(this.models, name);
  }

  networkSelect(label = "network") {
    return new Select(label, titlesOf(this.models), this.set("encoding"));
  }

  /** Limits that every explorer of images has, and those of its own. */
  limits(more = {}) {
    const { labels, shape } = this.zoo.digits;
    const drawing = shape.reduce((a, b) => a * b, 1);
    const encoding = this.models.map(({ name }) => name);
    return {
      drawing,
      image: labels.length - 1,
      encoding,
      exit_step: this.zoo.num_steps,
      target: this.zoo.classes - 1,
      ...more,
    };
  }

  changed(state) {
    this.picker.show(state);
    this.eps.show(state.eps);
    super.changed(state);
  }

  revealed() {
    this.picker.digits.reveal();
  }

  /** The image, and the settings of this explorer. */
  ask(state) {
    const { drawing, ...settings } = this.settings;
    const chosen = Object.keys(settings).map((name) => [name, state[name]]);
    return { ...Object.fromEntries(chosen), ...this.picker.pixels(state), seed: 0 };
  }

  /** Say who computed a frame, and where the accuracies beside it come from. */
  showCaption(frame, request, key, options) {
    const { runs, about = [], model = frame.encoding } = options;
    const { flags = flagsOf(this.zoo, frame.encoding, key, runs) } = options;
    const counted = facts(this.zoo, key, runs === ALL_RUNS ? model : null, isTargeted(request));
    this.caption.show(
      frame,
      [counted, ...(options.also ?? [])].join(" · "),
      flags,
      how(frame, request, this.zoo, key, runs, about),
    );
  }
}

/** An explorer of networks under attack, read until an exit, with curves of what was measured. */
export class NetworkExplorer extends ImageExplorer {
  /** Plots over time that show the exit. @type {Timeline[]} */
  times = [];
  /** @type {any} */
  plot;

  constructor(stage, store, engine, zoo) {
    super(stage, store, engine, zoo);
    this.attack = new AttackControls(store, zoo.classes);
    this.exit = new ExitSlider(zoo.num_steps, (exit) => this.setExit(exit));
    this.curves = new CurveControl(store);
  }

  start() {
    super.start();
    if (!this.zoo.results) this.plot.showNothing(NO_CURVES);
  }

  setExit(exit) {
    this.store.set({ exit_step: exit });
  }

  /**
   * What is attacked: a network, or several as one; undefined where the state names a network that does not exist.
   * @param {State} state  @returns {import("../controls/attack-controls.js").Attacked|undefined}
   */
  attacked({ encoding }) {
    return this.models.find(({ name }) => name === encoding);
  }

  changed(state) {
    super.changed(state);
    this.curves.show(state);
    if (state.rule === "fixed") this.showExit(state.exit_step);
    const known = this.attacked(state);
    if (!known) return;
    this.attack.show(state, known);
    this.exit.element.hidden = known.kind === "ann"; // it has no steps
  }

  showExit(exit) {
    this.exit.show(exit);
    this.moved(exit);
  }

  moved(step) {
    for (const time of this.times) time.showExit(step, this.zoo.num_steps, this.at !== null);
  }

  ask(state) {
    checkAttacker(state, this.attacked(state) ?? this.model(state.encoding));
    return super.ask(state);
  }

  /** Curves of some models beside a frame; `measured`: a function of results, model, key of the attack, and exit. */
  showCurves(frame, request, { models, current, measured, exit, title }, colours) {
    const key = resultKey(request);
    const points = ({ name }) => measured(this.zoo.results, name, key, exit) ?? [];
    const content = {
      title,
      nothing: notRecorded(
        request,
        models.find(({ name }) => current.includes(name)),
      ),
      key: [key, exit].join(),
      curves: models.map((model) => ({ ...model, points: points(model) })),
      current,
      eps: request.eps,
      chance: chanceOf(frame),
    };
    this.plot.show(content, colours);
  }
}

/** An explorer of one network: the pictures, the plots over time, and its verdict. */
export class FrameExplorer extends NetworkExplorer {
  constructor(stage, store, engine, zoo) {
    super(stage, store, engine, zoo);
    this.pictures = new Pictures();
    this.verdict = new Verdict();
    /** The steps that are read. */
    this.until = zoo.num_steps;
  }

  /** Spikes in, hidden spikes and votes, one below the other; the exit can be dragged if `onExit` is given. */
  timeline(onExit = null) {
    const play = this.clock(() => this.until);
    this.time = new Timeline([new InputPanel(), new HiddenPanel(), new VotesPanel()], { onExit, play });
    this.times = [this.time];
    return this.time.element;
  }

  /** The page, with what is drawn below the controls. */
  page(setup, tune, ...drawn) {
    const controls = this.controlGroup([setup, ...this.attack.elements], tune, this.verdict.answer);
    return [...this.picker.elements, this.pictures.element, controls, ...drawn];
  }

  /** @param {string[]} before the sentences about the effect  @param {string[]} after */
  showFrame(frame, state, context, before = [], after = []) {
    this.until = context.exit;
    const exit = this.at ?? this.until;
    this.pictures.show(frame, context.colours);
    this.time.show(frame, { ...context, exit });
    this.showVerdict(frame, { ...state, exit_step: exit }, before, after);
  }

  showVerdict(frame, state, before = [], after = []) {
    const analog = Boolean(frame.clean.input) && isAnalog(frame.clean.input, frame.num_steps);
    const { exit_step: exit } = state;
    const tie = tieText(shownSide(frame), exit);
    this.verdict.show(verdict(frame, exit), [...before, ...tie, ...effect(frame, state, analog), ...after]);
  }
}
