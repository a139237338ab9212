/**
 * The clean–robust plane: how often a network is right on clean digits, against how often under the worst of all attacks at
 * the ε of the explorer. Bars are 95 % intervals. Every network is one of the list below, where it is picked; a click on its
 * point picks it too.
 */
import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { h, setText, sizeOf, svg, uniqueId } from "./dom.js";
import { inside } from "./drag.js";
import { placeAround } from "./labels.js";
import { markerAt, swatch } from "./marks.js";
import { axes, chanceLine, CHARACTER, LABEL_HEIGHT } from "./plot.js";
import { epsText, intervalText, percent } from "./words.js";

const MARGIN = { top: 22, right: 14, bottom: 36, left: 34 };

/** Where a click still means a point, in CSS pixels. */
const NEAR = 24;

/**
 * @typedef {object} PlanePoint
 * @property {string} name of the model
 * @property {object} model
 * @property {string} title in the list
 * @property {string} label in the plane
 * @property {{share: number, low: number, high: number}} clean
 * @property {{share: number, low: number, high: number, measured: boolean}|null} robust
 */
export class Plane {
  /** Where the current network lies, for those who cannot see it. */
  sentence = "";
  #places = [];
  #rows = new Map();
  #built = null;

  /** @param {{onPick: (name: string) => void}} hooks */
  constructor({ onPick }) {
    this.onPick = onPick;
    this.svg = svg("svg", { class: "plot plane", role: "img" });
    this.svg.addEventListener("click", (event) => this.#click(event));
    this.title = h("h4", {}, "Clean and robust");
    this.empty = h("p", { class: "empty" });
    this.here = h("p", { class: "reading" });
    this.list = h("fieldset", { class: "points" });
    this.element = h("section", { class: "panel curve" }, this.title, this.svg, this.empty, this.here, this.list);
  }

  /** Say why there is nothing to see. */
  showNothing(sentence) {
    setText(this.empty, sentence);
    this.svg.style.display = "none";
    this.list.hidden = true;
  }

  /**
   * @param {object} content
   * @param {PlanePoint[]} content.points
   * @param {string[]} content.path names of the networks between which the gate leads
   * @param {{part: string, clean: object, robust: object|null}|null} content.without the current one with a part silenced
   * @param {string} content.current name of the network that is shown
   * @param {number} content.eps
   * @param {number} content.chance
   * @param {object} colours
   */
  show(content, colours) {
    const { width, height } = sizeOf(this.svg);
    if (width === 0) return;
    const { points, current, eps, without } = content;
    const shown = points.filter(({ robust }) => robust);
    const x = scaleLinear(cleanRange(without ? [...points, without] : points), [MARGIN.left, width - MARGIN.right]);
    const y = scaleLinear([0, 1], [height - MARGIN.bottom, MARGIN.top]);
    const places = shown.map((point) => ({ ...point, x: x(point.clean.share), y: y(point.robust.share) }));
    this.#places = places;
    const here = points.find(({ name }) => name === current);
    this.sentence = describe(here, without, eps, true);
    setText(this.title, `Clean against worst case at ε = ${epsText(eps)}`);
    setText(this.here, describe(here, without, eps, false));
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("aria-label", this.sentence);
    const ghost = without?.robust && {
      x: x(without.clean.share),
      y: y(without.robust.share),
      label: `without ${without.part}`,
    };
    const last = [...places].sort((a, b) => (a.name === current) - (b.name === current));
    this.svg.replaceChildren(
      ...axes(x, y, { label: "right on clean digits", width, height, ticks: 5 }),
      svg("text", { x: 0, y: 10, class: "tick" }, "right in the worst case"),
      ...chanceLine(content.chance, x, y),
      ...gatePath(content.path, places, colours),
      ...(ghost && here?.robust ? silencedPoint(ghost, here, x, y, colours) : []),
      ...last.flatMap((place) => drawPoint(place, place.name === current, x, y, colours)),
      ...names(places, current, ghost, x, y, colours),
    );
    this.#tell(content, colours);
  }

  /** The same as a list of radio buttons with numbers. */
  #tell({ points, current, eps }, colours) {
    const key = [colours.scheme, colours.background, ...points.map(({ name }) => name)].join();
    if (this.#built !== key) {
      this.#built = key;
      this.#build(points, colours);
    }
    for (const { name, clean, robust } of points) {
      const row = this.#rows.get(name);
      row.input.checked = name === current;
      setText(row.clean, percent(clean.share));
      setText(row.robust, robust ? `${robust.measured ? "" : "≈ "}${percent(robust.share)}` : "not measured");
      row.input.setAttribute("aria-label", `${row.title}: ${placeText({ clean, robust }, eps, true)}`);
    }
  }

