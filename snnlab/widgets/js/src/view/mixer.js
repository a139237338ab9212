/** What is fused: the parts, how much the first one counts, and which one is silenced. */
import { Choice, Select } from "./choice.js";
import { h } from "./dom.js";
import { gateNumber } from "./fused.js";
import { Slider } from "./slider.js";

const KINDS = [
  ["fixed", "set"],
  ["learned", "learned"],
  ["hardened", "learned, FGSM"],
];

/** Index of the part that is silenced. */
const NONE = -1;

export class Mixer {
  /** @param {import("./fused.js").Mix[]} mixes  @param {object} store */
  constructor(mixes, store) {
    Object.assign(this, { mixes, store });
    const alone = ({ name, parts }) => parts.length === 1 && name !== "ANN";
    const names = mixes.map((mix) => [mix.name, alone(mix) ? `${mix.name} alone` : mix.name]);
    this.mix = new Select("mix", names, (name) => this.#choose(mixes.find((mix) => mix.name === name)));
    this.controls = mixes.map((mix) => this.#controls(mix));
    const all = (name) => this.controls.map((own) => own[name]?.element).filter(Boolean);
    this.gates = all("gate");
    this.element = h("div", { class: "mixer" }, ...all("kind"), ...all("silence"));
  }

  /** The gates, the ways in which they were found, and the parts of one mix; what there is no choice of is left out. */
  #controls(mix) {
    const of = (kind) => mix.members.filter((member) => member.kind === kind);
    const fixed = of("fixed");
    const kinds = KINDS.filter(([kind]) => of(kind).length > 0);
    const parts = [[String(NONE), "none"], ...mix.parts.map((part, k) => [String(k), part])];
    return {
      gate: fixed.length > 1 ? this.#gate(mix, fixed) : null,
      kind:
        kinds.length > 1 ? new Choice(`gate on ${mix.parts[0]}`, kinds, (kind) => this.#pick(of(kind).at(-1))) : null,
      silence:
        mix.parts.length > 1
          ? new Choice("silence a part", parts, (k) => this.store.set({ silenced: Number(k) }))
          : null,
    };
  }

  /** Stops at the gates that were trained; a learned one lies between them, and is said. */
  #gate({ parts }, fixed) {
    const stops = fixed.map(({ gate }) => gateNumber(gate));
    const said = () => gateNumber(this.find(this.store.get("encoding"))?.member.gate ?? 1);
    return new Slider({
      label: "gate",
      min: 0,
      max: fixed.length - 1,
      step: 1,
      text: () => `× ${said()}`,
      spoken: () => `${parts[0]} times ${said()}`,
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

  /** The mix and the member with this name, if there is one. */
  find(name) {
    for (const mix of this.mixes) {
      const member = mix.members.find(({ model }) => model.name === name);
      if (member) return { mix, member };
    }
    return null;
  }

  show({ encoding, silenced }) {
    const found = this.find(encoding);
    if (found) this.mix.show(found.mix.name);
    for (const [k, mix] of this.mixes.entries()) {
      const { gate, kind, silence } = this.controls[k];
      for (const control of [gate, kind, silence]) if (control) control.element.hidden = found?.mix !== mix;
      if (found?.mix !== mix) continue;
      kind?.show(found.member.kind);
      silence?.show(String(silenced));
      const stops = mix.members.filter(({ kind: other }) => other === "fixed").map((member) => member.gate);
      gate?.show(closest(stops, found.member.gate));
    }
  }
}

/** Index of the stop that is closest to a gate, on a scale of factors. */
function closest(stops, gate) {
  const distance = (stop) => Math.abs(Math.log(stop / gate));
  return stops.reduce((best, stop, k) => (distance(stop) < distance(stops[best]) ? k : best), 0);
}
