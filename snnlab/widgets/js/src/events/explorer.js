/** A digit in front of a simulated event camera: events in space and time, an attack on them, and the answer over time. */

import { field } from "../engine/check.js";
import { hiddenOrder, inputOrder } from "../engine/order.js";
import { wilson } from "../engine/wilson.js";
import { fixed, say } from "../language.js";
import { AccuracyPlot } from "../view/charts/accuracy-curve.js";
import { ExitSlider } from "../view/controls/attack-controls.js";
import { Select } from "../view/controls/choice.js";
import { ImagePicker } from "../view/controls/image-picker.js";
import { Slider } from "../view/controls/slider.js";
import { h } from "../view/dom/elements.js";
import { fit } from "../view/dom/sizes.js";
import { Explorer } from "../view/explorers/base.js";
import { HiddenPanel } from "../view/panels/hidden.js";
import { Timeline } from "../view/panels/timeline.js";
import { Verdict } from "../view/panels/verdict.js";
import { VotesPanel } from "../view/panels/votes.js";
import { verdict } from "../view/text/frame.js";
import { changed, classifier, randomChanges, search } from "./attack.js";
import { moved, recorded, saccadePath, spikesOf } from "./camera.js";
import { EventCloud } from "./cloud.js";
import sheet from "./events.css";
import { FramesPanel } from "./strip.js";
import { effectText, measuredText, TAMPERS } from "./text.js";

const MOST = 40;

export class EventExplorer extends Explorer {
  static kind = "event";
  static style = "events";
  static sheet = sheet;

  static async load(engine) {
    const [zoo, record] = await Promise.all([engine.zoo(), engine.record("events5k")]);
    for (const name of ["camera", "model", "eps", "n", "correct"]) field(record, name, "events5k");
    return { ...zoo, events: record };
  }

  constructor(stage, store, engine, zoo) {
    super(stage, store, engine, zoo);
    this.record = zoo.events;
    this.steps = this.record.camera.num_steps;
    this.side = zoo.digits.shape[2];
    this.network = classifier(this.record.model, this.steps);
    this.order = hiddenOrder(this.network.second.columns, this.network.classes);
    this.picker = new ImagePicker(zoo, store);
    this.seen = { image: null, events: [], spikes: new Float32Array() };
  }

  declare() {
    const { store, steps } = this;
    const options = Object.entries(TAMPERS).map(([name, [title]]) => [name, title]);
    const tamper = new Select(say`change spikes`, options, (value) => {
      const { number } = store.all();
      store.set({ tamper: value, ...(number === 0 && value !== "none" ? { number: 10 } : {}) });
    });
    const number = new Slider({
      label: say`spikes`,
      max: MOST,
      text: String,
      spoken: (n) => say`at most ${n} changed spikes`,
      onInput: this.set("number"),
    });
    const stops = Array.from({ length: steps }, (_, t) => String(t + 1));
    const exit = new ExitSlider(steps, this.set("exit_step"), stops);
    this.lens = h("canvas", { role: "img", "aria-label": say`the image on the sensor, and its path` });
    this.cloud = new EventCloud();
    this.verdict = new Verdict();
    const play = this.clock(() => this.last?.request.exit_step ?? steps);
    this.time = new Timeline([new FramesPanel(), new HiddenPanel(), new VotesPanel()], {
      onExit: this.set("exit_step"),
      play,
    });
    this.plot = new AccuracyPlot({
      onEps: (value) => store.set({ number: value }),
      budgets: {
        domain: () => [0, this.record.eps.at(-1)],
        name: say`changed spikes`,
        ticks: this.record.eps,
        near: (value) => Math.round(Math.min(MOST, Math.max(0, value))),
      },
    });
    const camera = h(
      "section",
      { class: "panel camera" },
      h("header", {}, h("h4", {}, say`on the sensor`)),
      this.lens,
      h("p", { class: "note" }, say`three strokes, 300 ms`),
    );
    const cloud = h(
      "section",
      { class: "panel space" },
      h(
        "header",
        {},
        h("h4", {}, say`events in space and time`),
        h("span", { class: "note" }, say`drag to turn, double-click to turn back`),
      ),
      this.cloud.element,
    );
    return {
      controls: { tamper, number, exit_step: exit },
      panels: [
        ...this.picker.elements,
        camera,
        cloud,
        this.controlGroup([tamper.element], [number.element, exit.element], this.verdict.answer),
        this.time.element,
        this.plot.element,
        this.verdict.effect,
      ],
      limits: { image: this.data.digits.labels.length - 1, drawing: this.side ** 2, exit_step: steps, number: MOST },
    };
  }

