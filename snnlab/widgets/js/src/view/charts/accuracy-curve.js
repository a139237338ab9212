/** Accuracy against the budget ε for several models, with 95 % bands and brackets of the current ones; the ε can be dragged. */
import { say } from "../../language.js";
import { setText, svg } from "../dom/elements.js";
import { readCurve } from "../model/accuracy.js";
import { epsText, spokenShare } from "../text/frame.js";
import { AccuracyFrame, axes, band, CHARACTER, chanceLine, curveLine, dot, handle, LABEL_HEIGHT, label } from "./frame.js";
import { placeOnCurves } from "./label-placement.js";
import { Legend } from "./legend.js";
import { marker, markerId } from "./marks.js";

const MARGIN = { top: 10, right: 10, bottom: 34, left: 34 };

/**
 * How ε is drawn along the axis: `ticks` how many, or where; `near`: the ε that a pointer means. A curve has the fields of its
 * model that decide how it is marked, and no points where nothing was measured.
 * @typedef {{domain: (curves: Curve[]) => number[], exponent?: number, name: string, ticks?: number|number[],
 *   near: (eps: number) => number}} Budgets
 * @typedef {{name: string, title: string, points: import("../model/accuracy.js").Point[]}} Curve
 */

/** @type {Budgets} */
const PIXEL_UNITS = {
  domain: (curves) => [0, Math.max(0.3, ...curves.map((curve) => curve.points.at(-1).eps))],
  name: say`budget ε (L∞)`,
  near: (eps) => Math.round(1000 * eps) / 1000,
};

export class AccuracyPlot extends AccuracyFrame {
  #framed = null;
  #drawn = null;

  /**
   * @param {object} hooks  @param {(eps: number) => void} hooks.onEps  @param {((name: string) => void)|null} [hooks.onPick]
   * @param {boolean} [hooks.intervals] whether the list says them too  @param {Budgets} [hooks.budgets] the axis of ε
   * @param {HTMLElement|null} [hooks.control] what chooses the curves
   */
  constructor({ onEps, onPick = null, intervals = false, budgets = PIXEL_UNITS, control = null }) {
    const legend = new Legend({ onPick, intervals });
    super(say`Accuracy`, MARGIN, [legend.element], control);
    this.legend = legend;
    this.budgets = budgets;
    this.layers = [svg("g"), svg("g"), svg("g")];
    this.svg.append(...this.layers);
    this.onDrag((eps) => onEps(budgets.near(eps)));
  }

  /**
   * @param {{title: string, key: string, curves: Curve[], current: string[], eps: number, chance: number, nothing?: string,
   *   at?: string}} content `key` says which curves these are, `nothing` why the current one is not there
   */
  show(content, colours) {
    this.content = content;
    const { current, eps, chance } = content;
    const { domain, exponent, name, ticks } = this.budgets;
    const curves = content.curves.filter(({ points }) => points.length > 0);
    const highlighted = curves.filter((curve) => current.includes(curve.name));
    this.sentence = describe(content);
    const scales = this.scales(domain(curves), exponent);
    if (!scales) return;
    const { size, x, y } = scales;
    const [frame, lines, front] = this.layers;
    setText(this.title, content.title);
    setText(this.empty, highlighted.length === 0 ? (content.nothing ?? "") : "");
    const names = curves.map((curve) => curve.name);
    const framed = [size.width, size.height, x.domain(), chance, colours.scheme, colours.background, ...names].join();
    if (this.#framed !== framed) {
      this.#framed = framed;
      const markers = curves.flatMap((curve) => [6.5, 4.5].map((s) => marker(curve.name, colours.mark(curve), s, colours)));
      frame.replaceChildren(svg("defs", {}, ...markers), ...axes(x, y, name, size, ticks), ...chanceLine(chance, x, y));
    }
    const drawn = [framed, content.key, current].join();
    if (this.#drawn !== drawn) {
      this.#drawn = drawn;
      const ordered = [...curves].sort((a, b) => Number(highlighted.includes(a)) - Number(highlighted.includes(b)));
      lines.replaceChildren(
        ...highlighted.flatMap((curve) => bracket(curve.points, x, y, colours.mark(curve).colour)),
        ...highlighted.map((curve) => band(curve.points, (p) => x(p.eps), y, colours.mark(curve).colour, 0.22)),
        ...ordered.map((curve) => drawCurve(curve, highlighted.includes(curve), x, y, colours)),
        ...curveLabels(curves, chance, highlighted, x, y, colours),
      );
    }
    const now = highlighted.map((curve) => ({ curve, read: readCurve(curve.points, eps) })).filter(({ read }) => read);
    const dots = now.map(({ curve, read }) => dot(x(eps), y(read.share), colours.mark(curve).colour, colours));
    front.replaceChildren(...handle(x(eps), y), ...dots);
    this.legend.show(content, colours);
  }
}

