/**
 * The exit explorer: answer before the perturbation arrives. The exit is dragged through spikes and votes, or left to a rule;
 * the step at which ε can first act is drawn; accuracy at every exit and energy say what leaving early is worth.
 */
import { bestCurve, measuredExits, readCurve } from "./accuracy.js";
import { ALL_RUNS, Badge, facts, flagsOf, how } from "./badge.js";
import { Select } from "./choice.js";
import { AttackControls, checkAttacker, CurveControl, EpsSlider, ExitSlider } from "./controls.js";
import { converse } from "./converse.js";
import { h } from "./dom.js";
import { ExitPlot } from "./exitplot.js";
import { partsOf } from "./fused.js";
import { Pictures } from "./image.js";
import { checkRule, leaves, Leaving, peopleText } from "./leaving.js";
import { Meter } from "./meter.js";
import { chosen, ofGroups, withLoss } from "./models.js";
import { HiddenPanel, InputPanel, VotesPanel } from "./panels.js";
import { atFixedExit, atThresholds, nearest, RULE_NAMES } from "./population.js";
import { isAnalog } from "./raster.js";
import { firstReach, reachText } from "./reach.js";
import { ATTACK, CURVE, imageOf, modelOf, oneOf, whole } from "./settable.js";
import { Slider } from "./slider.js";
import { Subject } from "./subject.js";
import { Timeline } from "./timeline.js";
import { Verdict } from "./verdict.js";
import { chanceOf, effect, epsText, NO_CURVES, notRecorded, resultKey, shownSide, spoken, underPhrase, underText, verdict } from "./words.js";

const BY_RULE =
  "Where a rule decides, the attack on this image is aimed at the exit at which the clean image leaves. The accuracies of a rule count a digit as right only if it is right on every image that the suite made within ε, aimed at any exit; mean exit and energy are those of the clean digits, of the network that is shown.";
const ENERGY =
  "Energy is counted, not measured: 4.6 pJ a multiply-accumulate, 0.9 pJ a synaptic operation (45 nm, Horowitz 2014). Memory, leak and the encoder are left out.";

/** @param {object} stage  @param {object} store  @param {object} engine */
export async function exitExplorer(stage, store, engine) {
  const zoo = await engine.zoo();
  if (!stage.disposed) new ExitExplorer(stage, store, engine, zoo);
}

class ExitExplorer {
  constructor(stage, store, engine, zoo) {
    Object.assign(this, { stage, store, engine, zoo });
    this.models = ofGroups(zoo, "codes", "exit")
      .filter(({ kind }) => kind !== "ann")
      .map(withLoss);
    engine.foresee?.(this.models.map(({ name }) => name));
    const steps = zoo.num_steps;
    this.settings = {
      ...imageOf(zoo),
      encoding: modelOf(this.models),
      ...ATTACK,
      ...CURVE,
      exit_step: whole(1, steps),
      from_step: whole(0, steps - 1),
      rule: oneOf(Object.keys(RULE_NAMES)),
      threshold: Number.isFinite,
    };
    const set = (name) => (value) => store.set({ [name]: value });
    // Whoever moves the exit takes it away from the rule.
    const setExit = (exit) => store.set({ exit_step: exit, rule: "fixed" });
    this.subject = new Subject(zoo, store);
    this.model = new Select(
      "network",
      this.models.map(({ name, title }) => [name, title]),
      set("encoding"),
    );
    this.attack = new AttackControls(store);
    this.eps = new EpsSlider("budget ε", set("eps"));
    this.exit = new ExitSlider(zoo.num_steps, setExit);
    this.from = new Slider({
      label: "attack from",
      min: 0,
      max: zoo.num_steps - 1,
      step: 1,
      text: (from) => `step ${from + 1}`,
      spoken: (from) =>
        from === 0 ? "the first step on" : `step ${from + 1} on; the steps before show the clean image`,
      onInput: set("from_step"),
    });
    this.pictures = new Pictures();
    this.time = new Timeline([new InputPanel(), new HiddenPanel(), new VotesPanel()], { onExit: setExit });
    this.shown = new CurveControl(store);
    this.plot = new ExitPlot({ onExit: setExit, control: this.shown.element });
    this.meter = new Meter();
    this.leaving = new Leaving(store);
    this.verdict = new Verdict();
    this.badge = new Badge();
    this.#assemble();
    converse(this, this);
  }

