/** Draw your own digit, by pointer or keyboard; the image is centred and scaled as MNIST's were, and handed on. */
import { say } from "../../language.js";
import { h } from "../dom/elements.js";
import { centreDigit } from "../model/centred-drawing.js";

const SIZE = 224;
const PEN = 20;
const KEY_STEP = 8;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class DrawingPad {
  #pen = null;
  #position = [SIZE / 2, SIZE / 4];
  #down = false;

  /** @param {{onDraw: (pixels: number[]) => void, onClose: () => void}} hooks `onDraw`: 784 grey levels */
  constructor({ onDraw, onClose }) {
    this.onDraw = onDraw;
    this.canvas = h("canvas", {
      width: SIZE,
      height: SIZE,
      tabindex: 0,
      role: "application",
      "aria-label": say`Field to draw a digit in. Arrow keys move the pen, space puts it down and lifts it.`,
      onkeydown: (event) => this.#key(event),
      onpointerdown: (event) => this.#start(event),
      onpointermove: (event) => this.#move(event),
      onlostpointercapture: () => (this.#pen = null),
    });
    this.cursor = h("span", { class: "pen", "aria-hidden": "true" });
    const button = (text, onclick) => h("button", { type: "button", onclick }, text);
    const onkeydown = (event) => event.key === "Escape" && onClose();
    const clear = button(say`clear`, () => this.clear());
    this.element = h(
      "div",
      { class: "drawing", role: "group", "aria-label": say`draw a digit`, hidden: true, onkeydown },
      h("div", { class: "field" }, this.canvas, this.cursor),
      h("p", {}, say`Draw a digit from 0 to 9. It is scaled and centred as the training digits were.`),
      h("div", { class: "buttons" }, clear, button(say`done`, onClose)),
    );
    this.clear();
  }

  open(isOpen) {
    this.element.hidden = !isOpen;
    if (isOpen) this.canvas.focus({ preventScroll: true });
  }

  clear() {
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    context.fillStyle = "#000";
    context.fillRect(0, 0, SIZE, SIZE);
    Object.assign(context, { strokeStyle: "#fff", lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    this.context = context;
  }

  #start(event) {
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.#pen = this.#where(event);
    this.#line(this.#pen, this.#pen);
  }

  #move(event) {
    if (!this.#pen) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) {
      const next = this.#where(one);
      this.#line(this.#pen, next);
      this.#pen = next;
    }
  }

  #where({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [((clientX - left) / width) * SIZE, ((clientY - top) / height) * SIZE];
  }

  #key(event) {
    if (event.key === " ") {
      this.#down = !this.#down;
      if (this.#down) this.#line(this.#position, this.#position);
    } else if (MOVES[event.key]) {
      const next = this.#position.map((v, k) => Math.min(SIZE, Math.max(0, v + KEY_STEP * MOVES[event.key][k])));
      if (this.#down) this.#line(this.#position, next);
      this.#position = next;
    } else return;
    event.preventDefault();
    const [x, y] = this.#position;
    this.cursor.classList.toggle("down", this.#down);
    Object.assign(this.cursor.style, { left: `${(100 * x) / SIZE}%`, top: `${(100 * y) / SIZE}%` });
  }

  /** @param {number[]} from  @param {number[]} to */
  #line([x0, y0], [x1, y1]) {
    const { context } = this;
    context.beginPath();
    context.moveTo(x0, y0);
    // A line of no length is not drawn by every browser.
    context.lineTo(x1 + (x0 === x1 && y0 === y1 ? 0.01 : 0), y1);
    context.stroke();
    const { data } = context.getImageData(0, 0, SIZE, SIZE);
    const ink = Uint8Array.from({ length: SIZE * SIZE }, (_, p) => data[4 * p]);
    const image = centreDigit(ink, SIZE);
    if (image) this.onDraw(Array.from(image));
  }
}
