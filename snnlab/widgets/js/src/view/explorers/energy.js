/** The energy explorer: what one image costs in every code, at a price of a weight that the reader chooses. */

import { integerBetween, need } from "../../engine/index.js";
import { say } from "../../language.js";
import { EnergyBars } from "../charts/energy-bars.js";
import { ExitSlider } from "../controls/attack-controls.js";
import { Choice } from "../controls/choice.js";
import { Slider } from "../controls/slider.js";
import { h, setText } from "../dom/elements.js";
import { breakEven, countedAt, priced } from "../model/energy.js";
import { whoComputed } from "../panels/caption.js";
import { imageKey } from "../session/flip-search.js";
import { comparison, priceText } from "../text/energy.js";
import { ImageExplorer } from "./base.js";

/** The highest price of the slider, which is finer where prices are low: x = 650 (10^(3 k / 100) - 1) / 999. */
const HIGHEST = 650;
const STOPS = 100;
const priceAt = (k) => Number(((HIGHEST * (10 ** ((3 * k) / STOPS) - 1)) / 999).toPrecision(2));
const stopOf = (x) => (STOPS / 3) * Math.log10((999 * Math.min(x, HIGHEST)) / HIGHEST + 1);

/** Prices of a 32-bit read (Horowitz 2014). */
const MEMORIES = { 0: "free", 5: say`8 kB memory`, 50: say`1 MB memory`, 650: say`off the chip` };

const ZEROS = { multiplied: say`zeros multiplied`, skipped: say`zeros skipped by all` };

const HOW = [
  say`Energy is counted, not measured on a chip: E = (4.6 + x) pJ per multiply-accumulate (MAC) and (0.9 + x) pJ per synaptic operation (SynOp). Here x is the price of reading a weight: 5 pJ from a memory of 8 kB, 50 pJ from 1 MB, 650 pJ off the chip (45 nm, Horowitz 2014).`,
  say`An ANN makes one MAC per weight. A spike makes one SynOp per neuron that it reaches. direct multiplies its pixels in the first step alone, because they do not change. Where zeros are skipped, black pixels and silent units of the ANN cost nothing, and neither do black pixels of direct; spiking codes never pay for them.`,
  say`Left out are the potentials, leak, threshold and reset of each neuron, moving spikes across a chip, encoding, and static power. The costs are of this one image.`,
];

export class EnergyExplorer extends ImageExplorer {
  static kind = "energy";
  static style = "energy";
  #counted = null;

  declare() {
    const { store, zoo } = this;
    const price = new Slider({
      label: say`price of a weight`,
      max: STOPS,
      text: () => priceText(store.get("price")),
      spoken: () => say`${priceText(store.get("price"))} to read a weight`,
      onInput: (k) => store.set({ price: priceAt(k) }),
    });
    this.price = price;
    const memory = new Choice(say`weights are read from`, Object.entries(MEMORIES), (x) => store.set({ price: Number(x) }));
    const skip = new Choice(say`inputs of zero`, Object.entries(ZEROS), this.set("zeros"));
    const exit = new ExitSlider(zoo.num_steps, this.set("exit_step"));
    this.bars = new EnergyBars();
    this.sentence = h("p", { class: "effect" });
    const controls = this.controlGroup([memory.element, skip.element], [price.element, exit.element]);
    return {
      controls: { zeros: skip, exit_step: exit, price: { show: (x) => memory.show(String(x)) } },
      panels: [...this.picker.elements, controls, this.bars.element, this.sentence],
      limits: this.limits(),
    };
  }

  changed(state) {
    super.changed(state);
    this.price.show(stopOf(state.price));
  }

  ask(state) {
    const { zeros, price, exit_step: exit } = state;
    const known = Object.keys(ZEROS);
    need(known.includes(zeros), say`unknown zeros "${zeros}"; choose one of ${known.join(", ")}`);
    need(price >= 0, say`price must be a number of pJ from 0 on, got ${price}`);
    integerBetween("exit_step", exit, 1, this.zoo.num_steps);
    return super.ask(state);
  }

  /** Another price of a known image needs no new request. */
  run({ signal, ...request }) {
    const key = imageKey(request);
    if (this.#counted?.key !== key) {
      const counted = { key, answer: this.#count({ ...request, signal }) };
      counted.answer.catch(() => {
        if (this.#counted === counted) this.#counted = null;
      });
      this.#counted = counted;
    }
    return this.#counted.answer;
  }

  /** One after the other: a kernel answers one question at a time. */
  async #count(request) {
    const frames = [];
    const unattacked = { attack: "none", attacker: "naive", eps: 0, exit_step: this.zoo.num_steps };
    for (const { name } of this.models) {
      frames.push(await this.engine.run({ ...request, ...unattacked, encoding: name }));
    }
    return frames;
  }

  /** The ANN, and every other network beside it. */
  #rows(frames, { price, zeros, exit_step: exit }) {
    const counted = frames.map(({ clean }) => countedAt(clean.operations, exit, zeros === "skipped"));
    const rows = this.models.map((model, k) => ({ model, title: model.title, counted: counted[k] }));
    const ann = rows.find(({ model }) => model.kind === "ann");
    const whole = priced(ann.counted, price).total;
    const beside = [ann, ...rows.filter((row) => row !== ann)];
    return beside.map((row) => {
      const cost = priced(row.counted, price);
      return { ...row, cost, ratio: cost.total / whole, until: breakEven(ann.counted, row.counted) };
    });
  }

  answered(frames, request) {
    this.stage.speak(comparison(this.#rows(frames, request).slice(1), request).join(" "));
  }

  paint(frames, request, colours) {
    const rows = this.#rows(frames, request);
    this.bars.show(say`Energy of this image at exit ${request.exit_step}`, rows, colours);
    setText(this.sentence, comparison(rows.slice(1), request).join(" "));
    const all = { ...frames[0], ms: frames.reduce((sum, { ms }) => sum + ms, 0) };
    this.caption.show(
      all,
      say`one image of ${this.zoo.dataset}, clean; counted, not measured`,
      [],
      [whoComputed(all), ...HOW],
    );
  }
}
