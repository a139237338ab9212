/**
 * The vote over time: how many spikes each output neuron has fired when a step has been read. The classes that lead at the
 * exit are labelled there; the truth is drawn in ink, a wrong answer in the attack's colour, the others stay quiet.
 */
import { scaleLinear } from "d3-scale";
import { sizeOf, svg } from "./dom.js";
import { spread } from "./labels.js";
import { classMark } from "./marks.js";
import { classesOf, leadersText, shownSide, voteText } from "./words.js";

const LABEL = 17;
const MARGIN = { top: 8, bottom: 5 };

export class Votes {
  constructor() {
    this.element = svg("svg", { class: "votes", role: "img", "aria-label": "votes over time" });
  }

  /**
   * @param {object} frame
   * @param {number} exit
   * @param {{left: number, right: number}} margins of the time axis
   * @param {object} colours
   */
  show(frame, exit, margins, colours) {
    const { width, height } = sizeOf(this.element);
    if (width === 0) return;
    const steps = frame.num_steps;
    const side = shownSide(frame);
    const rows = rowsOf(side, steps);
    const y = scaleLinear(extent(rows), [height - MARGIN.bottom, MARGIN.top]);
    const column = (width - margins.left - margins.right) / steps;
    const place = { x: (t) => margins.left + t * column, y };
    const at = exit - 1;
    const lines = emphasis(frame, exit, colours);
    this.element.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.element.setAttribute("aria-label", leadersText(side, exit));
    this.element.replaceChildren(
      ...scaleMarks(y, margins.left, width - margins.right, colours),
      ...lines.map((line) => stepLine(rows, line, place)),
      svg("rect", {
        x: place.x(exit),
        y: 0,
        width: Math.max(0, place.x(steps) - place.x(exit)),
        height,
        class: "unread",
      }),
      ...labels(rows[at], lines, place.x(exit), y, height, colours),
    );
  }
}

/** Votes as rows per exit; a network with one exit (the ANN's, in the kernel) repeats it. */
function rowsOf(side, steps) {
  const { votes, predictions } = side;
  const classes = classesOf(side);
  return Array.from({ length: steps }, (_, t) => {
    const row = Math.min(t, predictions.length - 1);
    return Array.from(votes.subarray(row * classes, (row + 1) * classes));
  });
}

function extent(rows) {
  const all = rows.flat();
  return [Math.min(0, ...all), Math.max(1, ...all)];
}

/** How each class is drawn: quiet ones first, so that the others lie on top. */
function emphasis(frame, exit, colours) {
  const markOf = classMark(frame, exit, colours);
  const lines = Array.from({ length: classesOf(frame.clean) }, (_, k) => {
    const { colour, rank } = markOf(k);
    if (rank === 1) return { k, colour: colours.control, width: 1, rank, shift: 0 };
    return { k, colour, width: 2.5, rank, shift: rank === 3 ? -2 : 0 };
  });
  return lines.sort((a, b) => a.rank - b.rank);
}

function stepLine(rows, { k, colour, width, shift, rank }, { x, y }) {
  const path = rows.map((row, t) => `${t === 0 ? "M" : "L"}${x(t)},${y(row[k]) + shift}H${x(t + 1)}`).join("");
  return svg("path", {
    d: path,
    fill: "none",
    stroke: colour,
    "stroke-width": width,
    opacity: rank === 1 ? 0.6 : 1,
    "stroke-linejoin": "round",
  });
}

function scaleMarks(y, left, right, colours) {
  const ticks = y.ticks(3).filter(Number.isInteger);
  return ticks.flatMap((value) => [
    svg("line", { x1: left, x2: right, y1: y(value), y2: y(value), stroke: colours.line, "stroke-width": 1 }),
    svg(
      "text",
      { x: left - 6, y: y(value), class: "tick", "text-anchor": "end", "dominant-baseline": "central" },
      String(value),
    ),
  ]);
}

/** The leading classes, next to the exit: class, and number of votes. */
function labels(row, lines, x, y, height, colours) {
  const leaders = [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, 3);
  // The stronger stands above where votes are equal.
  const chosen = lines.filter(({ k, rank }) => rank > 1 || (leaders.includes(k) && row[k] > 0)).reverse();
  const places = spread(
    chosen.map(({ k }) => y(row[k])),
    LABEL,
    LABEL / 2,
    height - LABEL / 2,
  );
  return chosen.flatMap(({ k, colour, rank }, i) => {
    const hue = rank > 1 ? colour : colours.quiet;
    return [
      svg("rect", { x: x + 6, y: places[i] - 7.5, width: 16, height: 15, rx: 4, fill: hue }),
      svg("text", { x: x + 14, y: places[i], class: "class", style: `fill: ${colours.background}` }, String(k)),
      svg(
        "text",
        { x: x + 27, y: places[i], class: rank > 1 ? "label strong" : "label", style: `fill: ${hue}` },
        voteText(row[k]),
      ),
    ];
  });
}
