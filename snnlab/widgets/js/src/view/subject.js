/** Which image: the strip of digits, or one that the reader draws. */
import { Digits } from "./digits.js";
import { Drawing } from "./draw.js";

const DRAWN = -1;

/** Drawings are made into digits of this many pixels. */
const DRAWABLE = 784;

export class Subject {
  /** @param {object} zoo  @param {object} store  @param {{canDraw?: boolean}} [options] */
  constructor(zoo, store, { canDraw = true } = {}) {
    Object.assign(this, { zoo, store });
    this.size = zoo.digits.shape.reduce((a, b) => a * b, 1);
    this.digits = new Digits(zoo.digits, (image) => store.set({ image }), {
      onDraw: canDraw && this.size === DRAWABLE ? () => this.#open() : null,
      legend: zoo.results ? "digit" : "image",
    });
    this.drawing = new Drawing(
      (pixels) => store.set({ drawing: pixels, image: DRAWN }),
      () => this.#close(),
    );
    this.elements = [this.digits.element, this.drawing.element];
  }

  show({ image }) {
    this.digits.show(image);
  }

  /** The pixels of a state, and the class if it is known. @returns {{image: Float32Array, shape: number[], label: number|null}} */
  pixels({ image: index, drawing }) {
    const { images, labels, shape } = this.zoo.digits;
    if (index === DRAWN) {
      if (drawing.length !== this.size) throw new Error("nothing is drawn yet; draw a digit or choose one");
      return { image: Float32Array.from(drawing, (v) => v / 255), shape, label: null };
    }
    if (!(Number.isInteger(index) && index >= 0 && index < labels.length)) {
      throw new Error(
        `image must be a whole number from 0 to ${labels.length - 1}, or -1 for a drawn digit; got ${index}`,
      );
    }
    return { image: images.subarray(index * this.size, (index + 1) * this.size), shape, label: labels[index] };
  }

  #open() {
    const { digits, drawing, store } = this;
    const isOpen = drawing.element.hidden;
    drawing.open(isOpen);
    digits.draw.setAttribute("aria-expanded", String(isOpen));
    if (isOpen && store.get("drawing").length === this.size) store.set({ image: DRAWN });
  }

  #close() {
    this.drawing.open(false);
    this.digits.draw.setAttribute("aria-expanded", "false");
    this.digits.draw.focus();
  }
}
