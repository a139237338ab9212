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

/** A task: what it makes of a payload, once, and of one item. @type {Object<string, any>} */
const TASKS = {
  measure: {
    prepare: ({ payload, numSteps }) => network(payload, numSteps),
    each: async (model, settings, { index, label, pixels }, signal) => {
      const { clean, attacked } = await measureDigit(model, asImage(pixels), label, settings, index, signal);
      return { index, label, clean, attacked };
    },
  },
};

/** @param {(message: any) => void} post  @param {() => Promise<void>} giveWay  @returns {(message: any) => void} takes messages */
export function serve(post, giveWay) {
  const prepared = new Map();
  const running = new Map();

  async function start({ id, task, key, settings, items }) {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const { each } = TASKS[task];
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
    if (message.type === "prepare") prepared.set(message.key, TASKS[message.task].prepare(message));
    else if (message.type === "start") start(message);
    else if (message.type === "stop") running.get(message.id)?.abort();
  };
}
