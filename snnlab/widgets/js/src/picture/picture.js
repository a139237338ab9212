/** The explorer of colour pictures: a convolutional network reads one, block after block, and is attacked inside ε of 255 levels. */

import { need } from "../engine/index.js";
import { unpackZoo } from "../engine/zoo.js";
import { fixed, say } from "../language.js";
import { Pool } from "../live/pool.js";
import { ways, workerSource } from "../live/workers.js";
import { ExitSlider, TargetSelect } from "../view/controls/attack-controls.js";
import { Choice, Select } from "../view/controls/choice.js";
import { Slider } from "../view/controls/slider.js";
import { Pictures, thumbnail } from "../view/dom/canvas-image.js";
import { h, setText, showText } from "../view/dom/elements.js";
import { ImageExplorer } from "../view/explorers/base.js";
import { partsOf } from "../view/model/fusion-names.js";
import { titlesOf } from "../view/model/models.js";
import { whoComputed } from "../view/panels/caption.js";
import { InputPanel } from "../view/panels/input.js";
import { Timeline } from "../view/panels/timeline.js";
import { Verdict } from "../view/panels/verdict.js";
import { VotesPanel } from "../view/panels/votes.js";
import { isGradientAttack, isTargeted, percent } from "../view/text/frame.js";
import { options, VOCABULARY } from "../vocabulary.js";
import { BlocksPanel } from "./blocks-panel.js";
import { Opener } from "./opener.js";
import sheet from "./picture.css";
import { TASKS } from "./task.js";
import { effect, leaders, levelText, snapped, spoken, verdict } from "./text.js";

const DRAWN = -1;
const LEVELS = 255;

/** The largest ε that the slider offers, and the first one of an attack, of 255. */
const [MOST, FIRST] = [16, 2];
const MAGNIFIED = 32;
const MARGINS = { left: 52, right: 104 };

/** Attackers that follow a gradient; the search among spike trains runs in Python alone. */
const ATTACKERS = ["naive", "informed"];

/** Draws for each gradient, where the code is random. */
const isRandom = ({ encoding }) => encoding.includes("poisson");

export class PictureExplorer extends ImageExplorer {
  static kind = "picture";
  static style = "photos";
  static sheet = sheet;

  static async load(engine) {
    const data = await engine.record("pictures");
    return { ...unpackZoo(data), custom: data.custom };
  }

  constructor(stage, store, engine, data) {
    super(stage, store, engine, data);
    this.names = data.digits.names;
    this.pool = new Pool(ways(workerSource(engine, "picture-worker"), TASKS), 1);
    stage.onDispose(() => this.pool.dispose());
    this.pictures = new Pictures(MAGNIFIED);
    this.verdict = new Verdict();
    this.eps = new Slider({
      label: say`budget ε`,
      max: MOST,
      step: 0.25,
      key: 0.5,
      text: (level) => levelText(level / LEVELS),
      spoken: (level) => say`epsilon ${Number(level.toFixed(2))} of 255 grey levels`,
      onInput: (level) => store.set({ eps: level / LEVELS }),
    });
    this.exit = new ExitSlider(data.num_steps, (exit) => store.set({ exit_step: exit }));
  }

  foreseen() {
    return [];
  }

  declare() {
    const { store, picker, stage } = this;
    this.network = new Select(say`network`, titlesOf(this.models), this.set("encoding"));
    this.attack = new Choice(say`attacker`, options(VOCABULARY.attacks), (attack) => {
      store.set({ attack, ...(attack !== "none" && !(store.get("eps") > 0) ? { eps: FIRST / LEVELS } : {}) });
    });
    const known = options(VOCABULARY.attackers).filter(([name]) => ATTACKERS.includes(name));
    this.attacker = new Choice(say`knows the code?`, known, this.set("attacker"));
    this.target = new TargetSelect(this.names, store);
    this.opener = new Opener(stage, this.data.digits.shape, (drawing) => store.set({ drawing, image: DRAWN }));
    this.mine = h("button", { type: "button", class: "mine", hidden: true, onclick: () => store.set({ image: DRAWN }) });
    picker.digits.element.querySelector(".row").append(this.mine);
    const source = h("p", { class: "source" }, say`Pictures: ${this.data.source}.`);
    this.about = h("p", { class: "about" });
    this.notice = h("p", { class: "about", role: "status", hidden: true });
    const play = this.clock(() => this.last?.answer.exit_step ?? this.data.num_steps);
    const panels = [new InputPanel(), new BlocksPanel(), new VotesPanel()];
    this.time = new Timeline(panels, { onExit: (exit) => store.set({ exit_step: exit }), margins: MARGINS, play });
    const setup = [this.network.element, this.about, this.attack.element, this.target.element, this.attacker.element];
    const controls = this.controlGroup(setup, [this.eps.element, this.exit.element], this.verdict.answer);
    return {
      controls: { encoding: this.network, attack: this.attack },
      panels: [
        h("div", { class: "pick" }, picker.digits.element, this.opener.element, source),
        this.pictures.element,
        this.time.element,
        controls,
        h("div", { class: "effect" }, this.verdict.effect, this.notice),
      ],
      limits: this.limits(),
    };
  }

