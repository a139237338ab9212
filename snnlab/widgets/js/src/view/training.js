/**
 * The training explorer: one image, one code, and networks that learned by different rules, side by side. When do hidden and
 * output neurons fire, what do they answer, and how often is that right?
 */
import { bestCurve } from "./accuracy.js";
import { ALL_RUNS, Badge, facts, flagsOf, how } from "./badge.js";
import { Choice, Select } from "./choice.js";
import { Column } from "./column.js";
import { AttackControls, checkAttacker, CurveControl, EpsSlider, ExitSlider, together } from "./controls.js";
import { converse } from "./converse.js";
import { AccuracyPlot } from "./curve.js";
import { h } from "./dom.js";
import { Picture } from "./image.js";
import { chosen, ofGroups, RULES } from "./models.js";
import { InputPanel } from "./panels.js";
import { ATTACK, CURVE, imageOf, modelOf, whole } from "./settable.js";
import { Subject } from "./subject.js";
import { Timeline } from "./timeline.js";
import { chanceOf, curveTitle, NO_CURVES, notRecorded, resultKey, spokenColumns, verdict } from "./words.js";

/** Rules that stand side by side; the others are curves only. */
const SHOWN = ["bptt", "tsslbp", "conversion"];

/** Of the small raster of the code that all networks are given. */
const MARGINS = { left: 40, right: 2 };

const ON_EACH =
  "Every network is attacked on its own: the attacked images differ from column to column. A network trained by TSSL-BP answers with post-synaptic filters in front of both layers, and the attack goes through them with the same surrogate gradients as through the others, not with the timing gradients that it was trained with.";

/** @param {object} stage  @param {object} store  @param {object} engine */
export async function trainingExplorer(stage, store, engine) {
  const zoo = await engine.zoo();
  if (!stage.disposed) new TrainingExplorer(stage, store, engine, zoo);
}

class TrainingExplorer {
  constructor(stage, store, engine, zoo) {
    Object.assign(this, { stage, store, engine, zoo });
    this.models = ofGroups(zoo, "codes", "training").map((model) => ({ ...model, title: titleOf(model) }));
    this.own = !zoo.results;
    this.codes = codesOf(this.models);
    engine.foresee?.(this.codes.flatMap((code) => this.#shown(code.name)).map(({ name }) => name));
    this.settings = { ...imageOf(zoo), code: modelOf(this.codes), ...ATTACK, ...CURVE, exit_step: whole(1, zoo.num_steps) };
    const set = (name) => (value) => store.set({ [name]: value });
    this.subject = new Subject(zoo, store);
    this.code = new Select(
      "code",
      this.codes.map(({ name }) => [name, name]),
      set("code"),
    );
    this.attack = new AttackControls(store);
    this.eps = new EpsSlider("budget ε", set("eps"));
    this.exit = new ExitSlider(zoo.num_steps, set("exit_step"));
    this.clean = new Picture("the image");
    this.spikes = new Timeline([new InputPanel()], { onExit: set("exit_step"), margins: MARGINS });
    this.columns = this.#shown(this.codes[0]?.name).map(({ title }) => new Column(title, set("exit_step")));
    this.shown = new CurveControl(store);
    this.curve = new AccuracyPlot({ onEps: set("eps"), intervals: true, control: this.shown.element });
    this.badge = new Badge();
    // On a narrow screen one column is shown at a time.
    const titles = this.columns.map(({ title }, k) => [String(k), title]);
    this.tabs = new Choice("network", titles, (k) => this.#turnTo(Number(k)));
    this.#turnTo(0);
    this.#assemble();
    converse(this, this);
  }

  /** The models that stand side by side for a code; of own networks all. */
  #shown(code) {
    if (this.own) return this.models;
    return SHOWN.map((rule) => this.models.find((m) => m.code === code && m.rule === rule)).filter(Boolean);
  }

  #turnTo(index) {
    this.tabs.show(String(index));
    for (const [k, { element }] of this.columns.entries()) element.classList.toggle("turned", k === index);
  }

  #assemble() {
    const { subject, code, attack, eps, exit, clean, spikes, columns, curve, badge, tabs, stage, own } = this;
    stage.app.classList.add("training");
    tabs.element.classList.add("tabs");
    stage.app.append(
      ...subject.elements,
      h("div", { class: "given" }, clean.element, spikes.element),
      tabs.element,
      h("div", { class: "columns" }, ...columns.map(({ element }) => element)),
      h(
        "div",
        { class: "controls", role: "group", "aria-label": "controls" },
        h("div", { class: "setup" }, own ? null : code.element, ...attack.elements),
        h("div", { class: "tune" }, eps.element, exit.element),
      ),
      curve.element,
      badge.element,
    );
    if (own) curve.showNothing(NO_CURVES);
  }

