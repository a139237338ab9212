/**
 * From which ε on is this image misread? Once the reader has come to rest, a scan from small to large ε answers, in pauses
 * between other work; a new request calls it off, and what was found is kept.
 */
import { answer, shownSide } from "./words.js";

const REST = 500;
const STEP = { noise: 0.01, fgsm: 0.01, pgd: 0.02 };

export class FlipSearch {
  #known = new Map();
  #timer = null;
  #controller = null;

  /**
   * @param {(request: object) => Promise<object>} run
   * @param {number} most the largest ε to try
   */
  constructor(run, most) {
    this.run = run;
    this.most = most;
  }

  /** What is known: an ε, "never", or null. */
  known(request) {
    return this.#known.get(keyOf(request)) ?? null;
  }

  /** @param {object} request  @param {object} frame its answer  @param {() => void} found called when something is known */
  start(request, frame, found) {
    this.stop();
    const wrong = answer(frame.clean, request.exit_step) !== frame.target;
    if (request.attack === "none" || wrong || this.known(request) !== null) return;
    this.#timer = setTimeout(() => this.#scan(request, frame.target, found), REST);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#controller?.abort();
    this.#controller = null;
  }

  async #scan(request, target, found) {
    const controller = new AbortController();
    this.#controller = controller;
    const step = STEP[request.attack];
    for (let k = 1; k * step <= this.most + 1e-9; k++) {
      const eps = k * step;
      const frame = await this.run({ ...request, eps, signal: controller.signal }).catch(() => null);
      // A task of its own for each ε, so that the page answers in between.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (!frame || controller.signal.aborted) return;
      if (answer(shownSide(frame), request.exit_step) !== target) return this.#keep(request, eps, found);
    }
    this.#keep(request, "never", found);
  }

  #keep(request, value, found) {
    if (this.#known.size > 500) this.#known.clear();
    this.#known.set(keyOf(request), value);
    found();
  }
}

/** All that the answer depends on. Test images are known by their first pixels' place in the data. */
function keyOf({ image, label, encoding, attack, attacker, exit_step: exit }) {
  const which = label === null ? image.join() : `digit at ${image.byteOffset}`;
  return [encoding, attack, attacker, exit, which].join("|");
}