  #build(points, colours) {
    const group = uniqueId("plane");
    this.#rows = new Map(
      points.map((point) => {
        const [clean, robust] = [h("b", {}), h("b", {})];
        const onchange = () => this.onPick(point.name);
        const input = h("input", { type: "radio", name: group, value: point.name, onchange });
        const label = h(
          "label",
          { "data-name": point.name },
          input,
          swatch({ ...colours.mark(point.model), dash: [] }, colours),
          h("span", { class: "name" }, point.title),
          clean,
          robust,
        );
        return [point.name, { input, label, title: point.title, clean, robust }];
      }),
    );
    const titles = ["network", "clean", "worst"].map((text) => h("span", {}, text));
    const head = h("div", { class: "head", "aria-hidden": "true" }, ...titles);
    const legend = h("legend", { class: "unseen" }, "networks of the plane");
    this.list.replaceChildren(legend, head, ...[...this.#rows.values()].map(({ label }) => label));
  }

  #click(event) {
    const { x, y } = inside(event, this.svg);
    const distance = (place) => Math.hypot(place.x - x, place.y - y);
    const [closest] = [...this.#places].sort((a, b) => distance(a) - distance(b));
    if (closest && distance(closest) < NEAR) this.onPick(closest.name);
  }
}

/** From the lowest to the highest, rounded outwards to whole steps. */
function cleanRange(points) {
  const step = 0.02;
  const low = Math.min(...points.map(({ clean }) => clean.low));
  const high = Math.max(...points.map(({ clean }) => clean.high));
  return [Math.max(0, Math.floor(low / step) * step), Math.min(1, Math.ceil(high / step) * step)];
}

/** The line on which turning the gate moves the network, from one part alone to the other. */
function gatePath(path, places, colours) {
  const on = path.map((name) => places.find((place) => place.name === name)).filter(Boolean);
  if (on.length < 2) return [];
  const draw = line(
    (place) => place.x,
    (place) => place.y,
  );
  return [svg("path", { d: draw(on), class: "curve-line gate-path", stroke: colours.code("fusion").colour })];
}

function drawPoint(place, isCurrent, x, y, colours) {
  const mark = colours.mark(place.model);
  const bar = (x1, y1, x2, y2) =>
    svg("line", {
      x1,
      y1,
      x2,
      y2,
      stroke: mark.colour,
      "stroke-width": isCurrent ? 2 : 1.25,
      opacity: isCurrent ? 1 : 0.6,
    });
  const { clean, robust } = place;
  const point = markerAt(mark, place.x, place.y, isCurrent ? 120 : 64, colours);
  point.dataset.name = place.name;
  return [
    bar(x(clean.low), place.y, x(clean.high), place.y),
    bar(place.x, y(robust.low), place.x, y(robust.high)),
    isCurrent ? svg("circle", { cx: place.x, cy: place.y, r: 12, class: "here", fill: colours.background }) : "",
    point,
  ];
}

/** Where the network ends up without a part: a hollow point, joined with the whole. */
function silencedPoint({ x: x2, y: y2 }, here, x, y, colours) {
  const { colour } = colours.mark(here.model);
  const [x1, y1] = [x(here.clean.share), y(here.robust.share)];
  return [
    svg("line", { x1, y1, x2, y2, stroke: colour, "stroke-width": 1.5, "stroke-dasharray": "2 3" }),
    svg("circle", { cx: x2, cy: y2, r: 6, fill: colours.background, stroke: colour, "stroke-width": 2 }),
  ];
}

/** Names at the points; the current network's is placed first, then that of what a silenced part leaves of it. */
function names(places, current, ghost, x, y, colours) {
  const [left, right] = x.range();
  const [bottom, top] = y.range();
  const here = places.filter(({ name }) => name === current);
  const others = places.filter(({ name }) => name !== current);
  const rest = ghost ? here.map(({ model }) => ({ ...ghost, model })) : [];
  const ordered = [...here, ...rest, ...others];
  const labels = ordered.map(({ x: at, y: height, label }) => ({ x: at, y: height, width: label.length * CHARACTER }));
  const placed = placeAround(labels, { left, right, top, bottom }, LABEL_HEIGHT, 12);
  return ordered.flatMap((place, k) => {
    if (!placed[k]) return [];
    const kind = place.name === current ? "curve-label strong" : "curve-label";
    return [
      svg("text", { ...placed[k], class: kind, style: `fill: ${colours.mark(place.model).colour}` }, place.label),
    ];
  });
}

/** Where a point lies; spoken, an interval is put into words. */
function placeText({ clean, robust }, eps, spoken = false) {
  const range = ({ low, high }) => `, 95 % interval ${percent(low)} to ${percent(high)}`;
  const say = (read) => `${percent(read.share)}${spoken ? range(read) : ` ${intervalText(read)}`}`;
  const worst = robust ? `${robust.measured ? "" : spoken ? "about " : "≈ "}${say(robust)}` : "not measured";
  return `clean ${say(clean)}, worst case at ${spoken ? "epsilon" : "ε ="} ${epsText(eps)} ${worst}`;
}

function describe(point, without, eps, spoken) {
  if (!point) return "This network was not measured.";
  const rest = without ? ` Without ${without.part}: ${placeText(without, eps, spoken)}.` : "";
  return `${point.title}: ${placeText(point, eps, spoken)}.${rest}`;
}
