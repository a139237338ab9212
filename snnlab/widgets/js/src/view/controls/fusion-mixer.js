/** What is fused: the parts, how much the first one counts, and which one is silenced. */
import { fixed, say } from "../../language.js";
import { h, setText, showText } from "../dom/elements.js";
import { gateNumber, partsOf } from "../model/fusion-names.js";
import { Choice, Select } from "./choice.js";
import { Slider } from "./slider.js";

const KINDS = Object.entries({ fixed: say`fixed by hand`, learned: say`learned`, hardened: say`learned under FGSM` });

const NONE = -1;

export class FusionMixer {
  /** @param {import("../model/fusion-names.js").Mix[]} mixes  @param {any} store */
  constructor(mixes, store) {
    this.mixes = mixes;
    this.store = store;
    const alone = ({ name, parts }) => parts.length === 1 && name !== "ANN";
    const names = mixes.map((mix) => [mix.name, alone(mix) ? say`${mix.name} alone` : mix.name]);
    this.mix = new Select(say`mix`, names, (name) => this.#choose(mixes.find((mix) => mix.name === name)));
    this.controls = mixes.map((mix) => this.#controls(mix));
    const all = (name) => this.controls.map((controls) => controls[name]?.element).filter(Boolean);
    this.gates = all("gate");
    this.coin = new Slider({
      label: say`coin`,
      max: 1,
      step: 0.01,
      key: 0.05,
      text: (share) => `q = ${fixed(1 - share, 2)}`,
      spoken: (share) => say`the coin chooses the second part with probability q = ${fixed(1 - share, 2)}`,
      onInput: (coin) => store.set({ coin }),
    });
    this.note = h("p", { class: "why" });
    this.element = h("div", { class: "mixer" }, ...all("kind"), ...all("silence"), this.note);
  }

  /** The controls of one mix: its gates, how they were chosen, and its parts. A control without a choice is left out. */
  #controls(mix) {
    const of = (kind) => mix.members.filter((member) => member.kind === kind);
    const fixed = of("fixed");
    const kinds = KINDS.filter(([kind]) => of(kind).length > 0);
    const parts = [[String(NONE), say`none`], ...mix.parts.map((part, k) => [String(k), part])];
    const silence = (k) => this.store.set({ silenced: Number(k) });
    const pick = (kind) => this.#pick(of(kind).at(-1));
    return {
      gate: fixed.length > 1 ? this.#gate(mix, fixed) : null,
      kind: kinds.length > 1 ? new Choice(say`how the gate was chosen`, kinds, pick) : null,
      silence: mix.parts.length > 1 ? new Choice(say`silence a part`, parts, silence) : null,
    };
  }

  /** Stops at the gates that were trained; the thumb of a learned one is at the stop nearest to its ratio. */
  #gate({ parts }, fixed) {
    const stops = fixed.map(({ gate }) => gateNumber(gate));
    const member = () => this.find(this.store.get("encoding"))?.member ?? fixed[0];
    const gates = () => partsOf(member().model.encoding).map(({ gate }) => gateNumber(gate));
    const text = (sign, between) => (member().kind === "fixed" ? `${sign} ${gates()[0]}` : gates().join(between));
    return new Slider({
      label: say`gate on ${parts[0]}`,
      max: fixed.length - 1,
      text: () => text("×", " : "),
      spoken: () => say`${parts.join(" and ")} times ${text("", say` and `)}`,
      stops,
      onInput: (k) => this.#pick(fixed[k]),
    });
  }

  #pick({ model }) {
    this.store.set({ encoding: model.name });
  }

  /** Another mix: with the gate closest to the present one, and no part silenced. */
  #choose(mix) {
    const here = this.find(this.store.get("encoding"))?.member;
    const distance = ({ kind, gate }) => (kind === here?.kind ? 0 : 10) + Math.abs(gate - (here?.gate ?? 1));
    const [member] = [...mix.members].sort((a, b) => distance(a) - distance(b));
    this.store.set({ encoding: member.model.name, silenced: NONE });
  }

  find(name) {
    for (const mix of this.mixes) {
      const member = mix.members.find(({ model }) => model.name === name);
      if (member) return { mix, member };
    }
    return null;
  }

  /** The networks of the dial that is shown, by rising gate. */
  dial(encoding) {
    const fixed = this.find(encoding).mix.members.filter(({ kind }) => kind === "fixed");
    return fixed.length > 1 ? fixed.map(({ model }) => model.name) : [];
  }

  /** Mark at each stop whether that network classifies the image correctly. @param {(boolean|null)[]} answers */
  mark(encoding, answers) {
    const { mix } = this.find(encoding);
    const gate = this.controls[this.mixes.indexOf(mix)].gate;
    const names = gate?.element.querySelectorAll(".stops span") ?? [];
    const stops = mix.members.map((member) => gateNumber(member.gate));
    for (const [k, name] of names.entries()) {
      setText(name, `${stops[k]}${answers[k] === null ? "" : answers[k] ? "\n✓" : "\n✗"}`);
      name.dataset.tone = answers[k] === null ? "none" : answers[k] ? "right" : "wrong";
    }
    const right = answers.filter(Boolean).length;
    const known = names.length > 0 && !answers.includes(null);
    showText(this.note, known ? say`This image: correct (✓) at ${right} of ${names.length} gates.` : "");
  }

  show({ encoding, silenced, coin }) {
    const match = this.find(encoding);
    if (match) this.mix.show(match.mix.name);
    this.coin.element.hidden = match?.mix.parts.length !== 2;
    this.coin.show(coin);
    for (const [k, mix] of this.mixes.entries()) {
      const { gate, kind, silence } = this.controls[k];
      for (const control of [gate, kind, silence]) if (control) control.element.hidden = match?.mix !== mix;
      if (match?.mix !== mix) continue;
      kind?.show(match.member.kind);
      silence?.show(String(silenced));
      const stops = mix.members.filter((member) => member.kind === "fixed").map((member) => member.gate);
      gate?.show(closest(stops, match.member.gate));
    }
  }
}

/** Index of the stop that is closest to a gate, on a scale of factors. */
function closest(stops, gate) {
  const distance = (stop) => Math.abs(Math.log(stop / gate));
  return stops.reduce((best, stop, k) => (distance(stop) < distance(stops[best]) ? k : best), 0);
}
