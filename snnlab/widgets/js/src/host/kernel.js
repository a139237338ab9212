/**
 * The engine behind a kernel: the same interface as the browser engine, over messages.
 *
 *   view → kernel   hello · run {request} · trajectory {request} · data {key}
 *   kernel → view   hello · working · frame {frame} + buffers · data {payload} · error {message}
 *
 * One request is under way at a time; of those that wait only the newest is sent. When the kernel is silent for a while,
 * `status` reports it, and the browser engine takes over until it answers (not for a network of the reader's own).
 */

import { BrowserEngine } from "../engine/index.js";
import { unpackZoo } from "../engine/zoo.js";
import { say } from "../language.js";
import { runScript } from "./data-scripts.js";

/** How long a kernel may stay silent, in ms: at first, and after it has reported that it is working. */
const PATIENCE = { silent: 3000, working: 30000 };

const ARRAYS = { float32: Float32Array, uint8: Uint8Array, int8: Int8Array, int32: Int32Array };

const SAY = {
  absent: say`No kernel answers: it is busy, or gone. Wait until it is free, or run this cell.`,
  instead: say`The kernel does not answer, so your browser computes.`,
  custom: say`The kernel does not answer, and only it has your network: what you see is its last answer. Wait until it is free, or restart it and run the cell again.`,
};

/** A kernel that does not answer, as opposed to one that answers with an error. */
class SilentKernel extends Error {}

export class KernelEngine {
  #channel;
  #patience;
  #listeners = new Set();
  #stop;
  #questions = new Map();
  /** All views of a widget hear all answers: each counts from a number of its own. */
  #nextId = Math.floor(2 ** 40 * Math.random());
  #hello = null;
  #data = new Map();
  #zoo = null;
  #browser;
  #running = false;
  #waiting = null;
  #fetched = false;
  #foreseen = [];
  /** A sentence about a kernel that does not answer, or null. @type {string|null} */
  status = null;

  /** @param {{send: (message: any) => void, listen: (listener: Function) => () => void}} channel */
  constructor(channel, patience = PATIENCE) {
    this.#channel = channel;
    this.#patience = patience;
    this.#stop = channel.listen((message, buffers) => this.#receive(message, buffers));
    this.#browser = new BrowserEngine((key) => this.#load(key));
  }

  get kind() {
    return this.status ? "browser" : "kernel";
  }

  /** @param {(status: string|null) => void} listener */
  onStatus(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The networks that the view may ask for: they come over while the kernel is there. @param {string[]} names */
  foresee(names) {
    this.#foreseen = names;
  }

  zoo() {
    this.#zoo ??= this.#handshake().then(async ({ custom }) => ({ ...unpackZoo(await this.#load("zoo")), custom }));
    return this.#zoo;
  }

  /** Without this answer there is nothing to show, so it is waited for however long it takes. */
  #handshake() {
    this.#hello ??= this.#ask({ type: "hello" }, SAY.absent);
    return this.#hello;
  }

  async record(key) {
    await this.#handshake();
    return this.#load(key);
  }

  /** What a further script exports: the kernel sends its text. @param {string} name */
  async part(name) {
    return runScript(name, await this.record(name));
  }

  /** Codes need no network, so the browser does them. */
  encode(request) {
    return this.#browser.encode(request);
  }

  /** @returns {Promise<any>} frame; rejects with an AbortError when a newer request has come in */
  run(request) {
    return this.#queue("run", request);
  }

  trajectory(request) {
    return this.#queue("trajectory", request);
  }

