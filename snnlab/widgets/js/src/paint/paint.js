/** Paint a code: which intensity fires at which step; then train a network on it, and attack it. */

import { integerBetween } from "../engine/index.js";
import { checkRecipe } from "../engine/train.js";
import { fixed, say } from "../language.js";
import { attackName } from "../live/names.js";
import { Learner } from "../play/learner.js";
import { save } from "../play/save.js";
import { keep, kept, PAINTED } from "../play/store.js";
import { codeName, keptText, keptTitle, progressText } from "../play/text.js";
import { EPOCHS, revived, TEST_EPS, Training } from "../play/training.js";
import { AccuracyPlot } from "../view/charts/accuracy-curve.js";
import { EpsSlider } from "../view/controls/attack-controls.js";
import { Select } from "../view/controls/choice.js";
import { CopyButton } from "../view/controls/copy-button.js";
import { ImagePicker } from "../view/controls/image-picker.js";
import { Slider } from "../view/controls/slider.js";
import { Picture } from "../view/dom/canvas-image.js";
import { h, setText, showText, uniqueId } from "../view/dom/elements.js";
import { Explorer } from "../view/explorers/base.js";
import { bestCurve } from "../view/model/accuracy.js";
import { ofGroups } from "../view/model/models.js";
import { CodePanel } from "../view/panels/code.js";
import sheet from "../view/styles/explorers/paint.css";
import { codeSummary } from "../view/text/code.js";
import { curveTitle, epsText, resultKey } from "../view/text/frame.js";
import { PaintGrid } from "./grid.js";
import { Measuring, pointsOf } from "./measuring.js";
import { LINES, RuleError, readRule } from "./rule.js";
import { SlopeMap } from "./slope-map.js";
import { firstAct, isTable, LEVELS, nameOf, painted, resized, rowsOf, rowsWhere, STEPS, TURNS } from "./table.js";
import { actText, measuredText, shareText, tableText } from "./text.js";

/** What decides a training here beside the code; the playground has all of it to choose. */
const RECIPE = { beta: 0.9, hidden: 128, surrogate: "sigmoid", slope: 4, loss: "count", eps: 0, seed: 0, epochs: EPOCHS };

/** Attacks that can be measured, by what the attacker knows. */
const ATTACKS = [
  ["fgsm", "naive"],
  ["fgsm", "informed"],
  ["pgd", "naive"],
  ["pgd", "informed"],
  ["pgd", "spike_train"],
];
const OWN = say`your own`;

export class PaintExplorer extends Explorer {
  static kind = "paint";
  static style = "paint";
  static sheet = sheet;
  /** Trained codes, each with what was measured of it: {title, training, counts by attack}. @type {any[]} */
  runs = [];
  /** The table that was painted last. @type {string|null} */
  #mine = null;
  #known = rowsOf("latency", 8, 16);
  /** What the line has painted. @type {string|null} */
  #written = null;

