/** Works on a training in a worker: it goes on, pauses, and begins an epoch again if the worker dies. */
import { say } from "../language.js";
import { Pool } from "../live/pool.js";
import { digits, ways, workerSource } from "../live/workers.js";
import { newKey, TEST_EPS } from "./training.js";

const LOST = say`A worker of the browser stopped. The epoch begins again, from the last weights that are known.`;

export class Learner {
  #controller = null;
  #last = Promise.resolve();

  /**
   * @param {Engine} engine
   * @param {{say: (sentence: string|null) => void, changed: () => void, told: () => void, tested: (training: any) => void}} hooks
   *   `changed`: it began or paused; `told`: there is something new to draw; `tested`: an epoch is complete
   */
  constructor(engine, hooks) {
    this.engine = engine;
    this.hooks = hooks;
    this.pool = new Pool(ways(workerSource(engine)), 1);
  }

  get busy() {
    return this.#controller !== null;
  }

  pause() {
    this.#controller?.abort(new DOMException("paused", "AbortError"));
    this.#controller = null;
    this.hooks.changed();
  }

  /** Go on learning. @param {any} training  @param {number} [most] items at most */
  async train(training, most = Number.POSITIVE_INFINITY) {
    const { engine, hooks } = this;
    this.pause();
    const controller = new AbortController();
    this.#controller = controller;
    hooks.changed();
    hooks.say(null);
    try {
      await this.#last; // a batch that was under way is counted
      const [train, test] = await Promise.all([digits(engine, "train"), digits(engine, "test")]);
      training.plan(train.labels.length);
      this.#last = this.#work(training, { train, test }, most, controller.signal);
      await this.#last;
    } catch (error) {
      hooks.say(error.message.replace(/[^.!?]$/, "$&."));
    }
    if (this.#controller !== controller) return;
    this.#controller = null;
    hooks.changed();
    hooks.told();
  }

  async #work(training, data, most, signal) {
    for (let k = 0; k < most && !training.finished && !signal.aborted; k++) {
      const item = training.items[training.done];
      await this.#item(training, data, most === 1 ? { ...item, tell: true } : item);
    }
  }

  /** One batch or test in the worker; if that dies, the epoch begins again. */
  async #item(training, data, item) {
    const { hooks, pool } = this;
    const job = {
      task: "train",
      key: training.key,
      prepare: { start: training.start, ...data },
      settings: { eps: TEST_EPS },
    };
    const death = new AbortController();
    const began = performance.now();
    const onResults = (results) => {
      training.ms += performance.now() - began;
      training.add(results);
      if (item.tests) {
        training.save();
        hooks.tested(training);
      }
      if (item.tell) hooks.told();
    };
    const onNotice = (sentence) => {
      if (pool.kind === "page") hooks.say(sentence);
      else death.abort();
    };
    try {
      await pool.run(job, [item], { onResults, onNotice, signal: death.signal });
    } catch (error) {
      if (!death.signal.aborted) throw error;
      training.rewind();
      training.key = newKey();
      hooks.say(LOST);
    }
  }

  dispose() {
    this.pause();
    this.pool.dispose();
  }
}
