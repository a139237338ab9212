/** Accuracy against the exit step, clean and attacked, and the measured thresholds of a rule; the exit can be dragged. */
import { fixed, say } from "../../language.js";
import { h, setText, svg, uniqueId } from "../dom/elements.js";
import { lowerText, readText, spokenShare } from "../text/frame.js";
import { AccuracyFrame, axes, band, chanceLine, curveLine, dot, handle, stroke } from "./frame.js";
import { markerAt, swatch } from "./marks.js";

const MARGIN = { top: 10, right: 12, bottom: 34, left: 34 };

/** How each series is marked. */
const marks = (colours) => ({
  clean: { colour: colours.ink, dash: [], marker: "circle" },
  attacked: { colour: colours.attack, dash: [7, 3], marker: "square" },
});

export class ExitCurvePlot extends AccuracyFrame {
  /** @param {{onExit: (exit: number) => void, control?: HTMLElement|null}} hooks `control`: what chooses the curves */
  constructor({ onExit, control = null }) {
    const rows = h("ul", { class: "legend" });
    super(say`Accuracy at every exit`, MARGIN, [rows], control);
    this.rows = rows;
    this.hatch = uniqueId("hatch");
    this.onDrag((exit) => onExit(Math.round(exit)));
  }

  /**
   * @param {{steps: number, series: {clean: any[], attacked: any[]}, points: any[], under: string, chance: number,
   *   now: import("../model/exit-population.js").Population|null, reach: number|null, nothing?: string}} content
   *   `points`: thresholds of the rule in use; `now`: what holds for the state; `reach`: the first step in which ε can act
   * @param {Colours} colours
   */
  show(content, colours) {
    this.content = content;
    const { steps, series, points, now, reach } = content;
    this.sentence = describe(content);
    const scales = this.scales([0.6, steps + 0.4]);
    if (!scales) return;
    const { size, x, y } = scales;
    const styles = marks(colours);
    setText(this.empty, series.attacked.length === 0 ? (content.nothing ?? "") : "");
    this.svg.replaceChildren(
      hatchPattern(this.hatch, colours.attack),
      ...axes(x, y, say`exit step`, size, steps),
      ...chanceLine(content.chance, x, y),
      ...reachMark(reach, x, y),
      ...Object.entries(series).flatMap(([name, curve]) => {
        const fill = name === "clean" ? styles.clean.colour : `url(#${this.hatch})`;
        return drawSeries(curve, styles[name], fill, name === "clean" ? 0.16 : 0.75, x, y, points.length > 0, colours);
      }),
      ...Object.entries(styles).flatMap(([name, style]) => ruleMarks(points, name, style, now, x, y, colours)),
      ...(now ? handle(x(now.meanExit), y) : []),
      ...Object.entries(styles)
        .filter(([name]) => now?.[name])
        .map(([name, { colour }]) => dot(x(now.meanExit), y(now[name].share), colour, colours)),
    );
    this.#list(content, styles, colours);
  }

  #list({ now, under, reach }, styles, colours) {
    const row = (kind, sign, text, value, lower = "") =>
      h(
        "li",
        { class: kind },
        sign,
        h("span", { class: "name" }, text),
        h("b", {}, value),
        h("span", { class: "range" }, lower),
      );
    this.rows.replaceChildren(
      row("current", swatch(styles.clean, colours), "clean", readText(now?.clean)),
      row("current", swatch(styles.attacked, colours), under, readText(now?.attacked), lowerText(now?.attacked)),
      reach === null ? "" : row(null, h("i", { class: "zone" }), say`ε acts on black pixels`, say`from step ${reach}`),
    );
  }
}

function drawSeries(curve, { colour, dash, marker }, fill, opacity, x, y, faded, colours) {
  if (curve.length === 0) return [];
  const line = {
    stroke: colour,
    opacity: faded ? 0.55 : 1,
    "stroke-width": faded ? 1.5 : 2.5,
    "stroke-dasharray": dash.join(" ") || null,
  };
  return [
    band(curve, (p) => x(p.exit), y, fill, opacity),
    curveLine(curve, (p) => [x(p.exit), y(p.share)], line),
    ...curve.map((p) => markerAt({ colour, marker }, x(p.exit), y(p.share), faded ? 20 : 36, colours)),
  ];
}

function hatchPattern(id, colour) {
  const attributes = { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  return svg("pattern", attributes, stroke(0, 0, 0, 6, { stroke: colour, "stroke-width": 2.4, opacity: 0.6 }));
}

/** Exits from here on read what ε does to black pixels. */
function reachMark(reach, x, y) {
  if (reach === null) return [];
  const [first, last] = x.domain();
  const [from, to] = [x(Math.max(reach - 0.5, first)), x(last)];
  const [bottom, top] = y.range();
  const zone = { x: from, y: top, width: to - from, height: bottom - top, class: "reached" };
  return [svg("rect", zone), stroke(from, top, from, bottom, { class: "reach-line" })];
}

/** The thresholds of a rule, joined in order, and the one in use. */
function ruleMarks(points, name, style, now, x, y, colours) {
  const known = points.filter((point) => point[name]);
  if (known.length === 0) return [];
  const place = (p) => [x(p.meanExit), y(p[name].share)];
  const mark = { ...style, marker: "diamond" };
  return [
    curveLine(known, place, { stroke: style.colour, "stroke-width": 2 }),
    ...known.map((p) => markerAt(mark, ...place(p), p === now ? 110 : 40, colours)),
  ];
}

function describe({ now, under }) {
  if (!now) return say`Accuracy at this exit was not measured.`;
  const exit = Number.isInteger(now.meanExit) ? say`exit ${now.meanExit}` : say`a mean exit of ${fixed(now.meanExit, 1)}`;
  const { clean, attacked } = now;
  const rest = attacked ? ` ${under}: ${attacked.measured ? "" : say`about `}${spokenShare(attacked)}.` : "";
  return say`Accuracy at ${exit}. Clean: ${spokenShare(clean)}.${rest}`;
}
