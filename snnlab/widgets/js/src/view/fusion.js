/**
 * The fusion explorer: codes side by side in one network. Which parts are mixed, how much does the first one count, what
 * remains if one falls silent, and where does that put the network between clean accuracy and robustness?
 */
import { bestCurve, readCurve, withoutPart } from "./accuracy.js";
import { ALL_RUNS, Badge, facts, flagsOf, how } from "./badge.js";
import { AttackControls, checkAttacker, EpsSlider } from "./controls.js";
import { converse } from "./converse.js";
import { h } from "./dom.js";
import { memberTitle, mixesOf, partsOf } from "./fused.js";
import { Pictures } from "./image.js";
import { Mixer } from "./mixer.js";
import { chosen, ofGroups } from "./models.js";
import { HiddenPanel, InputPanel, VotesPanel } from "./panels.js";
import { Plane } from "./plane.js";
import { isAnalog } from "./raster.js";
import { ATTACK, imageOf, modelOf, whole } from "./settable.js";
import { Subject } from "./subject.js";
import { Timeline } from "./timeline.js";
import { Verdict } from "./verdict.js";
import { chanceOf, effect, NO_CURVES, spoken, verdict } from "./words.js";

const GATE =
  "A gate scales what its part sends; the attack goes through all parts. A part is silenced at test time, in a network that was trained with it; where that was measured, the plane shows where it ends up (one training run, attacked anew without the part).";

/** @param {object} stage  @param {object} store  @param {object} engine */
export async function fusionExplorer(stage, store, engine) {
  const zoo = await engine.zoo();
  if (!stage.disposed) new FusionExplorer(stage, store, engine, zoo);
}

class FusionExplorer {
  constructor(stage, store, engine, zoo) {
    Object.assign(this, { stage, store, engine, zoo });
    this.models = fusedModels(zoo);
    this.mixes = mixesOf(this.models);
    engine.foresee?.(this.models.map(({ name }) => name));
    const parts = Math.max(...this.mixes.map((mix) => mix.parts.length));
    this.settings = {
      ...imageOf(zoo),
      encoding: modelOf(this.models),
      silenced: whole(-1, parts - 1),
      ...ATTACK,
    };
    const set = (name) => (value) => store.set({ [name]: value });
    this.subject = new Subject(zoo, store);
    this.mixer = new Mixer(this.mixes, store);
    this.attack = new AttackControls(store);
    this.eps = new EpsSlider("budget ε", set("eps"));
    this.pictures = new Pictures();
    this.time = new Timeline([new InputPanel(), new HiddenPanel(), new VotesPanel()]);
    this.time.showExit(zoo.num_steps, zoo.num_steps);
    this.plane = new Plane({ onPick: (encoding) => store.set({ encoding, silenced: -1 }) });
    this.verdict = new Verdict();
    this.badge = new Badge();
    this.#assemble();
    converse(this, this);
  }

