/** What plots share: shapes, axes, the line of chance, intervals, the handle of a value; and a plot of accuracies. */

import { scalePow } from "d3-scale";
import { pointed, say } from "../../language.js";
import { drag } from "../dom/drag.js";
import { h, setText, svg } from "../dom/elements.js";
import { fitSvg } from "../dom/sizes.js";
import { area, line } from "./paths.js";

export const LABEL_HEIGHT = 13;

/** Width of a character in a plot, about. */
export const CHARACTER = 6.6;

const PADDING = 3;

export const stroke = (x1, y1, x2, y2, attributes) => svg("line", { x1, y1, x2, y2, ...attributes });

export const label = (x, y, text, kind = "tick", attributes = {}) => svg("text", { x, y, class: kind, ...attributes }, text);

/** A label that ends at `x`. */
export const labelBefore = (x, y, text, kind = "tick") => label(x, y, text, kind, { "text-anchor": "end" });

export const dot = (cx, cy, fill, colours, r = 5) =>
  svg("circle", { cx, cy, r, fill, stroke: colours.background, "stroke-width": 2 });

/** A curve. @param {import("./paths.js").Place} place */
export const curveLine = (points, place, attributes) =>
  svg("path", { d: line(points, place), class: "curve-line", ...attributes });

/** The interval along a curve. @param {(point: any) => number} at its place on the horizontal */
export function band(points, at, y, fill, opacity) {
  const edge = (name) => (p) => [at(p), y(p[name])];
  return svg("path", { d: area(points, edge("low"), edge("high")), fill, opacity });
}

/** The line of the value that is shown, with a grip to drag it by. */
export function handle(x, y) {
  const [bottom, top] = y.range();
  return [stroke(x, top, x, bottom, { class: "eps-line" }), svg("circle", { class: "eps-grip", cx: x, cy: bottom, r: 6 })];
}

/**
 * One axis: ticks and numbers along a scale, `below` the plot or else left of it.
 * @param {number} size of the ticks; negative: lines across the plot  @param {number|number[]} ticks how many, or where
 */
export function axis(scale, below, size, ticks, transform) {
  const listed = Array.isArray(ticks);
  const format = listed ? String : scale.tickFormat(ticks);
  const away = Math.max(size, 0) + PADDING;
  const [line, text] = below ? [{ y2: size }, { y: away, dy: "0.71em" }] : [{ x2: -size }, { x: -away, dy: "0.32em" }];
  // On a coarse screen a thin line is sharp in the middle of a pixel.
  const place = (value) => scale(value) + (globalThis.devicePixelRatio > 1 ? 0 : 0.5);
  const marks = (listed ? ticks : scale.ticks(ticks)).map((value) => {
    const at = { transform: below ? `translate(${place(value)},0)` : `translate(0,${place(value)})` };
    return svg("g", at, svg("line", line), svg("text", text, pointed(format(value))));
  });
  return svg("g", { class: "axis", transform, "text-anchor": below ? "middle" : "end" }, ...marks);
}

/** Both axes. @param {number|number[]} ticks below: how many, or where */
export function axes(x, y, name, { width, height }, ticks = 4) {
  const [left, right] = x.range();
  return [
    axis(y, false, left - right, 5, `translate(${left} 0)`),
    axis(x, true, 4, ticks, `translate(0 ${y.range()[0]})`),
    labelBefore(Math.min(right, width), height - 2, name),
  ];
}

/** The share that guessing gets right. */
export function chanceLine(chance, x, y) {
  const [from, to] = x.range();
  return [
    stroke(from, y(chance), to, y(chance), { class: "chance" }),
    labelBefore(to, y(chance) - 5, say`chance`, "tick halo"),
  ];
}

/** A plot of accuracies: its title, the drawing, what it says in words, and what belongs below. */
export class AccuracyFrame {
  /** What is drawn, for those who cannot see it. */
  sentence = "";
  /** What is drawn. @type {any} */
  content;
  x = null;

  /** @param {Field} margin  @param {HTMLElement[]} below  @param {HTMLElement|null} control what chooses the curves */
  constructor(title, margin, below, control = null) {
    this.margin = margin;
    this.parts = [control, ...below];
    this.svg = svg("svg", { class: "plot", role: "img" });
    this.title = h("h4", {}, title);
    this.empty = h("p", { class: "empty" });
    this.element = h("section", { class: "panel curve" }, control, this.title, this.svg, this.empty, ...below);
  }

  /** Say why there is nothing to see. */
  showNothing(sentence) {
    setText(this.empty, sentence);
    this.svg.style.display = "none";
    for (const part of this.parts) if (part) part.hidden = true;
  }

  /** Size and scales of what is drawn, from 0 to 1 upwards; null while there is no size. */
  scales(domain, exponent = 1) {
    const size = fitSvg(this.svg, this.sentence);
    if (!size) return null;
    const { top, right, bottom, left } = this.margin;
    this.x = scalePow(domain, [left, size.width - right]).exponent(exponent);
    return { size, x: this.x, y: scalePow([0, 1], [size.height - bottom, top]) };
  }

  /** Dragging in the plot sets a value inside the domain. @param {(value: number) => void} onValue */
  onDrag(onValue) {
    this.svg.addEventListener("pointerdown", (event) => {
      if (this.x) drag(event, this.svg, (at) => onValue(within(this.x.invert(at), this.x.domain())));
    });
  }
}

export const within = (value, [low, high]) => Math.min(high, Math.max(low, value));
