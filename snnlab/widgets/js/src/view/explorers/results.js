/** The explorer of results: a table of networks, read by threat model, attack, ε, decoding and exit, from records. */

import { field, need } from "../../engine/index.js";
import { say } from "../../language.js";
import { options, VOCABULARY } from "../../vocabulary.js";
import { AccuracyPlot } from "../charts/accuracy-curve.js";
import { ResultBars } from "../charts/bars.js";
import { ExitSlider } from "../controls/attack-controls.js";
import { Choice, Select } from "../controls/choice.js";
import { Slider } from "../controls/slider.js";
import { h, setText } from "../dom/elements.js";
import { claimed, curveOf, exitsOf, fairAnn, LEVELS, levelsOf, nearestLevel, readAt } from "../model/results-table.js";
import { Verdict } from "../panels/verdict.js";
import sheet from "../styles/explorers/results.css";
import { attackName, facts, finding, flagsOf, how, KNOWS, levelText, spoken, THREATS, threatOf } from "../text/results.js";
import { Explorer } from "./base.js";

const FIELDS = ["models", "results", "threats", "attacks", "n", "chance"];

export class ResultsExplorer extends Explorer {
  static kind = "results";
  static style = "results";
  static sheet = sheet;

  static async load(engine) {
    const record = await engine.record("cifar10");
    for (const name of FIELDS) field(record, name, "results");
    return record;
  }

  declare() {
    const { store, data: record } = this;
    const steps = record.num_steps;
    this.record = record;
    this.levels = levelsOf(record);
    this.decoders = options(VOCABULARY.decoders).filter(([name]) => exitsOf(record, name).length > 0);
    this.decoder = new Choice(say`decoding`, this.decoders, this.set("decoder"));
    const threats = Object.entries(THREATS).filter(([name]) => record.threats[name]);
    this.threat = new Choice(say`attacker`, threats, (threat) => store.set({ against: record.threats[threat][0] }));
    const select = (attacks) =>
      new Select(
        say`attack`,
        attacks.map((key) => [key, attackName(key)]),
        this.set("against"),
      );
    this.attacks = Object.entries(record.threats).map(([threat, attacks]) => ({ threat, attacks, select: select(attacks) }));
    this.eps = new Slider({
      label: say`budget ε`,
      max: this.levels.length - 1,
      text: (k) => levelText(this.levels[k]),
      spoken: (k) => say`epsilon ${levelText(this.levels[k])}`,
      stops: this.levels.map((level) => (level === 0.5 ? "½" : String(level))),
      onInput: (k) => store.set({ eps: this.levels[k] / LEVELS }),
    });
    const stops = Array.from({ length: steps }, (_, t) => String(t + 1));
    this.exit = new ExitSlider(steps, this.set("exit_step"), stops);
    this.knows = h("p", { class: "knows" });
    this.bars = new ResultBars();
    this.plot = new AccuracyPlot({
      onEps: (level) => store.set({ eps: level / LEVELS }),
      budgets: {
        domain: () => [0, this.levels.at(-1)],
        exponent: 0.5,
        name: say`budget ε (of 255)`,
        ticks: this.levels,
        near: (level) => nearestLevel(this.levels, level / LEVELS),
      },
    });
    this.verdict = new Verdict();
    const selects = this.attacks.map(({ select: { element } }) => element);
    const decoder = this.decoders.length > 1 ? this.decoder.element : null;
    const controls = this.controlGroup([this.threat.element, ...selects, decoder], [this.eps.element, this.exit.element]);
    return {
      panels: [controls, this.knows, this.bars.element, this.#reported(), this.plot.element],
      limits: {
        against: Object.values(record.threats).flat(),
        decoder: this.decoders.map(([name]) => name),
        exit_step: steps,
      },
    };
  }

  /** What was reported elsewhere, if anything, beside what was measured here. */
  #reported() {
    const { reported } = this.record;
    const card = (kind, title, ...parts) => h("section", { class: kind }, h("h4", {}, title), ...parts);
    const line = (kind) => h("p", { class: kind }, reported[kind]);
    const elsewhere = reported ? card("card", say`Reported`, line("claim"), line("source")) : null;
    return h(
      "div",
      { class: "beside" },
      elsewhere,
      card("card found", say`Measured here`, this.verdict.answer, this.verdict.effect),
    );
  }

  /** The place of a state in the record: the nearest ε and exit that were measured. */
  #place({ against, decoder, eps, exit_step }) {
    const exits = exitsOf(this.record, decoder);
    const known = this.decoders.map(([name]) => name).join(", ");
    need(exits.length > 0, say`unknown decoder "${decoder}"; choose one of ${known}`);
    need(eps >= 0 && eps <= 1, say`eps must lie in [0, 1], got ${eps}`);
    const exit = exits.includes(exit_step) ? exit_step : exits.at(-1);
    return { against, decoder, exit, level: nearestLevel(this.levels, eps), threat: threatOf(this.record, against) };
  }

  changed(state) {
    let place;
    try {
      place = this.#place(state);
    } catch {
      return; // reported when the record is asked
    }
    this.threat.show(place.threat);
    for (const { threat, attacks, select } of this.attacks) {
      select.element.hidden = threat !== place.threat || attacks.length < 2;
      select.show(place.against);
    }
    this.decoder.show(place.decoder);
    this.eps.show(this.levels.indexOf(place.level));
    this.exit.show(place.exit);
    this.exit.input.disabled = exitsOf(this.record, place.decoder).length < 2;
    setText(this.knows, KNOWS[place.threat]);
  }

  ask(state) {
    return this.#place(state);
  }

  run(place) {
    const { record } = this;
    const rival = fairAnn(record, place.threat);
    const rows = record.models.map((model) => ({
      model,
      read: readAt(record, model.name, place),
      clean: readAt(record, model.name, { ...place, against: "worst", level: 0 }),
      why: place.threat === "transfer" && model.name === record.source ? say`made on it` : say`not measured`,
    }));
    return Promise.resolve({ rows, ann: rival ? readAt(record, rival.name, place) : null, computed_by: this.engine.kind });
  }

  answered(_, place) {
    this.stage.speak(spoken(this.record, place.threat, place));
  }

  paint({ rows, ann }, place, colours) {
    const { record, bars, plot } = this;
    const title = say`Correct under ${attackName(place.against)}, ε = ${levelText(place.level)}`;
    bars.show({ title, rows, ann, chance: record.chance }, colours);
    const { tone, sign, verdict, sentence } = finding(record, place.threat, place);
    this.verdict.show({ text: verdict, note: "", tone, sign }, [sentence]);
    // Bars are in groups; a curve has to say how its network was trained.
    const curves = record.models.map((model) => ({
      ...model,
      title: model.rule === "bptt" ? model.title : `${model.rule.toUpperCase()}-${model.title}`,
      points: curveOf(record, model.name, place).filter(({ eps }) => this.levels.includes(eps)),
    }));
    const best = claimed(record, place.threat, place).best?.model.name;
    const content = {
      title: say`Accuracy against ε, ${attackName(place.against)}`,
      key: [place.against, place.decoder, place.exit].join(),
      curves: curves.filter(({ points }) => points.length > 0),
      current: [best, fairAnn(record, place.threat)?.name].filter(Boolean),
      eps: place.level,
      at: `ε = ${levelText(place.level)}`,
      chance: record.chance,
    };
    plot.show(content, colours);
    const flags = flagsOf(record, place);
    const short = flags.length ? [say`flags on ${flags.length} of ${record.models.length} networks`] : [];
    this.caption.show({ computed_by: "record" }, facts(record), short, how(record, place.against, flags));
  }
}
