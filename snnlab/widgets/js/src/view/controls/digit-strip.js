/** The strip of test images, as one group of radio buttons: arrow keys go from image to image, buttons scroll it. */
import { say } from "../../language.js";
import { thumbnail } from "../dom/canvas-image.js";
import { h, uniqueId } from "../dom/elements.js";

export class DigitStrip {
  /** @param {any} digits with `names` of the classes, where numbers do not say it @param {Function} onChange @param {{onDraw?: () => void, legend?: string}} [options] */
  constructor(digits, onChange, { onDraw = null, legend = "image" } = {}) {
    const name = uniqueId("digit");
    const size = digits.shape.reduce((a, b) => a * b, 1);
    const kind = legend === "digit" ? say`test image` : say`image`;
    this.inputs = digits.labels.map((label, k) => {
      const title = { "aria-label": `${digits.names?.[label] ?? label}, ${kind} ${digits.indices[k]}` };
      return h("input", { type: "radio", name, value: k, ...title, onchange: () => onChange(k) });
    });
    const image = (k) => digits.images.subarray(k * size, (k + 1) * size);
    const tiles = this.inputs.map((input, k) => h("label", {}, input, thumbnail(image(k), digits.shape)));
    this.strip = h("div", { class: "strip" }, ...tiles);
    this.draw =
      onDraw &&
      h("button", { type: "button", class: "draw-button", "aria-expanded": "false", onclick: onDraw }, say`✎ draw`);
    this.arrows = [-1, 1].map((way) => {
      const scroll = () => this.strip.scrollBy({ left: 0.8 * way * this.strip.clientWidth });
      // The arrow keys reach every image, so the keyboard passes these buttons by.
      const attributes = {
        type: "button",
        class: "page",
        tabindex: -1,
        "aria-hidden": "true",
        hidden: true,
        onclick: scroll,
      };
      return h("button", attributes, way < 0 ? "‹" : "›");
    });
    this.strip.addEventListener("scroll", () => this.#turn());
    new ResizeObserver(() => this.reveal()).observe(this.strip);
    const row = h("div", { class: "row" }, this.arrows[0], this.strip, this.arrows[1], this.draw);
    this.element = h("fieldset", { class: "field digits" }, h("legend", {}, legend), row);
  }

  /** @param {number} index -1: none of them, the reader's own */
  show(index) {
    for (const [k, input] of this.inputs.entries()) {
      if (input.checked === (k === index)) continue;
      input.checked = k === index;
      if (k === index) this.reveal();
    }
    this.draw?.classList.toggle("chosen", index === -1);
  }

  /** Scroll the strip, and nothing but the strip, so that the chosen tile is seen. */
  reveal() {
    const { strip } = this;
    this.#turn();
    const tile = this.inputs.find((input) => input.checked)?.parentElement;
    if (!tile) return;
    const left = tile.offsetLeft - strip.offsetLeft;
    if (left < strip.scrollLeft) strip.scrollLeft = left - 8;
    else if (left + tile.offsetWidth > strip.scrollLeft + strip.clientWidth) {
      strip.scrollLeft = left + tile.offsetWidth - strip.clientWidth + 8;
    }
  }

  /** Show the buttons where the strip is longer than its place; one is out of use at each end. */
  #turn() {
    const { scrollLeft, scrollWidth, clientWidth } = this.strip;
    const ends = [scrollLeft < 2, scrollLeft + clientWidth > scrollWidth - 2];
    for (const [k, arrow] of this.arrows.entries()) {
      arrow.hidden = ends[0] && ends[1];
      arrow.disabled = ends[k];
    }
  }
}
