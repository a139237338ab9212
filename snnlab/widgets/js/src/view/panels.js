/**
 * The panels of a timeline: spikes in, hidden spikes, votes. All share the axis of time, and each shows one frame.
 *
 * @typedef {object} Context what a frame is shown with
 * @property {number} exit steps that are read
 * @property {{name: string, gate: number}[]} parts of the code
 * @property {number} [silenced] index of the part that is switched off
 * @property {string} [decoder] how the output is read
 * @property {{left: number, right: number}} margins of the axis, in CSS pixels
 * @property {object} colours
 */
import { barColumn } from "./bars.js";
import { gateText } from "./fused.js";
import { h, setText, sizeOf } from "./dom.js";
import { spread } from "./labels.js";
import { blockRows, drawable, inputBlocks, isAnalog, paintRaster } from "./raster.js";
import { Votes } from "./votes.js";

/** Height of a label beside a raster, in CSS pixels. */
const ROW_LABEL = 11;

/** A heading above something drawn. */
class Panel {
  constructor(kind, title, ...drawn) {
    this.title = h("h4", {}, title);
    this.note = h("span", { class: "note" });
    this.body = h("div", { class: "body" }, ...drawn);
    this.header = h("header", {}, this.title, this.note);
    this.element = h("section", { class: `panel ${kind}` }, this.header, this.body);
  }
}

/** A heading above a raster, with labels beside it. */
class RasterPanel extends Panel {
  constructor(kind, title) {
    const canvas = h("canvas", { role: "img", "aria-label": title });
    const rows = h("div", { class: "rows", "aria-hidden": "true" });
    super(kind, title, canvas, rows, h("div", { class: "veil", "aria-hidden": "true" }));
    Object.assign(this, { canvas, rows });
  }

  get height() {
    return sizeOf(this.canvas).height;
  }
}

export class InputPanel extends RasterPanel {
  constructor() {
    super("input", "spikes in");
    const [made, lost] = [h("i", { class: "made" }), h("i", { class: "lost" })];
    this.key = h("span", { class: "key", hidden: true }, made, "made by the attack", lost, "lost");
    this.title.after(this.key);
    this.tags = h("div", { class: "rows tags", "aria-hidden": "true" });
    this.body.append(this.tags);
  }

  /** @param {object} frame  @param {Context} context */
  show(frame, context) {
    const { clean, attacked, order, num_steps: steps } = frame;
    const size = frame.shape.reduce((a, b) => a * b, 1);
    const timeless = !clean.input;
    const values = timeless ? (side) => Float32Array.from(side.image) : (side) => drawable(side.input, steps);
    const blocks = inputBlocks(clean.image, order.input.length / size);
    const sequence = {
      clean: values(clean),
      attacked: attacked && values(attacked),
      order: order.input,
      steps: timeless ? 1 : steps,
      blocks,
      sideband: Float32Array.from(order.input, (p) => clean.image[p % size]),
    };
    paintRaster(this.canvas, sequence, context.margins, context.colours);
    this.#label(blocks, context);
    this.#name(frame, timeless, blocks.at(-1).part > 0);
    this.key.hidden = !attacked;
  }

  #name({ clean, num_steps: steps }, timeless, fused) {
    const current = !timeless && !fused && isAnalog(clean.input, steps);
    setText(this.title, timeless ? "image in" : current ? "current in" : "spikes in");
    setText(this.note, timeless ? "no time: the network sees the image once" : "brightest pixels on top");
  }

  /** "lit" and "black" beside the blocks, at the heights where the raster draws them; on the other side the fused parts. */
  #label(blocks, { parts, silenced = -1 }) {
    const { height } = this;
    const places = blockRows({ blocks, order: [] }, height, 1);
    const middle = (of) => (Math.min(...of.map(({ top }) => top)) + Math.max(...of.map(({ bottom }) => bottom))) / 2;
    labelRows(
      this.rows,
      blocks.map(({ name }, k) => [name, middle([places[k]])]),
      height,
    );
    const tags =
      parts.length < 2
        ? []
        : parts.map((part, k) => {
            const own = places.filter((_, b) => blocks[b].part === k);
            return [k === silenced ? `${part.name}\nsilenced` : gateText(part), middle(own)];
          });
    labelRows(this.tags, tags, height);
  }
}

export class HiddenPanel extends RasterPanel {
  constructor() {
    super("hidden", "hidden spikes");
  }

  /** @param {object} frame  @param {Context} context */
  show(frame, context) {
    const { clean, attacked, order, num_steps: steps } = frame;
    const { margins, colours } = context;
    const timeless = !clean.input;
    const values = (side) => side && (timeless ? side.activation : side.hidden);
    labelRows(this.rows, classGroups(order, this.height), this.height);
    setText(this.title, timeless ? "hidden activations" : "hidden spikes");
    this.body.hidden = !values(clean);
    if (!values(clean)) {
      setText(this.note, "not reported by this network");
      return;
    }
    if (timeless) {
      setText(this.note, "longer is stronger");
      barColumn(this.canvas, clean.activation, values(attacked), order.hidden, margins, colours);
      return;
    }
    const sorted = order.preferred ? "sorted by the class they speak for" : "a row per neuron";
    setText(this.note, `${clean.hidden.length / steps} neurons, ${sorted}`);
    const sequence = { clean: clean.hidden, attacked: values(attacked), order: order.hidden, steps };
    paintRaster(this.canvas, sequence, margins, colours);
  }
}

const VOTES = {
  rate: "output spikes counted so far",
  membrane: "output potentials summed so far",
  ttfs: "T minus the step of the first output spike",
};

export class VotesPanel extends Panel {
  constructor() {
    const plot = new Votes();
    super("vote", "votes", plot.element);
    this.plot = plot;
  }

  /** @param {object} frame  @param {Context} context */
  show(frame, { exit, margins, colours, decoder = "rate" }) {
    setText(this.note, frame.clean.input ? VOTES[decoder] : "logits, the same at every exit");
    this.plot.show(frame, exit, margins, colours);
  }
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
