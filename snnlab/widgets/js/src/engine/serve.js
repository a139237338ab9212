/**
 * What a worker does, wherever it runs: in a thread of its own, or in slices on the page.
 *
 *   page → worker   prepare {key, payload}: keep what tasks need · start {id, task, keys, items} · stop {id}
 *   worker → page   ready · done {id, results} · failed {id, message}
 *
 * Between two items it gives way to messages, so that a task that is stopped ends with the item under way.
 */
import { asImage } from "./digits.js";
import { measureDigit } from "./measure.js";
import { network } from "./network.js";
import { networkOf, Trainer } from "./train.js";

/** A task: what it makes of a payload, once, and of one item. @type {Object<string, any>} */
const TASKS = {
  measure: {
    prepare: ({ payload, numSteps }) => network(payload, numSteps),
    each: async (model, settings, { index, label, pixels }, signal) => {
      const { clean, attacked } = await measureDigit(model, asImage(pixels), label, settings, index, signal);
      return { index, label, clean, attacked };
    },
  },
  // A batch of the training, or the accuracy on test digits; both tell the weights where they are asked for.
  train: {
    prepare: ({ start, train, test }) => ({ trainer: new Trainer(start), train, test }),
    each: async ({ trainer, train, test }, { eps }, { rows, seed, tests, tell }, signal) => {
      const at = ({ pixels, size }, k) => asImage(pixels.subarray(k * size, (k + 1) * size));
      const result = { seed };
      if (rows) {
        const images = rows.map((k) => at(train, k));
        Object.assign(
          result,
          await trainer.batch(
            images,
            rows.map((k) => train.labels[k]),
            seed,
            signal,
          ),
        );
      } else {
        const model = networkOf(trainer.recipe, trainer.weights);
        const settings = { attack: "fgsm", attacker: "informed", eps, exit_step: trainer.recipe.steps };
        const answers = [];
        for (let k = 0; k < tests; k++)
          answers.push(await measureDigit(model, at(test, k), test.labels[k], settings, k, signal));
        const right = (ok) => answers.filter((answer, k) => ok(answer, test.labels[k])).length;
        const isClean = ({ clean }, label) => clean === label;
        const isRobust = ({ clean, attacked }, label) => clean === label && attacked === label;
        Object.assign(result, { tests, clean: right(isClean), robust: right(isRobust) });
      }
      return tell ? { ...result, weights: trainer.weights, adam: rows ? undefined : trainer.adam } : result;
    },
  },
};

/**
 * @param {(message: any) => void} post  @param {() => Promise<void>} giveWay  @param {Object<string, any>} [tasks]
 * @returns {(message: any) => void} takes messages
 */
export function serve(post, giveWay, tasks = TASKS) {
  const prepared = new Map();
  const running = new Map();

  async function start({ id, task, key, settings, items }) {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const { each } = tasks[task];
      const results = [];
      for (const item of items) {
        results.push(await each(prepared.get(key), settings, item, controller.signal));
        await giveWay();
        controller.signal.throwIfAborted();
      }
      post({ type: "done", id, results });
    } catch (error) {
      if (error.name !== "AbortError") post({ type: "failed", id, message: error.message });
    }
    running.delete(id);
  }

  return (message) => {
    if (message.type === "prepare") {
      // One training at a time: each has all digits.
      if (message.task === "train") prepared.clear();
      prepared.set(message.key, tasks[message.task].prepare(message));
    } else if (message.type === "start") start(message);
    else if (message.type === "stop") running.get(message.id)?.abort();
  };
}
