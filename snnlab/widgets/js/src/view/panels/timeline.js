/** Plots that share the time axis; one line marks the exit in all of them and can be dragged. */
import { say } from "../../language.js";
import { drag, stepAt } from "../dom/drag.js";
import { h, setText } from "../dom/elements.js";
import { numberSteps } from "./panel.js";

/** Room left and right of the columns, in CSS pixels: names of rows, and labels of votes. */
const MARGINS = { left: 44, right: 52 };

export class Timeline {
  #steps = 8;

  /** Without `onExit` all steps are read and there is no line. @param {any[]} panels @param {any} [options] */
  constructor(panels, { onExit = null, margins = MARGINS, play = null } = {}) {
    this.panels = panels;
    this.margins = margins;
    this.onExit = onExit;
    this.axis = h("div", { class: "steps", "aria-hidden": "true" });
    this.grip = h("span", { class: "grip" });
    this.cursor = h("div", { class: "cursor", "aria-hidden": "true" }, this.grip);
    this.otherGrip = h("span", { class: "grip" });
    this.other = h("div", { class: "cursor other", "aria-hidden": "true", hidden: true }, this.otherGrip);
    this.reach = h("div", { class: "reach", "aria-hidden": "true", hidden: true });
    const elements = panels.map(({ element }) => element);
    this.element = h("div", { class: "time" }, ...elements, this.axis, this.reach, this.other, this.cursor, play);
    this.veils = [...this.element.querySelectorAll(".veil")];
    this.element.style.setProperty("--left", `${margins.left}px`);
    this.element.style.setProperty("--right", `${margins.right}px`);
    this.element.classList.toggle("whole", !onExit);
    if (onExit) this.element.addEventListener("pointerdown", (event) => this.#drag(event));
  }

  /** Move the cursor; the frame may come later. While time is played, it marks the step. */
  showExit(exit, steps, playing = false) {
    this.#steps = steps;
    this.element.classList.toggle("playing", playing);
    // Set on these elements only: on their parent, the page would restyle everything inside.
    for (const element of [this.cursor, ...this.veils]) place(element, exit / steps);
    setText(this.grip, playing ? say`step ${exit}` : say`exit ${exit}`);
    numberSteps(this.axis, steps, exit);
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

  /** @param {Frame} frame  @param {Partial<import("./panel.js").Context>} context */
  show(frame, context) {
    this.element.classList.toggle("timeless", !frame.clean.input);
    for (const panel of this.panels) panel.show(frame, { ...context, margins: this.margins });
  }

  #drag(event) {
    if (event.button !== 0 || event.target.closest("button") || this.element.classList.contains("timeless")) return;
    drag(event, this.element, (x, width) => this.onExit(stepAt(x, width, this.margins, this.#steps)));
  }
}

/** Put a line at a share of the time axis. */
function place(element, share) {
  element.style.setProperty("--exit", String(Math.min(Math.max(share, 0), 1)));
}
