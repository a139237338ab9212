/**
 * The three plots that share the time axis: spikes in, hidden spikes, votes. One line marks the exit in all of them; it can
 * be dragged, and what lies after it fades.
 */
import { h, setText } from "./dom.js";
import { barColumn } from "./bars.js";
import { blockRows, drawable, inputBlocks, isAnalog, paintRaster } from "./raster.js";
import { Votes } from "./votes.js";

/** Room left and right of the columns, in CSS pixels: names of rows, and labels of votes. */
export const MARGINS = { left: 44, right: 52 };

export class Timeline {
  #steps = 8;
  #last = null;

  /** @param {{onExit: (exit: number) => void}} hooks */
  constructor({ onExit }) {
    this.input = panel("input", "spikes in", "pixels, brightest on top");
    this.hidden = panel("hidden", "hidden spikes", "by preferred class");
    this.votes = panel("vote", "votes", "output spikes so far");
    this.plot = new Votes();
    this.votes.body.replaceChildren(this.plot.element);
    this.axis = h("div", { class: "steps", "aria-hidden": "true" });
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
    this.element.style.setProperty("--exit", String(share));
    setText(this.grip, `exit ${exit}`);
    if (this.axis.childElementCount !== steps) {
      this.axis.replaceChildren(...Array.from({ length: steps }, (_, t) => h("span", {}, String(t + 1))));
    }
    for (const [t, label] of [...this.axis.children].entries()) label.classList.toggle("read", t < exit);
  }

  /** @param {object} frame  @param {number} exit  @param {string[]} parts names of the code's parts */
  show(frame, exit, parts, colours) {
    this.#last = [frame, exit, parts, colours];
    const timeless = !frame.clean.input;
    this.element.classList.toggle("timeless", timeless);
    this.showExit(exit, frame.num_steps);
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
    const places = blockRows({ blocks, order: [] }, 1000, 1000 / this.input.canvas.clientHeight);
    const names = blocks.map(({ name }, k) => {
      const middle = (places[k].top + places[k].bottom) / 20;
      return h("span", { style: `top: ${middle}%` }, name);
    });
    this.input.rows.replaceChildren(...names);
  }

  #showHidden(frame, colours) {
    const { clean, attacked, order, num_steps: steps } = frame;
    const { hidden } = this;
    hidden.rows.replaceChildren(...classLabels(order));
    setText(hidden.title, "hidden spikes");
    if (!clean.hidden) {
      setText(hidden.note, "hidden spikes are not reported by this network");
      hidden.canvas.getContext("2d").clearRect(0, 0, hidden.canvas.width, hidden.canvas.height);
      return;
    }
    const preferred = order.preferred ? "sorted by the class they speak for" : "a row per neuron";
    setText(hidden.note, `${clean.hidden.length / steps} neurons, ${preferred}`);
    paintRaster(hidden.canvas, { clean: clean.hidden, attacked: attacked?.hidden ?? null, order: order.hidden, steps }, MARGINS, colours);
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
    this.hidden.rows.replaceChildren(...classLabels(order));
    if (clean.activation) barColumn(this.hidden.canvas, clean.activation, attacked?.activation ?? null, order.hidden, MARGINS, colours);
  }

  /** Paint again, after a change of size or colours. */
  repaint(colours) {
    if (!this.#last) return;
    const [frame, exit, parts] = this.#last;
    this.show(frame, exit, parts, colours);
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
    key: h("span", { class: "key", hidden: true }, h("i", { class: "made" }), "made by the attack", h("i", { class: "lost" }), "lost"),
    canvas: h("canvas", { role: "img", "aria-label": title }),
    rows: h("div", { class: "rows", "aria-hidden": "true" }),
  };
  parts.body = h("div", { class: "body" }, parts.canvas, parts.rows, h("div", { class: "veil", "aria-hidden": "true" }));
  parts.element = h("section", { class: `panel ${kind}` }, h("header", {}, parts.title, kind === "input" ? parts.key : null, parts.note), parts.body);
  return parts;
}

/** Class numbers beside the groups of hidden neurons, where the engine says which is which. */
function classLabels({ preferred }) {
  if (!preferred) return [];
  const groups = new Map();
  for (const [row, k] of preferred.entries()) {
    const group = groups.get(k) ?? { first: row, last: row };
    group.last = row;
    groups.set(k, group);
  }
  return [...groups].map(([k, { first, last }]) => {
    const middle = (100 * (first + last + 1)) / 2 / preferred.length;
    return h("span", { style: `top: ${middle}%` }, String(k));
  });
}
