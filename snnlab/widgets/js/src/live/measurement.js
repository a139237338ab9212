/** What is known of one measurement: the answers so far, their accuracy with its interval, and which digits fell. */
import { wilson } from "../engine/wilson.js";
import { accuracyCurve, readCurve } from "../view/model/accuracy.js";
import { isTargeted, resultKey } from "../view/text/frame.js";

/** The settings on which an accuracy depends; of a request the rest is the image. */
const SETTINGS = [
  "encoding",
  "attack",
  "attacker",
  "target",
  "eps",
  "exit_step",
  "silenced",
  "from_step",
  "rule",
  "threshold",
];

/** @param {State} request @returns {State} */
export function settingsOf(request) {
  const names = SETTINGS.filter((name) => request[name] !== undefined);
  const plain = Object.fromEntries(names.map((name) => [name, request[name]]));
  if (!isTargeted(plain)) delete plain.target;
  return plain.attack === "none" ? { ...plain, eps: 0, attacker: "informed" } : plain;
}

/** One text for equal settings. */
export const keyOf = (settings) => JSON.stringify(settings);

/** As in the record, a digit is right if it is right without the attack and under it. */
const isRight = ({ label, clean, attacked }) => clean === label && attacked === label;

export class Measurement {
  /** @type {Map<number, {index: number, label: number, clean: number, attacked: number}>} */
  answers = new Map();
  right = 0;
  /** How it came about: the accuracy after each message. @type {(Share & {n: number})[]} */
  history = [];
  ms = 0;

  /** @param {State} settings */
  constructor(settings) {
    this.settings = settings;
  }

  get n() {
    return this.answers.size;
  }

  /** The accuracy so far; null: nothing is known. @returns {Share|null} */
  get share() {
    return this.n ? wilson(this.right, this.n) : null;
  }

  /** @param {any[]} results of digits; one that was measured twice counts once */
  add(results) {
    for (const result of results) {
      if (this.answers.has(result.index)) continue;
      this.answers.set(result.index, result);
      if (isRight(result)) this.right += 1;
    }
    if (this.share) this.history.push({ n: this.n, ...this.share });
  }

  /** Digits that are read wrongly, though right without the attack where there is one; in the order of the split. */
  get fallen() {
    const attacked = this.settings.attack !== "none";
    const fell = ({ label, clean, attacked: read }) => read !== label && (!attacked || clean === label);
    return [...this.answers.values()].filter(fell).sort((a, b) => a.index - b.index);
  }

  /** How many are right without the attack. */
  get cleanRight() {
    return [...this.answers.values()].filter(({ label, clean }) => clean === label).length;
  }

  /** How many of the fallen are read as the target; null: there is none. */
  get reached() {
    const { target } = this.settings;
    return target === undefined ? null : this.fallen.filter(({ attacked }) => attacked === target).length;
  }

  /** How many of the first n digits are right; null while one of them is missing. @param {number} n */
  rightOfFirst(n) {
    let right = 0;
    for (let index = 0; index < n; index++) {
      const answer = this.answers.get(index);
      if (!answer) return null;
      if (isRight(answer)) right += 1;
    }
    return right;
  }
}

/** What the zoo's record says of this one network, this attack and this budget; null: not recorded. @param {Zoo} zoo */
export function recorded({ results }, settings) {
  const { encoding, attack, eps, exit_step: exit, silenced = -1, from_step: from = 0, rule = "fixed" } = settings;
  if (!results || isTargeted(settings) || silenced !== -1 || from > 0 || rule !== "fixed") return null;
  const key = attack === "none" ? "worst" : resultKey({ ...settings, curve: "own" });
  const curve = accuracyCurve(results, encoding, key, exit);
  const read = curve && readCurve(curve, attack === "none" ? 0 : eps);
  return read && { ...read, n: results.n };
}
