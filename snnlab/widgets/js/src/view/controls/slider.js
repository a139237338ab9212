/** A labelled slider: a native range input, the value beside it, and the value in words for those who cannot see it. */
import { h, setText, uniqueId } from "../dom/elements.js";

/**
 * `step` of the pointer, 1 if not given, and `key` of the arrow keys, if coarser (with Shift they move by `step`); `text`
 * beside the slider, `spoken` if it differs; names of the `stops`.
 * @typedef {{label: string, min?: number, max: number, step?: number, key?: number, text: (value: number) => string,
 *   spoken?: (value: number) => string, stops?: string[], onInput: (value: number) => void}} Options
 */
export class Slider {
  /** @param {Options} options */
  constructor(options) {
    this.options = { min: 0, step: 1, spoken: options.text, ...options };
    const id = uniqueId(options.label.replace(/\W/g, ""));
    const { min, max, step } = this.options;
    this.input = h("input", { type: "range", id, min, max, step, oninput: () => this.#moved() });
    if (options.key) this.input.addEventListener("keydown", (event) => this.#key(event));
    // Not an <output>: screen readers would read it twice, since the slider has the value too.
    this.value = h("span", { class: "value", "aria-hidden": "true" });
    const names = options.stops?.map((text) => h("span", {}, text));
    const stops = names ? h("div", { class: "stops", "aria-hidden": "true" }, ...names) : null;
    const kind = stops ? "field slider stopped" : "field slider";
    this.element = h("div", { class: kind }, h("label", { for: id }, options.label), this.input, this.value, stops);
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
