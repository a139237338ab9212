/**
 * Output spikes, a row for each class, and beside them the votes that they add up to at the exit. The truth is drawn in ink, a
 * wrong answer in the attack's colour; the attack's own spikes are hatched.
 */
import { h, setText, sizeOf, svg } from "./dom.js";
import { classMark } from "./marks.js";
import { classesOf, leadersText, shownSide, voteText } from "./words.js";

/** Between rows, as a share of their height. */
const GAP = 0.24;

/** Room for the number right of a bar, in CSS pixels. */
const NUMBER = 26;

export class OutputPanel {
  constructor() {
    this.svg = svg("svg", { class: "outputs", role: "img", "aria-label": "output spikes" });
    this.title = h("h4", {}, "output spikes");
    this.read = h("span", { class: "note end" });
    const header = h("header", {}, this.title, this.read);
    this.element = h("section", { class: "panel output" }, header, h("div", { class: "body" }, this.svg));
  }

  /** @param {object} frame  @param {import("./panels.js").Context} context */
  show(frame, { exit, margins, colours, decoder = "rate" }) {
    const { width, height } = sizeOf(this.svg);
    if (width === 0) return;
    const { clean, num_steps: steps } = frame;
    const side = shownSide(frame);
    const classes = classesOf(side);
    setText(this.title, clean.output ? "output spikes" : "output");
    setText(this.read, decoder === "membrane" ? "potential" : "votes");
    const row = height / classes;
    const place = { margins, width, row, classes, column: (width - margins.left - margins.right) / steps };
    const markOf = classMark(frame, exit, colours);
    const colourOf = (k) => markOf(k).colour;
    const spikes = clean.output ? spikeMarks(clean.output, side.output, exit, place, colourOf, colours) : [];
    const labels = Array.from({ length: classes }, (_, k) => {
      const y = (k + 0.5) * row;
      return svg("text", { x: margins.left - 6, y, class: "row-label", style: `fill: ${colourOf(k)}` }, String(k));
    });
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("aria-label", leadersText(side, exit));
    this.svg.replaceChildren(
      ...grid(classes, place, colours),
      ...spikes,
      ...bars(side, exit, place, colourOf),
      ...labels,
    );
  }
}

function grid(classes, { margins, width, row }, colours) {
  return Array.from({ length: classes }, (_, k) =>
    svg("rect", {
      x: margins.left,
      y: (k + GAP / 2) * row,
      width: width - margins.left - margins.right,
      height: row * (1 - GAP),
      fill: colours.panel,
    }),
  );
}

function spikeMarks(before, after, exit, { margins, row, classes, column }, colourOf, colours) {
  const marks = [];
  for (const [i, spiked] of after.entries()) {
    const kept = before[i];
    if (!spiked && !kept) continue;
    const [t, k] = [Math.floor(i / classes), i % classes];
    const box = { x: margins.left + t * column, y: (k + GAP / 2) * row, width: column - 1, height: row * (1 - GAP) };
    const opacity = t < exit ? 1 : 0.25;
    if (!spiked) marks.push(svg("rect", { ...box, fill: colours.ink, opacity: 0.18 * opacity }));
    else marks.push(svg("rect", { ...box, fill: kept ? colourOf(k) : colours.attack, opacity }));
    if (spiked && !kept) marks.push(...hatch(box, colours.panel, opacity));
  }
  return marks;
}

/** Slanted lines, so that the attack's spikes are told apart without colour. */
function hatch({ x, y, width, height }, colour, opacity) {
  const lines = Math.max(1, Math.floor(width / 7));
  return Array.from({ length: lines }, (_, k) => {
    const at = x + ((k + 0.5) * width) / lines;
    const x1 = Math.max(x, at - height / 2);
    const x2 = Math.min(x + width, at + height / 2);
    return svg("line", { x1, x2, y1: y + height, y2: y, stroke: colour, "stroke-width": 1.5, opacity });
  });
}

/** Votes at the exit; negative potentials count as nothing. */
function bars({ votes, predictions }, exit, { margins, width, row }, colourOf) {
  const steps = predictions.length;
  const classes = votes.length / steps;
  const start = (Math.min(exit, steps) - 1) * classes;
  const most = Math.max(...votes, 1e-9);
  const left = width - margins.right + 7;
  const room = margins.right - 7 - NUMBER;
  return Array.from({ length: classes }, (_, k) => {
    const value = votes[start + k];
    const long = Math.max(0, (room * value) / most);
    const y = (k + 0.5) * row;
    return [
      svg("rect", { x: left, y: y - row * 0.2, width: long, height: row * 0.4, fill: colourOf(k) }),
      value > 0
        ? svg("text", { x: left + long + 4, y, class: "vote-count", style: `fill: ${colourOf(k)}` }, voteText(value))
        : "",
    ];
  }).flat();
}
