/**
 * Accuracy against the budget ε for several models, with the 95 % bands of the current ones, the chance line, and the ε of
 * the explorer as a line that can be dragged.
 */
import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { readCurve } from "./accuracy.js";
import { h, setText, sizeOf, svg } from "./dom.js";
import { drag } from "./drag.js";
import { placeOnCurves } from "./labels.js";
import { Legend } from "./legend.js";
import { marker, markerId } from "./marks.js";
import { axes, band, chanceLine, CHARACTER, LABEL_HEIGHT } from "./plot.js";
import { epsText, percent } from "./words.js";

const MARGIN = { top: 10, right: 10, bottom: 34, left: 34 };
const KEPT = 64; // drawings

/**
 * @typedef {object} Budgets how ε is drawn along the axis
 * @property {(curves: Curve[]) => object} scale without a range
 * @property {string} label
 * @property {number|number[]} [ticks] how many, or where
 * @property {(eps: number) => number} near the ε that a pointer means
 */
const PIXEL_UNITS = {
  scale: (curves) => scaleLinear([0, lastEps(curves)], [0, 1]),
  label: "budget ε (L∞)",
  near: (eps) => Math.round(1000 * eps) / 1000,
};

/**
 * @typedef {{name: string, title: string, points: import("./accuracy.js").Point[]}} Curve with the fields of its model that
 *   decide how it is marked; no points where nothing was measured
 */
export class AccuracyPlot {
  /** What the current curve says, for those who cannot see it. */
  sentence = "";
  #empty = false;
  #framed = null;
  #drawn = null;
  #drawings = new Map();

  /**
   * @param {object} hooks
   * @param {(eps: number) => void} hooks.onEps
   * @param {((name: string) => void)|null} [hooks.onPick]
   * @param {boolean} [hooks.intervals] whether the list says them too
   * @param {Budgets} [hooks.budgets] the axis of ε
   * @param {Element|null} [hooks.control] what chooses the curves
   */
  constructor({ onEps, onPick = null, intervals = false, budgets = PIXEL_UNITS, control = null }) {
    this.budgets = budgets;
    this.frame = svg("g");
    this.lines = svg("g");
    this.front = svg("g");
    this.svg = svg("svg", { class: "plot", role: "img" }, this.frame, this.lines, this.front);
    this.svg.addEventListener("pointerdown", (event) => this.#drag(event, onEps));
    this.title = h("h4", {});
    this.empty = h("p", { class: "empty" });
    this.legend = new Legend({ onPick, intervals });
    this.element = h("section", { class: "panel curve" }, control, this.title, this.svg, this.empty, this.legend.element);
    this.control = control;
  }

  /** Say why there are no curves. */
  showNothing(sentence) {
    this.#empty = true;
    if (this.control) this.control.hidden = true;
    setText(this.title, "Accuracy");
    setText(this.empty, sentence);
    this.svg.style.display = "none";
    this.legend.element.hidden = true;
  }

  /**
   * @param {{title: string, key: string, curves: Curve[], current: string[], eps: number, chance: number,
   *   nothing?: string}} content `key` says which curves these are, `nothing` why the current one is not there
   * @param {object} colours
   */
  show(content, colours) {
    const { width, height } = sizeOf(this.svg);
    if (this.#empty || width === 0) return;
    const { current, eps } = content;
    const curves = content.curves.filter(({ points }) => points.length > 0);
    const own = curves.filter(({ name }) => current.includes(name));
    const x = this.budgets.scale(curves).range([MARGIN.left, width - MARGIN.right]);
    const y = scaleLinear([0, 1], [height - MARGIN.bottom, MARGIN.top]);
    this.x = x;
    setText(this.title, content.title);
    setText(this.empty, own.length === 0 ? (content.nothing ?? "") : "");
    this.sentence = describe(content);
    this.svg.setAttribute("aria-label", this.sentence);
    const names = curves.map(({ name }) => name);
    const frame = [width, height, x.domain(), content.chance, colours.scheme, colours.background, ...names].join();
    if (this.#framed !== frame) {
      this.#framed = frame;
      this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      const markers = svg(
        "defs",
        {},
        ...curves.flatMap((curve) => [6.5, 4.5].map((size) => marker(curve.name, colours.mark(curve), size, colours))),
      );
      const { label, ticks } = this.budgets;
      const axis = axes(x, y, { label, ticks, width, height });
      this.frame.replaceChildren(markers, ...axis, ...chanceLine(content.chance, x, y));
    }
    const drawing = [frame, content.key, current].join();
    if (this.#drawn !== drawing) {
      this.#drawn = drawing;
      this.lines.replaceChildren(...this.#drawing(drawing, { ...content, curves }, own, x, y, colours));
    }
    this.front.replaceChildren(...epsLine(eps, own, x, y, colours));
    this.legend.show(content, colours);
  }

  /** The curves as elements. Readers go back and forth between codes and exits, so the latest drawings are kept. */
  #drawing(name, content, own, x, y, colours) {
    if (!this.#drawings.has(name)) {
      if (this.#drawings.size >= KEPT) this.#drawings.clear();
      const ordered = [...content.curves].sort((a, b) => own.includes(a) - own.includes(b));
      this.#drawings.set(name, [
        ...own.map((curve) => band(curve.points, (p) => x(p.eps), y, colours.mark(curve).colour, 0.22)),
        ...ordered.map((curve) => drawCurve(curve, own.includes(curve), x, y, colours)),
        ...curveLabels(content, own, x, y, colours),
      ]);
    }
    return this.#drawings.get(name);
  }

  #drag(event, onEps) {
    if (!this.x) return;
    drag(event, this.svg, (at) => {
      onEps(this.budgets.near(Math.min(this.x.domain()[1], Math.max(0, this.x.invert(at)))));
    });
  }
}

