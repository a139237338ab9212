/** The strip of test images, as one group of radio buttons: arrow keys go from image to image. */
import { thumbnail } from "../dom/canvas-image.js";
import { h, uniqueId } from "../dom/elements.js";

export class DigitStrip {
  /** @param {any} digits @param {Function} onChange @param {{onDraw?: () => void, legend?: string}} [options] */
  constructor(digits, onChange, { onDraw = null, legend = "image" } = {}) {
    const name = uniqueId("digit");
    const size = digits.shape.reduce((a, b) => a * b, 1);
    const kind = legend === "digit" ? "test image" : "image";
    this.inputs = digits.labels.map((label, k) => {
      const title = { "aria-label": `${label}, ${kind} ${digits.indices[k]}` };
      return h("input", { type: "radio", name, value: k, ...title, onchange: () => onChange(k) });
    });
    const image = (k) => digits.images.subarray(k * size, (k + 1) * size);
    const tiles = this.inputs.map((input, k) => h("label", {}, input, thumbnail(image(k), digits.shape)));
    this.strip = h("div", { class: "strip" }, ...tiles);
    this.draw =
      onDraw && h("button", { type: "button", class: "draw-button", "aria-expanded": "false", onclick: onDraw }, "✎ draw");
    const row = h("div", { class: "row" }, this.strip, this.draw);
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
    const tile = this.inputs.find((input) => input.checked)?.parentElement;
    if (!tile) return;
    const left = tile.offsetLeft - strip.offsetLeft;
    if (left < strip.scrollLeft) strip.scrollLeft = left - 8;
    else if (left + tile.offsetWidth > strip.scrollLeft + strip.clientWidth) {
      strip.scrollLeft = left + tile.offsetWidth - strip.clientWidth + 8;
    }
  }
}