  changed(state) {
    super.changed(state);
    const level = LEVELS * snapped(state.eps);
    this.eps.show(level, Math.max(MOST, level || 0));
    const model = this.models.find(({ name }) => name === state.encoding);
    this.exit.show(state.exit_step);
    this.target.show(state);
    this.moved(state.exit_step);
    this.#showMine(state);
    if (!model) return;
    const timeless = model.kind === "ann";
    this.exit.element.hidden = timeless;
    this.attacker.element.hidden = timeless;
    this.attacker.show(state.attacker, !isGradientAttack(state.attack));
    setText(this.about, this.#aboutText(model));
  }

  /** @param {any} model */
  #aboutText({ accuracy, bytes }) {
    const size = bytes ? say` Its weights (${fixed(bytes / 1e6, 1)} MB) are loaded when it is chosen.` : "";
    return accuracy ? say`Reads ${percent(accuracy)} of the 10,000 test pictures of CIFAR-10 correctly.${size}` : size;
  }

  /** The reader's own picture, as one more tile. */
  #showMine({ image, drawing }) {
    const { shape } = this.data.digits;
    this.mine.hidden = drawing.length !== this.picker.size;
    this.mine.setAttribute("aria-pressed", String(image === DRAWN));
    this.mine.setAttribute("aria-label", say`your picture`);
    if (this.mine.hidden || this.shownMine === drawing) return;
    this.shownMine = drawing;
    this.mine.replaceChildren(
      thumbnail(
        Float32Array.from(drawing, (v) => v / LEVELS),
        shape,
      ),
    );
  }

  moved(step) {
    this.time.showExit(step, this.data.num_steps, this.at !== null);
  }

  ask(state) {
    const { attacker, attack, encoding } = state;
    this.model(encoding);
    if (isGradientAttack(attack)) {
      need(
        ATTACKERS.includes(attacker),
        say`pictures are attacked by ${ATTACKERS.join(" or ")} attackers, got "${attacker}"`,
      );
    }
    need(
      state.image !== DRAWN || state.drawing.length === this.picker.size,
      say`no picture is open yet; open one, or choose a drawing`,
    );
    return { ...super.ask(state), eps: snapped(state.eps) };
  }

  /** @param {any} asked */
  async run({ signal, ...request }) {
    if (this.engine.kind === "kernel") {
      try {
        const frame = await this.engine.run({ ...request, signal });
        this.#bring(request.encoding);
        return frame;
      } catch (error) {
        // A kernel that does not answer any more leaves it to the page.
        if (this.engine.kind === "kernel" || error.name === "AbortError") throw error;
      }
    }
    return this.#inWorker(request, signal);
  }

  /** Fetch weights and worker while the kernel is there, so that the page can go on without it. */
  #bring(encoding) {
    for (const key of [`picture/${encoding}`, "picture-worker"]) this.engine.record(key).catch(() => {});
  }

  async #inWorker(request, signal) {
    const key = `picture/${request.encoding}`;
    const payload = await this.engine.record(key);
    signal.throwIfAborted();
    const job = { task: "picture", key, prepare: { payload, numSteps: this.data.num_steps }, settings: {} };
    let frame = null;
    const onResults = (results) => {
      [frame] = results;
    };
    await this.pool.run(job, [request], { onResults, onNotice: (text) => showText(this.notice, text), signal });
    return frame;
  }

  paint(frame, request, colours) {
    const { names } = this;
    const { title, decoder } = this.model(frame.encoding);
    const exit = this.at ?? frame.exit_step;
    this.pictures.show(frame, colours);
    this.time.show(frame, { exit, parts: partsOf(title.split(",")[0]), decoder, colours, names });
    this.verdict.show(verdict(frame, exit, names), effect(frame, { ...request, exit_step: exit }, names));
    this.caption.show(frame, this.#facts(), [], this.#how(frame, request));
  }

  #facts() {
    return say`a single picture, one network of ${this.data.dataset}: nothing is measured here`;
  }

  #how(frame, { attack, attacker, target, eps }) {
    const who = whoComputed(frame);
    const draws = isRandom(this.model(frame.encoding))
      ? say` The code is random: each gradient is a mean over several draws, which takes as many times as long.`
      : "";
    const aim = frame.attacked
      ? say`The attack ${isTargeted({ attack, target }) ? say`moves towards ${this.names[target]}` : say`pushes away from ${this.names[frame.target] ?? frame.target}`}, with every value changed by at most ${levelText(eps)}; PGD takes 10 steps of ε/4 from a random start.${attacker === "naive" && isGradientAttack(attack) ? say` The naive attacker passes straight through the code and uses the surrogate of the training; the informed one differentiates a relaxed code.` : ""}${draws}`
      : "";
    const map = say`The difference is the mean over red, green and blue, enlarged ${MAGNIFIED} times. In the rasters a row of pixels stands for many neurons: the darker, the more of them fire.`;
    return [who, aim, map].filter(Boolean);
  }

  answered(frame, request) {
    const { title } = this.model(frame.encoding);
    const side = frame.attacked ?? frame.clean;
    this.stage.speak(
      say`${spoken(frame, request, title, this.names)} Strongest: ${leaders(side, frame.exit_step, this.names).join(", ")}.`,
    );
    showText(this.notice, null);
  }
}
