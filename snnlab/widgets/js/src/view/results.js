/**
 * The explorer of results: a table of networks that were attacked elsewhere, read by threat model, attack, ε, decoding and
 * exit. What the paper reports stands beside what was found here. Nothing is computed: records answer.
 */
import { scalePow } from "d3-scale";
import { field } from "../engine/index.js";
import { Badge } from "./badge.js";
import { Choice, Select } from "./choice.js";
import { ExitSlider } from "./controls.js";
import { converse } from "./converse.js";
import { AccuracyPlot } from "./curve.js";
import { h, setText } from "./dom.js";
import { BUDGET, oneOf, whole } from "./settable.js";
import { Slider } from "./slider.js";
import { Standings } from "./standings.js";
import { claimed, curveOf, exitsOf, fairAnn, LEVELS, nearestLevel, readAt } from "./tally.js";
import { attackName, facts, finding, flagsOf, how, KNOWS, levelText, spoken, THREATS, threatOf } from "./tallywords.js";

const DECODERS = [
  ["current", "rate"],
  ["ttfs", "TTFS"],
];

/** @param {object} stage  @param {object} store  @param {object} engine */
export async function resultsExplorer(stage, store, engine) {
  const record = check(await engine.record("cifar10"));
  if (!stage.disposed) new ResultsExplorer(stage, store, engine, record);
}

function check(record) {
  for (const name of ["models", "results", "threats", "attacks", "n", "chance"]) field(record, name, "results");
  return record;
}

class ResultsExplorer {
  constructor(stage, store, engine, record) {
    Object.assign(this, { stage, store, engine, record });
    const set = (changes) => store.set(changes);
    this.levels = [...new Set(record.models.flatMap(({ name }) => Object.values(record.results[name])[0].eps))].sort(
      (a, b) => a - b,
    );
    this.threat = new Choice("attacker", Object.entries(THREATS).filter(([name]) => record.threats[name]), (threat) =>
      set({ against: record.threats[threat][0] }),
    );
    this.sets = Object.fromEntries(
      Object.entries(record.threats).map(([threat, attacks]) => [
        threat,
        new Select(
          "attack",
          attacks.map((key) => [key, attackName(key)]),
          (against) => set({ against }),
        ),
      ]),
    );
    const decoders = DECODERS.filter(([name]) => exitsOf(record, name).length > 0);
    this.decoder = new Choice("decoding", decoders, (decoder) => set({ decoder }));
    this.eps = new Slider({
      label: "budget ε",
      min: 0,
      max: this.levels.length - 1,
      step: 1,
      text: (k) => levelText(this.levels[k]),
      spoken: (k) => `epsilon ${levelText(this.levels[k])}`,
      stops: this.levels.map((level) => (level === 0.5 ? "½" : String(level))),
      onInput: (k) => set({ eps: this.levels[k] / LEVELS }),
    });
    const steps = record.num_steps;
    this.settings = {
      against: oneOf(Object.values(record.threats).flat()),
      decoder: oneOf(decoders.map(([name]) => name)),
      ...BUDGET,
      exit_step: whole(1, steps),
    };
    const named = Array.from({ length: steps }, (_, t) => String(t + 1));
    this.exit = new ExitSlider(steps, (exit_step) => set({ exit_step }), named);
    this.knows = h("p", { class: "knows" });
    this.standings = new Standings();
    this.curve = new AccuracyPlot({
      onEps: (level) => set({ eps: level / LEVELS }),
      budgets: {
        scale: () => scalePow([0, this.levels.at(-1)], [0, 1]).exponent(0.5),
        label: "budget ε (of 255)",
        ticks: this.levels,
        near: (level) => nearestLevel(this.levels, level / LEVELS),
      },
    });
    this.number = h("strong", {});
    this.sign = h("span", { class: "sign", "aria-hidden": "true" });
    this.answer = h("p", { class: "answer" }, this.number, this.sign);
    this.sentence = h("p", { class: "effect" });
    this.badge = new Badge();
    this.#assemble();
    converse(this, this);
  }

