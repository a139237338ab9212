/** The training explorer: one image, one code, and networks that learned by different rules, side by side. */
import { say } from "../../language.js";
import { VOCABULARY } from "../../vocabulary.js";
import { AccuracyPlot } from "../charts/accuracy-curve.js";
import { together } from "../controls/attack-controls.js";
import { Choice, Select } from "../controls/choice.js";
import { h } from "../dom/elements.js";
import { bestCurve } from "../model/accuracy.js";
import { chosen, ofGroups } from "../model/models.js";
import { ALL_RUNS, flagsOf } from "../panels/caption.js";
import { TrainingColumn } from "../panels/training-column.js";
import { curveTitle, resultKey, spokenColumns, verdict } from "../text/frame.js";
import { NetworkExplorer } from "./base.js";

/** Rules that are compared side by side; the others are curves only. */
const COMPARED = VOCABULARY.side_by_side.training_rules;

const ON_EACH = say`Every network is attacked on its own: the attacked images differ from column to column. A network trained by TSSL-BP answers with post-synaptic filters in front of both layers. The attack goes through them with the same surrogate gradients as through the others, not with the timing gradients of the training.`;

export class TrainingExplorer extends NetworkExplorer {
  static kind = "training";
  static style = "training";

  offered() {
    return ofGroups(this.zoo, "codes", "training").map((model) => ({ ...model, title: titleOf(model) }));
  }

  foreseen() {
    return this.codes.flatMap((code) => this.#compared(code.name)).map(({ name }) => name);
  }

  declare() {
    const onExit = (exit) => this.setExit(exit);
    this.isCustom = !this.zoo.results;
    this.codes = codesOf(this.models);
    const names = this.codes.map(({ name }) => name);
    const titles = names.map((name) => [name, name]);
    const code = new Select(say`code`, titles, this.set("code"));
    this.columns = this.#compared(names[0]).map(({ title }) => new TrainingColumn(title, onExit));
    this.times = this.columns.map((column) => column.time);
    this.plot = new AccuracyPlot({ onEps: this.set("eps"), intervals: true, control: this.curves.element });
    // On a narrow screen one column is shown at a time.
    const tabs = this.columns.map(({ title }, k) => [String(k), title]);
    this.tabs = new Choice(say`network`, tabs, (k) => this.#turnTo(Number(k)));
    this.tabs.element.classList.add("tabs");
    this.#turnTo(0);
    const setup = [this.isCustom ? null : code.element, ...this.attack.elements];
    return {
      controls: { code },
      panels: [
        ...this.picker.elements,
        this.tabs.element,
        h("div", { class: "columns" }, ...this.columns.map(({ element }) => element)),
        this.controlGroup(setup, [this.eps.element, this.exit.element, this.clock(() => this.store.get("exit_step"))]),
        this.plot.element,
      ],
      limits: this.limits({ code: names }),
    };
  }

  /** The models that are compared for a code; of the reader's own networks all. */
  #compared(code) {
    if (this.isCustom) return this.models;
    return COMPARED.map((rule) => this.models.find((m) => m.code === code && m.rule === rule)).filter(Boolean);
  }

  #turnTo(index) {
    this.tabs.show(String(index));
    for (const [k, { element }] of this.columns.entries()) element.classList.toggle("turned", k === index);
  }

  /** What holds for all networks that are compared. */
  attacked({ code }) {
    return together(this.#compared(code), this.isCustom ? say`one of these networks` : code);
  }

  ask(state) {
    if (!this.isCustom) chosen(this.codes, state.code, "code");
    return super.ask(state);
  }

  /** One after the other: a kernel answers one question at a time. */
  async run(request) {
    const frames = [];
    for (const { name } of this.#compared(request.code)) {
      frames.push(await this.engine.run({ ...request, encoding: name }));
    }
    return frames;
  }

  answered(frames, request) {
    const { code } = request;
    const columns = this.#compared(code).map(({ title }, k) => ({ title, frame: frames[k] }));
    this.stage.speak(`${spokenColumns(columns, request, this.isCustom ? null : code)} ${this.plot.sentence}`);
  }

  paint(frames, request, colours) {
    const models = this.#compared(request.code);
    const exit = this.at ?? request.exit_step;
    for (const [k, column] of this.columns.entries()) column.show(frames[k], models[k], exit, colours);
    this.tabs.write(frames.map((frame, k) => `${models[k].title} ${verdict(frame, exit).sign}`));
    const key = resultKey(request);
    const all = { ...frames[0], ms: frames.reduce((sum, { ms }) => sum + ms, 0) };
    const flags = allFlags(this.zoo, models, key);
    this.showCaption(all, request, key, { runs: ALL_RUNS, about: [ON_EACH], flags, model: models[0].name });
    if (!this.isCustom) this.#paintCurves(frames[0], models, request, colours);
  }

  #paintCurves(frame, models, request, colours) {
    const exit = this.zoo.num_steps;
    const trained = this.models.filter(({ code }) => code === request.code);
    const rivals = this.models.filter(({ kind }) => kind === "ann");
    const current = models.map(({ name }) => name);
    const curves = { models: [...trained, ...rivals], current, measured: bestCurve, exit };
    this.showCurves(frame, request, { ...curves, title: curveTitle(request, exit, exit) }, colours);
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
  const trained = (code) => COMPARED.every((rule) => models.some((m) => m.code === code && m.rule === rule));
  return [...names].filter(trained).map((name) => ({ name }));
}

/** A model by its rule; an own network by its name. */
function titleOf({ kind, rule, title }) {
  if (!rule) return title;
  const trained = VOCABULARY.training_rules[rule].title;
  if (kind !== "ann") return trained;
  return rule === "bptt" ? VOCABULARY.codes.ann.title : `${VOCABULARY.codes.ann.title}, ${trained}`;
}
