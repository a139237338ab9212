/** How a curve is marked in a plot: its line, and its marker. A mark is what the palette gives: colour, dash, marker. */
import { svg } from "../dom/elements.js";
import { answer, shownSide } from "../text/frame.js";
import { markerPath } from "./paths.js";

const STROKED = new Set(["times", "ring", "asterisk"]);

/** A marker at a point; `size` is its area. */
export function markerAt({ colour, marker: kind }, x, y, size, colours) {
  const stroked = STROKED.has(kind);
  return svg("path", {
    d: markerPath(kind, size),
    transform: `translate(${x} ${y})`,
    fill: stroked ? colours.background : colour,
    stroke: colour,
    "stroke-width": stroked ? 1.5 : 0,
  });
}

/** A piece of the line with its marker. */
export function swatch(mark, colours) {
  const box = { class: "swatch", viewBox: "0 0 26 12", width: 26, height: 12, "aria-hidden": "true" };
  const line = { x1: 0, x2: 26, y1: 6, y2: 6, stroke: mark.colour, "stroke-width": 2 };
  const dash = { "stroke-dasharray": mark.dash.join(" ") || null };
  return svg("svg", box, svg("line", { ...line, ...dash }), markerAt(mark, 13, 6, 36, colours));
}

/** Markers along a line are drawn by the page itself, from a definition: one node for a curve instead of one per point. */
export function marker(name, mark, size, colours) {
  const attributes = { id: markerId(name, size), markerUnits: "userSpaceOnUse", overflow: "visible" };
  return svg("marker", attributes, markerAt(mark, 0, 0, size * size, colours));
}

export const markerId = (name, size) => `marker-${name.replace(/\W/g, "")}-${String(size).replace(".", "")}`;

/** Colour and rank of a class: 1 quiet, 2 the truth, 3 a wrong answer. @returns {(k: number) => any} */
export function classMark(frame, exit, colours) {
  const read = answer(shownSide(frame), exit);
  const truth = frame.label ?? frame.target;
  return (k) => {
    if (k === truth) return { colour: k === read ? colours.right : colours.ink, rank: 2 };
    return k === read ? { colour: colours.attack, rank: 3 } : { colour: colours.quiet, rank: 1 };
  };
}
