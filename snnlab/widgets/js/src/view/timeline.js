/**
 * The three plots that share the time axis: spikes in, hidden spikes, votes. One line marks the exit in all of them; it can
 * be dragged, and what lies after it fades.
 */
import { barColumn } from "./bars.js";
import { h, setText, sizeOf } from "./dom.js";
import { spread } from "./labels.js";
import { blockRows, drawable, inputBlocks, isAnalog, paintRaster } from "./raster.js";
import { Votes } from "./votes.js";

/** Room left and right of the columns, in CSS pixels: names of rows, and labels of votes. */
export const MARGINS = { left: 44, right: 52 };

/** Height of a label beside a raster, in CSS pixels. */
const ROW_LABEL = 11;

export class Timeline {
  #steps = 8;

  /** @param {{onExit: (exit: number) => void}} hooks */
  constructor({ onExit }) {
    this.input = panel("input", "spikes in", "pixels, brightest on top");
    this.hidden = panel("hidden", "hidden spikes", "by preferred class");
    this.votes = panel("vote", "votes", "output spikes so far");
    this.plot = new Votes();
    this.votes.body.replaceChildren(this.plot.element);
    this.axis = h("div", { class: "steps", "aria-hidden": "true" });
    this.veils = [this.input, this.hidden].map(({ body }) => body.querySelector(".veil"));
    this.grip = h("span", { class: "grip" });
    this.cursor = h("div", { class: "cursor", "aria-hidden": "true" }, this.grip);
    const [input, hidden, votes] = [this.input, this.hidden, this.votes].map((p) => p.element);
    this.element = h("div", { class: "time" }, input, hidden, votes, this.axis, this.cursor);
    this.element.style.setProperty("--left", `${MARGINS.left}px`);
    this.element.style.setProperty("--right", `${MARGINS.right}px`);
    this.element.addEventListener("pointerdown", (event) => this.#drag(event, onExit));
  }

  /** Move the cursor; the frame may come later. */
  showExit(exit, steps) {
    this.#steps = steps;
    const share = Math.min(Math.max(exit, 0), steps) / steps;
    // On these alone: on their parent it would have the page look at everything inside.
    for (const element of [this.cursor, ...this.veils]) element.style.setProperty("--exit", String(share));
    setText(this.grip, `exit ${exit}`);
    if (this.axis.childElementCount !== steps) {
      this.axis.replaceChildren(...Array.from({ length: steps }, (_, t) => h("span", {}, String(t + 1))));
    }
    for (const [t, label] of [...this.axis.children].entries()) label.classList.toggle("read", t < exit);
  }

  /** @param {object} frame  @param {number} exit  @param {string[]} parts names of the code's parts */
  show(frame, exit, parts, colours) {
    const timeless = !frame.clean.input;
    this.element.classList.toggle("timeless", timeless);
    if (timeless) this.#showAnn(frame, colours);
    else this.#showInput(frame, parts, colours);
    if (!timeless) this.#showHidden(frame, colours);
    setText(this.votes.note, timeless ? "logits, the same at every exit" : "output spikes counted so far");
    this.plot.show(frame, exit, MARGINS, colours);
  }

  #showInput(frame, parts, colours) {
    const { clean, attacked, order, num_steps: steps } = frame;
    const size = frame.shape.reduce((a, b) => a * b, 1);
    const analog = isAnalog(clean.input, steps);
    const [before, after] = [clean, attacked].map((side) => side && drawable(side.input, steps));
    const sideband = Float32Array.from(order.input, (p) => clean.image[p % size]);
    const blocks = inputBlocks(clean.image, order.input.length / size);
    const sequence = { clean: before, attacked: after, order: order.input, steps, blocks, sideband };
    paintRaster(this.input.canvas, sequence, MARGINS, colours);
    this.#labelBlocks(blocks);
    const fused = order.input.length > size;
    setText(this.input.title, analog && !fused ? "current in" : "spikes in");
    setText(this.input.note, fused ? `${parts.join(" above ")}; brightest on top` : "brightest pixels on top");
    this.input.key.hidden = !attacked;
  }

