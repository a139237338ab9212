/**
 * Accuracy against the exit step: clean in ink, attacked in the attack's colour and hatched, each with its 95 % band. Where a
 * rule decides for each image, its measured thresholds are points at their mean exit. The exit can be dragged.
 */
import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { h, setText, sizeOf, svg, uniqueId } from "./dom.js";
import { drag } from "./drag.js";
import { markerAt, swatch } from "./marks.js";
import { axes, band, chanceLine } from "./plot.js";
import { percent } from "./words.js";

const MARGIN = { top: 10, right: 12, bottom: 34, left: 34 };

/** Series by name: how each is marked. */
const marks = (colours) => ({
  clean: { colour: colours.ink, dash: [], marker: "circle" },
  attacked: { colour: colours.attack, dash: [7, 3], marker: "square" },
});

export class ExitPlot {
  /** What the plot says at the exit, for those who cannot see it. */
  sentence = "";
  #steps = 8;

  /** @param {{onExit: (exit: number) => void, control?: Element|null}} hooks `control`: what chooses the curves */
  constructor({ onExit, control = null }) {
    this.control = control;
    this.hatch = uniqueId("hatch");
    this.svg = svg("svg", { class: "plot", role: "img" });
    this.svg.addEventListener("pointerdown", (event) => this.#drag(event, onExit));
    this.title = h("h4", {}, "Accuracy at every exit");
    this.empty = h("p", { class: "empty" });
    this.rows = h("ul", { class: "legend" });
    this.element = h("section", { class: "panel curve" }, control, this.title, this.svg, this.empty, this.rows);
  }

  /** Say why there is nothing to see. */
  showNothing(sentence) {
    setText(this.empty, sentence);
    if (this.control) this.control.hidden = true;
    this.svg.style.display = "none";
    this.rows.hidden = true;
  }

  /**
   * @param {object} content
   * @param {number} content.steps T
   * @param {{clean: Series, attacked: Series}} content.series Series = {exit, share, low, high}[]
   * @param {object[]} content.points thresholds of the rule in use; none for a fixed exit
   * @param {import("./population.js").Population|null} content.now what holds for the state
   * @param {string} content.under the attack in words
   * @param {number|null} content.reach first step in which ε can act
   * @param {number} content.chance
   * @param {object} colours
   */
  show(content, colours) {
    const { width, height } = sizeOf(this.svg);
    if (width === 0) return;
    const { steps, series, points, now, reach } = content;
    this.#steps = steps;
    const x = scaleLinear([0.6, steps + 0.4], [MARGIN.left, width - MARGIN.right]);
    const y = scaleLinear([0, 1], [height - MARGIN.bottom, MARGIN.top]);
    this.x = x;
    const styles = marks(colours);
    this.sentence = describe(content);
    setText(this.empty, series.attacked.length === 0 ? (content.nothing ?? "") : "");
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("aria-label", this.sentence);
    const faded = points.length > 0;
    this.svg.replaceChildren(
      hatchPattern(this.hatch, colours.attack),
      ...axes(x, y, { label: "exit step", width, height, ticks: steps }),
      ...chanceLine(content.chance, x, y),
      ...reachMark(reach, steps, x, y),
      ...Object.entries(series).flatMap(([name, curve]) =>
        this.#curve(name, curve, styles[name], x, y, faded, colours),
      ),
      ...Object.entries(styles).flatMap(([name, style]) => ruleMarks(points, name, style, now, x, y, colours)),
      ...(now ? cursor(now, styles, x, y, colours) : []),
    );
    this.#list(content, styles, colours);
  }

  #curve(name, curve, style, x, y, faded, colours) {
    if (curve.length === 0) return [];
    const place = (p) => x(p.exit);
    const fill = name === "clean" ? style.colour : `url(#${this.hatch})`;
    const path = line(place, (p) => y(p.share));
    return [
      band(curve, place, y, fill, name === "clean" ? 0.16 : 0.75),
      svg("path", {
        d: path(curve),
        class: "curve-line",
        stroke: style.colour,
        opacity: faded ? 0.55 : 1,
        "stroke-width": faded ? 1.5 : 2.5,
        "stroke-dasharray": style.dash.join(" ") || null,
      }),
      ...curve.map((p) => markerAt(style, x(p.exit), y(p.share), faded ? 20 : 36, colours)),
    ];
  }

