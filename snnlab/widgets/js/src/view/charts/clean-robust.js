/** The clean–robust plane: right on clean digits, against right under the worst attack at one ε; points can be picked. */
import { fixed, say } from "../../language.js";
import { drag, inside } from "../dom/drag.js";
import { h, setText, svg, uniqueId } from "../dom/elements.js";
import { epsText, intervalText, lowerText, percent, readText, spokenShare } from "../text/frame.js";
import { AccuracyFrame, axes, CHARACTER, chanceLine, curveLine, LABEL_HEIGHT, label, stroke, within } from "./frame.js";
import { placeAround } from "./label-placement.js";
import { markerAt, swatch } from "./marks.js";

const MARGIN = { top: 22, right: 14, bottom: 36, left: 34 };

/** Where a click still means a point, in CSS pixels. */
const NEAR = 24;

/**
 * A model in the plane, with its title in the list and its label in the plot.
 * @typedef {{name: string, model: any, title: string, label: string, clean: Share, robust: Share|null}} PlanePoint
 */
export class CleanRobustPlot extends AccuracyFrame {
  #places = [];
  #rows = new Map();
  #built = null;

  #chord = null;
  #dragged = false;

  /** @param {{onPick: (name: string) => void, onCoin: (share: number) => void, control: HTMLElement}} hooks `control` of the coin */
  constructor({ onPick, onCoin, control }) {
    const here = h("p", { class: "reading" });
    const list = h("fieldset", { class: "points" });
    super(say`Clean and robust`, MARGIN, [control, here, list]);
    this.onPick = onPick;
    this.here = here;
    this.list = list;
    this.svg.classList.add("plane");
    this.svg.addEventListener("click", (event) => this.#click(event));
    this.svg.addEventListener("pointerdown", (event) => this.#grasp(event, onCoin));
  }

  /**
   * @param {{points: PlanePoint[], path: string[], without: any, coin: any, current: string, eps: number, chance: number}} content
   *   `path`: names of the networks between which the gate leads; `without`: the current one with a part silenced, or null;
   *   `coin`: where the coin is that chooses between two parts, or null
   * @param {Colours} colours
   */
  show(content, colours) {
    this.content = content;
    const { points, current, eps, without, coin } = content;
    const here = points.find(({ name }) => name === current);
    this.sentence = describe(here, without, coin, eps, true);
    const scales = this.scales(cleanRange(without ? [...points, without] : points));
    if (!scales) return;
    const { size, x, y } = scales;
    const at = ({ clean, robust }) => ({ x: x(clean.share), y: y(robust.share) });
    const places = points.filter(({ robust }) => robust).map((point) => ({ ...point, ...at(point) }));
    this.#places = places;
    setText(this.title, say`Clean against worst case at ε = ${epsText(eps)}`);
    setText(this.here, describe(here, without, coin, eps, false));
    const ghost = without?.robust &&
      here?.robust && { ...at(without), label: say`without ${without.part}`, model: here.model };
    this.#chord = coin && { ends: coin.ends.map(at), share: coin.share };
    const tossed = this.#chord && { ...along(this.#chord.ends, coin.share), label: say`coin`, colour: colours.ink };
    const last = [...places].sort((a, b) => Number(a.name === current) - Number(b.name === current));
    this.svg.replaceChildren(
      ...axes(x, y, say`right on clean digits`, size, 5),
      label(0, 10, say`right in the worst case`),
      ...chanceLine(content.chance, x, y),
      ...gatePath(content.path, places, colours),
      ...(coin ? gap(coin, here, at) : []),
      ...(ghost ? silencedPoint(ghost, { ...here, ...at(here) }, colours) : []),
      ...last.flatMap((place) => drawPoint(place, place.name === current, x, y, colours)),
      ...(this.#chord ? coinLine(this.#chord) : []),
      ...names(places, current, [ghost, tossed].filter(Boolean), x, y, colours),
    );
    this.#list(content, colours);
  }

  /** The same as a list of radio buttons with numbers. */
  #list({ points, current, eps }, colours) {
    const key = [colours.scheme, colours.background, ...points.map(({ name }) => name)].join();
    if (this.#built !== key) {
      this.#built = key;
      this.#build(points, colours);
    }
    for (const { name, clean, robust } of points) {
      const row = this.#rows.get(name);
      row.input.checked = name === current;
      setText(row.clean, percent(clean.share));
      setText(row.robust, readText(robust));
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
        const mark = swatch({ ...colours.mark(point.model), dash: [] }, colours);
        const name = h("span", { class: "name" }, point.title);
        const label = h("label", { "data-name": point.name }, input, mark, name, clean, robust);
        return [point.name, { input, label, title: point.title, clean, robust }];
      }),
    );
    const titles = ["network", "clean", "worst"].map((text) => h("span", {}, text));
    const head = h("div", { class: "head", "aria-hidden": "true" }, ...titles);
    const legend = h("legend", { class: "unseen" }, say`networks of the plane`);
    this.list.replaceChildren(legend, head, ...[...this.#rows.values()].map(({ label }) => label));
  }

  /** The coin is dragged along its line. */
  #grasp(event, onCoin) {
    if (!this.#chord) return;
    const { ends, share } = this.#chord;
    const handle = along(ends, share);
    const { x, y } = inside(event, this.svg);
    this.#dragged = Math.hypot(handle.x - x, handle.y - y) < NEAR / 2;
    if (!this.#dragged) return;
    const [first, second] = ends;
    const [dx, dy] = [first.x - second.x, first.y - second.y];
    drag(event, this.svg, (px, _width, py) => {
      const moved = ((px - second.x) * dx + (py - second.y) * dy) / (dx * dx + dy * dy);
      onCoin(Math.round(100 * within(moved, [0, 1])) / 100);
    });
  }

  #click(event) {
    if (this.#dragged) return;
    const { x, y } = inside(event, this.svg);
    const distance = (place) => Math.hypot(place.x - x, place.y - y);
    const [closest] = this.#places.filter((place) => distance(place) < NEAR).sort((a, b) => distance(a) - distance(b));
    if (closest) this.onPick(closest.name);
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
  const attributes = { class: "curve-line gate-path", stroke: colours.code("fusion").colour };
  return on.length < 2 ? [] : [curveLine(on, ({ x, y }) => [x, y], attributes)];
}

/** A place between the two ends of a line. */
const along = ([first, second], share) => ({
  x: share * first.x + (1 - share) * second.x,
  y: share * first.y + (1 - share) * second.y,
});

/** The line on which the coin lies, and the coin as its handle. */
function coinLine({ ends: [first, second], share }) {
  const { x, y } = along([first, second], share);
  return [
    stroke(first.x, first.y, second.x, second.y, { class: "coin-line" }),
    svg("circle", { class: "eps-grip coin", cx: x, cy: y, r: 7 }),
  ];
}

/** From the coin that is as robust as the network to the network. */
function gap({ ends, equal }, here, at) {
  if (!equal || !here?.robust || ends.some(({ name }) => name === here.name)) return [];
  const [from, to] = [along(ends.map(at), equal.share), at(here)];
  return [stroke(from.x, from.y, to.x, to.y, { class: "coin-gap" })];
}

function drawPoint(place, isCurrent, x, y, colours) {
  const { clean, robust } = place;
  const mark = colours.mark(place.model);
  const bar = { stroke: mark.colour, "stroke-width": isCurrent ? 2 : 1.25, opacity: isCurrent ? 1 : 0.6 };
  const point = markerAt(mark, place.x, place.y, isCurrent ? 120 : 64, colours);
  point.dataset.name = place.name;
  return [
    stroke(x(clean.low), place.y, x(clean.high), place.y, bar),
    stroke(place.x, y(robust.low), place.x, y(robust.high), bar),
    ...(robust.proved ? [stroke(place.x - 6, y(robust.proved), place.x + 6, y(robust.proved), bar)] : []),
    isCurrent ? svg("circle", { cx: place.x, cy: place.y, r: 12, class: "here", fill: colours.background }) : "",
    point,
  ];
}

/** Where the network ends up without a part: a hollow point, joined with the whole. */
function silencedPoint(ghost, here, colours) {
  const { colour } = colours.mark(here.model);
  return [
    stroke(here.x, here.y, ghost.x, ghost.y, { stroke: colour, "stroke-width": 1.5, "stroke-dasharray": "2 3" }),
    svg("circle", { cx: ghost.x, cy: ghost.y, r: 6, fill: colours.background, stroke: colour, "stroke-width": 2 }),
  ];
}

/** Names at the points; the current network's is placed first, then those of `more`: a silenced part, the coin. */
function names(places, current, more, x, y, colours) {
  const [left, right] = x.range();
  const [bottom, top] = y.range();
  const here = places.filter(({ name }) => name === current);
  const others = places.filter(({ name }) => name !== current);
  const ordered = [...here, ...more, ...others];
  const boxes = ordered.map((place) => ({ ...place, width: place.label.length * CHARACTER }));
  const placed = placeAround(boxes, { left, right, top, bottom }, LABEL_HEIGHT, 12);
  return ordered.flatMap((place, k) => {
    const kind = place.name === current ? "curve-label strong" : "curve-label";
    const style = `fill: ${place.colour ?? colours.mark(place.model).colour}`;
    return placed[k] ? [label(placed[k].x, placed[k].y, place.label, kind, { style })] : [];
  });
}

/** Where a point lies; spoken, an interval is put into words. */
function placeText({ clean, robust }, eps, spoken = false) {
  const told = (read) => `${percent(read.share)} ${intervalText(read)}${lowerText(read) && ` (${lowerText(read)})`}`;
  const worded = (read) => (spoken ? spokenShare(read) : told(read));
  const worst = robust ? `${robust.measured ? "" : spoken ? say`about ` : "≈ "}${worded(robust)}` : say`not measured`;
  return say`clean ${worded(clean)}, worst case at ${spoken ? say`epsilon` : "ε ="} ${epsText(eps)} ${worst}`;
}

/** Whether the network is more accurate than a coin that is as robust. */
function beyondCoin(point, { ends, equal }) {
  if (ends.some(({ name }) => name === point.name)) return "";
  if (!equal) return say` It is more robust than both parts: no coin is as robust.`;
  const points = fixed(100 * Math.abs(equal.ahead), 1);
  const verdict = equal.ahead < 0 ? say`${points} points less accurate than` : say`more accurate by ${points} points than`;
  return say` On clean digits it is ${verdict} the coin that is as robust (q = ${fixed(1 - equal.share, 2)}).`;
}

function describe(point, without, coin, eps, spoken) {
  if (!point) return say`This network was not measured.`;
  const rest = without ? say` Without ${without.part} (one training run): ${placeText(without, eps, spoken)}.` : "";
  const tossed = coin
    ? say` Coin, q = ${fixed(1 - coin.share, 2)} on ${coin.ends[1].title}: clean ${percent(coin.clean)}, worst case at least ${percent(coin.robust)}.`
    : "";
  return `${point.title}: ${placeText(point, eps, spoken)}.${rest}${coin && !without ? beyondCoin(point, coin) : ""}${tossed}`;
}
