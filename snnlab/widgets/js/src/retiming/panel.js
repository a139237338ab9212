/** The input raster with an arrow for each spike that moved, from its old step to its new one. */
import { say } from "../language.js";
import { blockRows, inputBlocks } from "../view/dom/canvas-raster.js";
import { h } from "../view/dom/elements.js";
import { fit } from "../view/dom/sizes.js";
import { InputPanel } from "../view/panels/input.js";

const LIT = 0.86; // of the height: black pixels fire only where ε lets them
const MANY = 60; // arrows, from which on they are drawn fainter
const HEAD = 4; // CSS pixels

export class MovesPanel extends InputPanel {
  constructor() {
    super();
    const [made, lost] = this.key.querySelectorAll("i");
    this.key.replaceChildren(made, say`after`, lost, say`before`, h("b", {}, "→"), say`a spike that moved`);
  }

  /** Lit pixels get the room, since theirs are the spikes that move. */
  blocks(image, parts) {
    return inputBlocks(image, parts).map((block, _, all) => {
      const both = all.filter(({ part }) => part === block.part).length > 1;
      return both ? { ...block, share: (block.name === "lit" ? LIT : 1 - LIT) / parts } : block;
    });
  }

  /** @param {any} frame  @param {import("../view/panels/panel.js").Context} context */
  show(frame, context) {
    super.show(frame, context);
    const target = frame.moves.length ? fit(this.canvas) : null;
    if (!target) return;
    const { context: pen, width, height, ratio } = target;
    const { margins, colours } = context;
    const { order, num_steps: steps } = frame;
    const left = margins.left * ratio;
    const column = (width - left - margins.right * ratio) / steps;
    const middle = (t) => left + (t + 0.5) * column;
    const rows = rowsOf(
      this.blocks(frame.clean.image, order.input.length / frame.clean.image.length),
      order.input,
      height,
      ratio,
    );
    pen.strokeStyle = colours.ink;
    pen.fillStyle = colours.ink;
    pen.globalAlpha = frame.moves.length > MANY ? 0.6 : 0.95;
    pen.lineWidth = 1.25 * ratio;
    for (const { neuron, from, to } of frame.moves) arrow(pen, middle(from), middle(to), rows[neuron], HEAD * ratio);
    pen.globalAlpha = 1;
  }
}

/** The height at which each neuron is drawn. */
function rowsOf(blocks, order, height, ratio) {
  const rows = new Float64Array(order.length);
  for (const { first, neurons, top, bottom } of blockRows({ order, blocks }, height, ratio)) {
    for (let k = 0; k < neurons; k++) rows[order[first + k]] = top + ((k + 0.5) / neurons) * (bottom - top);
  }
  return rows;
}

function arrow(pen, from, to, y, head) {
  const back = to > from ? -head : head;
  pen.beginPath();
  pen.moveTo(from, y);
  pen.lineTo(to, y);
  pen.stroke();
  pen.beginPath();
  pen.moveTo(to, y);
  pen.lineTo(to + back, y - head / 2);
  pen.lineTo(to + back, y + head / 2);
  pen.fill();
  pen.beginPath();
  pen.arc(from, y, head / 3, 0, 2 * Math.PI);
  pen.fill();
}
