/** How a curve is marked in a plot: its line, and its marker. A mark is what the palette gives: colour, dash, marker. */
import {
  symbol,
  symbolAsterisk,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTimes,
  symbolTriangle,
  symbolWye,
} from "d3-shape";
import { svg } from "./dom.js";
import { answer, shownSide } from "./words.js";

const SYMBOLS = {
  times: symbolTimes,
  asterisk: symbolAsterisk,
  circle: symbolCircle,
  ring: symbolCircle,
  up: symbolTriangle,
  down: symbolTriangle,
  diamond: symbolDiamond,
  square: symbolSquare,
  star: symbolStar,
  plus: symbolCross,
  wye: symbolWye,
};

const STROKED = new Set(["times", "ring", "asterisk"]);

/** A marker at a point; `size` is its area. */
export function markerAt({ colour, marker: kind }, x, y, size, colours) {
  const stroked = STROKED.has(kind);
  return svg("path", {
    d: symbol(SYMBOLS[kind], size)(),
    transform: `translate(${x} ${y})${kind === "down" ? " rotate(180)" : ""}`,
    fill: stroked ? colours.background : colour,
    stroke: colour,
    "stroke-width": stroked ? 1.5 : 0,
  });
}

/** A piece of the line with its marker. */
export function swatch(mark, colours) {
  return svg(
    "svg",
    { class: "swatch", viewBox: "0 0 26 12", width: 26, height: 12, "aria-hidden": "true" },
    svg("line", {
      x1: 0,
      x2: 26,
      y1: 6,
      y2: 6,
      stroke: mark.colour,
      "stroke-width": 2,
      "stroke-dasharray": mark.dash.join(" ") || null,
    }),
    markerAt(mark, 13, 6, 36, colours),
  );
}

/** Markers along a line are drawn by the page itself, from a definition: one node for a curve instead of one per point. */
export function marker(name, mark, size, colours) {
  const attributes = { id: markerId(name, size), markerUnits: "userSpaceOnUse", overflow: "visible" };
  return svg("marker", attributes, markerAt(mark, 0, 0, size * size, colours));
}

export const markerId = (name, size) => `marker-${name.replace(/\W/g, "")}-${String(size).replace(".", "")}`;

/**
 * How a class is marked among the votes: the truth in ink, or in the colour of a right answer; a wrong answer in the
 * attack's; the others are quiet.
 *
 * @returns {(k: number) => {colour: string, rank: 1|2|3}} by rank the quiet ones, the truth, the wrong answer
 */
export function classMark(frame, exit, colours) {
  const read = answer(shownSide(frame), exit);
  const truth = frame.label ?? frame.target;
  return (k) => {
    if (k === truth) return { colour: k === read ? colours.right : colours.ink, rank: 2 };
    return k === read ? { colour: colours.attack, rank: 3 } : { colour: colours.quiet, rank: 1 };
  };
}
