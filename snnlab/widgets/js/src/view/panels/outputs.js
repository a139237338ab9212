/** Output spikes, a row for each class, and beside them the votes at the exit; the attack's own spikes are hatched. */
import { say } from "../../language.js";
import { label, stroke } from "../charts/frame.js";
import { classMark } from "../charts/marks.js";
import { setText, svg } from "../dom/elements.js";
import { fitSvg } from "../dom/sizes.js";
import { classesOf, leadersText, shownSide, voteLabels } from "../text/frame.js";
import { Panel } from "./panel.js";

const GAP = 0.24;
const NUMBER = 30;

export class OutputPanel extends Panel {
  constructor() {
    const plot = svg("svg", { class: "outputs", role: "img", "aria-label": say`output spikes` });
    super("output", say`output spikes`, plot);
    this.svg = plot;
    this.note.classList.add("end");
  }

  /** @param {Frame} frame  @param {import("./panel.js").Context} context */
  show(frame, { exit, margins, colours, decoder = "rate" }) {
    const { clean, num_steps: steps } = frame;
    const side = shownSide(frame);
    const size = fitSvg(this.svg, leadersText(side, exit));
    if (!size) return;
    const classes = classesOf(side);
    const { width } = size;
    setText(this.title, clean.output ? say`output spikes` : say`output`);
    setText(this.note, decoder === "membrane" ? say`potential` : say`votes`);
    const row = size.height / classes;
    const room = width - margins.left - margins.right;
    const place = { margins, width, row, classes, column: room / steps };
    const markOf = classMark(frame, exit, colours);
    const colourOf = (k) => markOf(k).colour;
    const all = [...Array(classes).keys()];
    const ground = { x: margins.left, width: room, height: row * (1 - GAP), fill: colours.panel };
    const grid = all.map((k) => svg("rect", { ...ground, y: (k + GAP / 2) * row }));
    const spikes = clean.output ? spikeMarks(clean.output, side.output, exit, place, colourOf, colours) : [];
    const labels = all.map((k) =>
      label(margins.left - 6, (k + 0.5) * row, k, "row-label", { style: `fill: ${colourOf(k)}` }),
    );
    this.svg.replaceChildren(...grid, ...spikes, ...bars(side, exit, place, colourOf), ...labels);
  }
}

function spikeMarks(before, after, exit, { margins, row, classes, column }, colourOf, colours) {
  return Array.from(after).flatMap((spiked, i) => {
    const wasSpike = before[i];
    if (!spiked && !wasSpike) return [];
    const [t, k] = [Math.floor(i / classes), i % classes];
    const box = { x: margins.left + t * column, y: (k + GAP / 2) * row, width: column - 1, height: row * (1 - GAP) };
    const opacity = t < exit ? 1 : 0.25;
    if (!spiked) return [svg("rect", { ...box, fill: colours.ink, opacity: 0.18 * opacity })];
    if (wasSpike) return [svg("rect", { ...box, fill: colourOf(k), opacity })];
    return [svg("rect", { ...box, fill: colours.attack, opacity }), ...hatch(box, colours.panel, opacity)];
  });
}

/** Slanted lines, so that the attack's spikes are told apart without colour. */
function hatch({ x, y, width, height }, colour, opacity) {
  const lines = Math.max(1, Math.floor(width / 7));
  return Array.from({ length: lines }, (_, k) => {
    const at = x + ((k + 0.5) * width) / lines;
    const [x1, x2] = [Math.max(x, at - height / 2), Math.min(x + width, at + height / 2)];
    return stroke(x1, y + height, x2, y, { stroke: colour, "stroke-width": 1.5, opacity });
  });
}

/** Votes at the exit; negative potentials count as nothing. */
function bars(side, exit, { margins, width, row, classes }, colourOf) {
  const { votes, predictions } = side;
  const start = (Math.min(exit, predictions.length) - 1) * classes;
  const most = Math.max(...votes, 1e-9);
  const textOf = voteLabels(side, exit);
  const left = width - margins.right + 7;
  const room = margins.right - 7 - NUMBER;
  return [...Array(classes).keys()].flatMap((k) => {
    const value = votes[start + k];
    const long = Math.max(0, (room * value) / most);
    const y = (k + 0.5) * row;
    const number = label(left + long + 4, y, textOf(k), "vote-count", { style: `fill: ${colourOf(k)}` });
    const bar = svg("rect", { x: left, y: y - row * 0.2, width: long, height: row * 0.4, fill: colourOf(k) });
    return value > 0 ? [bar, number] : [bar];
  });
}