  changed(state) {
    super.changed(state);
    this.picker.show(state);
    this.controls.number.input.disabled = state.tamper === "none";
    this.time.showExit(state.exit_step, this.steps);
  }

  moved(step) {
    this.time.showExit(step, this.steps, this.at !== null);
  }

  revealed() {
    this.picker.digits.reveal();
  }

  ask({ image, drawing, tamper, number, exit_step }) {
    return { ...this.picker.pixels({ image, drawing }), tamper, number, exit_step };
  }

  /** Record, attack, and read: in this page, behind a kernel too. */
  run({ image, label, shape, tamper, number, exit_step: exit }) {
    const { network, steps, side, record } = this;
    const started = performance.now();
    if (this.seen.image !== image) {
      const events = recorded(image, side, record.camera);
      this.seen = { image, events, spikes: spikesOf(events, side, record.camera) };
    }
    const { events, spikes } = this.seen;
    const trace = network.respond(image, spikes);
    const target = label ?? Math.max(0, trace.predictions[exit - 1]);
    const kind = tamper === "noise" ? "change" : tamper;
    const budget = { kind, number, exit, view: record.model.attack_surrogate };
    let where = [];
    if (tamper === "noise") where = randomChanges(kind, spikes, steps, number, 1 + number);
    else if (tamper !== "none" && number > 0) where = search(network, spikes, target, budget);
    const attacked = tamper === "none" || number === 0 ? null : network.respond(image, changed(kind, spikes, steps, where));
    const order = { input: inputOrder(image, 1), ...this.order };
    return Promise.resolve({
      clean: sideOf(trace),
      attacked: attacked && sideOf(attacked),
      fooled: attacked !== null && attacked.predictions[exit - 1] !== target,
      changes: where.length,
      events,
      order,
      shape,
      side,
      num_steps: steps,
      label,
      target,
      computed_by: "browser",
      ms: performance.now() - started,
    });
  }

  paint(frame, request, colours) {
    const { steps, record } = this;
    const exit = this.at ?? request.exit_step;
    this.stage.app.style.setProperty("--event-on", colours.code("latency").colour);
    this.#lens(exit, colours);
    const { duration } = record.camera;
    const changes = marks(frame, steps, duration);
    this.cloud.show({ ...frame, changes, duration, until: exit / steps, steps }, colours);
    this.time.show(frame, { exit, parts: [], decoder: record.model.decoder, colours });
    this.verdict.show(verdict(frame, exit), [...effectText(frame, request), this.#curves(request, colours)]);
    this.caption.show(
      frame,
      say`simulated event camera · curves: n = ${record.n} test recordings, ${record.seeds} training runs`,
      [],
      this.#how(frame),
    );
  }

  /** The curves of what was measured, and a sentence about the one that is chosen. */
  #curves({ tamper, number }, colours) {
    const { record } = this;
    const kind = tamper === "none" || tamper === "noise" ? "change" : tamper;
    const curve = (name, title, key, code, of) => ({
      name,
      title,
      kind: of,
      code,
      points: (record.correct[key] ?? [])[0]?.map((_, k) => {
        const counts = record.correct[key].map((seed) => seed[k]);
        const mean = counts.reduce((a, b) => a + b, 0) / counts.length;
        return { eps: record.eps[k], ...wilson(mean, record.n) };
      }),
    });
    const chosen = curve("chosen", say`chosen by the attacker`, kind, "latency", "snn");
    const chance = curve("chance", say`by chance`, `noise.${kind}`, "ann", "ann");
    const current = tamper === "noise" ? chance : chosen;
    this.plot.show(
      {
        title: say`Accuracy: spikes ${TAMPERS[kind][1]}`,
        key: kind,
        curves: [chosen, chance].filter(({ points }) => points),
        current: [current.name],
        eps: tamper === "none" ? 0 : number,
        at: say`${tamper === "none" ? 0 : number} spikes`,
        chance: 0.1,
      },
      colours,
    );
    return measuredText(record, current.points ?? [], tamper === "none" ? 0 : number);
  }

  #how({ ms }) {
    const { record } = this;
    const { threshold, dark, reach } = record.camera;
    return [
      say`The camera is simulated in this page: the digit moves along three straight strokes of up to ${reach} pixels. A pixel fires each time the logarithm of its intensity (plus ${dark}) has changed by ${threshold}. An ideal sensor: no noise, no latency, equal thresholds. A step has a spike where a pixel and polarity had at least one event. Recording, network and attack took ${fixed(ms, 0)} ms; nothing leaves your computer.`,
      say`The network has ${record.model.layers[0].shape[0]} hidden neurons and learned from 3,500 digits in front of this camera. Curves are its mean over ${record.seeds} training runs on n = ${record.n} test recordings, with 95 % Wilson intervals over recordings. They are upper bounds: a better attack may break more, and no bound from below is known. The recorded attack searches twice as long as this page does.`,
      ...Object.entries(record.attacks).map(([name, text]) => `${name}: ${text}.`),
    ];
  }

