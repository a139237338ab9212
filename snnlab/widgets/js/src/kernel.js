/**
 * The engine behind a kernel: the same interface as the browser engine, over messages.
 *
 *   view → kernel   hello · run {request} · data {key}
 *   kernel → view   hello · working · frame {frame} + buffers · data {payload} · error {message}
 *
 * Every question has an id; answers to questions that nobody waits for are dropped. One `run` is under way at a time, and
 * of those that wait only the newest is sent. A kernel that stays silent is given up after a while: the browser engine
 * takes over, if it has the data, and `status` says so. When the kernel speaks again, it is asked again.
 */
import { BrowserEngine } from "./engine/index.js";
import { unpackZoo } from "./engine/zoo.js";

/** How long a kernel may stay silent, in ms: at first, and once it has said that it is working. */
export const PATIENCE = { silent: 3000, working: 30000 };

const ARRAYS = { float32: Float32Array, uint8: Uint8Array, int8: Int8Array, int32: Int32Array };

/** A kernel that does not answer, as opposed to one that answers with an error. */
class SilentKernel extends Error {}

export class KernelEngine {
  #channel;
  #patience;
  #listeners = new Set();
  #stop;
  #questions = new Map();
  #nextId = 1;
  #hello = null;
  #data = new Map();
  #zoo = null;
  #browser;
  #running = null;
  #waiting = null;
  #status = null;

  /**
   * @param {{send: (message: object) => void, listen: (listener: Function) => () => void}} channel
   * @param {{silent: number, working: number}} [patience]
   */
  constructor(channel, patience = PATIENCE) {
    this.#channel = channel;
    this.#patience = patience;
    this.#stop = channel.listen((message, buffers) => this.#receive(message, buffers));
    this.#browser = new BrowserEngine((key) => this.#load(key));
  }

  get kind() {
    return this.#status ? "browser" : "kernel";
  }

  /** A sentence about a kernel that does not answer, or null. */
  get status() {
    return this.#status;
  }

  /** @param {(status: string|null) => void} listener */
  onStatus(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async zoo() {
    this.#zoo ??= this.#readZoo();
    return this.#zoo;
  }

  async #readZoo() {
    const { custom } = await this.#handshake();
    const payload = await this.#load("zoo");
    // Own networks have no measured accuracies; an empty record passes the same checks.
    const zoo = unpackZoo({ ...payload, results: payload.results ?? { eps: [], n: 1, correct: {} } });
    return { ...zoo, results: payload.results, custom };
  }

