/**
 * A drawing made into an image as MNIST's are: the ink scaled to fit 20×20 pixels, grey levels by averaging over areas, and
 * placed with its centre of mass in the middle of 28×28.
 *
 * Reference: LeCun et al., Gradient-based learning applied to document recognition (1998), and the page of the data set.
 */

const FIELD = 28;
const BOX = 20;

/** 784 grey levels of a drawing, null without ink. @param {Uint8Array} ink 0 … 255 @returns {Uint8Array|null} */
export function centreDigit(ink, width) {
  const inked = Array.from(ink.keys()).filter((p) => ink[p] > 0);
  if (inked.length === 0) return null;
  const [across, down] = [span(inked.map((p) => p % width)), span(inked.map((p) => Math.floor(p / width)))];
  const scale = BOX / Math.max(across.length, down.length);
  const [columns, rows] = [across, down].map(({ length }) => Math.max(1, Math.round(length * scale)));
  const small = new Float64Array(columns * rows);
  let [mass, centreX, centreY] = [0, 0, 0];
  for (let p = 0; p < small.length; p++) {
    const [c, r] = [p % columns, Math.floor(p / columns)];
    small[p] = mean(ink, width, part(across, c, columns), part(down, r, rows));
    mass += small[p];
    centreX += small[p] * (c + 0.5);
    centreY += small[p] * (r + 0.5);
  }
  const left = within(Math.round(FIELD / 2 - centreX / mass), FIELD - columns);
  const top = within(Math.round(FIELD / 2 - centreY / mass), FIELD - rows);
  const out = new Uint8Array(FIELD * FIELD);
  small.forEach((level, p) => (out[(top + Math.floor(p / columns)) * FIELD + left + (p % columns)] = Math.round(level)));
  return out;
}

/** Where numbers begin, and how many whole ones they span. */
function span(numbers) {
  const first = numbers.reduce((a, b) => Math.min(a, b));
  return { first, length: numbers.reduce((a, b) => Math.max(a, b)) + 1 - first };
}

/** The ends of one of `n` equal parts of a span. @returns {[number, number]} */
const part = ({ first, length }, k, n) => [first + (k * length) / n, first + ((k + 1) * length) / n];

/** The mean of the ink in a rectangle, parts of pixels counted by their area. */
function mean(ink, width, [x0, x1], [y0, y1]) {
  let sum = 0;
  for (let y = Math.floor(y0); y < y1 - 1e-9; y++) {
    const tall = Math.min(y + 1, y1) - Math.max(y, y0);
    for (let x = Math.floor(x0); x < x1 - 1e-9; x++) {
      sum += ink[y * width + x] * tall * (Math.min(x + 1, x1) - Math.max(x, x0));
    }
  }
  return sum / ((x1 - x0) * (y1 - y0));
}

const within = (value, limit) => Math.min(Math.max(value, 0), limit);
