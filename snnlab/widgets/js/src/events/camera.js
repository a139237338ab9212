/**
 * A simulated event camera. Mirrors snnlab/data/event_camera.py, in float64 and in the same order, so that both give the same events.
 *
 *   |log(x + d) - log of the last event| ≥ C   an event of the sign of the change
 */

/**
 * `threshold` C, `dark` d, `duration` in microseconds, `num_steps` T, `per_step` images between two frames, `reach` of the path.
 * @typedef {{threshold: number, dark: number, duration: number, num_steps: number, per_step: number, reach: number}} Camera
 * @typedef {{x: number, y: number, t: number, p: number}} Event column, row, microseconds, polarity (1: brighter)
 */

const CORNERS = [
  [-1, -1],
  [1, 0],
  [-1, 1],
  [-1, -1],
];

/** Where the image is, (down, right) in pixels, at num + 1 moments: three straight strokes. @returns {number[][]} */
export function saccadePath(num, reach) {
  return Array.from({ length: num + 1 }, (_, k) => {
    const along = (k * 3) / num;
    const stroke = Math.min(2, Math.trunc(along));
    const share = along - stroke;
    return [0, 1].map((axis) => CORNERS[stroke][axis] * reach * (1 - share) + CORNERS[stroke + 1][axis] * reach * share);
  });
}

/** An image moved by a shift, between pixels on straight lines; what comes in from the edge is black. @param {number[]} shift @returns {Float64Array} */
export function moved(image, side, shift) {
  const [down, right] = shift;
  const [row, column] = [Math.floor(down), Math.floor(right)];
  const [partDown, partRight] = [down - row, right - column];
  const at = (y, x) => (y < 0 || y >= side || x < 0 || x >= side ? 0 : image[y * side + x]);
  const out = new Float64Array(image.length);
  for (let y = 0; y < side; y++) {
    const line = (x) => at(y - row, x) * (1 - partDown) + at(y - row - 1, x) * partDown;
    for (let x = 0; x < side; x++) out[y * side + x] = line(x - column) * (1 - partRight) + line(x - column - 1) * partRight;
  }
  return out;
}

/** Follows the logarithm of every pixel, and says what it fires; `begin` at the first image. */
export class Sensor {
  /** @param {Pick<Camera, "threshold"|"dark">} camera */
  constructor({ threshold, dark }) {
    this.threshold = threshold;
    this.dark = dark;
    /** @type {Float64Array|null} */
    this.first = null;
  }

  #values(image) {
    return Float64Array.from(image, (x) => Math.log(x + this.dark));
  }

  /** Events between the last image and this one, with the share of the time between them. @returns {{pixel: number, p: number, share: number}[]} */
  see(image) {
    const logs = this.#values(image);
    if (!this.first) {
      this.first = logs;
      this.value = new Float64Array(logs.length);
      this.level = new Float64Array(logs.length);
      return [];
    }
    const events = [];
    for (let pixel = 0; pixel < logs.length; pixel++) {
      const now = (logs[pixel] - this.first[pixel]) / this.threshold;
      const [before, level] = [this.value[pixel], this.level[pixel]];
      const next = Math.max(Math.min(level, Math.ceil(now)), Math.floor(now));
      const sign = Math.sign(next - level);
      for (let k = 1; k <= Math.abs(next - level); k++) {
        const share = Math.min(1, Math.max(0, (level + sign * k - before) / (now - before)));
        events.push({ pixel, p: sign > 0 ? 1 : 0, share });
      }
      this.level[pixel] = next;
      this.value[pixel] = now;
    }
    return events;
  }
}

/** What the camera records of an image on the saccade path, sorted in time. @param {Camera} camera @returns {Event[]} */
export function recorded(image, side, camera) {
  const { num_steps: steps, per_step: per, reach, duration } = camera;
  const moments = steps * per;
  const sensor = new Sensor(camera);
  const events = [];
  for (const [k, shift] of saccadePath(moments, reach).entries()) {
    for (const { pixel, p, share } of sensor.see(moved(image, side, shift))) {
      // An event at the end of an interval belongs to it.
      const t = Math.max(0, Math.ceil(((k - 1 + share) * duration) / moments) - 1);
      events.push({ x: pixel % side, y: Math.floor(pixel / side), t, p });
    }
  }
  return events.sort((a, b) => a.t - b.t);
}

/** Spikes [T, 2 · side²] of 0 and 1: a pixel and polarity had an event in the step. @param {Event[]} events @param {number} side @param {any} camera */
export function spikesOf(events, side, { num_steps: steps, duration }) {
  const size = side * side;
  const spikes = new Float32Array(steps * 2 * size);
  for (const { x, y, t, p } of events) {
    spikes[(Math.floor((t * steps) / duration) * 2 + p) * size + y * side + x] = 1;
  }
  return spikes;
}