  /** "lit" and "black" beside the blocks, at the heights where the raster draws them. */
  #labelBlocks(blocks) {
    const { height } = sizeOf(this.input.canvas);
    const places = blockRows({ blocks, order: [] }, height, 1);
    const labels = blocks.map(({ name }, k) => [name, (places[k].top + places[k].bottom) / 2]);
    labelRows(this.input.rows, labels, height);
  }

  #labelClasses(order) {
    const { height } = sizeOf(this.hidden.canvas);
    labelRows(this.hidden.rows, classGroups(order, height), height);
  }

  #showHidden(frame, colours) {
    const { clean, attacked, order, num_steps: steps } = frame;
    const { hidden } = this;
    this.#labelClasses(order);
    setText(hidden.title, "hidden spikes");
    hidden.body.hidden = !clean.hidden;
    if (!clean.hidden) {
      setText(hidden.note, "not reported by this network");
      return;
    }
    const preferred = order.preferred ? "sorted by the class they speak for" : "a row per neuron";
    setText(hidden.note, `${clean.hidden.length / steps} neurons, ${preferred}`);
    paintRaster(
      hidden.canvas,
      { clean: clean.hidden, attacked: attacked?.hidden ?? null, order: order.hidden, steps },
      MARGINS,
      colours,
    );
  }

  /** An ANN has no time: its input is the image, once, and its hidden layer a column of activations. */
  #showAnn(frame, colours) {
    const { clean, attacked, order } = frame;
    const side = (s) => s && Float32Array.from(s.image);
    const sideband = Float32Array.from(order.input, (p) => clean.image[p]);
    const blocks = inputBlocks(clean.image, 1);
    const image = { clean: side(clean), attacked: side(attacked), order: order.input, steps: 1, sideband, blocks };
    paintRaster(this.input.canvas, image, MARGINS, colours);
    this.#labelBlocks(blocks);
    setText(this.input.title, "image in");
    setText(this.input.note, "no time: the network sees the image once");
    this.input.key.hidden = !attacked;
    setText(this.hidden.title, "hidden activations");
    setText(this.hidden.note, clean.activation ? "longer is stronger" : "not reported by this network");
    this.#labelClasses(order);
    this.hidden.body.hidden = !clean.activation;
    if (clean.activation)
      barColumn(this.hidden.canvas, clean.activation, attacked?.activation ?? null, order.hidden, MARGINS, colours);
  }

  #drag(event, onExit) {
    if (event.button !== 0 || this.element.classList.contains("timeless")) return;
    const { left, width } = this.element.getBoundingClientRect();
    const columns = width - MARGINS.left - MARGINS.right;
    const move = ({ clientX }) => {
      const step = Math.ceil(((clientX - left - MARGINS.left) / columns) * this.#steps);
      onExit(Math.min(this.#steps, Math.max(1, step)));
    };
    this.element.setPointerCapture(event.pointerId);
    const end = () => this.element.removeEventListener("pointermove", move);
    this.element.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) this.element.addEventListener(name, end, { once: true });
    move(event);
  }
}

function panel(kind, title, note) {
  const parts = {
    title: h("h4", {}, title),
    note: h("span", { class: "note" }, note),
    key: h(
      "span",
      { class: "key", hidden: true },
      h("i", { class: "made" }),
      "made by the attack",
      h("i", { class: "lost" }),
      "lost",
    ),
    canvas: h("canvas", { role: "img", "aria-label": title }),
    rows: h("div", { class: "rows", "aria-hidden": "true" }),
  };
  parts.body = h(
    "div",
    { class: "body" },
    parts.canvas,
    parts.rows,
    h("div", { class: "veil", "aria-hidden": "true" }),
  );
  parts.element = h(
    "section",
    { class: `panel ${kind}` },
    h("header", {}, parts.title, kind === "input" ? parts.key : null, parts.note),
    parts.body,
  );
  return parts;
}

/** Classes beside the groups of hidden neurons, where the engine says which is which: name and middle, in pixels. */
function classGroups({ preferred }, height) {
  const groups = new Map();
  for (const [row, k] of (preferred ?? []).entries()) {
    const group = groups.get(k) ?? { first: row, last: row };
    group.last = row;
    groups.set(k, group);
  }
  return [...groups].map(([k, { first, last }]) => [String(k), ((first + last + 1) / 2 / preferred.length) * height]);
}

/** Write labels beside a raster, none over another; they are made anew only if they have changed. */
function labelRows(element, labels, height) {
  const key = `${height} ${labels.join()}`;
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  const places = spread(
    labels.map(([, middle]) => middle),
    ROW_LABEL,
    ROW_LABEL / 2,
    height - ROW_LABEL / 2,
  );
  element.replaceChildren(...labels.map(([text], k) => h("span", { style: `top: ${places[k]}px` }, text)));
}
