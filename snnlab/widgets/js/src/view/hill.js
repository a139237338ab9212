/**
 * The hill that an attacker climbs: the margin of the votes after every step, on a scale that all attackers share. Above the
 * line the image is misread. The others are drawn faintly, for comparison; the step that is shown is a line to be dragged.
 */
import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { sizeOf, svg } from "./dom.js";
import { drag } from "./drag.js";
import { brokenAt, ending, taken, TITLES } from "./climbwords.js";

const MARGIN = { top: 6, right: 8, bottom: 17, left: 26 };

export class Hill {
  #x = null;

  /** @param {(step: number) => void} onStep */
  constructor(onStep) {
    this.element = svg("svg", { class: "hill", role: "img" });
    this.element.addEventListener("pointerdown", (event) => {
      if (this.#x) drag(event, this.element, (at) => onStep(this.#stepAt(at)));
    });
  }

  #stepAt(at) {
    const [first, last] = this.#x.domain();
    return Math.min(last, Math.max(first, Math.round(this.#x.invert(at))));
  }

  /** @param {object} own climb  @param {object[]} climbs all of them  @param {number} step  @param {object} colours */
  show(own, climbs, step, colours) {
    const { width, height } = sizeOf(this.element);
    if (width === 0) return;
    const x = scaleLinear([0, own.steps], [MARGIN.left, width - MARGIN.right]);
    const y = scaleLinear(domain(climbs), [height - MARGIN.bottom, MARGIN.top]);
    this.#x = x;
    const broken = brokenAt(own);
    const now = Math.min(step, taken(own));
    this.element.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.element.setAttribute("aria-label", describe(own));
    this.element.replaceChildren(
      svg("rect", { class: "misread", x: x(0), y: MARGIN.top, width: x(own.steps) - x(0), height: y(0) - MARGIN.top }),
      svg("line", { class: "level", x1: x(0), x2: x(own.steps), y1: y(0), y2: y(0) }),
      ...y
        .ticks(3)
        .map((v) => svg("text", { class: "tick", x: MARGIN.left - 5, y: y(v) + 4, "text-anchor": "end" }, minus(v))),
      svg("text", { class: "tick", x: x(0), y: height - 3, "text-anchor": "middle" }, "0"),
      svg("text", { class: "tick", x: x(own.steps), y: height - 3, "text-anchor": "end" }, `step ${own.steps}`),
      ...climbs.filter((climb) => climb !== own).map((climb) => path(climb, x, y, { class: "other-hill" })),
      svg("line", { class: "now", x1: x(step), x2: x(step), y1: MARGIN.top, y2: y.range()[0] }),
      path(own, x, y, { class: "own-hill", stroke: colours.ink, opacity: 0.35 }),
      path(own, x, y, { class: "own-hill", stroke: colours.ink }, now),
      ...(now === broken ? [] : [svg("circle", { class: "here", cx: x(now), cy: y(own.path.margins[now]), r: 5 })]),
      ...(broken === null ? [] : cross(x(broken), y(own.path.margins[broken]), colours)),
      svg(
        "text",
        { class: "tick halo zone-label", x: x(own.steps) - 3, y: MARGIN.top + 11, "text-anchor": "end" },
        "misread",
      ),
    );
  }
}

/** All margins, and some room above zero. */
function domain(climbs) {
  const all = climbs.flatMap(({ path: { margins } }) => [...margins]);
  const [low, high] = [Math.min(...all, -1), Math.max(...all, 0)];
  return [low - 0.06 * (high - low), Math.max(high, -0.28 * low) + 0.06 * (high - low)];
}

function path({ path: { margins } }, x, y, attributes, last = margins.length - 1) {
  const draw = line(
    (_, k) => x(k),
    (m) => y(m),
  );
  return svg("path", { ...attributes, fill: "none", d: draw(margins.slice(0, last + 1)) });
}

function cross(x, y, colours) {
  const arm = 5;
  const d = `M${x - arm} ${y - arm}L${x + arm} ${y + arm}M${x - arm} ${y + arm}L${x + arm} ${y - arm}`;
  const at = { d, "stroke-linecap": "round" };
  return [
    svg("path", { ...at, stroke: colours.background, "stroke-width": 6.5 }),
    svg("path", { ...at, stroke: colours.attack, "stroke-width": 3 }),
  ];
}

function describe(climb) {
  const { margins } = climb.path;
  return `Margin of ${TITLES[climb.method]}: from ${minus(margins[0])} to ${minus(margins.at(-1))}, ${ending(climb)}.`;
}

const minus = (value) => String(Math.round(10 * value) / 10).replace("-", "−");
