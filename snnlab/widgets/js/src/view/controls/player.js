/** Plays steps: a button that goes from one to the next until the last; where motion is not wanted, one step at each press. */
import { say } from "../../language.js";
import { h, setText } from "../dom/elements.js";

const INTERVAL = 650;

export class Player {
  #timer = null;

  /** @param {{get: () => number, set: (step: number) => void, last: number}} slider `last` may change meanwhile */
  constructor(slider) {
    this.slider = slider;
    this.sign = h("span", { "aria-hidden": "true" });
    this.word = h("span", {});
    this.button = h("button", { type: "button", class: "play", onclick: () => this.#pressed() }, this.sign, this.word);
    this.#say(false);
  }

  get playing() {
    return this.#timer !== null;
  }

  #pressed() {
    if (this.playing) return this.stop();
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.#say(true);
      this.#timer = setInterval(() => this.#advance(), INTERVAL);
    }
    this.#advance();
  }

  /** One step on; from the end, back to the beginning. */
  #advance() {
    const { get, set, last } = this.slider;
    const next = get() >= last ? 0 : get() + 1;
    set(next);
    if (next === last) this.stop();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
    this.#say(false);
  }

  #say(playing) {
    setText(this.sign, playing ? "❚❚" : "▶");
    setText(this.word, playing ? say`pause` : say`play`);
  }
}
