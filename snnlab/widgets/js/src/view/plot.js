/** What the plots of accuracies share: axes, the line of chance, intervals. */
import { axisBottom, axisLeft } from "d3-axis";
import { select } from "d3-selection";
import { area } from "d3-shape";
import { svg } from "./dom.js";

/** Height of a label in a plot, in CSS pixels. */
export const LABEL_HEIGHT = 13;

/** Width of a character in a plot, about. */
export const CHARACTER = 6.6;

/**
 * @param {object} x scale whose range is the field
 * @param {object} y
 * @param {{label: string, width: number, height: number, ticks?: number|number[]}} options ticks below: how many, or where
 * @returns {SVGElement[]}
 */
export function axes(x, y, { label, width, height, ticks = 4 }) {
  const [left, right] = x.range();
  const bottom = svg("g", { class: "axis", transform: `translate(0 ${y.range()[0]})` });
  const side = svg("g", { class: "axis", transform: `translate(${left} 0)` });
  const below = axisBottom(x).tickSizeOuter(0).tickSize(4);
  select(bottom).call(Array.isArray(ticks) ? below.tickValues(ticks).tickFormat(String) : below.ticks(ticks));
  select(side).call(
    axisLeft(y)
      .ticks(5)
      .tickSizeOuter(0)
      .tickSize(left - right),
  );
  return [
    side,
    bottom,
    svg("text", { x: Math.min(right, width), y: height - 2, class: "tick", "text-anchor": "end" }, label),
  ];
}

/** The share that guessing gets right. */
export function chanceLine(chance, x, y) {
  const [from, to] = x.range();
  return [
    svg("line", { class: "chance", x1: from, x2: to, y1: y(chance), y2: y(chance) }),
    svg("text", { class: "tick halo", x: to, y: y(chance) - 5, "text-anchor": "end" }, "chance"),
  ];
}

/** The interval along a curve. @param {(point: object) => number} at its place on the horizontal */
export function band(points, at, y, colour, opacity) {
  const shape = area(
    at,
    (p) => y(p.low),
    (p) => y(p.high),
  );
  return svg("path", { d: shape(points), fill: colour, opacity });
}
