/**
 * The attack explorer: one image and one network under five attackers, step by step. Of the first four each changes one thing
 * of the one before; the last searches among the code's spike trains.
 */
import { SPIKE_TRAIN } from "../engine/index.js";
import { accuracyCurve, readCurve } from "./accuracy.js";
import { Badge, flagsOf, ONE_RUN, whoComputed } from "./badge.js";
import { Select } from "./choice.js";
import { ClimberColumn } from "./climber.js";
import { ATTACKERS, conclusion, spokenClimbs } from "./climbwords.js";
import { EpsSlider } from "./controls.js";
import { converse } from "./converse.js";
import { h, setText } from "./dom.js";
import { MAGNIFIED } from "./image.js";
import { chosen, ofGroups } from "./models.js";
import { Player } from "./player.js";
import { BUDGET, imageOf, modelOf, whole } from "./settable.js";
import { Slider } from "./slider.js";
import { Subject } from "./subject.js";
import { count, epsText, intervalText, percent } from "./words.js";

const STEPS = 10;

const HOW = [
  "The first four climb the margin, the votes of the strongest wrong class minus those of the right one, with all steps read. They start at the image itself and stop once it is misread; equal votes are decided by the read-out's potential. Naive, BPDA and EOT move every pixel by ε/4 along the sign of their gradient (PGD) and keep the surrogate that the network was trained with. ASSG adapts each neuron's surrogate to its distance from threshold and steps by SA-PGD (Wang et al. 2025).",
  "The spike-train attack needs no gradient of the code. A budget leaves a pixel of a step code finitely many spike trains; from the gradient of the loss with respect to the spikes follows, to first order, what each of them gains. At every step a random share of the pixels takes its best train, fewer and fewer, with the intensity that is nearest to the clean one. Its loss is the cross-entropy of votes and soft spikes, its surrogate that of ASSG.",
  "EOT averages over what is random. A stochastic code is averaged over 10 encodings; a deterministic one has only one, so there the average is over 10 images within ±1/16 of the present one.",
  `Each gradient map is scaled to its own largest value, by a square root; a pixel is hatched where the gradient is exactly zero, not where it is small. Of the spike-train attack the map shows what each pixel gains by its best train, red where that train is of a brighter pixel. Changes are magnified ${MAGNIFIED} times.`,
  "One image proves nothing about a network: its accuracies are those of the zoo's suite, over all test digits.",
];

/** @param {object} stage  @param {object} store  @param {object} engine */
export async function attackExplorer(stage, store, engine) {
  const zoo = await engine.zoo();
  if (!stage.disposed) new AttackExplorer(stage, store, engine, zoo);
}

class AttackExplorer {
  #asked = null;

  constructor(stage, store, engine, zoo) {
    Object.assign(this, { stage, store, engine, zoo });
    this.models = ofGroups(zoo, "codes");
    engine.foresee?.(this.models.map(({ name }) => name));
    this.settings = { ...imageOf(zoo), encoding: modelOf(this.models), ...BUDGET, step: whole(0, STEPS) };
    const set = (name) => (value) => store.set({ [name]: value });
    const setStep = (step) => {
      this.player.stop();
      store.set({ step });
    };
    this.subject = new Subject(zoo, store);
    this.code = new Select(
      "network",
      this.models.map(({ name, title }) => [name, title]),
      set("encoding"),
    );
    this.eps = new EpsSlider("budget ε", set("eps"));
    this.step = new Slider({
      label: "step",
      min: 0,
      max: STEPS,
      step: 1,
      text: (step) => `${step} of ${STEPS}`,
      spoken: (step) => (step === 0 ? "0, the clean image" : `${step} of ${STEPS}`),
      onInput: setStep,
    });
    this.player = new Player({ get: () => store.get("step"), set: set("step"), last: STEPS });
    this.columns = ATTACKERS.map((method) => new ClimberColumn(method, setStep));
    this.conclusion = h("p", { class: "effect" });
    this.people = h("p", { class: "people" });
    this.badge = new Badge();
    stage.onDispose(() => {
      this.player.stop();
      this.#asked?.controller.abort();
    });
    this.#assemble();
    this.repaint = converse(this, this).repaint;
  }

