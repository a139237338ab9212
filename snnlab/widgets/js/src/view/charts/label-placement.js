/** Places of labels that do not cover each other. */

/**
 * Move labels along a line so that they do not overlap, as little as possible.
 * @param {number[]} wanted positions  @param {number} size of a label  @param {number} low first position allowed
 * @param {number} high last position allowed  @returns {number[]} positions, in the given order
 */
export function spread(wanted, size, low, high) {
  const order = [...wanted.keys()].sort((a, b) => wanted[a] - wanted[b]);
  const placed = Array(wanted.length);
  let floor = low;
  for (const k of order) {
    placed[k] = Math.max(wanted[k], floor);
    floor = placed[k] + size;
  }
  let ceiling = high;
  for (const k of order.reverse()) {
    placed[k] = Math.min(placed[k], ceiling);
    ceiling = placed[k] - size;
  }
  return placed;
}

/**
 * Places for one label per curve, on the curve where other curves are far away. A curve without such a place gets none.
 * @param {{name: string, width: number, y: (x: number) => number}[]} curves in order of importance
 * @param {Field} field  @param {number} height of a label  @param {Box[]} [reserved] that labels must not cover
 * @returns {Map<string, {x: number, y: number}>} centres
 */
export function placeOnCurves(curves, field, height, reserved = []) {
  const taken = [...reserved];
  const places = new Map();
  for (const curve of curves) {
    const others = curves.filter((other) => other !== curve);
    let best = { room: height / 2 + 1, box: null };
    for (let x = field.left + curve.width / 2 + 4; x <= field.right - curve.width / 2; x += 9) {
      for (const y of [highest(curve, x) - height / 2 - 3, lowest(curve, x) + height / 2 + 3]) {
        const box = { x, y, width: curve.width, height };
        if (!within(box, field) || taken.some((other) => overlap(box, other))) continue;
        const room = Math.min(...others.map((other) => distance(other, box)));
        if (room > best.room) best = { room, box };
      }
    }
    if (!best.box) continue;
    taken.push(best.box);
    places.set(curve.name, best.box);
  }
  return places;
}

const samples = (width) => [-0.5, -0.25, 0, 0.25, 0.5].map((k) => k * width);
const highest = (curve, x) => Math.min(...samples(curve.width).map((dx) => curve.y(x + dx)));
const lowest = (curve, x) => Math.max(...samples(curve.width).map((dx) => curve.y(x + dx)));
const distance = (curve, { x, y, width }) => Math.min(...samples(width).map((dx) => Math.abs(curve.y(x + dx) - y)));
const overlap = (a, b) =>
  Math.abs(a.x - b.x) < (a.width + b.width) / 2 + 2 && Math.abs(a.y - b.y) < (a.height + b.height) / 2;

const within = ({ x, y, width, height }, { left, right, top, bottom }) =>
  x - width / 2 >= left && x + width / 2 <= right && y - height / 2 >= top && y + height / 2 <= bottom;

/** Where a label may be: right, left, above, below, and in the corners. */
const AROUND = { x: [1, -1, 0, 0, 1, 1, -1, -1], y: [0, 0, -1, 1, -1, 1, -1, 1] };

/**
 * Places for labels next to points, none over another or over a point; a point without such a place gets none.
 * @param {{x: number, y: number, width: number}[]} points in order of importance; width of the label
 * @param {Field} field  @param {number} height of a label
 * @param {number} gap between a point's centre and its label  @returns {({x: number, y: number}|null)[]} centres
 */
export function placeAround(points, field, height, gap) {
  const dots = points.map(({ x, y }) => ({ x, y, width: gap, height: gap }));
  const taken = [...dots];
  return points.map(({ x, y, width }, k) => {
    const free = AROUND.x.map((dx, at) => {
      const dy = AROUND.y[at] * (dx === 0 ? height / 2 + gap : height / 2);
      return { x: x + dx * (width / 2 + gap), y: y + dy, width, height };
    });
    const box = free.find((one) => within(one, field) && !taken.some((other) => other !== dots[k] && overlap(one, other)));
    if (!box) return null;
    taken.push(box);
    return { x: box.x, y: box.y };
  });
}
