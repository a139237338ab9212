/** A pool of threads: it deals items to those that are free, hands over results as they come, and replaces a thread that dies. */
import { say } from "../language.js";

/** A chunk should take about this long, in ms: short enough to show progress, long enough for its messages. */
const CHUNK = 60;
const FIRST_CHUNK = 2;
const LARGEST_CHUNK = 64;

/** A thread that is silent for so long, in ms, is taken for dead. */
const SILENCE = 30_000;

/** So often a chunk may lose its thread. */
const LIVES = 3;

export const REPLACED = say`A worker of the browser stopped. It was replaced, and its digits are measured again.`;
export const ON_PAGE = say`This browser starts no workers here, so the page measures between its frames: slower, but the same.`;

/** How many threads: all cores, but no more than are worth their memory. */
export const cores = () => Math.max(1, Math.min(4, globalThis.navigator?.hardwareConcurrency ?? 2));

export class Pool {
  #ways;
  #size;
  #silence;
  #threads = [];
  #opening = null;
  #nextId = 1;
  /** "file", "blob" or "page", once a thread has started. @type {string|null} */
  kind = null;

  /** @param {(() => Promise<import("./ports.js").Port>)[]} ways to start a thread, in the order to try */
  constructor(ways, size = cores(), silence = SILENCE) {
    this.#ways = ways;
    this.#size = size;
    this.#silence = silence;
  }

  get size() {
    return this.#threads.length;
  }

  /**
   * Run a task on items.
   * @param {{task: string, key: string, prepare: any, settings: any}} job `prepare` is what the task needs, sent once a thread
   *   under its `key`
   * @param {any[]} items  @param {{onResults: (results: any[]) => void, onNotice?: (sentence: string) => void,
   *   signal?: AbortSignal}} hooks
   * @returns {Promise<void>} when all are done; rejects with an AbortError when it is stopped
   */
  async run(job, items, { onResults, onNotice = () => {}, signal }) {
    signal?.throwIfAborted();
    await this.#open();
    signal?.throwIfAborted();
    if (this.kind === "page") onNotice(ON_PAGE);
    const waiting = [...items];
    const again = [];
    let left = items.length;
    let finish;
    const done = new Promise((resolve, reject) => {
      finish = { resolve, reject };
    });
    const deal = (thread) => {
      const chunk = again.pop() ?? { items: waiting.splice(0, thread.chunk), lives: LIVES };
      if (chunk.items.length === 0) return;
      const id = this.#nextId++;
      thread.prepare(job);
      const began = performance.now();
      thread.start({ id, task: job.task, key: job.key, settings: job.settings, items: chunk.items }, this.#silence, {
        done: (results) => {
          thread.pace(chunk.items.length, performance.now() - began);
          left -= results.length;
          onResults(results);
          if (left === 0) finish.resolve();
          else deal(thread);
        },
        failed: (message) => finish.reject(new Error(message)),
        died: async () => {
          if (signal?.aborted) return;
          if (--chunk.lives === 0) return finish.reject(new Error(say`the workers of this browser stop again and again`));
          onNotice(REPLACED);
          again.push(chunk);
          deal(await this.#add());
        },
      });
    };
    const stop = () => {
      for (const thread of this.#threads) thread.stop();
      finish.reject(signal?.reason);
    };
    signal?.addEventListener("abort", stop);
    try {
      if (left === 0) return;
      for (const thread of this.#threads) deal(thread);
      await done;
    } finally {
      signal?.removeEventListener("abort", stop);
      for (const thread of this.#threads) thread.stop();
    }
  }

  /** All threads; the first shows by which way one starts. */
  #open() {
    this.#opening ??= (async () => {
      await this.#add();
      const more = this.kind === "page" ? 0 : this.#size - 1;
      await Promise.all(Array.from({ length: more }, () => this.#add()));
    })().catch((error) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #add() {
    let error = new Error(say`no way to start a worker`);
    while (this.#ways.length > 0) {
      try {
        const port = await this.#ways[0]();
        const thread = new Thread(port, () => {
          this.#threads = this.#threads.filter((other) => other !== thread);
          if (this.#threads.length === 0) this.#opening = null;
        });
        this.kind = port.kind;
        this.#threads.push(thread);
        return thread;
      } catch (reason) {
        error = reason;
        // The next time it need not be tried again.
        this.#ways = this.#ways.slice(1);
      }
    }
    throw error;
  }

  dispose() {
    for (const thread of this.#threads.splice(0)) thread.close();
    this.#opening = null;
  }
}

/** One thread, what it has, and the chunk that it works on. */
class Thread {
  #port;
  #gone;
  #has = new Set();
  #task = null;
  #timer = null;
  chunk = FIRST_CHUNK;

  /** @param {import("./ports.js").Port} port  @param {() => void} gone called when it has died */
  constructor(port, gone) {
    this.#port = port;
    this.#gone = gone;
    port.onMessage = (message) => this.#receive(message);
    port.onDeath = () => this.#die();
  }

  prepare({ task, key, prepare }) {
    if (this.#has.has(key)) return;
    this.#has.add(key);
    this.#port.post({ type: "prepare", task, key, ...prepare });
  }

  start(message, silence, hooks) {
    this.#task = { id: message.id, hooks };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#die(), silence);
    this.#port.post({ type: "start", ...message });
  }

  stop() {
    if (!this.#task) return;
    this.#port.post({ type: "stop", id: this.#task.id });
    this.#end();
  }

  /** Let the next chunk take the time that a chunk should. */
  pace(items, ms) {
    const fitting = Math.round((items * CHUNK) / Math.max(ms, 1));
    this.chunk = Math.max(1, Math.min(LARGEST_CHUNK, 2 * this.chunk, fitting));
  }

  close() {
    this.#end();
    this.#port.close();
  }

  #receive({ type, id, results, message }) {
    // What was stopped may still answer.
    if (id !== this.#task?.id) return;
    const { hooks } = this.#task;
    this.#end();
    if (type === "done") hooks.done(results);
    else hooks.failed(message);
  }

  #die() {
    const task = this.#task;
    this.#end();
    this.#port.close();
    this.#gone();
    task?.hooks.died();
  }

  #end() {
    clearTimeout(this.#timer);
    this.#task = null;
  }
}
