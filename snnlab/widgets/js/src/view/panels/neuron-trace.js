/** One neuron over time: the current as switches, the potential as what is left, comes in and is taken, and the spikes. */

import { scaleLinear } from "d3-scale";
import { say } from "../../language.js";
import { axis, label, stroke } from "../charts/frame.js";
import { h, svg } from "../dom/elements.js";
import { sizeOf } from "../dom/sizes.js";

const MARGIN = { left: 40, right: 18 };
const SPIKES = { top: 8, height: 26 };
const POTENTIAL = { top: 44, height: 186 };
const CURRENT = { top: 252, height: 56 };
const HEIGHT = 336;

export class NeuronTrace {
  /** @param {{onToggle: (t: number) => void, onStep: (t: number) => void}} hooks */
  constructor({ onToggle, onStep }) {
    this.hooks = { onToggle, onStep };
    this.svg = svg("svg", { class: "plot trace", role: "img" });
    this.switches = h("fieldset", { class: "switches" }, h("legend", { class: "unseen" }, say`steps with input`));
    this.element = h("div", { class: "neuron-plot" }, this.svg, this.switches);
  }

  /** @param {State} state  @param {any} activity  @param {number} lens step  @param {string} sentence  @param {Colours} colours */
  show(state, activity, lens, sentence, colours) {
    const { width } = sizeOf(this.svg);
    if (width === 0) return;
    const { membrane, carried, current } = activity;
    const steps = membrane.length;
    const right = width - MARGIN.right;
    const x = scaleLinear([0, steps], [MARGIN.left, right]);
    const wide = Math.max(2, x(1) - x(0) - 3);
    const most = Math.max(state.theta * 1.25, ...membrane, ...carried.map((c, t) => c + current[t]));
    const least = Math.min(0, ...membrane);
    const y = scaleLinear([least, most], [POTENTIAL.top + POTENTIAL.height, POTENTIAL.top]);
    const input = scaleLinear([0, Math.max(0.5, state.drive)], [CURRENT.top + CURRENT.height, CURRENT.top]);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.svg.setAttribute("aria-label", sentence);
    const left = (t) => x(t) + 1.5;
    const across = (at, kind) => stroke(MARGIN.left, at, right, at, { class: kind });
    const fill = colours.code("direct").colour;
    this.svg.replaceChildren(
      svg("rect", { class: "lens", x: x(lens), y: 0, width: x(1) - x(0), height: HEIGHT - 20, fill: colours.panel }),
      axis(y, false, 4, 4, `translate(${MARGIN.left} 0)`),
      label(2, SPIKES.top + SPIKES.height / 2 + 4, "S", "quantity"),
      label(2, POTENTIAL.top + 12, "U", "quantity"),
      label(2, CURRENT.top + 12, "I", "quantity"),
      ...Array.from(membrane, (_, t) => column(activity, t, left(t), wide, y, colours)).flat(),
      across(y(state.theta), "theta"),
      label(right + 5, y(state.theta) + 5, "θ", "threshold"),
      across(y(0), "zero"),
      ...Array.from(current, (i, t) =>
        svg("rect", { x: left(t), width: wide, y: input(i), height: Math.max(0, input(0) - input(i)), fill }),
      ),
      across(input(0), "zero"),
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
          "aria-label": say`input at step ${t + 1}`,
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

/** One step of the potential: what is left, what comes in, what the spike before has taken; and a spike. */
function column({ carried, current, taken, membrane, spikes }, t, left, wide, y, colours) {
  const bar = (from, to, attributes) =>
    svg("rect", { x: left, width: wide, y: Math.min(y(from), y(to)), height: Math.abs(y(from) - y(to)), ...attributes });
  const top = carried[t] + current[t];
  const gone = [
    bar(top - taken[t], top, { fill: colours.background, opacity: 0.72 }),
    bar(top - taken[t], top, { fill: "none", stroke: colours.attack, "stroke-dasharray": "3 2" }),
  ];
  const middle = left + wide / 2;
  const spike = stroke(middle, SPIKES.top, middle, SPIKES.top + SPIKES.height, { class: "spike", stroke: colours.ink });
  return [
    bar(0, carried[t], { fill: colours.ink, opacity: 0.28 }),
    bar(carried[t], top, { fill: colours.code("direct").colour, opacity: 0.9 }),
    ...(taken[t] > 0 ? gone : []),
    stroke(left, y(membrane[t]), left + wide, y(membrane[t]), { class: "level", stroke: colours.ink }),
    ...(spikes[t] ? [spike] : []),
  ];
}

function ticks(steps, x) {
  const every = steps > 30 || x(1) - x(0) < 18 ? 4 : 2;
  const marks = [1, ...Array.from({ length: Math.floor(steps / every) }, (_, k) => (k + 1) * every)];
  return [
    ...marks.map((t) => label((x(t - 1) + x(t)) / 2, HEIGHT - 8, t, "tick", { "text-anchor": "middle" })),
    label(0, HEIGHT - 8, say`step`),
  ];
}