  #assemble() {
    const { stage, threat, sets, eps, exit, knows, standings, curve, answer, sentence, badge, record } = this;
    const decoder = this.decoder.inputs.length > 1 ? this.decoder.element : null;
    stage.app.classList.add("results");
    const reported = record.reported && [
      h("h4", {}, "Reported"),
      h("p", { class: "claim" }, record.reported.claim),
      h("p", { class: "source" }, record.reported.source),
    ];
    stage.app.append(
      h(
        "div",
        { class: "controls", role: "group", "aria-label": "controls" },
        h("div", { class: "setup" }, threat.element, ...Object.values(sets).map((s) => s.element), decoder),
        h("div", { class: "tune" }, eps.element, exit.element),
      ),
      knows,
      standings.element,
      h(
        "div",
        { class: "beside" },
        reported ? h("section", { class: "card" }, ...reported) : null,
        h("section", { class: "card found" }, h("h4", {}, "Found here"), answer, sentence),
      ),
      curve.element,
      badge.element,
    );
  }

  /** Where the state stands in the record: the nearest level of ε, an exit that was measured. */
  #place({ against, decoder, eps, exit_step }) {
    const exits = exitsOf(this.record, decoder);
    if (exits.length === 0) {
      const known = DECODERS.map(([name]) => name).filter((name) => exitsOf(this.record, name).length > 0);
      throw new Error(`unknown decoder "${decoder}"; choose one of ${known.join(", ")}`);
    }
    if (!(eps >= 0 && eps <= 1)) throw new Error(`eps must lie in [0, 1], got ${eps}`);
    const exit = exits.includes(exit_step) ? exit_step : exits.at(-1);
    return { against, decoder, exit, level: nearestLevel(this.levels, eps), threat: threatOf(this.record, against) };
  }

  changed(state) {
    let place;
    try {
      place = this.#place(state);
    } catch {
      return; // said when the record is asked
    }
    this.threat.show(place.threat);
    for (const [name, select] of Object.entries(this.sets)) {
      select.element.hidden = name !== place.threat || this.record.threats[name].length < 2;
      select.show(place.against);
    }
    this.decoder.show(place.decoder);
    this.eps.show(this.levels.indexOf(place.level));
    this.exit.show(place.exit);
    this.exit.input.disabled = exitsOf(this.record, place.decoder).length < 2;
    setText(this.knows, KNOWS[place.threat]);
  }

  ask(state) {
    return { request: this.#place(state), topic: "results" };
  }

  run(place) {
    const { record } = this;
    const rival = fairAnn(record, place.threat);
    const rows = record.models.map((model) => ({
      model,
      read: readAt(record, model.name, place),
      clean: readAt(record, model.name, { ...place, against: "worst", level: 0 }),
      why: place.threat === "transfer" && model.name === record.source ? "made on it" : "not measured",
    }));
    return Promise.resolve({ rows, ann: rival ? readAt(record, rival.name, place) : null, computed_by: this.engine.kind });
  }

  answered(_, place) {
    this.stage.speak(spoken(this.record, place.threat, place));
  }

  paint({ rows, ann }, place, colours) {
    const { record, standings, curve, badge } = this;
    const what = `${attackName(place.against)}, ε = ${levelText(place.level)}`;
    standings.show({ title: `Correct under ${what}`, rows, ann, chance: record.chance }, colours);
    const { tone, sign, verdict, sentence } = finding(record, place.threat, place);
    setText(this.number, verdict);
    setText(this.sign, sign);
    this.answer.dataset.tone = tone;
    setText(this.sentence, sentence);
    // Bars stand in groups; a curve has to say how its network was trained.
    const curves = record.models.map((model) => ({
      ...model,
      title: model.rule === "bptt" ? model.title : `${model.rule.toUpperCase()}-${model.title}`,
      points: curveOf(record, model.name, place),
    }));
    const best = claimed(record, place.threat, place).best?.model.name;
    curve.show(
      {
        title: `Accuracy against ε, ${attackName(place.against)}`,
        key: [place.against, place.decoder, place.exit].join(),
        curves: curves.filter(({ points }) => points.length > 0),
        current: [best, fairAnn(record, place.threat)?.name].filter(Boolean),
        eps: place.level,
        at: `ε = ${levelText(place.level)}`,
        chance: record.chance,
      },
      colours,
    );
    const flags = flagsOf(record, place);
    const short = flags.length ? [`flags on ${flags.length} of ${record.models.length} networks`] : [];
    badge.show({ computed_by: "record" }, facts(record), short, how(record, place.against, flags));
  }
}
