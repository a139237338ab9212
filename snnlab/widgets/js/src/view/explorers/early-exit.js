/** The exit explorer: answer before the perturbation arrives, at a fixed step or by a rule. */
import { say } from "../../language.js";
import { ExitCurvePlot } from "../charts/exit-curve.js";
import { checkRule, ExitRuleControl, leaves, peopleText } from "../controls/exit-rule.js";
import { Slider } from "../controls/slider.js";
import { h } from "../dom/elements.js";
import { bestCurve, measuredExits, readCurve } from "../model/accuracy.js";
import { atFixedExit, atThresholds, nearest } from "../model/exit-population.js";
import { firstReach, reachText } from "../model/first-reach.js";
import { partsOf } from "../model/fusion-names.js";
import { ofGroups, withLoss, YOURS } from "../model/models.js";
import { ALL_RUNS } from "../panels/caption.js";
import { EnergyPanel } from "../panels/energy.js";
import { bench } from "../session/bench.js";
import {
  chanceOf,
  epsText,
  nanojoules,
  notRecorded,
  resultKey,
  shownSide,
  spoken,
  underPhrase,
  underText,
} from "../text/frame.js";
import { FrameExplorer } from "./base.js";

const BY_RULE = say`Where a rule decides, the attack on this image is aimed at the exit at which the clean image leaves. The accuracies of a rule count a digit as right only if it is right on every image that the suite made within ε, aimed at any exit. Mean exit and energy are those of the clean digits, of the network that is shown.`;
const ENERGY = say`Energy is counted, not measured: 4.6 pJ a multiply-accumulate, 0.9 pJ a synaptic operation (45 nm, Horowitz 2014). Memory, leak and the encoder are left out.`;

export class EarlyExitExplorer extends FrameExplorer {
  static kind = "exit";
  static style = "exits";

  offered() {
    const spiking = ofGroups(this.zoo, "codes", "exit", YOURS).filter(({ kind }) => kind !== "ann");
    return spiking.map(withLoss);
  }

  declare() {
    const { store, zoo } = this;
    const steps = zoo.num_steps;
    const onExit = (exit) => this.setExit(exit);
    const network = this.networkSelect();
    const from = new Slider({
      label: say`attack from`,
      min: 1,
      max: steps,
      text: (step) => say`step ${step}`,
      spoken: (step) => (step === 1 ? say`the first step on` : say`step ${step} on; the steps before show the clean image`),
      onInput: (step) => store.set({ from_step: step - 1 }),
    });
    this.from = from;
    this.plot = new ExitCurvePlot({ onExit, control: this.curves.element });
    this.energy = new EnergyPanel();
    this.exitRule = new ExitRuleControl(store);
    const panels = this.page(
      network.element,
      [this.eps.element, this.exit.element],
      this.timeline(onExit),
      this.verdict.effect,
      h("div", { class: "late" }, from.element),
      this.exitRule.element,
      this.exitRule.people,
      h("div", { class: "aside" }, this.plot.element, this.energy.element),
      bench(this),
    );
    return { controls: { encoding: network }, panels, limits: this.limits({ from_step: steps - 1 }) };
  }

  /** A reader who moves the exit takes it away from the rule. */
  setExit(exit) {
    this.store.set({ exit_step: exit, rule: "fixed" });
  }

  changed(state) {
    super.changed(state);
    this.from.show(state.from_step + 1);
    this.exitRule.show(state);
  }

  ask(state) {
    checkRule(state, this.model(state.encoding).decoder);
    return super.ask(state);
  }

  /** Under a rule, the attack is aimed at the exit of the clean image. */
  async run(request) {
    if (request.rule === "fixed") return this.engine.run(request);
    const { clean } = await this.engine.run({ ...request, attack: "none" });
    return this.engine.run({ ...request, exit_step: leaves(clean, request) });
  }

