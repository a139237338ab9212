/** Controls that several explorers have: the attack, its budget, the exit. */
import { Choice } from "./choice.js";
import { Slider } from "./slider.js";
import { ATTACKS, epsText, isGradientAttack } from "./words.js";

/** The largest ε that a slider offers. */
export const MAX_EPS = 0.3;

const FIRST_EPS = 0.1;

/** Who attacks, and what the attacker knows. */
export class AttackControls {
  /** @param {object} store */
  constructor(store) {
    this.attack = new Choice("attacker", Object.entries(ATTACKS), (attack) => {
      const withoutBudget = attack !== "none" && !(store.get("eps") > 0);
      store.set(withoutBudget ? { attack, eps: FIRST_EPS } : { attack });
    });
    const knows = [
      ["naive", "naive"],
      ["informed", "informed"],
    ];
    this.attacker = new Choice("knows the code?", knows, (attacker) => store.set({ attacker }));
    this.elements = [this.attack.element, this.attacker.element];
  }

  show({ attack, attacker }) {
    this.attack.show(attack);
    this.attacker.show(attacker, !isGradientAttack(attack));
  }
}

/** The budget ε; `label` as the explorer puts it. */
export class EpsSlider extends Slider {
  constructor(label, onInput) {
    super({
      label,
      min: 0,
      max: MAX_EPS,
      step: 0.001,
      key: 0.01,
      text: epsText,
      spoken: (eps) => `epsilon ${epsText(eps)}, ${Math.round(eps * 255)} of 255 grey levels`,
      onInput,
    });
  }

  /** An ε beyond the usual range makes the range larger. */
  show(eps) {
    super.show(eps, Math.max(MAX_EPS, eps || 0));
  }
}

export class ExitSlider extends Slider {
  constructor(steps, onInput, stops) {
    super({
      label: "exit step",
      min: 1,
      max: steps,
      step: 1,
      text: (exit) => `${exit} of ${steps}`,
      spoken: (exit) => `${exit} of ${steps} steps read`,
      stops,
      onInput,
    });
  }
}