const lastEps = (curves) => Math.max(0.3, ...curves.map((curve) => curve.points.at(-1).eps));

function drawCurve(curve, isCurrent, x, y, colours) {
  const { name, points } = curve;
  const { colour, dash } = colours.mark(curve);
  const path = line(
    (p) => x(p.eps),
    (p) => y(p.share),
  );
  const at = `url(#${markerId(name, isCurrent ? 6.5 : 4.5)})`;
  return svg("path", {
    d: path(points),
    class: "curve-line",
    opacity: isCurrent ? 1 : 0.6,
    stroke: colour,
    "stroke-width": isCurrent ? 2.75 : 1.5,
    "stroke-dasharray": dash.join(" ") || null,
    "stroke-linecap": dash[0] === 1 ? "round" : null,
    "marker-start": at,
    "marker-mid": at,
    "marker-end": at,
  });
}

/** The current curves' labels are placed first. */
function curveLabels({ curves, chance }, own, x, y, colours) {
  const [left, right] = x.range();
  const field = { left, right, top: MARGIN.top, bottom: y.range()[0] };
  const important = [...own, ...curves.filter((curve) => !own.includes(curve))];
  const places = placeOnCurves(
    important.map((curve) => ({ name: curve.name, width: short(curve).length * CHARACTER, y: heights(curve, x, y) })),
    field,
    LABEL_HEIGHT,
    [{ x: right - 20, y: y(chance) - 9, width: 46, height: LABEL_HEIGHT }],
  );
  return important
    .filter((curve) => places.has(curve.name))
    .map((curve) => {
      const place = places.get(curve.name);
      const kind = own.includes(curve) ? "curve-label strong" : "curve-label";
      return svg("text", { ...place, class: kind, style: `fill: ${colours.mark(curve).colour}` }, short(curve));
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

function epsLine(eps, own, x, y, colours) {
  const [bottom, top] = y.range();
  const read = own.map((curve) => ({ curve, at: readCurve(curve.points, eps) })).filter(({ at }) => at);
  return [
    svg("line", { class: "eps-line", x1: x(eps), x2: x(eps), y1: top, y2: bottom }),
    svg("circle", { class: "eps-grip", cx: x(eps), cy: bottom, r: 6 }),
    ...read.map(({ curve, at }) =>
      svg("circle", {
        cx: x(eps),
        cy: y(at.share),
        r: 5,
        fill: colours.mark(curve).colour,
        stroke: colours.background,
        "stroke-width": 2,
      }),
    ),
  ];
}

function describe({ title, curves, current, eps, at: place = `epsilon ${epsText(eps)}` }) {
  const said = curves
    .filter(({ name }) => current.includes(name))
    .map((curve) => ({ ...curve, read: readCurve(curve.points, eps) }))
    .filter(({ read }) => read)
    .map((curve) => {
      const { share, low, high, measured } = curve.read;
      const value = `${measured ? "" : "about "}${percent(share)}, 95 % interval ${percent(low)} to ${percent(high)}`;
      return `${curve.title} at ${place}: ${value}.`;
    });
  return [`${title}${said.length ? "." : ""}`, ...said].join(" ");
}