function drawCurve({ points, ...model }, isHighlighted, x, y, colours) {
  const { colour, dash } = colours.mark(model);
  const at = `url(#${markerId(model.name, isHighlighted ? 6.5 : 4.5)})`;
  return curveLine(points, (p) => [x(p.eps), y(p.share)], {
    opacity: isHighlighted ? 1 : 0.6,
    stroke: colour,
    "stroke-width": isHighlighted ? 2.75 : 1.5,
    "stroke-dasharray": dash.join(" ") || null,
    "stroke-linecap": dash[0] === 1 ? "round" : null,
    "marker-start": at,
    "marker-mid": at,
    "marker-end": at,
  });
}

/** The room between what is proved and what attacks leave, and its lower edge: the accuracy lies somewhere in it. */
function bracket(points, x, y, colour) {
  const ends = points
    .filter(({ proved }) => proved !== null)
    .map((p) => ({ ...p, low: p.proved ?? p.share, high: p.share }));
  if (ends.length < points.length) return [];
  const edge = { class: "curve-line", stroke: colour, "stroke-dasharray": "1 4", "stroke-linecap": "round" };
  return [band(ends, (p) => x(p.eps), y, colour, 0.08), curveLine(ends, (p) => [x(p.eps), y(p.low)], edge)];
}

/** The current curves' labels are placed first. */
function curveLabels(curves, chance, highlighted, x, y, colours) {
  const [left, right] = x.range();
  const field = { left, right, top: MARGIN.top, bottom: y.range()[0] };
  const important = [...highlighted, ...curves.filter((curve) => !highlighted.includes(curve))];
  const width = (curve) => short(curve).length * CHARACTER;
  const sized = important.map((curve) => ({ name: curve.name, width: width(curve), y: heights(curve, x, y) }));
  const reserved = [{ x: right - 20, y: y(chance) - 9, width: 46, height: LABEL_HEIGHT }];
  const places = placeOnCurves(sized, field, LABEL_HEIGHT, reserved);
  return important.flatMap((curve) => {
    const place = places.get(curve.name);
    const kind = highlighted.includes(curve) ? "curve-label strong" : "curve-label";
    const style = `fill: ${colours.mark(curve).colour}`;
    return place ? [label(place.x, place.y, short(curve), kind, { style })] : [];
  });
}

/** Where a curve runs (infinitely low beyond its end), looked up per pixel, because the search for places asks often. */
function heights(curve, x, y) {
  const [left, right] = x.range();
  const table = Float64Array.from({ length: Math.ceil(right - left) + 1 }, (_, k) => {
    const read = readCurve(curve.points, x.invert(left + k));
    return read ? y(read.share) : Number.POSITIVE_INFINITY;
  });
  return (at) => table[Math.min(table.length - 1, Math.max(0, Math.round(at - left)))];
}

/** "fusion(direct, latency)" is too long for a label on a curve. */
const short = ({ title }) => title.split("(")[0];

function describe({ title, curves, current, eps, at = say`epsilon ${epsText(eps)}` }) {
  const sentences = curves.flatMap(({ name, title: curve, points }) => {
    const read = current.includes(name) && readCurve(points, eps);
    return read ? [say`${curve} at ${at}: ${read.measured ? "" : say`about `}${spokenShare(read)}.`] : [];
  });
  return [`${title}${sentences.length ? "." : ""}`, ...sentences].join(" ");
}
