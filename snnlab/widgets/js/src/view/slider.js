/** A labelled slider: a native range input, the value beside it, and the value in words for those who cannot see it. */
import { h, setText, uniqueId } from "./dom.js";

/**
 * @typedef {object} Options
 * @property {string} label
 * @property {number} min
 * @property {number} max
 * @property {number} step  of the pointer
 * @property {number} [key]  of the arrow keys, if coarser; with Shift they move by `step`
 * @property {(value: number) => string} text  beside the slider
 * @property {(value: number) => string} spoken
 * @property {string[]} [stops]  names of the places where the slider can stand, if they are few
 * @property {(value: number) => void} onInput
 */
export class Slider {
  /** @param {Options} options */
  constructor(options) {
    this.options = options;
    const id = uniqueId(options.label.replace(/\W/g, ""));
    const { min, max, step } = options;
    this.input = h("input", { type: "range", id, min, max, step, oninput: () => this.#moved() });
    if (options.key) this.input.addEventListener("keydown", (event) => this.#key(event));
    // Not an <output>: that would speak on its own, and the value is spoken by the slider already.
    this.value = h("span", { class: "value", "aria-hidden": "true" });
    const stops = options.stops?.map((text) => h("span", {}, text));
    this.element = h(
      "div",
      { class: stops ? "field slider stopped" : "field slider" },
      h("label", { for: id }, options.label),
      this.input,
      this.value,
      stops ? h("div", { class: "stops", "aria-hidden": "true" }, ...stops) : null,
    );
  }

  #moved() {
    this.options.onInput(Number(this.input.value));
  }

  #key(event) {
    const { step, key, min } = this.options;
    const max = Number(this.input.max);
    const direction = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
    if (!direction || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const moved = Number(this.input.value) + direction * (event.shiftKey ? step : key);
    this.input.value = String(Math.min(max, Math.max(min, Math.round(moved / step) * step)));
    this.#moved();
  }

  /** Take the slider out of use, and say why in place of the value; null: it is in use. @param {string|null} why */
  disable(why) {
    this.input.disabled = why !== null;
    this.element.classList.toggle("off", why !== null);
    if (why === null) return;
    setText(this.value, why);
    this.input.setAttribute("aria-valuetext", why);
  }

  /** @param {number} value  @param {number} [max] if it is not the usual one */
  show(value, max = this.options.max) {
    const { input, value: text, options, element } = this;
    if (Number(input.max) !== max) input.max = String(max);
    // A value that the reader is moving must not be rounded under the hand.
    if (Number.isFinite(value) && Math.abs(Number(input.value) - value) > options.step / 2) input.value = String(value);
    element.style.setProperty("--filled", `${(100 * (Number(input.value) - options.min)) / (max - options.min)}%`);
    setText(text, options.text(value));
    input.setAttribute("aria-valuetext", options.spoken(value));
  }
}