  changed(state) {
    this.subject.show(state);
    this.code.show(state.code);
    const attacked = together(this.#shown(state.code), this.own ? "one of these networks" : state.code);
    this.attack.show(state, attacked);
    this.shown.show(state);
    this.eps.show(state.eps);
    this.exit.show(state.exit_step, attacked.kind === "ann");
    for (const time of [this.spikes, ...this.columns.map((column) => column.time)]) {
      time.showExit(state.exit_step, this.zoo.num_steps);
    }
  }

  ask(state) {
    const { image, code, attack, attacker, eps, exit_step } = state;
    if (!this.own) chosen(this.codes, code, "code");
    checkAttacker(state, together(this.#shown(code), this.own ? "one of these networks" : code));
    const request = { ...this.subject.pixels(state), attack, attacker, eps, exit_step, seed: 0 };
    return { request: { request, code }, topic: [image, code, attack, attacker].join() };
  }

  /** One after the other: a kernel answers one question at a time. */
  async run({ request, code, signal }) {
    const frames = [];
    for (const { name } of this.#shown(code)) {
      frames.push(await this.engine.run({ ...request, encoding: name, signal }));
    }
    return frames;
  }

  revealed() {
    this.subject.digits.reveal();
  }

  answered(frames, { request, code }) {
    const columns = this.#shown(code).map(({ title }, k) => ({ title, frame: frames[k] }));
    this.stage.speak(`${spokenColumns(columns, request, this.own ? null : code)} ${this.curve.sentence}`);
  }

  paint(frames, { request, code }, colours) {
    const models = this.#shown(code);
    this.clean.show(frames[0].clean.image, request.shape);
    this.spikes.show({ ...frames[0], attacked: null }, { parts: [], colours });
    for (const [k, column] of this.columns.entries()) column.show(frames[k], models[k], request, colours);
    this.tabs.write(frames.map((frame, k) => `${models[k].title} ${verdict(frame, request.exit_step).sign}`));
    this.#paintCurves(frames, models, request, code, colours);
  }

  #paintCurves(frames, models, request, code, colours) {
    const { zoo, badge, curve } = this;
    // Which curves are shown changes nothing that was computed.
    const seen = { ...request, curve: this.store.get("curve") };
    const key = resultKey(seen);
    const exit = zoo.num_steps;
    const whole = { ...frames[0], ms: frames.reduce((sum, { ms }) => sum + ms, 0) };
    badge.show(
      whole,
      facts(zoo, key, models[0].name),
      allFlags(zoo, models, key),
      how(whole, request, zoo, key, ALL_RUNS, [ON_EACH]),
    );
    if (this.own) return;
    const curves = [
      ...this.models.filter((model) => model.code === code),
      ...this.models.filter(({ kind }) => kind === "ann"),
    ].map((model) => ({ ...model, points: bestCurve(zoo.results, model.name, key, exit) ?? [] }));
    const content = {
      title: curveTitle(seen, exit, zoo.num_steps),
      nothing: notRecorded(seen),
      key: [key, code].join(),
      curves,
      current: models.map(({ name }) => name),
      eps: request.eps,
      chance: chanceOf(frames[0]),
    };
    curve.show(content, colours);
  }
}

/** What is remarkable about the numbers of the models side by side. */
function allFlags(zoo, models, key) {
  return models.flatMap(({ name, title }) => {
    const flags = flagsOf(zoo, name, key, ALL_RUNS);
    return flags.length ? [`${title}: ${flags.join(", ")}`] : [];
  });
}

/** Codes that every rule side by side was trained for. */
function codesOf(models) {
  const names = new Set(models.map(({ code }) => code));
  const trained = (code) => SHOWN.every((rule) => models.some((m) => m.code === code && m.rule === rule));
  return [...names].filter(trained).map((name) => ({ name }));
}

/** A model by its rule; an own network by its name. */
function titleOf({ kind, rule, title }) {
  if (!rule) return title;
  if (kind !== "ann") return RULES[rule];
  return rule === "bptt" ? "ANN" : `ANN, ${RULES[rule]}`;
}
