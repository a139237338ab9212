/** Which image: the strip of digits, or one that the reader draws. */

import { need } from "../../engine/index.js";
import { say } from "../../language.js";
import { DigitStrip } from "./digit-strip.js";
import { DrawingPad } from "./drawing-pad.js";

const DRAWN = -1;

/** Drawings are made into digits of this many pixels. */
const DRAWABLE = 784;

export class ImagePicker {
  /** @param {Zoo} zoo  @param {any} store */
  constructor(zoo, store) {
    this.zoo = zoo;
    this.store = store;
    this.size = zoo.digits.shape.reduce((a, b) => a * b, 1);
    this.digits = new DigitStrip(zoo.digits, (image) => store.set({ image }), {
      onDraw: this.size === DRAWABLE ? () => this.#open() : null,
      legend: zoo.results ? "digit" : "image",
    });
    const onDraw = (drawing) => store.set({ drawing, image: DRAWN });
    this.drawing = new DrawingPad({ onDraw, onClose: () => this.#close() });
    this.elements = [this.digits.element, this.drawing.element];
  }

  show({ image }) {
    this.digits.show(image);
  }

  /** The pixels of a state, and the class if it is known. @returns {{image: Float32Array, shape: number[], label: number|null}} */
  pixels({ image: index, drawing }) {
    const { images, labels, shape } = this.zoo.digits;
    if (index === DRAWN) {
      need(drawing.length === this.size, say`nothing is drawn yet; draw a digit or choose one`);
      return { image: Float32Array.from(drawing, (v) => v / 255), shape, label: null };
    }
    const known = Number.isInteger(index) && index >= 0 && index < labels.length;
    need(known, say`image must be a whole number from 0 to ${labels.length - 1}, or -1 for a drawn digit; got ${index}`);
    return { image: images.subarray(index * this.size, (index + 1) * this.size), shape, label: labels[index] };
  }

  #open(isOpen = this.drawing.element.hidden) {
    const { digits, drawing, store } = this;
    drawing.open(isOpen);
    digits.draw.setAttribute("aria-expanded", String(isOpen));
    if (isOpen && store.get("drawing").length === this.size) store.set({ image: DRAWN });
  }

  #close() {
    this.#open(false);
    this.digits.draw.focus();
  }
}
