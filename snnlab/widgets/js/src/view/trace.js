/**
 * The picture of one neuron over time: the current as bars that can be switched, the potential as what is left, what comes in
 * and what a spike takes, and the spikes. One step is under the lens.
 */
import { scaleLinear } from "d3-scale";
import { axisLeft } from "d3-axis";
import { select } from "d3-selection";
import { h, sizeOf, svg } from "./dom.js";

const MARGIN = { left: 40, right: 12 };
const SPIKES = { top: 8, height: 26 };
const POTENTIAL = { top: 44, height: 186 };
const CURRENT = { top: 252, height: 56 };
const HEIGHT = 336;

export class Trace {
  /** @param {{onToggle: (t: number) => void, onStep: (t: number) => void}} hooks */
  constructor({ onToggle, onStep }) {
    this.hooks = { onToggle, onStep };
    this.svg = svg("svg", { class: "plot trace", role: "img" });
    this.switches = h("fieldset", { class: "switches" }, h("legend", { class: "unseen" }, "steps with input"));
    this.element = h("div", { class: "neuron-plot" }, this.svg, this.switches);
  }

  /** @param {object} state  @param {object} activity  @param {number} lens step  @param {string} sentence  @param {object} colours */
  show(state, activity, lens, sentence, colours) {
    const { width } = sizeOf(this.svg);
    if (width === 0) return;
    const steps = activity.membrane.length;
    const x = scaleLinear([0, steps], [MARGIN.left, width - MARGIN.right]);
    const wide = Math.max(2, x(1) - x(0) - 3);
    const most = Math.max(state.theta * 1.25, ...activity.membrane, ...activity.carried.map((c, t) => c + activity.current[t]));
    const least = Math.min(0, ...activity.membrane);
    const y = scaleLinear([least, most], [POTENTIAL.top + POTENTIAL.height, POTENTIAL.top]);
    const input = scaleLinear([0, Math.max(0.5, state.drive)], [CURRENT.top + CURRENT.height, CURRENT.top]);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.svg.setAttribute("aria-label", sentence);
    const left = (t) => x(t) + 1.5;
    const side = svg("g", { class: "axis", transform: `translate(${MARGIN.left} 0)` });
    select(side).call(axisLeft(y).ticks(4).tickSizeOuter(0).tickSize(4));
    this.svg.replaceChildren(
      svg("rect", { class: "lens", x: x(lens), y: 0, width: x(1) - x(0), height: HEIGHT - 20, fill: colours.panel }),
      side,
      ...labels(y(0)),
      ...Array.from(activity.membrane, (_, t) => column(activity, t, left(t), wide, y, colours)).flat(),
      svg("line", { class: "theta", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(state.theta), y2: y(state.theta) }),
      svg("text", { class: "tick halo", x: width - MARGIN.right, y: y(state.theta) - 5, "text-anchor": "end" }, "threshold θ"),
      svg("line", { class: "zero", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(0), y2: y(0) }),
      ...Array.from(activity.current, (i, t) =>
        svg("rect", { x: left(t), width: wide, y: input(i), height: Math.max(0, input(0) - input(i)), fill: colours.code("direct").colour }),
      ),
      svg("line", { class: "zero", x1: MARGIN.left, x2: width - MARGIN.right, y1: input(0), y2: input(0) }),
      ...ticks(steps, x),
    );
    this.#switches(state.pattern, lens, x);
  }

  /** A native switch over every bar of the current; pointing at a step, or focusing it, puts it under the lens. */
  #switches(pattern, lens, x) {
    if (this.boxes?.length !== pattern.length) {
      this.boxes = [...pattern].map((_, t) =>
        h("input", {
          type: "checkbox",
          "aria-label": `input at step ${t}`,
          onchange: () => this.hooks.onToggle(t),
          onfocus: () => this.hooks.onStep(t),
          onpointerenter: () => this.hooks.onStep(t),
        }),
      );
      this.switches.replaceChildren(this.switches.firstChild, ...this.boxes);
    }
    for (const [t, box] of this.boxes.entries()) {
      box.checked = pattern[t] === "1";
      box.style.left = `${x(t)}px`;
      box.style.width = `${x(1) - x(0)}px`;
      box.classList.toggle("lens", t === lens);
    }
  }
}

const labels = () => [
  svg("text", { class: "quantity", x: 8, y: SPIKES.top + SPIKES.height / 2 + 4 }, "S"),
  svg("text", { class: "quantity", x: 8, y: POTENTIAL.top + 12 }, "U"),
  svg("text", { class: "quantity", x: 8, y: CURRENT.top + 12 }, "I"),
];

/** One step of the potential: what is left, what comes in, what the spike before has taken; and a spike. */
function column({ carried, current, taken, membrane, spikes }, t, left, wide, y, colours) {
  const bar = (from, to, attributes) =>
    svg("rect", { x: left, width: wide, y: Math.min(y(from), y(to)), height: Math.abs(y(from) - y(to)), ...attributes });
  const top = carried[t] + current[t];
  const parts = [
    bar(0, carried[t], { fill: colours.ink, opacity: 0.28 }),
    bar(carried[t], top, { fill: colours.code("direct").colour, opacity: 0.9 }),
  ];
  if (taken[t] > 0) {
    parts.push(
      bar(top - taken[t], top, { fill: colours.background, opacity: 0.72 }),
      bar(top - taken[t], top, { fill: "none", stroke: colours.attack, "stroke-dasharray": "3 2" }),
    );
  }
  parts.push(svg("line", { x1: left, x2: left + wide, y1: y(membrane[t]), y2: y(membrane[t]), class: "level", stroke: colours.ink }));
  if (spikes[t]) {
    const middle = left + wide / 2;
    parts.push(
      svg("line", { x1: middle, x2: middle, y1: SPIKES.top, y2: SPIKES.top + SPIKES.height, class: "spike", stroke: colours.ink }),
    );
  }
  return parts;
}

function ticks(steps, x) {
  const every = steps > 30 || x(1) - x(0) < 18 ? 4 : 2;
  const marks = Array.from({ length: Math.ceil(steps / every) }, (_, k) => k * every);
  return [
    ...marks.map((t) => svg("text", { class: "tick", x: (x(t) + x(t + 1)) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, t)),
    svg("text", { class: "tick", x: 0, y: HEIGHT - 8 }, "step t"),
  ];
}