  #list({ now, under, reach }, styles, colours) {
    const say = (read) => (read ? `${read.measured === false ? "≈ " : ""}${percent(read.share)}` : "not measured");
    const rows = [
      ["clean", "clean", now?.clean],
      ["attacked", under, now?.attacked],
    ];
    this.rows.replaceChildren(
      ...rows.map(([name, text, read]) =>
        h(
          "li",
          { class: "current" },
          swatch(styles[name], colours),
          h("span", { class: "name" }, text),
          h("b", {}, say(read)),
        ),
      ),
      reach === null
        ? ""
        : h(
            "li",
            {},
            h("i", { class: "zone" }),
            h("span", { class: "name" }, "ε acts on black pixels"),
            h("b", {}, `from step ${reach}`),
          ),
    );
  }

  #drag(event, onExit) {
    if (!this.x) return;
    drag(event, this.svg, (at) => onExit(Math.min(this.#steps, Math.max(1, Math.round(this.x.invert(at))))));
  }
}

function hatchPattern(id, colour) {
  const attributes = { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  return svg(
    "pattern",
    attributes,
    svg("line", { x1: 0, x2: 0, y1: 0, y2: 6, stroke: colour, "stroke-width": 2.4, opacity: 0.6 }),
  );
}

/** Exits from here on read what ε does to black pixels. */
function reachMark(reach, steps, x, y) {
  if (reach === null) return [];
  const [from, to] = [x(Math.max(reach - 0.5, x.domain()[0])), x(steps + 0.4)];
  const [bottom, top] = y.range();
  return [
    svg("rect", { x: from, y: top, width: to - from, height: bottom - top, class: "reached" }),
    svg("line", { x1: from, x2: from, y1: top, y2: bottom, class: "reach-line" }),
  ];
}

/** The thresholds of a rule, joined in order, and the one in use. */
function ruleMarks(points, name, style, now, x, y, colours) {
  const known = points.filter((point) => point[name]);
  if (known.length === 0) return [];
  const path = line(
    (p) => x(p.meanExit),
    (p) => y(p[name].share),
  );
  return [
    svg("path", { d: path(known), class: "curve-line", stroke: style.colour, "stroke-width": 2 }),
    ...known.map((p) =>
      markerAt({ ...style, marker: "diamond" }, x(p.meanExit), y(p[name].share), p === now ? 110 : 40, colours),
    ),
  ];
}

function cursor({ meanExit, clean, attacked }, styles, x, y, colours) {
  const [bottom, top] = y.range();
  const at = x(meanExit);
  const dot = (read, { colour }) =>
    read
      ? svg("circle", { cx: at, cy: y(read.share), r: 5, fill: colour, stroke: colours.background, "stroke-width": 2 })
      : "";
  return [
    svg("line", { class: "eps-line", x1: at, x2: at, y1: top, y2: bottom }),
    svg("circle", { class: "eps-grip", cx: at, cy: bottom, r: 6 }),
    dot(clean, styles.clean),
    dot(attacked, styles.attacked),
  ];
}

function describe({ now, under }) {
  if (!now) return "Accuracy at this exit was not measured.";
  const say = (read) => `${percent(read.share)}, 95 % interval ${percent(read.low)} to ${percent(read.high)}`;
  const exit = Number.isInteger(now.meanExit) ? `exit ${now.meanExit}` : `a mean exit of ${now.meanExit.toFixed(1)}`;
  const attacked = now.attacked ? ` ${under}: ${now.attacked.measured ? "" : "about "}${say(now.attacked)}.` : "";
  return `Accuracy at ${exit}. Clean: ${say(now.clean)}.${attacked}`;
}
