/**
 * The robustness explorer: image → spikes → hidden spikes → votes → verdict, and how often that verdict is right on all test
 * digits. The reader turns image, code, attack, ε and exit; the engine answers with a frame, and this shows it.
 */
import { accuracyCurve } from "./accuracy.js";
import { Badge, facts, flagsOf, how, ONE_RUN } from "./badge.js";
import { Select } from "./choice.js";
import { AttackControls, checkAttacker, CurveControl, EpsSlider, ExitSlider, MAX_EPS } from "./controls.js";
import { converse } from "./converse.js";
import { AccuracyPlot } from "./curve.js";
import { h } from "./dom.js";
import { FlipSearch } from "./flip.js";
import { partsOf } from "./fused.js";
import { Pictures } from "./image.js";
import { chosen, ofGroups } from "./models.js";
import { HiddenPanel, InputPanel, VotesPanel } from "./panels.js";
import { isAnalog } from "./raster.js";
import { ATTACK, CURVE, imageOf, modelOf, whole } from "./settable.js";
import { Subject } from "./subject.js";
import { Timeline } from "./timeline.js";
import { Verdict } from "./verdict.js";
import { chanceOf, curveTitle, effect, flipText, NO_CURVES, notRecorded, resultKey, spoken, verdict } from "./words.js";

/** @param {object} stage  @param {object} store  @param {object} engine */
export async function robustnessExplorer(stage, store, engine) {
  const zoo = await engine.zoo();
  if (!stage.disposed) new RobustnessExplorer(stage, store, engine, zoo);
}

class RobustnessExplorer {
  constructor(stage, store, engine, zoo) {
    Object.assign(this, { stage, store, engine, zoo });
    this.models = ofGroups(zoo, "codes");
    engine.foresee?.(this.models.map(({ name }) => name));
    this.settings = {
      ...imageOf(zoo),
      encoding: modelOf(this.models),
      ...ATTACK,
      ...CURVE,
      exit_step: whole(1, zoo.num_steps),
    };
    const set = (name) => (value) => store.set({ [name]: value });
    this.subject = new Subject(zoo, store);
    this.code = new Select(
      "code",
      this.models.map(({ name, title }) => [name, title]),
      set("encoding"),
    );
    this.attack = new AttackControls(store);
    this.eps = new EpsSlider("budget ε", set("eps"));
    this.exit = new ExitSlider(zoo.num_steps, set("exit_step"));
    this.pictures = new Pictures();
    this.time = new Timeline([new InputPanel(), new HiddenPanel(), new VotesPanel()], { onExit: set("exit_step") });
    this.shown = new CurveControl(store);
    this.curve = new AccuracyPlot({ onEps: set("eps"), onPick: set("encoding"), control: this.shown.element });
    this.verdict = new Verdict();
    this.badge = new Badge();
    this.flip = new FlipSearch((request) => engine.run(request), MAX_EPS);
    stage.onDispose(() => this.flip.stop());
    this.#assemble();
    converse(this, this);
  }

  #assemble() {
    const { subject, pictures, verdict: said, code, attack, eps, exit, time, curve, badge, stage } = this;
    stage.app.classList.add("robustness");
    stage.app.append(
      ...subject.elements,
      pictures.element,
      h(
        "div",
        { class: "controls", role: "group", "aria-label": "controls" },
        said.answer,
        h("div", { class: "setup" }, code.element, ...attack.elements),
        h("div", { class: "tune" }, eps.element, exit.element),
      ),
      time.element,
      said.effect,
      curve.element,
      badge.element,
    );
    if (!this.zoo.results) curve.showNothing(NO_CURVES);
  }

  changed(state) {
    this.subject.show(state);
    this.code.show(state.encoding);
    const model = this.models.find(({ name }) => name === state.encoding);
    if (model) this.attack.show(state, model);
    this.shown.show(state);
    this.eps.show(state.eps);
    this.exit.show(state.exit_step, model?.kind === "ann");
    this.time.showExit(state.exit_step, this.zoo.num_steps);
    this.flip.stop();
  }

  ask(state) {
    const { image, encoding, attack, attacker, eps, exit_step } = state;
    checkAttacker(state, chosen(this.models, encoding));
    const request = { ...this.subject.pixels(state), encoding, attack, attacker, eps, exit_step, seed: 0 };
    return { request, topic: [image, encoding, attack, attacker].join() };
  }

  run(request) {
    return this.engine.run(request);
  }

  revealed() {
    this.subject.digits.reveal();
  }

  answered(frame, request) {
    const { title } = chosen(this.models, frame.encoding);
    this.stage.speak(`${spoken(frame, request, title)} ${this.curve.sentence}`);
    // In a kernel the scan would stand in the way of the next request.
    if (this.engine.kind === "browser") this.flip.start(request, frame, () => this.#paintVerdict(frame, request));
  }

  paint(frame, request, colours) {
    const model = chosen(this.models, frame.encoding);
    const { exit_step: exit } = frame;
    this.pictures.show(frame, colours);
    this.time.show(frame, { exit, parts: partsOf(model.title), decoder: model.decoder, colours });
    this.#paintVerdict(frame, request);
    this.#paintCurves(frame, request, colours);
  }

  #paintVerdict(frame, request) {
    const analog = Boolean(frame.clean.input) && isAnalog(frame.clean.input, frame.num_steps);
    const found = frame.attacked ? flipText(this.flip.known(request), MAX_EPS) : "";
    this.verdict.show(verdict(frame, frame.exit_step), [...effect(frame, request, analog), found].filter(Boolean));
  }

  #paintCurves(frame, request, colours) {
    const { zoo, badge, curve, models } = this;
    // Which curves are shown changes nothing that was computed.
    const seen = { ...request, curve: this.store.get("curve") };
    const key = resultKey(seen);
    const flags = flagsOf(zoo, frame.encoding, key, ONE_RUN);
    badge.show(frame, facts(zoo, key, null), flags, how(frame, request, zoo, key, ONE_RUN));
    if (!zoo.results) return;
    const curves = models.map((model) => ({
      ...model,
      points: accuracyCurve(zoo.results, model.name, key, frame.exit_step) ?? [],
    }));
    const content = {
      title: curveTitle(seen, frame.exit_step),
      nothing: notRecorded(seen),
      key: [key, frame.exit_step].join(),
      curves,
      current: [frame.encoding],
      eps: request.eps,
      chance: chanceOf(frame),
    };
    curve.show(content, colours);
  }
}
