/** Controls that several explorers have: the attack, its budget, the exit. */
import { SPIKE_TRAIN } from "../engine/index.js";
import { Choice } from "./choice.js";
import { Slider } from "./slider.js";
import { ATTACKS, epsText, isGradientAttack } from "./words.js";

/** The largest ε that a slider offers. */
export const MAX_EPS = 0.3;

const FIRST_EPS = 0.1;

/** What the curves can show. */
export const CURVES = { worst: "worst case", own: "this attack" };

/** Who attacks, and what the attacker knows. */
export class AttackControls {
  #store;

  /** @param {object} store */
  constructor(store) {
    this.#store = store;
    this.attack = new Choice("attacker", Object.entries(ATTACKS), (attack) => {
      const withoutBudget = attack !== "none" && !(store.get("eps") > 0);
      const searches = attack === "fgsm" && store.get("attacker") === SPIKE_TRAIN;
      store.set({
        attack,
        ...(withoutBudget ? { eps: FIRST_EPS } : {}),
        // The search among spike trains is iterative: there is none in one step.
        ...(searches ? { attacker: "informed" } : {}),
      });
    });
    const knows = [
      ["naive", "naive"],
      ["informed", "informed"],
      [SPIKE_TRAIN, "spike trains"],
    ];
    this.attacker = new Choice("knows the code?", knows, (attacker) =>
      store.set(attacker === SPIKE_TRAIN ? { attacker, attack: "pgd" } : { attacker }),
    );
    this.elements = [this.attack.element, this.attacker.element];
  }

  /** @param {{attack: string, attacker: string}} state  @param {Attacked} model */
  show({ attack, attacker }, model) {
    this.attack.show(attack);
    const ann = model.kind === "ann";
    const gradient = isGradientAttack(attack);
    const why = ann ? "an ANN has no code" : gradient && !model.trains ? `${model.title} has no spike trains` : "";
    this.attacker.show(attacker, !gradient || ann, model.trains ? [] : [SPIKE_TRAIN], why);
    // Whoever goes on to a code without trains takes the attacker along that knows most about it.
    if (attacker === SPIKE_TRAIN && !model.trains) this.#store.set({ attacker: "informed" });
  }
}

/**
 * The network, or networks, that are attacked.
 *
 * @typedef {{kind: string, title: string, trains: boolean}} Attacked
 */

/** Several networks as one: what holds for all of them. @param {Attacked[]} models @returns {Attacked} */
export function together(models, title) {
  return {
    title,
    kind: models.length && models.every(({ kind }) => kind === "ann") ? "ann" : "snn",
    trains: models.every(({ trains }) => trains),
  };
}

/** Throw unless the attacker can attack this network. */
export function checkAttacker({ attack, attacker }, { title, trains }) {
  if (attacker !== SPIKE_TRAIN || !isGradientAttack(attack)) return;
  if (!trains) throw new Error(`${title} has no spike trains to search among; choose naive or informed`);
  if (attack !== "pgd") throw new Error(`the search among spike trains is iterative; choose PGD, got ${ATTACKS[attack]}`);
}

/** Which curves are shown: the worst case of all attacks, or those of the attack that is chosen. */
export class CurveControl {
  /** @param {object} store */
  constructor(store) {
    this.choice = new Choice("curve", Object.entries(CURVES), (curve) => store.set({ curve }));
    this.choice.element.classList.add("small");
    this.element = this.choice.element;
  }

  /** @param {{attack: string, curve: string, rule?: string}} state */
  show({ attack, curve, rule = "fixed" }) {
    const why =
      rule !== "fixed" ? "rules were measured in the worst case alone" : attack === "none" ? "no attack is chosen" : "";
    this.choice.show(why ? "worst" : curve, false, why ? ["own"] : [], why);
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

  /** @param {number} exit  @param {boolean} [timeless] whether the network has no steps */
  show(exit, timeless = false) {
    super.show(exit);
    this.disable(timeless ? "an ANN has none" : null);
  }
}
