/**
 * Accuracy against the budget ε for all codes, with the 95 % band of the current one, the chance line, and the ε of the
 * explorer as a line that can be dragged.
 */
import { axisBottom, axisLeft } from "d3-axis";
import { scaleLinear } from "d3-scale";
import { select } from "d3-selection";
import { area, line } from "d3-shape";
import { readCurve } from "./accuracy.js";
import { h, setText, sizeOf, svg } from "./dom.js";
import { placeOnCurves } from "./labels.js";
import { Legend } from "./legend.js";
import { marker, markerId } from "./marks.js";
import { epsText, percent } from "./words.js";

const MARGIN = { top: 10, right: 10, bottom: 34, left: 34 };
const LABEL_HEIGHT = 13;
const KEPT = 64; // drawings
const CHARACTER = 6.6;

/**
 * @typedef {{name: string, title: string, points: {eps: number, share: number, low: number, high: number}[]}} Curve
 */
export class AccuracyPlot {
  /** What the current curve says, for those who cannot see it. */
  sentence = "";
  #empty = false;
  #framed = null;
  #drawn = null;
  #drawings = new Map();

  /** @param {{onEps: (eps: number) => void, onPick: (name: string) => void}} hooks */
  constructor({ onEps, onPick }) {
    this.frame = svg("g");
    this.lines = svg("g");
    this.front = svg("g");
    this.svg = svg("svg", { class: "plot", role: "img" }, this.frame, this.lines, this.front);
    this.svg.addEventListener("pointerdown", (event) => this.#drag(event, onEps));
    this.title = h("h4", {});
    this.empty = h("p", { class: "empty" });
    this.legend = new Legend(onPick);
    this.element = h("section", { class: "panel curve" }, this.title, this.svg, this.empty, this.legend.element);
  }

  /** Say why there are no curves. */
  showNothing(sentence) {
    this.#empty = true;
    setText(this.title, "Accuracy");
    setText(this.empty, sentence);
    this.svg.style.display = "none";
    this.legend.element.hidden = true;
  }

  /**
   * @param {{title: string, key: string, curves: Curve[], current: string, eps: number, chance: number}} content `key`
   *   says which curves these are
   * @param {object} colours
   */
  show(content, colours) {
    const { width, height } = sizeOf(this.svg);
    if (this.#empty || width === 0) return;
    const { curves, current, eps } = content;
    const own = curves.find((curve) => curve.name === current);
    const x = scaleLinear([0, lastEps(curves)], [MARGIN.left, width - MARGIN.right]);
    const y = scaleLinear([0, 1], [height - MARGIN.bottom, MARGIN.top]);
    this.x = x;
    setText(this.title, content.title);
    this.sentence = describe(content);
    this.svg.setAttribute("aria-label", this.sentence);
    const frame = [width, height, x.domain(), content.chance, colours.scheme, colours.background].join();
    if (this.#framed !== frame) {
      this.#framed = frame;
      this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      const markers = svg(
        "defs",
        {},
        ...curves.flatMap(({ name }) => [6.5, 4.5].map((size) => marker(name, size, colours))),
      );
      this.frame.replaceChildren(markers, ...axes(x, y, width, height), ...chanceLine(content.chance, x, y));
    }
    const drawing = [frame, content.key, current].join();
    if (this.#drawn !== drawing) {
      this.#drawn = drawing;
      this.lines.replaceChildren(...this.#drawing(drawing, content, own, x, y, colours));
    }
    this.front.replaceChildren(...epsLine(eps, own, x, y, colours));
    this.legend.show(content, colours);
  }

  /** The curves as elements. Readers go back and forth between codes and exits, so the latest drawings are kept. */
  #drawing(name, content, own, x, y, colours) {
    if (!this.#drawings.has(name)) {
      if (this.#drawings.size >= KEPT) this.#drawings.clear();
      const ordered = [...content.curves].sort((a, b) => (a === own) - (b === own));
      this.#drawings.set(name, [
        own ? band(own, x, y, colours) : "",
        ...ordered.map((curve) => drawCurve(curve, curve === own, x, y, colours)),
        ...curveLabels(content, own, x, y, colours),
      ]);
    }
    return this.#drawings.get(name);
  }

  #drag(event, onEps) {
    if (!this.x) return;
    const { left } = this.svg.getBoundingClientRect();
    const move = ({ clientX }) => {
      const eps = this.x.invert(clientX - left);
      onEps(Math.round(1000 * Math.min(this.x.domain()[1], Math.max(0, eps))) / 1000);
    };
    this.svg.setPointerCapture(event.pointerId);
    const end = () => this.svg.removeEventListener("pointermove", move);
    this.svg.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) this.svg.addEventListener(name, end, { once: true });
    move(event);
  }
}

