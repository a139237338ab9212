/** The margin of the votes after every step of an attack, the others drawn faintly; the step can be dragged. */

import { scaleLinear } from "d3-scale";
import { pointed, say } from "../../language.js";
import { drag } from "../dom/drag.js";
import { svg } from "../dom/elements.js";
import { fitSvg } from "../dom/sizes.js";
import { brokenAt, ending, TITLES, taken } from "../text/attack.js";
import { label, labelBefore, stroke, within } from "./frame.js";
import { line } from "./paths.js";

const MARGIN = { top: 6, right: 8, bottom: 17, left: 26 };

export class MarginPlot {
  #x = null;

  /** @param {(step: number) => void} onStep */
  constructor(onStep) {
    this.element = svg("svg", { class: "margin-plot", role: "img" });
    this.element.addEventListener("pointerdown", (event) => {
      if (this.#x) drag(event, this.element, (at) => onStep(within(Math.round(this.#x.invert(at)), this.#x.domain())));
    });
  }

  /** @param {Trajectory} trajectory  @param {Trajectory[]} trajectories all of them  @param {number} step  @param {Colours} colours */
  show(trajectory, trajectories, step, colours) {
    const size = fitSvg(this.element, describe(trajectory));
    if (!size) return;
    const { steps, path } = trajectory;
    const [right, bottom] = [size.width - MARGIN.right, size.height - MARGIN.bottom];
    const x = scaleLinear([0, steps], [MARGIN.left, right]);
    const y = scaleLinear(domain(trajectories), [bottom, MARGIN.top]);
    this.#x = x;
    const broken = brokenAt(trajectory);
    const now = Math.min(step, taken(trajectory));
    const others = trajectories.filter((other) => other !== trajectory);
    const zone = { x: x(0), y: MARGIN.top, width: right - x(0), height: y(0) - MARGIN.top };
    const margins = (of, attributes, last = of.length - 1) =>
      svg("path", { ...attributes, fill: "none", d: line(of.slice(0, last + 1), (m, k) => [x(k), y(m)]) });
    this.element.replaceChildren(
      svg("rect", { class: "misread", ...zone }),
      stroke(x(0), y(0), right, y(0), { class: "level" }),
      ...y.ticks(3).map((v) => labelBefore(MARGIN.left - 5, y(v) + 4, minus(v))),
      label(x(0), size.height - 3, "0", "tick", { "text-anchor": "middle" }),
      labelBefore(right, size.height - 3, say`step ${steps}`),
      ...others.map((other) => margins(other.path.margins, { class: "other-margins" })),
      stroke(x(step), MARGIN.top, x(step), bottom, { class: "now" }),
      margins(path.margins, { class: "own-margins", stroke: colours.ink, opacity: 0.35 }),
      margins(path.margins, { class: "own-margins", stroke: colours.ink }, now),
      now === broken ? "" : svg("circle", { class: "here", cx: x(now), cy: y(path.margins[now]), r: 5 }),
      ...(broken === null ? [] : cross(x(broken), y(path.margins[broken]), colours)),
      labelBefore(right - 3, MARGIN.top + 11, say`misread`, "tick halo zone-label"),
    );
  }
}

function domain(trajectories) {
  const all = trajectories.flatMap(({ path: { margins } }) => [...margins]);
  const [low, high] = [Math.min(...all, -1), Math.max(...all, 0)];
  return [low - 0.06 * (high - low), Math.max(high, -0.28 * low) + 0.06 * (high - low)];
}

function cross(x, y, colours) {
  const d = `M${x - 5} ${y - 5}L${x + 5} ${y + 5}M${x - 5} ${y + 5}L${x + 5} ${y - 5}`;
  const widths = Object.entries({ background: 6.5, attack: 3 });
  return widths.map(([name, width]) =>
    svg("path", { d, stroke: colours[name], "stroke-width": width, "stroke-linecap": "round" }),
  );
}

function describe(other) {
  const { margins } = other.path;
  return say`Margin of ${TITLES[other.method]}: from ${minus(margins[0])} to ${minus(margins.at(-1))}, ${ending(other)}.`;
}

const minus = (value) => pointed(String(Math.round(10 * value) / 10).replace("-", "−"));
