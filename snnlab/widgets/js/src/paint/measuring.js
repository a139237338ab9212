/** A trained code under attack: the page attacks test digits at every budget of the records, and hands over counts as they grow. */

import { wilson } from "../engine/wilson.js";
import { say } from "../language.js";
import { digitAt, digits, workers } from "../live/workers.js";
import { MODEL, payloadOf } from "../play/payload.js";

/** Test digits at each budget; the search among spike trains takes longest. */
export const DIGITS = { spike_train: 60, other: 200 };

let keys = 0;

export class Measuring {
  #controller = null;

  /** @param {Engine} engine  @param {{say: (sentence: string|null) => void, changed: () => void, told: () => void}} hooks */
  constructor(engine, hooks) {
    this.engine = engine;
    this.hooks = hooks;
  }

  get busy() {
    return this.#controller !== null;
  }

  stop() {
    this.#controller?.abort(new DOMException("stopped", "AbortError"));
    this.#controller = null;
    this.hooks.changed();
  }

  /**
   * @param {any} training  @param {{attack: string, attacker: string}} aim  @param {number[]} budgets
   * @returns {Promise<{eps: number, right: number, n: number}[]>} counts that grow while it works
   */
  async start(training, { attack, attacker }, budgets, counts) {
    this.stop();
    const { engine, hooks } = this;
    const controller = new AbortController();
    this.#controller = controller;
    hooks.changed();
    hooks.say(null);
    try {
      const [settings, split] = await Promise.all([engine.record(`model/${MODEL}`), digits(engine, "test")]);
      const { recipe, weights } = training;
      keys += 1;
      const key = say`painted ${keys}`;
      const prepare = { payload: payloadOf(recipe, weights, settings, key), numSteps: recipe.steps };
      const amount = DIGITS[attacker] ?? DIGITS.other;
      const items = Array.from({ length: Math.min(amount, split.labels.length) }, (_, index) => {
        return { index, label: split.labels[index], pixels: digitAt(split, index) };
      });
      for (const eps of budgets) {
        const count = { eps, right: 0, n: 0 };
        counts.push(count);
        const job = { task: "measure", key, prepare, settings: { attack, attacker, eps, exit_step: recipe.steps } };
        const onResults = (results) => {
          for (const { label, clean, attacked } of results) {
            count.n += 1;
            count.right += clean === label && attacked === label ? 1 : 0;
          }
          hooks.told();
        };
        await workers(engine).run(job, items, { onResults, onNotice: hooks.say, signal: controller.signal });
      }
    } catch (error) {
      if (error.name !== "AbortError") hooks.say(error.message.replace(/[^.!?]$/, "$&."));
    }
    if (this.#controller === controller) {
      this.#controller = null;
      hooks.changed();
    }
    return counts;
  }
}

/** Counts as points of a curve. @returns {import("../view/model/accuracy.js").Point[]} */
export const pointsOf = (counts) =>
  counts.filter(({ n }) => n > 0).map(({ eps, right, n }) => ({ eps, n, ...wilson(right, n) }));