  /** Kept once it has been answered; a kernel that was silent is asked again. */
  #handshake() {
    this.#hello ??= this.#ask({ type: "hello" }).catch((error) => {
      this.#hello = null;
      this.#zoo = null;
      throw error instanceof SilentKernel
        ? new Error("no kernel answers; run this cell to bring the explorer to life")
        : error;
    });
    return this.#hello;
  }

  /** Codes need no network, so the browser does them. */
  encode(request) {
    return this.#browser.encode(request);
  }

  /** @returns {Promise<object>} frame; rejects with an AbortError when a newer request has come in */
  run(request) {
    const { signal, ...question } = request;
    return new Promise((resolve, reject) => {
      const job = { question, resolve, reject, aborted: false };
      signal?.addEventListener("abort", () => {
        job.aborted = true;
        reject(abortError());
      });
      this.#waiting?.reject(abortError());
      this.#waiting = job;
      this.#next();
    });
  }

  async #next() {
    if (this.#running || !this.#waiting) return;
    const job = this.#waiting;
    this.#waiting = null;
    if (!job.aborted) {
      this.#running = job;
      await this.#answer(job.question).then(job.resolve, job.reject);
      this.#running = null;
    }
    this.#next();
  }

  async #answer(question) {
    const { custom } = await this.#handshake();
    if (this.#status && !custom) return this.#instead(question);
    try {
      const image = Array.from(question.image);
      const frame = await this.#ask({ type: "run", request: { ...question, image } });
      if (!custom) this.#fetchAll();
      return frame;
    } catch (error) {
      if (!(error instanceof SilentKernel)) throw error;
      if (custom) throw new Error("the kernel does not answer; restart it and run the cell again", { cause: error });
      this.#say("The kernel does not answer, so your browser computes.");
      return this.#instead(question);
    }
  }

  /** The browser's answer; meanwhile the kernel is asked whether it is back. */
  #instead(question) {
    this.#ask({ type: "hello" }).catch(() => {});
    return this.#browser.run(question);
  }

  /** Bring all networks over while the kernel is there, so that the browser can go on without it. */
  async #fetchAll() {
    if (this.#fetched) return;
    this.#fetched = true;
    try {
      for (const { name } of (await this.zoo()).models) await this.#load(`model/${name}`);
    } catch {
      this.#fetched = false;
    }
  }

  #fetched = false;

  #load(key) {
    if (!this.#data.has(key)) {
      const answer = this.#ask({ type: "data", key }).catch((error) => {
        this.#data.delete(key);
        throw error instanceof SilentKernel
          ? new Error(`the kernel went away before it had sent ${key}; run the cell again`)
          : error;
      });
      this.#data.set(key, answer);
    }
    return this.#data.get(key);
  }

  #ask(message) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const question = { resolve, reject, timer: null };
      this.#questions.set(id, question);
      this.#wait(id, this.#patience.silent);
      try {
        this.#channel.send({ ...message, id });
      } catch {
        this.#giveUp(id);
      }
    });
  }

  #wait(id, ms) {
    const question = this.#questions.get(id);
    clearTimeout(question.timer);
    question.timer = setTimeout(() => this.#giveUp(id), ms);
  }

  #giveUp(id) {
    const question = this.#questions.get(id);
    this.#questions.delete(id);
    clearTimeout(question?.timer);
    question?.reject(new SilentKernel("the kernel does not answer"));
  }

  #receive(message, buffers) {
    this.#say(null);
    const question = this.#questions.get(message?.id);
    if (!question) return;
    if (message.type === "working") {
      this.#wait(message.id, this.#patience.working);
      return;
    }
    clearTimeout(question.timer);
    this.#questions.delete(message.id);
    if (message.type === "error") question.reject(new Error(message.message));
    else if (message.type === "frame") question.resolve(unpackFrame(message.frame, buffers));
    else question.resolve(message.type === "data" ? message.payload : message);
  }

  #say(status) {
    if (status === this.#status) return;
    this.#status = status;
    for (const listener of this.#listeners) listener(status);
  }

  dispose() {
    this.#stop();
    for (const { timer } of this.#questions.values()) clearTimeout(timer);
    this.#questions.clear();
    this.#listeners.clear();
  }
}

/**
 * Put the binary parts of a frame in their places.
 *
 * @param {{buffers: [string, string][]}} frame names ("clean.image") and types, in the order of the buffers
 * @param {DataView[]} buffers
 */
export function unpackFrame({ buffers: names, ...frame }, buffers) {
  const side = {
    image: null,
    input: null,
    hidden: null,
    activation: null,
    votes: null,
    membrane: null,
    predictions: null,
  };
  const out = {
    ...frame,
    clean: { ...side },
    attacked: frame.attacked && { ...side },
    order: { input: null, hidden: null },
  };
  names.forEach(([path, type], k) => {
    const [group, name] = path.split(".");
    const {
      buffer,
      byteOffset = 0,
      byteLength,
    } = ArrayBuffer.isView(buffers[k]) ? buffers[k] : { buffer: buffers[k], byteLength: buffers[k].byteLength };
    // A copy, because a buffer of a message need not begin where its numbers may be aligned.
    out[group][name] = new ARRAYS[type](buffer.slice(byteOffset, byteOffset + byteLength));
  });
  return out;
}

function abortError() {
  return new DOMException("called off: a newer request came in", "AbortError");
}
