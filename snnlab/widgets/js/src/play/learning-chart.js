/** Loss and accuracies of a training over its batches, and those of the one before. */
import { say } from "../language.js";
import { axis, curveLine, label, labelBefore } from "../view/charts/frame.js";
import { svg } from "../view/dom/elements.js";
import { fitSvg } from "../view/dom/sizes.js";

const MARGIN = { top: 10, right: 92, bottom: 34, left: 34 };
const SMOOTH = 0.85;

function linear([d0, d1], [r0, r1]) {
  const scale = (value) => r0 + ((value - d0) / (d1 - d0)) * (r1 - r0);
  return Object.assign(scale, { range: () => [r0, r1] });
}

export class LearningChart {
  constructor() {
    this.element = svg("svg", { class: "plot learning", role: "img" });
  }

  /** @param {any} now training  @param {any} before the one before, or null  @param {Colours} colours  @param {string} name */
  show(now, before, colours, name) {
    const size = fitSvg(this.element, name);
    if (!size) return;
    const { top, right, bottom, left } = MARGIN;
    const all = [now, before].filter(Boolean);
    const batches = Math.max(35 * now.recipe.epochs, ...all.map(({ batches: done }) => done.length));
    const x = linear([0, batches], [left, size.width - right]);
    const y = linear([0, 1], [size.height - bottom, top]);
    const end = x.range()[1];
    const lines = (training, faint) => [
      ...curve(
        smoothed(training.batches, "loss").map(([b, v]) => [x(b), y(Math.min(1, v / 2.5))]),
        faint ? colours.quiet : colours.ink,
        "2 3",
        faint,
      ),
      ...curve(
        smoothed(training.batches, "share").map(([b, v]) => [x(b), y(v)]),
        faint ? colours.quiet : colours.ink,
        null,
        faint,
      ),
      ...marks(training.tests, (test) => [x(test.batch), y(test.clean / test.n)], colours.right ?? colours.ink, faint),
      ...marks(training.tests, (test) => [x(test.batch), y(test.robust / test.n)], colours.attack, faint),
    ];
    const drawn = [
      axis(y, false, left - end, [0, 0.5, 1], `translate(${left} 0)`),
      axis(x, true, 4, [0, batches], `translate(0 ${size.height - bottom})`),
      labelBefore(end, size.height - 4, say`batches of 100 digits`),
      ...(before ? lines(before, true) : []),
      ...lines(now, false),
    ];
    this.element.replaceChildren(...drawn, ...names(now, y, end, colours));
  }
}

/** What the curves are, beside their ends, none over another. */
function names({ batches, tests }, y, end, colours) {
  const last = batches.at(-1);
  if (!last) return [];
  const at = [
    [say`training digits`, y(smoothed(batches, "share").at(-1)[1]), colours.ink],
    [say`loss / 2.5`, y(Math.min(1, smoothed(batches, "loss").at(-1)[1] / 2.5)), colours.ink],
    ...(tests.length ? [[say`test digits`, y(tests.at(-1).clean / tests.at(-1).n), colours.right ?? colours.ink]] : []),
    ...(tests.length ? [[say`under FGSM`, y(tests.at(-1).robust / tests.at(-1).n), colours.attack]] : []),
  ].sort((a, b) => a[1] - b[1]);
  let free = 0;
  return at.map(([text, place, colour]) => {
    free = Math.max(free + 13, place + 4);
    return label(end + 6, free, text, "tick", { style: `fill: ${colour}` });
  });
}

function curve(points, colour, dash, faint) {
  if (points.length < 2) return [];
  const look = { stroke: colour, "stroke-width": faint ? 1 : 1.75, "stroke-dasharray": dash, opacity: faint ? 0.7 : 1 };
  return [curveLine(points, (point) => point, look)];
}

function marks(tests, place, colour, faint) {
  const points = tests.map(place);
  const look = { fill: faint ? "none" : colour, stroke: colour, opacity: faint ? 0.7 : 1 };
  return [
    ...curve(points, colour, faint ? "5 3" : null, faint),
    ...points.map(([cx, cy]) => svg("circle", { cx, cy, r: faint ? 3 : 4.5, ...look })),
  ];
}

/** A running mean, so that a trend is seen among batches. */
function smoothed(points, name) {
  let mean = points[0]?.[name] ?? 0;
  return points.map((point) => {
    mean = SMOOTH * mean + (1 - SMOOTH) * point[name];
    return [point.batch, mean];
  });
}