  #lens(exit, colours) {
    const target = fit(this.lens);
    if (!target) return;
    const { context: ink, width, ratio } = target;
    const { side, steps, record, seen } = this;
    const moments = steps * record.camera.per_step;
    const path = saccadePath(moments, record.camera.reach);
    const now = this.at === null ? moments : exit * record.camera.per_step;
    const shifted = moved(seen.image, side, path[now]);
    const pixels = new ImageData(side, side);
    for (const [k, v] of shifted.entries()) pixels.data.set([255 * v, 255 * v, 255 * v, 255], 4 * k);
    const small = new OffscreenCanvas(side, side);
    small.getContext("2d")?.putImageData(pixels, 0, 0);
    ink.imageSmoothingEnabled = false;
    ink.drawImage(small, 0, 0, width, width);
    /** @param {number[]} shift */
    const place = ([down, right]) => [(side / 2 + 4 * right) * (width / side), (side / 2 + 4 * down) * (width / side)];
    const line = (points, colour, thick) => {
      ink.strokeStyle = colour;
      ink.lineWidth = thick * ratio;
      ink.lineJoin = "round";
      ink.beginPath();
      for (const [k, point] of points.entries()) k ? ink.lineTo(...place(point)) : ink.moveTo(...place(point));
      ink.stroke();
    };
    line(path, `${colours.pen}66`, 2);
    line(path.slice(0, now + 1), colours.pen, 2);
    ink.fillStyle = colours.pen;
    ink.beginPath();
    ink.arc(...place(path[now]), 4.5 * ratio, 0, 2 * Math.PI);
    ink.fill();
  }

  answered(frame, { tamper, number, exit_step: exit }) {
    const { text, note } = verdict(frame, exit);
    const what = tamper === "none" ? say`no attack` : say`${number} spikes ${TAMPERS[tamper][1]}`;
    this.stage.speak(say`${what}, exit ${exit}: ${text}, ${note}.`);
  }
}

function sideOf({ image, input, hidden, output, votes, predictions }) {
  return { image, input, hidden: hidden.spikes, output: output.spikes, votes, membrane: output.membrane, predictions };
}

/** Entries that the attack made or took away, at the middle of their step. */
function marks({ clean, attacked, side }, steps, duration) {
  if (!attacked) return [];
  const out = [];
  const size = side * side;
  for (let i = 0; i < clean.input.length; i++) {
    if (clean.input[i] === attacked.input[i]) continue;
    const t = ((Math.floor(i / (2 * size)) + 0.5) * duration) / steps;
    const p = i % size;
    out.push({ x: p % side, y: Math.floor(p / side), t, made: attacked.input[i] > clean.input[i] });
  }
  return out;
}