  #assemble() {
    const {
      subject,
      pictures,
      verdict: said,
      model,
      attack,
      eps,
      exit,
      from,
      time,
      plot,
      meter,
      leaving,
      badge,
    } = this;
    this.stage.app.classList.add("exits");
    this.stage.app.append(
      ...subject.elements,
      pictures.element,
      h(
        "div",
        { class: "controls", role: "group", "aria-label": "controls" },
        said.answer,
        h("div", { class: "setup" }, model.element, ...attack.elements),
        h("div", { class: "tune" }, eps.element, exit.element),
      ),
      time.element,
      said.effect,
      h("div", { class: "late" }, from.element),
      leaving.element,
      leaving.people,
      h("div", { class: "aside" }, plot.element, meter.element),
      badge.element,
    );
    if (!this.zoo.results) plot.showNothing(NO_CURVES);
  }

  changed(state) {
    this.subject.show(state);
    this.model.show(state.encoding);
    const model = this.models.find(({ name }) => name === state.encoding);
    if (model) this.attack.show(state, model);
    this.shown.show(state);
    this.eps.show(state.eps);
    this.from.show(state.from_step);
    this.leaving.show(state);
    if (state.rule === "fixed") this.#showExit(state.exit_step);
  }

  #showExit(exit) {
    this.exit.show(exit);
    this.time.showExit(exit, this.zoo.num_steps);
  }

  ask(state) {
    const { image, encoding, attack, attacker, eps, exit_step, from_step, rule, threshold } = state;
    const model = chosen(this.models, encoding);
    checkRule(state, model.decoder);
    checkAttacker(state, model);
    const settings = { encoding, attack, attacker, eps, exit_step, from_step, seed: 0 };
    const request = { ...this.subject.pixels(state), ...settings };
    return { request: { request, rule, threshold }, topic: [image, encoding, attack, attacker, rule].join() };
  }

  /** A rule leaves somewhere: the attack aims at where the clean image would. */
  async run({ request, rule, threshold, signal }) {
    if (rule === "fixed") return this.engine.run({ ...request, signal });
    const { clean } = await this.engine.run({ ...request, attack: "none", signal });
    const aim = leaves(clean, { rule, threshold });
    return this.engine.run({ ...request, exit_step: aim, signal });
  }

  revealed() {
    this.subject.digits.reveal();
  }

  /** The request with the exit at which what is shown leaves. */
  #seen(frame, { request, rule, threshold }) {
    const leave = (side) => leaves(side, { rule, threshold, exit_step: request.exit_step });
    const [clean, exit] = [leave(frame.clean), leave(shownSide(frame))];
    return { ...request, rule, threshold, exit_step: exit, clean };
  }

  answered(frame, asked) {
    const { title } = chosen(this.models, frame.encoding);
    this.stage.speak(`${spoken(frame, this.#seen(frame, asked), title)} ${this.plot.sentence}`);
  }

  paint(frame, asked, colours) {
    const model = chosen(this.models, frame.encoding);
    const seen = this.#seen(frame, asked);
    const exit = seen.exit_step;
    const reach = firstReach(model.encoding, seen.eps, frame.num_steps, seen.from_step);
    this.pictures.show(frame, colours);
    // While the reader drags, the cursor is ahead of the frame.
    const { rule, exit_step: dragged } = this.store.all();
    this.#showExit(rule === "fixed" ? dragged : exit);
    const parted = seen.rule !== "fixed" && seen.clean !== exit;
    this.time.showOther(parted ? seen.clean : null, `clean ${seen.clean}`);
    this.time.showReach(reach ?? null);
    this.time.show(frame, { exit, parts: partsOf(model.encoding), decoder: model.decoder, colours });
    const analog = isAnalog(frame.clean.input, frame.num_steps);
    const where = reach === undefined ? [] : [reachText(reach, epsText(seen.eps), exit)];
    this.verdict.show(verdict(frame, exit), [...left(seen, frame), ...effect(frame, seen, analog), ...where]);
    const ann = this.zoo.results?.energy?.ann?.[0] ?? null;
    this.meter.show(shownSide(frame).energy, exit, ann && ann / 1000);
    this.#paintPopulation(frame, seen, reach ?? null, colours);
  }

  #paintPopulation(frame, seen, reach, colours) {
    const { zoo, badge, plot, leaving } = this;
    const { results } = zoo;
    const ruled = seen.rule !== "fixed";
    // Which curves are shown changes nothing that was computed; rules were measured in the worst case alone.
    const curve = ruled ? "worst" : this.store.get("curve");
    const key = resultKey({ ...seen, curve });
    const flags = flagsOf(zoo, frame.encoding, key, ALL_RUNS);
    badge.show(
      frame,
      facts(zoo, key, frame.encoding),
      flags,
      how(frame, { ...seen, exit_step: frame.exit_step }, zoo, key, ALL_RUNS, [BY_RULE, ENERGY]),
    );
    if (!results) return;
    const name = frame.encoding;
    const points = ruled ? atThresholds(results, name, seen.rule, seen.eps) : [];
    const now = ruled ? nearest(points, seen.threshold) : atFixedExit(results, name, key, seen.exit_step, seen.eps);
    const under = `${underText({ ...seen, curve })}, ε = ${epsText(seen.eps)}`;
    const exits = measuredExits(results, name, frame.num_steps);
    const series = (attack, eps) =>
      exits.flatMap((exit) => {
        const read = readCurve(bestCurve(results, name, attack, exit) ?? [], eps);
        return read ? [{ exit, ...read }] : [];
      });
    const content = {
      steps: frame.num_steps,
      series: { clean: series("worst", 0), attacked: series(key, seen.eps) },
      points,
      now,
      under,
      reach,
      nothing: notRecorded({ ...seen, curve }),
      chance: chanceOf(frame),
    };
    plot.show(content, colours);
    leaving.say(peopleText(now, seen, results.n, `${underPhrase({ ...seen, curve })}, ε = ${epsText(seen.eps)}`));
  }
}

/** Where this image leaves by its rule. */
function left({ rule, clean, exit_step: exit }, { attacked }) {
  if (rule === "fixed") return [];
  if (!attacked) return [`It leaves at exit ${clean}.`];
  return [
    clean === exit
      ? `Clean and attacked, it leaves at exit ${exit}.`
      : `Clean it leaves at exit ${clean}, attacked at ${exit}.`,
  ];
}
