/** The strip of test images, as one group of radio buttons: arrow keys go from image to image. */
import { h, uniqueId } from "./dom.js";
import { thumbnail } from "./image.js";

export class Digits {
  /**
   * @param {{images: Float32Array, shape: number[], labels: number[], indices: number[]}} digits
   * @param {(index: number) => void} onChange
   * @param {{onDraw?: (() => void)|null, legend?: string}} [options]
   */
  constructor(digits, onChange, { onDraw = null, legend = "image" } = {}) {
    const name = uniqueId("digit");
    const size = digits.shape.reduce((a, b) => a * b, 1);
    this.inputs = digits.labels.map((label, k) =>
      h("input", {
        type: "radio",
        name,
        value: k,
        "aria-label": `${label}, ${legend === "digit" ? "test image" : "image"} ${digits.indices[k]}`,
        onchange: () => onChange(k),
      }),
    );
    const tiles = this.inputs.map((input, k) =>
      h("label", {}, input, thumbnail(digits.images.subarray(k * size, (k + 1) * size), digits.shape)),
    );
    this.strip = h("div", { class: "strip" }, ...tiles);
    this.draw =
      onDraw &&
      h("button", { type: "button", class: "draw-button", "aria-expanded": "false", onclick: onDraw }, "✎ draw");
    this.element = h(
      "fieldset",
      { class: "field digits" },
      h("legend", {}, legend),
      h("div", { class: "row" }, this.strip, this.draw),
    );
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
