/** What is fused: the parts, how much the first one counts, and which one is silenced. */
import { h } from "../dom/elements.js";
import { gateNumber } from "../model/fusion-names.js";
import { Choice, Select } from "./choice.js";
import { Slider } from "./slider.js";

const KINDS = Object.entries({ fixed: "set", learned: "learned", hardened: "learned, FGSM" });

const NONE = -1;

export class FusionMixer {
  /** @param {import("../model/fusion-names.js").Mix[]} mixes  @param {any} store */
  constructor(mixes, store) {
    this.mixes = mixes;
    this.store = store;
    const alone = ({ name, parts }) => parts.length === 1 && name !== "ANN";
    const names = mixes.map((mix) => [mix.name, alone(mix) ? `${mix.name} alone` : mix.name]);
    this.mix = new Select("mix", names, (name) => this.#choose(mixes.find((mix) => mix.name === name)));
    this.controls = mixes.map((mix) => this.#controls(mix));
    const all = (name) => this.controls.map((controls) => controls[name]?.element).filter(Boolean);
    this.gates = all("gate");
    this.element = h("div", { class: "mixer" }, ...all("kind"), ...all("silence"));
  }

  /** The controls of one mix: its gates, how they were chosen, and its parts. A control without a choice is left out. */
  #controls(mix) {
    const of = (kind) => mix.members.filter((member) => member.kind === kind);
    const fixed = of("fixed");
    const kinds = KINDS.filter(([kind]) => of(kind).length > 0);
    const parts = [[String(NONE), "none"], ...mix.parts.map((part, k) => [String(k), part])];
    const silence = (k) => this.store.set({ silenced: Number(k) });
    const pick = (kind) => this.#pick(of(kind).at(-1));
    return {
      gate: fixed.length > 1 ? this.#gate(mix, fixed) : null,
      kind: kinds.length > 1 ? new Choice(`gate on ${mix.parts[0]}`, kinds, pick) : null,
      silence: mix.parts.length > 1 ? new Choice("silence a part", parts, silence) : null,
    };
  }

  /** Stops at the gates that were trained; a learned one lies between them and is shown as text. */
  #gate({ parts }, fixed) {
    const stops = fixed.map(({ gate }) => gateNumber(gate));
    const gateNow = () => gateNumber(this.find(this.store.get("encoding"))?.member.gate ?? 1);
    return new Slider({
      label: "gate",
      max: fixed.length - 1,
      text: () => `× ${gateNow()}`,
      spoken: () => `${parts[0]} times ${gateNow()}`,
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

  show({ encoding, silenced }) {
    const match = this.find(encoding);
    if (match) this.mix.show(match.mix.name);
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
