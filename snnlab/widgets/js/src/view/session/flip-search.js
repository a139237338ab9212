/** Find the smallest ε at which this image is misread, between other work; a new request cancels it, results are stored. */
import { ANY } from "../../engine/index.js";
import { say } from "../../language.js";
import { answer, shownSide } from "../text/frame.js";

const REST = 500;
const STEP = { noise: 0.01, fgsm: 0.01, pgd: 0.02 };

export class FlipSearch {
  #known = new Map();
  #timer = null;
  #controller = null;

  /** @param {(request: any) => Promise<any>} run  @param {number} most the largest ε to try */
  constructor(run, most) {
    this.run = run;
    this.most = most;
  }

  /** What is known: an ε, "never", or null. */
  known(request) {
    return this.#known.get(keyOf(request)) ?? null;
  }

  /** @param {State} request  @param {Frame} frame its answer  @param {() => void} onKnown */
  start(request, frame, onKnown) {
    this.stop();
    const done = isHit(frame, answer(frame.clean, request.exit_step));
    if (request.attack === "none" || done || frame.towards === frame.target || this.known(request) !== null) return;
    this.#timer = setTimeout(() => this.#scan(request, frame, onKnown), REST);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#controller?.abort();
    this.#controller = null;
  }

  /** @param {any} shown the frame that is there, of the same class and target */
  async #scan(request, shown, onKnown) {
    const controller = new AbortController();
    this.#controller = controller;
    const step = STEP[request.attack];
    for (let k = 1; k * step <= this.most + 1e-9; k++) {
      const eps = k * step;
      const frame = await this.run({ ...request, eps, signal: controller.signal }).catch(() => null);
      // A task of its own for each ε, so that the page answers in between.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (!frame || controller.signal.aborted) return;
      if (isHit(shown, answer(shownSide(frame), request.exit_step))) return this.#remember(request, eps, onKnown);
    }
    this.#remember(request, "never", onKnown);
  }

  #remember(request, value, onKnown) {
    if (this.#known.size > 500) this.#known.clear();
    this.#known.set(keyOf(request), value);
    onKnown();
  }
}

/** Whether an answer is what the attack wants: its target, or any that is wrong. */
const isHit = ({ target, towards = ANY }, read) => (towards === ANY ? read !== target : read === towards);

/** Everything that the answer depends on. */
function keyOf({ encoding, attack, attacker, target, exit_step: exit, ...image }) {
  return [encoding, attack, attacker, target, exit, imageKey(image)].join("|");
}

/** Which image a request is about: test images are known by their first pixels' place in the data. @param {any} request */
export const imageKey = ({ image, label }) => (label === null ? image.join() : say`digit at ${image.byteOffset}`);
