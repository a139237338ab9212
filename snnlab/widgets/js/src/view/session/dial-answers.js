/** The answer of every network on a dial to one image, one after the other between other work; answers are stored. */
import { answer, shownSide } from "../text/frame.js";
import { imageKey } from "./flip-search.js";

export class DialAnswers {
  #known = new Map();
  #controller = null;

  /** @param {(request: any) => Promise<any>} run */
  constructor(run) {
    this.run = run;
  }

  stop() {
    this.#controller?.abort();
  }

  /** @param {any} request  @param {string[]} names  @param {(answers: (boolean|null)[]) => void} onKnown right, wrong, or not known */
  async start(request, names, onKnown) {
    this.stop();
    const controller = new AbortController();
    this.#controller = controller;
    const { attack, attacker, target, eps, silenced } = request;
    const key = (encoding) => [encoding, attack, attacker, target, eps, silenced, imageKey(request)].join("|");
    const tell = () => onKnown(names.map((name) => this.#known.get(key(name)) ?? null));
    tell();
    for (const encoding of names.filter((name) => !this.#known.has(key(name)))) {
      // A task of its own for each network, so that the page answers in between.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (controller.signal.aborted) return;
      const frame = await this.run({ ...request, encoding, signal: controller.signal }).catch(() => null);
      if (!frame || controller.signal.aborted) return;
      if (this.#known.size > 500) this.#known.clear();
      this.#known.set(key(encoding), answer(shownSide(frame), request.exit_step) === frame.target);
      tell();
    }
  }
}