  constructor(stage, store, engine, zoo) {
    super(stage, store, engine, zoo);
    this.zoo = zoo;
    this.models = ofGroups(zoo, "codes").filter(({ group }) => group !== undefined);
    this.picker = new ImagePicker(zoo, store);
    const tell = (sentence) => showText(this.notice, sentence);
    this.learner = new Learner(engine, {
      say: tell,
      changed: () => this.#buttons(),
      told: () => this.repaint(),
      tested: (training) => tell(keep(training, PAINTED) ?? keptText(training, zoo.num_steps)),
    });
    this.measuring = new Measuring(engine, { say: tell, changed: () => this.#buttons(), told: () => this.#soon() });
    stage.onDispose(() => {
      this.learner.dispose();
      this.measuring.stop();
    });
  }

  declare() {
    const { zoo, store } = this;
    const speak = (sentence) => this.stage.speak(sentence);
    this.grid = new PaintGrid((cells, fires) => this.#paint(cells, fires), speak);
    this.slopes = new SlopeMap();
    this.preset = new Select(
      say`start from`,
      [...Object.keys(LINES), OWN].map((name) => [name, name]),
      (name) => this.#start(name),
    );
    const levels = new Select(
      say`levels`,
      [4, 8, 16, 32].map((n) => [String(n), String(n)]),
      (n) => this.#resize({ levels: Number(n) }),
    );
    this.levels = levels;
    this.steps = new Slider({
      label: say`steps T`,
      min: STEPS[0],
      max: STEPS[1],
      text: String,
      onInput: (steps) => this.#resize({ steps }),
    });
    this.eps = new EpsSlider(say`ε on black`, this.set("eps"));
    const turns = Object.entries(TURNS).map(([name, turn]) =>
      h("button", { type: "button", onclick: () => this.#put(turn(this.rows)) }, name),
    );
    this.about = h("p", { class: "said about" });
    this.picture = new Picture(say`the digit`);
    this.code = new CodePanel(say`your code`, () => {});
    this.press = h("button", { type: "button", class: "main", onclick: () => this.#train() });
    this.break = h("button", { type: "button", onclick: () => this.#attack() });
    this.back = h("button", { type: "button", hidden: true, onclick: () => this.#restore() });
    this.file = h("button", { type: "button", onclick: () => this.#save() }, say`Save file`);
    const names = ATTACKS.map((aim) => [aim.join(), attackName(...aim)]);
    this.aim = new Select(say`attack`, names, (both) => {
      const [attack, attacker] = both.split(",");
      store.set({ attack, attacker });
    });
    this.progress = h("p", { class: "said progress" });
    this.tested = h("p", { class: "said tested", role: "status" });
    this.notice = h("p", { class: "said soft", role: "status", hidden: true });
    this.measured = h("p", { class: "said measured", role: "status" });
    this.plot = new AccuracyPlot({ onEps: this.set("eps"), intervals: true });
    const text = () => `encoder("${this.name}", num_steps=${this.rows[0].length})`;
    const copy = new CopyButton({ label: say`copy its name for Lab`, name: say`The code in Python`, text, speak });
    copy.element.className = "take";
    this.stage.onDispose(() => copy.dispose());
    this.written = h("code", {});
    this.caption.say(
      say`computed in your browser, seed 0: ${RECIPE.hidden} hidden neurons, Adam, batches of 100 of 3,500 training digits of ${zoo.dataset}, ${EPOCHS} epochs, one training run. Another seed would differ by a few points. The relaxed derivative has slope 10. Curves of the zoo: recorded on ${zoo.results?.n ?? 0} test digits, of larger networks that were trained for longer. Choose nothing by test digits that you then report.`,
    );
    const half = (kind, title, ...content) => h("section", { class: `panel ${kind}` }, h("h4", {}, title), ...content);
    return {
      controls: {},
      panels: [
        ...this.picker.elements,
        h("div", { class: "setup" }, this.preset.element, levels.element, h("div", { class: "turns" }, ...turns)),
        h("div", { class: "tune" }, this.steps.element, this.eps.element),
        this.#lineField(),
        h(
          "div",
          { class: "maps" },
          half("painting", say`Paint: which intensity fires when`, this.grid.element),
          half("derived", say`What an attacker sees: its relaxed derivative`, this.slopes.element, key()),
          h("div", { class: "shown" }, this.picture.element, this.code.element),
        ),
        this.about,
        h("div", { class: "named" }, this.written, copy.element),
        h("div", { class: "presses" }, this.press, this.aim.element, this.break, this.file, this.back),
        this.progress,
        this.notice,
        this.tested,
        h("div", { class: "outcome" }, this.plot.element, this.measured),
      ],
      limits: { image: zoo.digits.labels.length - 1, drawing: this.#pixels },
    };
  }

  get #pixels() {
    return this.zoo.digits.shape.reduce((a, b) => a * b, 1);
  }

  /** The rows of the state, or of the last one that exists. @returns {import("./table.js").Rows} */
  get rows() {
    const { code, steps, levels } = this.store.all();
    try {
      this.#known = rowsOf(code, steps, levels);
    } catch {
      // `ask` says what is wrong
    }
    return this.#known;
  }

  get name() {
    return this.store.get("code");
  }

  /** The line that paints, the number in it, and where it cannot be read. */
  #lineField() {
    const id = uniqueId("line");
    this.wrong = h("p", { class: "wrong", id: uniqueId("wrong"), role: "alert", hidden: true });
    this.line = h("input", {
      type: "text",
      id,
      spellcheck: "false",
      autocomplete: "off",
      autocapitalize: "off",
      "aria-describedby": this.wrong.id,
      oninput: () => this.#write(),
    });
    this.p = new Slider({
      label: "p",
      min: 0.1,
      max: 4,
      step: 0.05,
      text: (v) => fixed(v, 2),
      onInput: () => this.#write(),
    });
    this.p.show(1);
    this.p.element.hidden = true;
    return h("div", { class: "written" }, h("label", { for: id }, say`or write it`), this.line, this.p.element, this.wrong);
  }

  /** Paint what the line says: as one writes. */
  #write() {
    const text = this.line.value;
    const { steps, levels } = this.#sizes;
    try {
      const rows = isTable(text.trim()) ? rowsOf(text.trim(), steps, levels) : this.#ruled(text, steps, levels);
      this.#blame(null);
      this.#written = nameOf(rows);
      this.#put(rows);
    } catch (error) {
      this.#blame(error);
    }
  }

  #ruled(text, steps, levels) {
    const { fires, uses } = readRule(text);
    this.p.element.hidden = !uses.has("p");
    const p = Number(this.p.input.value);
    this.p.show(p);
    return rowsWhere((x, t) => fires({ x, t, T: steps, p }), steps, levels);
  }

  /** @param {Error|null} error of the line, at a character if it is one of the grammar */
  #blame(error) {
    this.line.setAttribute("aria-invalid", String(error !== null));
    this.wrong.hidden = error === null;
    if (error === null) return;
    const text = this.line.value;
    const at = error instanceof RuleError ? error.at : null;
    const place =
      at === null
        ? []
        : [
            h(
              "span",
              { class: "place" },
              text.slice(0, at),
              h("mark", {}, text.slice(at, at + 1) || "\u00a0"),
              text.slice(at + 1),
            ),
          ];
    const where = at === null ? "" : say` At character ${at + 1}.`;
    this.wrong.replaceChildren(...place, say`${error.message.replace(/[^.!?]$/, "$&.")}${where} The grid stays as it was.`);
  }

  get #sizes() {
    const { rows } = this;
    return { steps: rows[0].length, levels: rows.length - 1 };
  }

  /** @param {import("./table.js").Rows} rows */
  #put(rows) {
    this.#mine = nameOf(rows);
    this.store.set({ code: this.#mine, steps: rows[0].length, levels: rows.length - 1 });
  }

  #paint(cells, fires) {
    this.#put(cells.reduce((rows, [row, step]) => painted(rows, row, step, fires), this.rows));
  }

  #start(name) {
    if (name === OWN) {
      if (this.#mine) this.#put(rowsOf(this.#mine, 0, 0));
      else this.#put(this.rows);
      return;
    }
    this.store.set({ code: name });
  }

  #resize(changes) {
    const { steps, levels } = { ...this.#sizes, ...changes };
    if (!isTable(this.name)) this.store.set({ steps, levels });
    else if (this.#written === this.name && !isTable(this.line.value.trim())) {
      const rows = this.#ruled(this.line.value, steps, levels);
      this.#written = nameOf(rows);
      this.#put(rows);
    } else this.#put(resized(this.rows, steps, levels));
  }

  /** @param {State} state @returns {import("../engine/train.js").Recipe} */
  recipe({ code }, rows) {
    return { ...RECIPE, code, steps: rows[0].length };
  }

  changed(state) {
    super.changed(state);
    this.picker.show(state);
    this.eps.show(state.eps);
    this.aim.show([state.attack, state.attacker].join());
    let rows;
    try {
      rows = this.#asked(state);
    } catch {
      return; // `ask` says what is wrong
    }
    const own = isTable(state.code);
    this.preset.show(own ? OWN : state.code);
    this.levels.show(String(rows.length - 1));
    this.steps.show(rows[0].length);
    const first = firstAct(rows, state.eps);
    this.grid.show(rows, first, state.eps);
    setText(this.about, tableText(rows, state.eps));
    setText(this.written, `encoder("${state.code}"${rows[0].length === 8 ? "" : `, num_steps=${rows[0].length}`})`);
    if (!own) this.#describe(LINES[state.code]);
    else this.line.classList.toggle("past", this.#written !== state.code);
    this.#buttons();
  }

  /** The line of a code that has a name. */
  #describe(line) {
    this.#written = null;
    this.p.element.hidden = true;
    this.line.classList.remove("past");
    if (this.line.value !== line) this.line.value = line;
    this.#blame(null);
  }

  /** The rows of a state that exists. */
  #asked(state) {
    const { code, steps, levels, eps } = state;
    integerBetween("steps", steps, ...STEPS);
    integerBetween("levels", levels, ...LEVELS);
    const rows = rowsOf(code, steps, levels);
    integerBetween("steps", rows[0].length, ...STEPS);
    checkRecipe({ ...this.recipe(state, rows), eps: Math.min(eps, 0.3) });
    return rows;
  }

  ask(state) {
    const rows = this.#asked(state);
    const { image, shape } = this.picker.pixels(state);
    const { code, eps } = state;
    return { image, shape, encoders: [code], eps, attack: "brighten", num_steps: rows[0].length, seed: 0 };
  }

  run(request) {
    return this.engine.encode(request);
  }

  paint(frame, { eps, encoders: [name], num_steps: steps }, colours) {
    const { clean, attacked } = frame.images;
    this.picture.show(attacked ?? clean, frame.shape);
    const code = frame.codes[name];
    const summary = codeSummary(name, code, steps, clean);
    this.code.showStep(steps, steps);
    this.code.show(code, frame, clean.indexOf(Math.max(...clean)), summary, steps, colours);
    this.slopes.show(name, this.rows, colours, say`Relaxed derivative of ${codeName(name)}, by intensity and step`);
    this.#showRuns(eps, colours);
  }

  answered(_frame, { eps }) {
    if (!this.learner.busy && !this.measuring.busy) this.stage.speak(actText(this.rows, eps));
  }

  revealed() {
    this.picker.digits.reveal();
    const found = kept(PAINTED);
    this.back.hidden = found === null;
    if (found) setText(this.back, keptTitle(found));
  }

  #showRuns(eps, colours) {
    const { zoo, store } = this;
    const state = { ...store.all(), curve: "own" };
    const key = resultKey(state);
    const run = this.runs.at(-1);
    const mine = this.runs.map(({ title, counts }, k) => ({
      name: `yours ${k}`,
      title,
      kind: "snn",
      code: "table",
      points: pointsOf(counts[key] ?? []),
    }));
    const recorded = this.models.map((model) => ({
      ...model,
      points: bestCurve(zoo.results, model.name, key, zoo.num_steps) ?? [],
    }));
    const current = mine
      .filter(({ points }) => points.length)
      .map(({ name }) => name)
      .slice(-1);
    const title = curveTitle(state, null);
    const shape = mine.map(({ points }) => points.map(({ eps: at, share }) => `${at}:${share}`)).join();
    const nothing = run ? say`Press “Attack it” to measure your network here.` : say`Train the code, then attack it.`;
    this.plot.show(
      { title, key: [key, shape].join(), curves: [...mine, ...recorded], current, eps, chance: 0.1, nothing },
      colours,
    );
    setText(this.progress, run ? `${run.title}: ${progressText(run.training)}` : say`Not trained.`);
    const last = run?.training.tests.at(-1);
    const after =
      last &&
      say`After epoch ${last.epoch}: ${shareText(last.clean, last.n)} of ${last.n} test digits, ${shareText(last.robust, last.n)} under FGSM (informed) at ε = ${epsText(TEST_EPS)}.`;
    setText(this.tested, after ?? "");
    setText(
      this.measured,
      run ? measuredText(run.title, run.counts[key] ?? [], attackName(state.attack, state.attacker)) : "",
    );
  }

  /** Once a display frame at most. */
  #soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.repaint();
    });
  }

  /** The training of the code that is shown; undefined: it has none. */
  get present() {
    return this.runs.find(
      ({ training }) => training.recipe.code === this.name && training.recipe.steps === this.rows[0].length,
    );
  }

  #buttons() {
    const run = this.present;
    const { busy } = this.learner;
    const known = run?.training;
    const begun = known?.batches.length > 0;
    setText(this.press, busy ? say`Pause` : known?.finished ? say`Trained` : begun ? say`Continue` : say`Train this code`);
    this.press.disabled = !busy && (known?.finished ?? false);
    setText(this.break, this.measuring.busy ? say`Stop` : say`Attack it`);
    this.break.disabled = !this.measuring.busy && (busy || !begun);
    this.file.disabled = !begun;
  }

  async #train() {
    if (this.learner.busy) return this.learner.pause();
    this.measuring.stop();
    const { rows, name } = this;
    let run = this.present;
    if (!run) {
      run = {
        title: this.#title(name),
        training: new Training(this.recipe({ code: name }, rows), this.#pixels),
        counts: {},
      };
    }
    this.runs = [...this.runs.filter((other) => other !== run), run].slice(-4);
    this.repaint();
    await this.learner.train(run.training);
    if (run.training.finished) this.stage.speak(this.tested.textContent);
  }

  /** The painted network that this browser has kept; one that had not finished goes on. */
  #restore() {
    const found = kept(PAINTED);
    if (!found) return;
    const { code, steps } = found.recipe;
    this.back.hidden = true;
    this.runs = [...this.runs, { title: this.#title(code), training: revived(found, this.#pixels), counts: {} }].slice(-4);
    this.store.set(isTable(code) ? { code } : { code, steps });
    if (!this.runs.at(-1).training.finished) this.#train();
  }

  #title(code) {
    const count = this.runs.filter(({ training }) => isTable(training.recipe.code)).length + 1;
    return isTable(code) ? say`your code ${count}` : say`${code}, here`;
  }

  async #attack() {
    if (this.measuring.busy) return this.measuring.stop();
    const run = this.present;
    if (!run) return;
    const { attack, attacker } = this.store.all();
    const key = resultKey({ attack, attacker, curve: "own" });
    this.runs = [...this.runs.filter((other) => other !== run), run];
    run.counts[key] = [];
    await this.measuring.start(run.training, { attack, attacker }, this.zoo.results.eps, run.counts[key]);
    this.repaint();
    this.stage.speak(this.measured.textContent);
  }

  #save() {
    const { training } = /** @type {any} */ (this.present);
    showText(this.notice, save(training));
  }
}

function key() {
  const sign = (kind, text) => h("span", {}, h("i", { class: kind }), text);
  return h("p", { class: "signs" }, sign("gains", say`brighter gains a spike`), sign("loses", say`brighter loses one`));
}
