/** Activations of an ANN's hidden layer as bars: a row per neuron, what the attack added in its colour. */
import { fit } from "./sizes.js";

/** Activations [H], not negative, in an order. @param {any} sequence  @param {Margins} margins in CSS pixels */
export function barColumn(canvas, sequence, margins, colours) {
  const { clean, attacked, order } = sequence;
  const target = fit(canvas);
  if (!target) return;
  const { context, width, height, ratio } = target;
  const left = margins.left * ratio;
  const room = width - left - margins.right * ratio;
  const most = Math.max(...clean, ...(attacked ?? []), 1e-6);
  const tall = height / order.length;
  context.clearRect(0, 0, width, height);
  context.fillStyle = colours.panel;
  context.fillRect(left, 0, room, height);
  const bar = (row, from, to, colour) => {
    context.fillStyle = colour;
    context.fillRect(left + (room * from) / most, row * tall, (room * (to - from)) / most, Math.max(tall * 0.8, 1));
  };
  for (let row = 0; row < order.length; row++) {
    const before = clean[order[row]];
    const after = attacked ? attacked[order[row]] : before;
    bar(row, 0, Math.min(before, after), colours.ink);
    if (after > before) bar(row, before, after, colours.attack);
    else if (before > after) bar(row, after, before, colours.line);
  }
}
