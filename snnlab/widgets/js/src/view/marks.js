/** How a code is marked in a plot: its line, and its marker. */
import { symbol, symbolCircle, symbolDiamond, symbolSquare, symbolStar, symbolTimes, symbolTriangle } from "d3-shape";
import { svg } from "./dom.js";

const SYMBOLS = {
  times: symbolTimes,
  circle: symbolCircle,
  ring: symbolCircle,
  up: symbolTriangle,
  down: symbolTriangle,
  diamond: symbolDiamond,
  square: symbolSquare,
  star: symbolStar,
};

/** The marker of a code at a point; `size` is its area. */
export function markerAt(name, x, y, size, colours) {
  const { colour, marker: kind } = colours.code(name);
  const stroked = kind === "times" || kind === "ring";
  return svg("path", {
    d: symbol(SYMBOLS[kind], size)(),
    transform: `translate(${x} ${y})${kind === "down" ? " rotate(180)" : ""}`,
    fill: stroked ? colours.background : colour,
    stroke: colour,
    "stroke-width": stroked ? 1.5 : 0,
  });
}

/** A piece of the code's line with its marker. */
export function swatch(name, colours) {
  const { colour, dash } = colours.code(name);
  return svg(
    "svg",
    { class: "swatch", viewBox: "0 0 26 12", width: 26, height: 12, "aria-hidden": "true" },
    svg("line", {
      x1: 0,
      x2: 26,
      y1: 6,
      y2: 6,
      stroke: colour,
      "stroke-width": 2,
      "stroke-dasharray": dash.join(" ") || null,
    }),
    markerAt(name, 13, 6, 36, colours),
  );
}

/** Markers along a line are drawn by the page itself, from a definition: one node for a curve instead of one per point. */
export function marker(name, size, colours) {
  const attributes = { id: markerId(name, size), markerUnits: "userSpaceOnUse", overflow: "visible" };
  return svg("marker", attributes, markerAt(name, 0, 0, size * size, colours));
}

export const markerId = (name, size) => `marker-${name.replace(/\W/g, "")}-${String(size).replace(".", "")}`;
