/**
 * Plots that share the time axis, one below the other. One line marks the exit in all of them; it can be dragged, and what
 * lies after it fades. Other marks may stand on the axis: where a perturbation can act, and a second exit.
 */
import { h, setText } from "./dom.js";
import { drag, stepAt } from "./drag.js";

/** Room left and right of the columns, in CSS pixels: names of rows, and labels of votes. */
const MARGINS = { left: 44, right: 52 };

export class Timeline {
  #steps = 8;

  /**
   * @param {{element: Element, show: Function}[]} panels
   * @param {object} [options]
   * @param {((exit: number) => void)|null} [options.onExit] without it, all steps are read and there is no line
   * @param {{left: number, right: number}} [options.margins]
   */
  constructor(panels, { onExit = null, margins = MARGINS } = {}) {
    Object.assign(this, { panels, margins, onExit });
    this.axis = h("div", { class: "steps", "aria-hidden": "true" });
    this.grip = h("span", { class: "grip" });
    this.cursor = h("div", { class: "cursor", "aria-hidden": "true" }, this.grip);
    this.otherGrip = h("span", { class: "grip" });
    this.other = h("div", { class: "cursor other", "aria-hidden": "true", hidden: true }, this.otherGrip);
    this.reach = h("div", { class: "reach", "aria-hidden": "true", hidden: true });
    const elements = panels.map(({ element }) => element);
    this.element = h("div", { class: "time" }, ...elements, this.axis, this.reach, this.other, this.cursor);
    this.veils = [...this.element.querySelectorAll(".veil")];
    this.element.style.setProperty("--left", `${margins.left}px`);
    this.element.style.setProperty("--right", `${margins.right}px`);
    this.element.classList.toggle("whole", !onExit);
    if (onExit) this.element.addEventListener("pointerdown", (event) => this.#drag(event));
  }

  /** Move the cursor; the frame may come later. */
  showExit(exit, steps) {
    this.#steps = steps;
    // On these alone: on their parent it would have the page look at everything inside.
    for (const element of [this.cursor, ...this.veils]) place(element, exit / steps);
    setText(this.grip, `exit ${exit}`);
    if (this.axis.childElementCount !== steps) {
      this.axis.replaceChildren(...Array.from({ length: steps }, (_, t) => h("span", {}, String(t + 1))));
    }
    for (const [t, label] of [...this.axis.children].entries()) label.classList.toggle("read", t < exit);
  }

  /** A second exit, or none. @param {number|null} exit  @param {string} [text] */
  showOther(exit, text = "") {
    this.other.hidden = exit === null;
    if (exit === null) return;
    place(this.other, exit / this.#steps);
    setText(this.otherGrip, text);
  }

  /** The steps from which on a perturbation can act. @param {number|null} from counted from 1; null: in none */
  showReach(from) {
    this.reach.hidden = from === null;
    if (from !== null) place(this.reach, (from - 1) / this.#steps);
  }

  /** @param {object} frame  @param {Partial<import("./panels.js").Context>} context */
  show(frame, context) {
    this.element.classList.toggle("timeless", !frame.clean.input);
    for (const panel of this.panels) panel.show(frame, { ...context, margins: this.margins });
  }

  #drag(event) {
    if (event.button !== 0 || this.element.classList.contains("timeless")) return;
    drag(event, this.element, (x, width) => this.onExit(stepAt(x, width, this.margins, this.#steps)));
  }
}

/** Put a line at a share of the time axis. */
function place(element, share) {
  element.style.setProperty("--exit", String(Math.min(Math.max(share, 0), 1)));
}