  #assemble() {
    const { subject, pictures, verdict: said, mixer, attack, eps, time, plane, badge, stage } = this;
    stage.app.classList.add("fusion");
    stage.app.append(
      ...subject.elements,
      pictures.element,
      h(
        "div",
        { class: "controls", role: "group", "aria-label": "controls" },
        said.answer,
        h("div", { class: "setup" }, mixer.mix.element, ...attack.elements),
        h("div", { class: "tune" }, ...mixer.gates, eps.element),
      ),
      mixer.element,
      time.element,
      said.effect,
      plane.element,
      badge.element,
    );
    if (!this.zoo.results) plane.showNothing(NO_CURVES);
  }

  changed(state) {
    this.subject.show(state);
    this.mixer.show(state);
    const model = this.models.find(({ name }) => name === state.encoding);
    if (model) this.attack.show(state, model);
    this.eps.show(state.eps);
  }

  ask(state) {
    const { image, encoding, silenced, attack, attacker, eps } = state;
    checkAttacker(state, chosen(this.models, encoding));
    const { parts } = this.mixer.find(encoding).mix;
    const known = [-1, ...(parts.length > 1 ? parts.keys() : [])];
    if (!known.includes(silenced)) {
      throw new Error(`no part ${silenced} of "${encoding}" to silence; choose one of ${known.join(", ")}`);
    }
    const settings = { encoding, silenced, attack, attacker, eps, exit_step: this.zoo.num_steps, seed: 0 };
    const request = { ...this.subject.pixels(state), ...settings };
    return { request, topic: [image, encoding, silenced, attack, attacker].join() };
  }

  run(request) {
    return this.engine.run(request);
  }

  revealed() {
    this.subject.digits.reveal();
  }

  answered(frame, request) {
    const { mix, member } = this.mixer.find(frame.encoding);
    const off = request.silenced >= 0 ? `, ${mix.parts[request.silenced]} silenced` : "";
    this.stage.speak(`${spoken(frame, request, memberTitle(mix, member) + off)} ${this.plane.sentence}`);
  }

  paint(frame, request, colours) {
    const model = chosen(this.models, frame.encoding);
    const exit = frame.num_steps;
    const parts = partsOf(model.encoding);
    const { silenced } = request;
    this.pictures.show(frame, colours);
    this.time.show(frame, { exit, parts, silenced, decoder: model.decoder, colours });
    const off = silenced >= 0 ? [`Without ${parts[silenced].name}, with which it was trained.`] : [];
    const analog = Boolean(frame.clean.input) && isAnalog(frame.clean.input, exit);
    this.verdict.show(verdict(frame, exit), [...off, ...effect(frame, request, analog)]);
    this.#paintPlane(frame, request, colours);
  }

  #paintPlane(frame, request, colours) {
    const { zoo, badge, plane, mixes } = this;
    const { results } = zoo;
    const flags = flagsOf(zoo, frame.encoding, "worst", ALL_RUNS);
    badge.show(frame, facts(zoo, "worst", frame.encoding), flags, how(frame, request, zoo, "worst", ALL_RUNS, [GATE]));
    if (!results) return;
    const read = (name, eps) => readCurve(bestCurve(results, name, "worst", frame.num_steps) ?? [], eps);
    const points = mixes.flatMap((mix) =>
      mix.members.flatMap((member) => {
        const { model } = member;
        const clean = read(model.name, 0);
        const label = mix.parts.length === 1 || mix.members.length === 1 ? mix.name : member.title;
        const named = { name: model.name, model, title: memberTitle(mix, member), label };
        return clean ? [{ ...named, clean, robust: read(model.name, request.eps) }] : [];
      }),
    );
    const { mix } = this.mixer.find(frame.encoding);
    const path = this.#path(mix);
    const rest = withoutPart(results, frame.encoding, request.silenced, request.eps);
    const without = rest && { ...rest, part: mix.parts[request.silenced] };
    plane.show({ points, path, without, current: frame.encoding, eps: request.eps, chance: chanceOf(frame) }, colours);
  }

  /** From the last part alone, with a gate of 0, to the first alone. */
  #path({ parts, members }) {
    const alone = (part) => this.models.find(({ encoding }) => encoding === part)?.name;
    const fixed = members.filter(({ kind }) => kind === "fixed").map(({ model }) => model.name);
    return parts.length === 2 && fixed.length > 1 ? [alone(parts[1]), ...fixed, alone(parts[0])].filter(Boolean) : [];
  }
}

/** All fusions, the codes that they are made of, and the ANN beside them. */
function fusedModels(zoo) {
  const offered = ofGroups(zoo, "codes", "fusion");
  const fused = offered.filter(({ encoding }) => partsOf(encoding).length > 1);
  const parts = new Set(fused.flatMap(({ encoding }) => partsOf(encoding).map(({ name }) => name)));
  const single = offered.filter(({ encoding }) => parts.has(encoding));
  const ann = offered.filter(({ kind }) => kind === "ann").map((model) => ({ ...model, encoding: "ANN" }));
  return [...fused, ...single, ...ann];
}
