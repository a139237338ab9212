/**
 * The panel behind "Measure it here": the page attacks the test digits with the settings that the explorer shows, and draws the
 * accuracy as it grows. The next move stops it; what was measured is kept for as long as the page is open.
 */

import { asImage } from "../engine/digits.js";
import { count, fixed, say } from "../language.js";
import { stroke } from "../view/charts/frame.js";
import { Select } from "../view/controls/choice.js";
import { thumbnail } from "../view/dom/canvas-image.js";
import { h, setText, svg } from "../view/dom/elements.js";
import { GrowthChart } from "./growth.js";
import sheet from "./live.css";
import { keyOf, Measurement, recorded, settingsOf } from "./measurement.js";
import { fallenLabel, fallenName, fallenText, readingText, recordText, threadsText, whatText } from "./text.js";
import { digitAt, digits, workers } from "./workers.js";

const AMOUNTS = [100, 200, 500, 1000];
const SHOWN = 40;
const DRAWN = -1;
const KEPT = 50;

/** Measurements of this page by their settings. @type {Map<string, Measurement>} */
const known = new Map();

/** Whether random numbers decide too, which are others in Python. @param {State} settings */
const hasChance = ({ attack, encoding }) => ["noise", "pgd"].includes(attack) || encoding.includes("poisson");

export class Live {
  #controller = null;
  #running = null;
  #split = null;
  #frame = null;
  #told = "";
  total = 500;

  /** @param {any} explorer  @param {Element} element where it goes */
  constructor(explorer, element) {
    this.explorer = explorer;
    this.engine = explorer.engine;
    explorer.stage.wear(sheet);
    this.pool = workers(this.engine);
    this.button = h("button", { type: "button", onclick: () => (this.#controller ? this.stop() : this.start()) });
    const options = AMOUNTS.map((n) => [String(n), say`${count(n)} test digits`]);
    this.amount = new Select(say`on`, options, (n) => this.#setTotal(Number(n)));
    this.amount.show(String(this.total));
    this.what = h("span", { class: "what" });
    this.accuracy = h("strong");
    this.reading = h("span");
    this.beside = h("p", { class: "said" });
    this.notice = h("p", { class: "said", role: "status", hidden: true });
    this.chart = new GrowthChart();
    this.fallen = h("p", { class: "said" });
    this.tiles = h("div", { class: "fell" });
    this.grown = h(
      "div",
      { class: "grown", hidden: true },
      this.chart.element,
      h("p", { class: "reading" }, this.accuracy, this.reading),
      this.beside,
      h("div", { class: "fallen" }, this.fallen, this.tiles),
    );
    element.replaceChildren(
      h("div", { class: "row" }, this.button, this.amount.element, this.what),
      this.notice,
      this.grown,
    );
    this.mark = svg("g", { class: "measured" });
    explorer.plot.svg.append(this.mark);
    explorer.stage.onDispose(() => this.stop());
    this.#showButton();
  }

  /** The settings that the explorer shows; null: they do not exist. */
  get settings() {
    try {
      return settingsOf(this.explorer.ask(this.explorer.store.all()));
    } catch {
      return null;
    }
  }

  /** What is known for these settings. @returns {Measurement|null} */
  get measurement() {
    const { settings } = this;
    return settings && (known.get(keyOf(settings)) ?? null);
  }

  #setTotal(total) {
    this.stop();
    this.total = total;
    this.paint();
  }

  /** The state has changed. Another image or another curve asks nothing new. */
  changed() {
    const { settings } = this;
    if (this.#running && (!settings || keyOf(settings) !== keyOf(this.#running.settings))) this.stop();
    this.#showButton();
  }

  stop() {
    this.#controller?.abort(new DOMException("stopped", "AbortError"));
    this.#controller = null;
    this.#running = null;
    this.#showButton();
  }

  async start() {
    const { settings, engine, explorer } = this;
    if (!settings) return;
    this.stop();
    const key = keyOf(settings);
    if (known.size >= KEPT && !known.has(key)) known.clear();
    const measurement = known.get(key) ?? new Measurement(settings);
    known.set(key, measurement);
    const controller = new AbortController();
    this.#controller = controller;
    this.#running = measurement;
    this.#say("");
    this.#showButton();
    try {
      const [payload, split] = await Promise.all([engine.record(`model/${settings.encoding}`), digits(engine, "test")]);
      controller.signal.throwIfAborted();
      this.#split = split;
      const numSteps = explorer.zoo.num_steps;
      const items = this.#asked(settings, split)
        .filter((index) => !measurement.answers.has(index))
        .map((index) => ({ index, label: split.labels[index], pixels: digitAt(split, index) }));
      const job = { task: "measure", key: `model/${settings.encoding}`, prepare: { payload, numSteps }, settings };
      const before = measurement.ms;
      const began = performance.now();
      const onResults = (results) => {
        measurement.add(results);
        measurement.ms = before + performance.now() - began;
        this.#soon();
      };
      await this.pool.run(job, items, { onResults, onNotice: (text) => this.#say(text), signal: controller.signal });
      this.#finished(measurement);
    } catch (error) {
      if (error.name !== "AbortError") this.#say(`${error.message.replace(/[^.!?]$/, "$&.")}`);
    }
    if (this.#controller !== controller) return;
    this.#controller = null;
    this.#running = null;
    this.#showButton();
    this.paint();
  }

  #finished(measurement) {
    if (!measurement.share) return;
    const { explorer } = this;
    const total = this.#wanted(measurement.settings);
    const percent = Math.round(100 * measurement.share.share);
    const what = whatText(measurement.settings, explorer.model(measurement.settings.encoding));
    explorer.stage.speak(say`Measured: ${what}: ${percent} percent ${readingText(measurement, total, "")}.`);
  }

  #say(text) {
    setText(this.notice, text);
    this.notice.hidden = !text;
  }

  /**
   * The digits that these settings are about: those of the target's class cannot be attacked towards it.
   * @param {State} settings  @returns {number[]}
   */
  #asked({ target }, { labels }) {
    const first = Array.from({ length: Math.min(this.total, labels.length) }, (_, index) => index);
    return first.filter((index) => labels[index] !== target);
  }

  /** How many digits these settings are about; before the digits are there, as many as are asked for. */
  #wanted(settings) {
    return settings && this.#split ? this.#asked(settings, this.#split).length : this.total;
  }

  #showButton() {
    const { settings } = this;
    const total = this.#wanted(settings);
    const measured = Math.min(this.measurement?.n ?? 0, total);
    const start = measured >= total ? say`Measured` : measured > 0 ? say`Go on` : say`Measure it here`;
    setText(this.button, this.#controller ? say`Stop` : start);
    this.button.disabled = !this.#controller && measured >= total;
    if (settings) setText(this.what, whatText(settings, this.explorer.model(settings.encoding)));
  }

  /** Once a display frame at most. */
  #soon() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.paint();
    });
  }