  /** Return the request with the exit at which the image that is shown leaves, and that of the clean one. */
  #answeredAt(frame, request) {
    return { ...request, exit_step: leaves(shownSide(frame), request), clean: leaves(frame.clean, request) };
  }

  answered(frame, request) {
    const { title } = this.model(frame.encoding);
    this.stage.speak(`${spoken(frame, this.#answeredAt(frame, request), title)} ${this.plot.sentence}`);
  }

  paint(frame, request, colours) {
    const { encoding, decoder } = this.model(frame.encoding);
    const at = this.#answeredAt(frame, request);
    const exit = at.exit_step;
    const reach = firstReach(encoding, at.eps, frame.num_steps, at.from_step);
    // While the reader drags, the cursor is ahead of the frame.
    const { rule, exit_step: dragged } = this.store.all();
    this.showExit(rule === "fixed" ? dragged : exit);
    const parted = at.rule !== "fixed" && at.clean !== exit;
    this.time.showOther(parted ? at.clean : null, say`clean ${at.clean}`);
    this.time.showReach(frame.attacked ? (reach ?? null) : null);
    const where = reach === undefined || !frame.attacked ? [] : [reachText(reach, epsText(at.eps), exit)];
    where.push(...energyText(frame, exit, at.clean));
    this.showFrame(frame, at, { exit, parts: partsOf(encoding), decoder, colours }, left(at, frame), where);
    const ann = this.zoo.results?.energy?.ann?.[0] ?? null;
    this.energy.show(shownSide(frame).energy, exit, ann && ann / 1000);
    // Rules were measured in the worst case alone.
    const shown = at.rule === "fixed" ? at : { ...at, curve: "worst" };
    const also = at.rule === "fixed" ? [] : [say`points of the rule: 1 training run`];
    const about = { runs: ALL_RUNS, about: [BY_RULE, ENERGY], also };
    this.showCaption(frame, { ...at, exit_step: frame.exit_step }, resultKey(shown), about);
    if (this.zoo.results) this.#paintPopulation(frame, shown, reach ?? null, colours);
  }

  #paintPopulation(frame, at, reach, colours) {
    const { results } = this.zoo;
    const ruled = at.rule !== "fixed";
    const key = resultKey(at);
    const name = frame.encoding;
    const points = ruled ? atThresholds(results, name, at.rule, at.eps) : [];
    const now = ruled ? nearest(points, at.threshold) : atFixedExit(results, name, key, at.exit_step, at.eps);
    // Perturbations that begin later were not measured at every exit.
    const budget = `ε = ${epsText(at.eps)}${at.from_step > 0 ? say` from the first step on` : ""}`;
    const exits = measuredExits(results, name, frame.num_steps);
    const series = (attack, eps) =>
      exits.flatMap((exit) => {
        const read = readCurve(bestCurve(results, name, attack, exit) ?? [], eps);
        return read ? [{ exit, ...read }] : [];
      });
    const content = {
      steps: frame.num_steps,
      series: { clean: series("worst", 0), attacked: series(key, at.eps) },
      points,
      now,
      under: `${underText(at)}, ${budget}`,
      reach,
      nothing: notRecorded(at, this.model(name)),
      chance: chanceOf(frame),
    };
    this.plot.show(content, colours);
    this.exitRule.say(peopleText(now, at, results.n, `${underPhrase(at)}, ${budget}`));
  }
}

/** What the attack does to the energy of this image. @returns {string[]} */
function energyText({ attacked, clean }, exit, cleanExit) {
  if (!attacked?.energy) return [];
  const [after, before] = [attacked.energy[exit - 1], clean.energy[cleanExit - 1]].map((pJ) => nanojoules(pJ / 1000));
  return [say`Attacked, the image takes ${after} to this exit; clean, ${before}.`];
}

/** Where this image leaves by its rule. */
function left({ rule, clean, exit_step: exit }, { attacked }) {
  if (rule === "fixed") return [];
  if (!attacked) return [say`It leaves at exit ${clean}.`];
  if (clean === exit) return [say`Clean and attacked, it leaves at exit ${exit}.`];
  return [say`Clean it leaves at exit ${clean}, attacked at ${exit}.`];
}