const lastEps = (curves) => Math.max(0.3, ...curves.map((curve) => curve.points.at(-1).eps));

function axes(x, y, width, height) {
  const bottom = svg("g", { class: "axis", transform: `translate(0 ${height - MARGIN.bottom})` });
  const left = svg("g", { class: "axis", transform: `translate(${MARGIN.left} 0)` });
  select(bottom).call(axisBottom(x).ticks(4).tickSizeOuter(0).tickSize(4));
  select(left).call(
    axisLeft(y)
      .ticks(5)
      .tickSizeOuter(0)
      .tickSize(-(width - MARGIN.left - MARGIN.right)),
  );
  return [
    left,
    bottom,
    svg("text", { x: width - MARGIN.right, y: height - 2, class: "tick", "text-anchor": "end" }, "budget ε (L∞)"),
  ];
}

function chanceLine(chance, x, y) {
  const [from, to] = x.range();
  return [
    svg("line", { class: "chance", x1: from, x2: to, y1: y(chance), y2: y(chance) }),
    svg("text", { class: "tick halo", x: to, y: y(chance) - 5, "text-anchor": "end" }, "chance"),
  ];
}

function band(curve, x, y, colours) {
  const shape = area(
    (p) => x(p.eps),
    (p) => y(p.low),
    (p) => y(p.high),
  );
  return svg("path", { d: shape(curve.points), fill: colours.code(curve.name).colour, opacity: 0.22 });
}

function drawCurve({ name, points }, isCurrent, x, y, colours) {
  const { colour, dash } = colours.code(name);
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

/** The current curve's label is placed first. */
function curveLabels({ curves, chance }, own, x, y, colours) {
  const [left, right] = x.range();
  const field = { left, right, top: MARGIN.top, bottom: y.range()[0] };
  const important = own ? [own, ...curves.filter((curve) => curve !== own)] : curves;
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
      const kind = curve === own ? "curve-label strong" : "curve-label";
      return svg("text", { ...place, class: kind, style: `fill: ${colours.code(curve.name).colour}` }, short(curve));
    });
}

/** Where a curve runs, looked up per pixel, because the search for places asks often. */
function heights(curve, x, y) {
  const [left, right] = x.range();
  const last = curve.points.at(-1).eps;
  const table = Float64Array.from({ length: Math.ceil(right - left) + 1 }, (_, k) =>
    y(readCurve(curve.points, Math.min(x.invert(left + k), last)).share),
  );
  return (at) => table[Math.min(table.length - 1, Math.max(0, Math.round(at - left)))];
}

/** "fusion(direct, latency)" is too long for a label on a curve. */
const short = ({ title }) => title.split("(")[0];

function epsLine(eps, own, x, y, colours) {
  const at = own && readCurve(own.points, eps);
  const [bottom, top] = y.range();
  return [
    svg("line", { class: "eps-line", x1: x(eps), x2: x(eps), y1: top, y2: bottom }),
    svg("circle", { class: "eps-grip", cx: x(eps), cy: bottom, r: 6 }),
    at
      ? svg("circle", {
          cx: x(eps),
          cy: y(at.share),
          r: 5,
          fill: colours.code(own.name).colour,
          stroke: colours.background,
          "stroke-width": 2,
        })
      : "",
  ];
}

function describe({ title, curves, current, eps }) {
  const own = curves.find((curve) => curve.name === current);
  const read = own && readCurve(own.points, eps);
  if (!read) return title;
  const range = `${percent(read.low)} to ${percent(read.high)}`;
  return `${title}. ${own.title} at epsilon ${epsText(eps)}: ${percent(read.share)}, 95 % interval ${range}.`;
}
