/** Choosing a pixel of a picture, by pointing at it or with the arrow keys. */
import { fixed, say } from "../../language.js";
import { h } from "../dom/elements.js";

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export class PixelPicker {
  /** The pixel, as an index into one channel; null until there is an image to choose from. */
  pixel = null;

  /** @param {import("../dom/canvas-image.js").Picture} picture */
  constructor(picture, [, height, width], onPick) {
    this.height = height;
    this.width = width;
    this.onPick = onPick;
    this.canvas = picture.canvas;
    const { canvas } = this;
    this.mark = h("span", { class: "mark", "aria-hidden": "true" });
    picture.element.append(this.mark);
    const range = { "aria-label": say`pixel`, "aria-valuemin": "0", "aria-valuemax": String(height * width - 1) };
    const attributes = Object.entries({ role: "slider", tabindex: "0", ...range });
    for (const [name, value] of attributes) canvas.setAttribute(name, value);
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("pointerdown", (event) => this.#point(event));
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" || event.buttons) this.#point(event);
    });
  }

  #point({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor(((clientX - box.left) / box.width) * this.width);
    this.#pick(Math.floor(((clientY - box.top) / box.height) * this.height), column);
  }

  #key(event) {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    this.#pick(Math.floor(this.pixel / this.width) + move[0], (this.pixel % this.width) + move[1]);
  }

  #pick(row, column) {
    const within = (value, size) => Math.min(size - 1, Math.max(0, value));
    const pixel = within(row, this.height) * this.width + within(column, this.width);
    if (pixel === this.pixel) return;
    this.pixel = pixel;
    this.onPick();
  }

  /** Draw the mark. At first a grey pixel is marked: there the codes differ most. @param {Float32Array} image */
  show(image) {
    this.pixel ??= image.reduce((best, x, p) => (Math.abs(x - 0.6) < Math.abs(image[best] - 0.6) ? p : best), 0);
    const { canvas, mark, width, height, pixel } = this;
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    const side = canvas.clientWidth / width;
    Object.assign(mark.style, {
      left: `${canvas.offsetLeft + column * side - 2}px`,
      top: `${canvas.offsetTop + row * (canvas.clientHeight / height) - 2}px`,
      width: `${side + 4}px`,
      height: `${side + 4}px`,
    });
    canvas.setAttribute("aria-valuenow", String(pixel));
    canvas.setAttribute("aria-valuetext", say`row ${row + 1}, column ${column + 1}, intensity ${fixed(image[pixel], 2)}`);
  }
}