  #assemble() {
    const { subject, code, eps, step, player, columns, badge, stage } = this;
    stage.app.classList.add("attacks");
    const sign = (kind, text) => h("span", {}, h("i", { class: kind }), text);
    stage.app.append(
      ...subject.elements,
      h(
        "div",
        { class: "controls", role: "group", "aria-label": "controls" },
        h("div", { class: "setup" }, code.element),
        h("div", { class: "tune" }, eps.element, h("div", { class: "played" }, step.element, player.button)),
      ),
      h("div", { class: "climbers" }, ...columns.map(({ element }) => element)),
      h(
        "p",
        { class: "signs" },
        sign("brighter", "brighter harms"),
        sign("darker", "darker harms"),
        sign("nothing", "gradient exactly zero"),
        h("span", {}, "curve: votes of the strongest wrong class minus votes of the right one"),
      ),
      this.conclusion,
      this.people,
      badge.element,
    );
  }

  changed(state) {
    this.subject.show(state);
    this.code.show(state.encoding);
    this.eps.show(state.eps);
    this.step.show(state.step);
  }

  ask(state) {
    const { image, encoding, eps, step } = state;
    chosen(this.models, encoding);
    if (!(Number.isInteger(step) && step >= 0 && step <= STEPS)) {
      throw new Error(`step must be a whole number from 0 to ${STEPS}, got ${step}`);
    }
    const request = { ...this.subject.pixels(state), encoding, eps, seed: 0 };
    const key = [image, image === -1 ? state.drawing : "", encoding, eps].join();
    return { request: { request, key, step }, topic: [image, encoding].join() };
  }

  /** Another step of what is known, or is being worked out already, asks nothing new. */
  run({ request, key }) {
    if (this.#asked?.key !== key) {
      this.#asked?.controller.abort();
      const controller = new AbortController();
      const asked = { key, controller, answer: this.#climbs({ ...request, signal: controller.signal }) };
      asked.answer.catch(() => {
        if (this.#asked === asked) this.#asked = null;
      });
      this.#asked = asked;
    }
    return this.#asked.answer;
  }

  /** One after the other: a kernel answers one question at a time. */
  async #climbs(request) {
    const climbs = [];
    const { trains } = chosen(this.models, request.encoding);
    for (const method of ATTACKERS) {
      if (method !== SPIKE_TRAIN || trains) climbs.push(await this.engine.climb({ ...request, method }));
    }
    return climbs;
  }

  revealed() {
    this.subject.digits.reveal();
  }

  answered(climbs, { request, step }) {
    if (this.player.playing) return;
    const { title } = chosen(this.models, request.encoding);
    this.stage.speak(`${spokenClimbs(climbs, step, title, request.eps)} ${conclusion(climbs).join(" ")}`);
  }

  paint(climbs, { request, step }, colours) {
    const { kind, title, trains } = chosen(this.models, request.encoding);
    const model = { kind, stochastic: title.includes("poisson"), trains };
    for (const column of this.columns) {
      const own = climbs.find(({ method }) => method === column.method);
      if (own) column.show(own, climbs, step, model, colours);
      else column.showNone(model);
    }
    setText(this.conclusion, conclusion(climbs).join(" "));
    setText(this.people, this.#people(request));
    const ms = climbs.reduce((sum, climb) => sum + climb.ms, 0);
    const whole = { ...climbs[0], ms };
    const { zoo } = this;
    const flags = flagsOf(zoo, request.encoding, "worst", ONE_RUN);
    const measured = zoo.results ? [`Attacks of the suite: ${zoo.results.attacks.worst ?? "worst of all"}.`] : [];
    this.badge.show(whole, `${climbs.length} attackers, ${STEPS} steps, one image`, flags, [
      whoComputed(whole),
      ...HOW,
      ...measured,
    ]);
  }

  /** What the suite measured of this network: one image is not a result. */
  #people({ encoding, eps }) {
    const { results, dataset } = this.zoo;
    if (!results) return "";
    const exit = this.zoo.num_steps;
    const read = (key) => readCurve(accuracyCurve(results, encoding, key, exit) ?? [], eps);
    const [naive, worst] = [read("fgsm.naive"), read("worst")];
    if (!naive || !worst) return "";
    const about = naive.measured ? "" : "about ";
    const said = (at) => `${about}${percent(at.share)} ${intervalText(at)}`;
    return `All ${count(results.n)} test digits of ${dataset} at ε = ${epsText(eps)}: ${said(naive)} are still read correctly after naive FGSM, ${said(worst)} in the worst case of all attacks.`;
  }
}