  #queue(kind, { signal, ...question }) {
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
      this.#waiting?.reject(new DOMException(say`a newer request came in`, "AbortError"));
      this.#waiting = { kind, question, signal, resolve, reject };
      this.#next();
    });
  }

  async #next() {
    if (this.#running || !this.#waiting) return;
    const job = this.#waiting;
    this.#waiting = null;
    if (!job.signal?.aborted) {
      this.#running = true;
      await this.#answer(job).then(job.resolve, job.reject);
      this.#running = false;
    }
    this.#next();
  }

  async #answer({ kind, question }) {
    const { custom } = await this.#handshake();
    if (this.status && !custom) return this.#instead(kind, question);
    try {
      const image = Array.from(question.image);
      const frame = await this.#ask({ type: kind, request: { ...question, image } }, custom ? SAY.custom : null);
      if (!custom) this.#fetchAll();
      return frame;
    } catch (error) {
      if (!(error instanceof SilentKernel)) throw error;
      this.#say(SAY.instead);
      return this.#instead(kind, question);
    }
  }

  /** The browser's answer; meanwhile the kernel is asked whether it is back. */
  #instead(kind, question) {
    this.#ask({ type: "hello" }).catch(() => {});
    return this.#browser[kind](question);
  }

  /** Bring the networks over while the kernel is there, so that the browser can go on without it. */
  async #fetchAll() {
    if (this.#fetched) return;
    this.#fetched = true;
    try {
      await this.zoo();
      for (const name of this.#foreseen) await this.#load(`model/${name}`);
    } catch {
      this.#fetched = false;
    }
  }

  #load(key) {
    if (!this.#data.has(key)) {
      const answer = this.#ask({ type: "data", key }, key === "zoo" ? SAY.absent : null).catch((error) => {
        this.#data.delete(key);
        throw error instanceof SilentKernel
          ? new Error(say`the kernel fell silent before it had sent ${key}; wait until it is free, or run the cell again`)
          : error;
      });
      this.#data.set(key, answer);
    }
    return this.#data.get(key);
  }

  /** @param {string|null} waiting what to say after a while, if the answer is worth waiting for; null: give it up then */
  #ask(message, waiting = null) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const lose = () => {
        if (waiting) return this.#say(waiting);
        this.#questions.delete(id);
        reject(new SilentKernel(say`the kernel does not answer`));
      };
      this.#questions.set(id, { resolve, reject, lose, timer: setTimeout(lose, this.#patience.silent) });
      try {
        this.#channel.send({ ...message, id });
      } catch {
        lose(); // The channel is closed: nobody will answer.
      }
    });
  }

  #receive(message, buffers) {
    this.#say(null);
    const question = this.#questions.get(message?.id);
    if (!question) return;
    clearTimeout(question.timer);
    if (message.type === "working") {
      question.timer = setTimeout(question.lose, this.#patience.working);
      return;
    }
    this.#questions.delete(message.id);
    if (message.type === "error") question.reject(new Error(message.message));
    else if (message.type === "frame") question.resolve(unpackFrame(message.frame, buffers));
    else question.resolve(message.type === "data" ? message.payload : message);
  }

  #say(status) {
    if (status === this.status) return;
    this.status = status;
    for (const listener of this.#listeners) listener(status);
  }

  dispose() {
    this.#stop();
    for (const { timer } of this.#questions.values()) clearTimeout(timer);
    this.#questions.clear();
    this.#listeners.clear();
  }
}

/** What a side of a frame holds where the kernel sends nothing. */
const SIDE = [
  "image",
  "input",
  "hidden",
  "output",
  "activation",
  "votes",
  "membrane",
  "predictions",
  "energy",
  "operations",
];
const NO_SIDE = Object.fromEntries(SIDE.map((name) => [name, null]));

/** Put the binary parts of a frame in their places; `buffers`: names ("clean.image") and types, in order. */
export function unpackFrame({ buffers: names, ...frame }, buffers) {
  const groups = frame.path
    ? { path: {} }
    : { clean: { ...NO_SIDE }, attacked: frame.attacked && { ...NO_SIDE }, order: { input: null, hidden: null } };
  const out = { ...frame, ...groups };
  names.forEach(([path, type], k) => {
    const [group, name] = path.split(".");
    const { buffer = buffers[k], byteOffset = 0, byteLength } = buffers[k];
    // A copy, because a buffer of a message need not begin where its numbers may be aligned.
    out[group][name] = new ARRAYS[type](buffer.slice(byteOffset, byteOffset + byteLength));
  });
  return out;
}