  /** Draw what is known for the settings that are shown. */
  paint() {
    const { explorer, measurement, pool } = this;
    const { colours } = explorer.stage;
    this.grown.hidden = !measurement?.share;
    if (!measurement?.share) {
      this.mark.replaceChildren();
      return;
    }
    const { settings, share, history } = measurement;
    const model = explorer.model(settings.encoding);
    const { colour } = colours.mark(model);
    const record = recorded(explorer.zoo, settings);
    const total = Math.max(this.#wanted(settings), measurement.n);
    setText(this.accuracy, say`${fixed(100 * share.share, 1)}\u202f%`);
    setText(this.reading, readingText(measurement, total, threadsText(pool.kind, pool.size)));
    setText(this.beside, recordText(measurement, record, hasChance(settings)));
    const words = say`Accuracy as it grows: ${this.accuracy.textContent} ${this.reading.textContent}. ${this.beside.textContent}`;
    this.chart.show(history, total, record, colour, words);
    this.#showFallen(measurement);
    this.#showMark(settings.eps, share, colour, colours);
  }

  /** The measured point in the explorer's own plot, where that is over ε. */
  #showMark(eps, { share, low, high }, colour, colours) {
    const { plot } = this.explorer;
    const { x } = plot;
    const overEps = plot.budgets && x;
    if (!overEps) return;
    const [bottom, top] = [plot.svg.clientHeight - plot.margin.bottom, plot.margin.top];
    const y = (value) => bottom + value * (top - bottom);
    const at = x(eps);
    const whisker = [low, high].map((value) => stroke(at - 5, y(value), at + 5, y(value), { stroke: colour }));
    const point = svg("path", { d: `M${at},${y(share) - 7}l7,7l-7,7l-7,-7Z`, fill: colours.background, stroke: colour });
    this.mark.replaceChildren(stroke(at, y(low), at, y(high), { stroke: colour }), ...whisker, point);
  }

  #showFallen(measurement) {
    const { explorer } = this;
    const { fallen } = measurement;
    setText(this.fallen, fallenText(measurement, SHOWN));
    const shown = fallen.slice(0, SHOWN);
    const key = shown.map(({ index, attacked }) => `${index}:${attacked}`).join();
    if (key !== this.#told) {
      this.#told = key;
      const { shape } = explorer.zoo.digits;
      this.tiles.replaceChildren(
        ...shown.map((digit) => {
          const picture = thumbnail(asImage(digitAt(this.#split, digit.index)), shape);
          const open = { type: "button", "aria-label": fallenName(digit), onclick: () => this.#open(digit.index) };
          return h("button", { ...open, "data-index": digit.index }, picture, h("span", {}, fallenLabel(digit)));
        }),
      );
    }
    const state = explorer.store.all();
    for (const tile of this.tiles.children)
      tile.setAttribute("aria-pressed", String(this.#isShown(Number(tile.dataset.index), state)));
  }

  #isShown(index, { image, drawing }) {
    const { indices } = this.explorer.zoo.digits;
    if (image !== DRAWN) return indices[image] === index;
    const pixels = digitAt(this.#split, index);
    return drawing.length === pixels.length && pixels.every((value, p) => value === drawing[p]);
  }

  /** One of the strip's digits opens there; another one as a drawing, whose class is what the network reads without the attack. */
  #open(index) {
    const { store, zoo } = this.explorer;
    const place = zoo.digits.indices.indexOf(index);
    if (place >= 0) store.set({ image: place });
    else store.set({ drawing: [...digitAt(this.#split, index)], image: DRAWN });
  }
}
