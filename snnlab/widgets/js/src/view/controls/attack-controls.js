/** Controls that several explorers have: the attack, its budget, the exit. */

import { ANY, need, SPIKE_TRAIN } from "../../engine/index.js";
import { say } from "../../language.js";
import { options, VOCABULARY } from "../../vocabulary.js";
import { attackTitle, epsText, isGradientAttack, isTargeted } from "../text/frame.js";
import { Choice, Select } from "./choice.js";
import { Slider } from "./slider.js";

/** The largest ε that a slider offers. */
export const MAX_EPS = 0.3;

const FIRST_EPS = 0.1;

/** What the curves can show. */
const CURVES = { worst: say`worst case`, own: say`this attack` };

/** The class that an attack moves towards. */
export class TargetSelect extends Select {
  /** @param {string[]} names of the classes  @param {any} store */
  constructor(names, store) {
    const classes = names.map((name, k) => [String(k), say`towards ${name}`]);
    super(say`target class`, [[String(ANY), say`any class`], ...classes], (k) => store.set({ target: Number(k) }));
  }

  /** Without a gradient an attack has no target. @param {any} state */
  show({ target, attack }) {
    super.show(String(target));
    this.select.disabled = !isGradientAttack(attack);
  }
}

/** The attack, what the attacker knows of the code, and the class that it moves towards. */
export class AttackControls {
  #store;

  /** @param {any} store  @param {number} classes how many there are */
  constructor(store, classes) {
    this.#store = store;
    this.target = new TargetSelect(
      Array.from({ length: classes }, (_, k) => String(k)),
      store,
    );
    this.attack = new Choice(say`attacker`, options(VOCABULARY.attacks), (attack) => {
      const withoutBudget = attack !== "none" && !(store.get("eps") > 0);
      const searches = attack === "fgsm" && store.get("attacker") === SPIKE_TRAIN;
      store.set({
        attack,
        ...(withoutBudget ? { eps: FIRST_EPS } : {}),
        // The search among spike trains is iterative: there is none in one step.
        ...(searches ? { attacker: "informed" } : {}),
      });
    });
    this.attacker = new Choice(say`knows the code?`, options(VOCABULARY.attackers), (attacker) =>
      store.set(attacker === SPIKE_TRAIN ? { attacker, attack: "pgd" } : { attacker }),
    );
    this.elements = [this.attack.element, this.target.element, this.attacker.element];
  }

  /** @param {any} state  @param {Attacked} model */
  show(state, model) {
    const { attack, attacker } = state;
    this.attack.show(attack);
    this.target.show(state);
    const ann = model.kind === "ann";
    const gradient = isGradientAttack(attack);
    const why = gradient && !model.trains ? say`${model.title} has no spike trains` : "";
    this.attacker.show(attacker, !gradient, model.trains ? [] : [SPIKE_TRAIN], why);
    this.attacker.element.hidden = ann; // it has no code to know
    // A code without trains gets the informed attacker instead.
    if (attacker === SPIKE_TRAIN && !model.trains) this.#store.set({ attacker: "informed" });
  }
}

/** The network, or networks, that are attacked. @typedef {{kind: string, title: string, trains: boolean}} Attacked */

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
  need(trains, say`${title} has no spike trains to search among; choose naive or informed`);
  need(attack === "pgd", say`the search among spike trains is iterative; choose PGD, got ${attackTitle(attack)}`);
}

/** Which curves are shown: the worst case of all attacks, or those of the attack that is chosen. */
export class CurveControl {
  constructor(store) {
    this.choice = new Choice(say`curve`, Object.entries(CURVES), (curve) => store.set({ curve }));
    this.element = this.choice.element;
    this.element.classList.add("small");
  }

  /** @param {any} state */
  show(state) {
    const { attack, curve, rule = "fixed" } = state;
    const ruled = rule === "fixed" ? "" : say`rules were measured in the worst case alone`;
    const aimed = isTargeted(state) ? say`attacks towards a class were not recorded` : "";
    const why = ruled || (attack === "none" ? say`no attack is chosen` : aimed);
    this.choice.show(why ? "worst" : curve, false, why ? ["own"] : [], why);
  }
}

/** The budget ε; `label` as the explorer puts it. */
export class EpsSlider extends Slider {
  constructor(label, onInput) {
    super({
      label,
      max: MAX_EPS,
      step: 0.001,
      key: 0.01,
      text: epsText,
      spoken: (eps) => say`epsilon ${epsText(eps)}, ${Math.round(eps * 255)} of 255 grey levels`,
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
      label: say`exit step`,
      min: 1,
      max: steps,
      text: (exit) => say`${exit} of ${steps}`,
      spoken: (exit) => say`${exit} of ${steps} steps read`,
      stops,
      onInput,
    });
  }
}
