/** A slice through the loss: the margin along the direction of an attacker's gradient, and the grey levels on the way. */

import { scaleLinear } from "d3-scale";
import { perLevel } from "../../engine/index.js";
import { plural, pointed, say } from "../../language.js";
import { svg } from "../dom/elements.js";
import { fitSvg } from "../dom/sizes.js";
import { label, labelBefore, stroke } from "./frame.js";
import { line } from "./paths.js";

const MARGIN = { top: 6, right: 8, bottom: 30, left: 26 };

/** Height of the strip that shows where the image is misclassified. */
const STRIP = 5;

/** What a slice shows. @returns {{lost: number, wrong: number, first: number|null}|null} null: there is none. `wrong` points are
 *   misclassified, `lost` of them no longer once rounded to whole grey levels; the first grey level that is misclassified */
export function sliceSummary({ path, target, eps }) {
  const answers = path.slice_predictions;
  if (!answers) return null;
  const per = perLevel(eps);
  const isWrong = (j) => answers[j] !== target;
  const wrong = [...answers.keys()].filter(isWrong);
  const levels = [...answers.keys()].filter((j) => j % per === 0 && isWrong(j));
  const lost = wrong.filter((j) => !isWrong(Math.min(answers.length - 1, Math.round(j / per) * per))).length;
  return { wrong: wrong.length, lost, first: levels.length ? levels[0] / per : null };
}

/** The slice in words. @param {Trajectory} trajectory */
export function sliceText(trajectory) {
  const found = sliceSummary(trajectory);
  if (!found) return say`No gradient was needed.`;
  const last = Math.floor(510 * trajectory.eps + 1e-9);
  const levels = plural(found.first)`1 grey level|${found.first} grey levels`;
  const where =
    found.first === null ? say`Correct at every whole grey level up to ${last}.` : say`Misclassified from ${levels} on.`;
  const points = plural(found.lost)`1 point|${found.lost} points`;
  const lost = found.lost ? say` Rounding undoes ${points} of ${found.wrong}: too thin for whole grey levels.` : "";
  return `${where}${lost}`;
}

export class SlicePlot {
  constructor() {
    this.element = svg("svg", { class: "slice", role: "img" });
  }

  /** @param {Trajectory} trajectory  @param {Trajectory[]} trajectories all that are shown, for one scale  @param {Colours} colours */
  show(trajectory, trajectories, colours) {
    const size = fitSvg(this.element, say`Slice along its gradient. ${sliceText(trajectory)}`);
    if (!size) return;
    const { path, target, eps, shape } = trajectory;
    const margins = path.slice_margins;
    if (!margins) return this.element.replaceChildren();
    const per = perLevel(eps);
    const all = trajectories.flatMap((one) => [...(one.path.slice_margins ?? [])]);
    const [low, high] = [Math.min(...all, -1), Math.max(...all, 1)];
    const [right, bottom] = [size.width - MARGIN.right, size.height - MARGIN.bottom];
    const last = (margins.length - 1) / per;
    const x = scaleLinear([0, last], [MARGIN.left, right]);
    const y = scaleLinear([low, high], [bottom, MARGIN.top]);
    // What the gradient promises: margin + t · Σ|g|, as far as it is inside the plot.
    const first = path.gradients.subarray(
      0,
      shape.reduce((a, b) => a * b, 1),
    );
    const steepness = first.reduce((sum, g) => sum + Math.abs(g), 0) / 255;
    const end = Math.min(last, (high - margins[0]) / Math.max(steepness, 1e-9));
    const strip = Array.from(path.slice_predictions, (answer, j) => ({ answer, j })).filter(
      ({ answer }) => answer !== target,
    );
    const wide = x(1 / per) - x(0);
    this.element.replaceChildren(
      svg("rect", { class: "misread", x: x(0), y: MARGIN.top, width: right - x(0), height: y(0) - MARGIN.top }),
      stroke(x(0), y(0), right, y(0), { class: "level" }),
      ...y.ticks(3).map((v) => labelBefore(MARGIN.left - 5, y(v) + 4, pointed(String(v).replace("-", "−")))),
      stroke(x(255 * eps), MARGIN.top, x(255 * eps), bottom + STRIP, { class: "now" }),
      label(x(255 * eps), MARGIN.top + 10, " ε", "tick halo"),
      stroke(x(0), y(margins[0]), x(end), y(margins[0] + end * steepness), { class: "promise" }),
      svg("path", {
        class: "own-margins",
        fill: "none",
        stroke: colours.ink,
        d: line([...margins], (m, j) => [x(j / per), y(m)]),
      }),
      ...[...margins].flatMap((m, j) =>
        j % per ? [] : [svg("circle", { class: "grey", cx: x(j / per), cy: y(m), r: 1.8 })],
      ),
      ...strip.map(({ j }) =>
        svg("rect", { class: "wrong", x: x(j / per) - wide / 2, y: bottom + 2, width: wide, height: STRIP }),
      ),
      ...x.ticks(5).map((v) => label(x(v), size.height - 10, String(v), "tick", { "text-anchor": "middle" })),
      labelBefore(right, size.height, say`grey levels along its gradient`),
    );
  }
}
