/** An accuracy that grows: its line and interval over the digits measured so far, beside what is recorded. */
import { say } from "../language.js";
import { axis, band, curveLine, label, labelBefore, stroke } from "../view/charts/frame.js";
import { svg } from "../view/dom/elements.js";
import { fitSvg } from "../view/dom/sizes.js";

const MARGIN = { top: 8, right: 64, bottom: 34, left: 34 };

/** A scale that d3's axis understands. @param {number[]} domain  @param {number[]} range */
function linear([d0, d1], [r0, r1]) {
  const scale = (value) => r0 + ((value - d0) / (d1 - d0)) * (r1 - r0);
  return Object.assign(scale, { range: () => [r0, r1] });
}

export class GrowthChart {
  constructor() {
    this.element = svg("svg", { class: "growth", role: "img" });
  }

  /**
   * @param {any[]} history points {n, share, low, high}  @param {number} total digits to measure
   * @param {(Share & {n: number})|null} record  @param {string} colour of the network  @param {string} name in words
   */
  show(history, total, record, colour, name) {
    const size = fitSvg(this.element, name);
    if (!size) return;
    const { top, right, bottom, left } = MARGIN;
    const x = linear([0, total], [left, size.width - right]);
    const y = linear([0, 1], [size.height - bottom, top]);
    const [, end] = x.range();
    const drawn = [
      axis(y, false, left - end, [0, 0.5, 1], `translate(${left} 0)`),
      axis(x, true, 4, [0, total / 2, total], `translate(0 ${size.height - bottom})`),
    ];
    drawn.push(labelBefore(end, size.height - 4, say`test digits`));
    if (record) {
      const ends = [0, total].map((n) => ({ ...record, n }));
      drawn.push(
        band(ends, (p) => x(p.n), y, "currentColor", 0.08),
        stroke(left, y(record.share), end, y(record.share), { class: "recorded" }),
      );
    }
    const last = history.at(-1);
    if (last) {
      const points = history.length > 1 ? history : [{ ...last, n: 0 }, last];
      drawn.push(
        band(points, (p) => x(p.n), y, colour, 0.25),
        curveLine(points, (p) => [x(p.n), y(p.share)], { stroke: colour, "stroke-width": 2.5 }),
        stroke(x(last.n), y(last.low), x(last.n), y(last.high), { stroke: colour, "stroke-width": 2 }),
        svg("circle", { cx: x(last.n), cy: y(last.share), r: 4.5, fill: colour }),
      );
    }
    if (record) {
      // Beside the plot; where both would meet, the record keeps away from the line.
      const near = last && Math.abs(y(last.share) - y(record.share)) < 12;
      const below = near && last.share > record.share;
      drawn.push(label(end + 8, y(record.share) + (near ? (below ? 14 : -6) : 4), say`recorded`, "tick"));
    }
    if (last) drawn.push(label(end + 8, y(last.share) + 4, say`here`, "tick strong", { style: `fill: ${colour}` }));
    this.element.replaceChildren(...drawn);
  }
}
