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
    this.output = h("span", { class: "value", "aria-hidden": "true" });
    this.element = h("div", { class: "field slider" }, h("label", { for: id }, options.label), this.input, this.output);
  }

  #moved() {
    this.options.onInput(Number(this.input.value));
  }

  #key(event) {
    const { step, key, min, max } = this.options;
    const direction = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
    if (!direction || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const moved = Number(this.input.value) + direction * (event.shiftKey ? step : key);
    this.input.value = String(Math.min(max, Math.max(min, Math.round(moved / step) * step)));
    this.#moved();
  }

  /** @param {number} value  @param {{disabled?: boolean, max?: number, note?: string}} [state] */
  show(value, { disabled = false, max = this.options.max, note = "" } = {}) {
    const { input, output, options, element } = this;
    if (Number(input.max) !== max) input.max = String(max);
    // A value that the reader is moving must not be rounded under the hand.
    if (Number.isFinite(value) && Math.abs(Number(input.value) - value) > options.step / 2) input.value = String(value);
    input.disabled = disabled;
    element.classList.toggle("disabled", disabled);
    element.style.setProperty("--filled", `${(100 * (Number(input.value) - options.min)) / (max - options.min)}%`);
    setText(output, note || options.text(value));
    input.setAttribute("aria-valuetext", note || options.spoken(value));
  }
}
