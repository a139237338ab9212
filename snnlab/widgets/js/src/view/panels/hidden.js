/** The spikes of the hidden neurons, or their activations in a network without time. */
import { say } from "../../language.js";
import { barColumn } from "../dom/canvas-bars.js";
import { paintRaster } from "../dom/canvas-raster.js";
import { setText } from "../dom/elements.js";
import { labelRows, RasterPanel } from "./panel.js";

export class HiddenPanel extends RasterPanel {
  constructor() {
    super("hidden", say`hidden spikes`);
  }

  /** @param {Frame} frame  @param {import("./panel.js").Context} context */
  show(frame, context) {
    const { clean, attacked, order, num_steps: steps } = frame;
    const { margins, colours } = context;
    const timeless = !clean.input;
    const values = (side) => side && (timeless ? side.activation : side.hidden);
    labelRows(this.rows, classGroups(order, this.height), this.height);
    setText(this.title, timeless ? say`hidden activations` : say`hidden spikes`);
    this.body.hidden = !values(clean);
    const sorted = order.preferred ? say`sorted by the class they speak for` : say`a row per neuron`;
    const shown = timeless ? say`longer is stronger` : say`${clean.hidden?.length / steps} neurons, ${sorted}`;
    setText(this.note, this.body.hidden ? say`not reported by this network` : shown);
    if (this.body.hidden) return;
    const sequence = { clean: values(clean), attacked: values(attacked), order: order.hidden, steps };
    if (timeless) barColumn(this.canvas, sequence, margins, colours);
    else paintRaster(this.canvas, sequence, margins, colours);
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
