/** Activations of an ANN's hidden layer as bars: a row per neuron, what the attack added in its colour. */
import { fit } from "./dom.js";

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} clean [H], not negative
 * @param {Float32Array|null} attacked
 * @param {Int32Array} order
 * @param {{left: number, right: number}} margins in CSS pixels
 * @param {object} colours
 */
export function barColumn(canvas, clean, attacked, order, margins, colours) {
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
  for (const [row, neuron] of order.entries()) {
    const before = clean[neuron];
    const after = attacked ? attacked[neuron] : before;
    bar(row, 0, Math.min(before, after), colours.ink);
    if (after > before) bar(row, before, after, colours.attack);
    else if (before > after) bar(row, after, before, colours.line);
  }
}
