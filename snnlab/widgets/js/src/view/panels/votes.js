/** The votes over time; the classes that lead at the exit are labelled there. */

import { scaleLinear } from "d3-scale";
import { say } from "../../language.js";
import { label, stroke } from "../charts/frame.js";
import { spread } from "../charts/label-placement.js";
import { classMark } from "../charts/marks.js";
import { h, setText, showText, svg } from "../dom/elements.js";
import { fitSvg } from "../dom/sizes.js";
import { classesOf, leadersText, shownSide, voteLabels } from "../text/frame.js";
import { Panel } from "./panel.js";

const LABEL = 17;
const MARGIN = { top: 8, bottom: 5 };
/** Room for the signs of the exits. */
const SIGNS = 12;

/** What the votes of a decoder are. */
const VOTES = {
  rate: say`output spikes counted so far`,
  membrane: say`output potentials summed so far`,
  ttfs: say`T minus the step of the first output spike`,
  current: say`output current summed so far`,
};

export class VotesPanel extends Panel {
  constructor() {
    const plot = svg("svg", { class: "votes", role: "img", "aria-label": say`votes over time` });
    super("vote", say`votes`, plot);
    this.svg = plot;
    this.legend = h("p", { class: "meaning" });
    this.element.append(this.legend);
  }

  /** @param {Frame} frame  @param {import("./panel.js").Context} context */
  show(frame, { exit, margins, colours, decoder = "rate", names = null }) {
    const steps = frame.num_steps;
    const side = shownSide(frame);
    const votes = frame.clean.input ? VOTES[decoder] : say`logits, the same at every exit`;
    setText(this.note, votes);
    showText(this.legend, frame.bounds?.LEGEND ?? "");
    const size = fitSvg(this.svg, leadersText(side, exit));
    if (!size) return;
    const { width, height } = size;
    const rows = rowsOf(side, steps);
    const all = rows.flat();
    const y = scaleLinear(
      [Math.min(0, ...all), Math.max(1, ...all)],
      [height - MARGIN.bottom, MARGIN.top + (frame.bounds ? SIGNS : 0)],
    );
    const x = (t) => margins.left + (t * (width - margins.left - margins.right)) / steps;
    const lines = emphasis(frame, exit, colours);
    this.svg.replaceChildren(
      ...scaleMarks(y, margins.left, width - margins.right, colours),
      ...(frame.bounds?.bands(frame, { x, y, exit, colours }) ?? []),
      ...lines.map((line) => stepLine(rows, line, x, y, colours)),
      svg("rect", { x: x(exit), y: 0, width: Math.max(0, x(steps) - x(exit)), height, class: "unread" }),
      ...labels(rows[exit - 1], voteLabels(side, exit), lines, x(exit), y, height, colours, names),
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

/** How each class is drawn: quiet ones first, so that the others lie on top. */
function emphasis(frame, exit, colours) {
  const markOf = classMark(frame, exit, colours);
  const lines = Array.from({ length: classesOf(frame.clean) }, (_, k) => ({ k, ...markOf(k) }));
  return lines.sort((a, b) => a.rank - b.rank);
}

function stepLine(rows, { k, colour, rank }, x, y, colours) {
  const shift = rank === 3 ? -2 : 0;
  const d = rows.map((row, t) => `${t === 0 ? "M" : "L"}${x(t)},${y(row[k]) + shift}H${x(t + 1)}`).join("");
  const drawn = rank === 1 ? { stroke: colours.control, opacity: 0.6 } : { stroke: colour, "stroke-width": 2.5 };
  return svg("path", { d, fill: "none", "stroke-linejoin": "round", ...drawn });
}

function scaleMarks(y, left, right, colours) {
  const at = { "text-anchor": "end", "dominant-baseline": "central" };
  const ticks = y.ticks(3).filter(Number.isInteger);
  return ticks.flatMap((value) => [
    stroke(left, y(value), right, y(value), { stroke: colours.line, "stroke-width": 1 }),
    label(left - 6, y(value), value, "tick", at),
  ]);
}

/** The leading classes, next to the exit: class by its name or number, and votes. */
function labels(row, textOf, lines, x, y, height, colours, names) {
  const leaders = [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, 3);
  // Where votes are equal, the stronger label is on top.
  const chosen = lines.filter(({ k, rank }) => rank > 1 || (leaders.includes(k) && row[k] > 0)).reverse();
  const heights = chosen.map(({ k }) => y(row[k]));
  const places = spread(heights, LABEL, LABEL / 2, height - LABEL / 2);
  return chosen.flatMap(({ k, colour, rank }, i) => {
    const style = `fill: ${colour}`;
    const kind = rank > 1 ? "label strong" : "label";
    if (names) return [label(x + 7, places[i], `${names[k]} ${textOf(k)}`, kind, { style })];
    return [
      svg("rect", { x: x + 6, y: places[i] - 7.5, width: 16, height: 15, rx: 4, fill: colour }),
      label(x + 14, places[i], k, "class", { style: `fill: ${colours.background}` }),
      label(x + 27, places[i], textOf(k), kind, { style }),
    ];
  });
}
