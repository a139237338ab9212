/**
 * A drawing made into an image as MNIST's are: the ink scaled to fit 20×20 pixels, grey levels by averaging over areas, and
 * placed with its centre of mass in the middle of 28×28.
 *
 * Reference: LeCun et al., Gradient-based learning applied to document recognition (1998), and the page of the data set.
 */

const FIELD = 28;
const BOX = 20;

/**
 * @param {ArrayLike<number>} ink how much ink, 0 … 255, row by row
 * @param {number} width
 * @param {number} height
 * @returns {Uint8Array|null} 784 grey levels, or null if there is no ink
 */
export function centreDigit(ink, width, height) {
  const box = boundingBox(ink, width, height);
  if (!box) return null;
  const scale = BOX / Math.max(box.right - box.left, box.bottom - box.top);
  const columns = Math.max(1, Math.round((box.right - box.left) * scale));
  const rows = Math.max(1, Math.round((box.bottom - box.top) * scale));
  const small = shrink(ink, width, box, columns, rows);
  const { x, y } = centreOfMass(small, columns, rows);
  const left = within(Math.round(FIELD / 2 - x), FIELD - columns);
  const top = within(Math.round(FIELD / 2 - y), FIELD - rows);
  const out = new Uint8Array(FIELD * FIELD);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[(top + r) * FIELD + left + c] = Math.round(small[r * columns + c]);
  }
  return out;
}

function boundingBox(ink, width, height) {
  const box = { left: width, right: 0, top: height, bottom: 0 };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (ink[y * width + x] === 0) continue;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y + 1);
    }
  }
  return box.right > box.left ? box : null;
}

/** Each small pixel is the mean of the ink that it covers, parts of pixels counted by their area. */
function shrink(ink, width, box, columns, rows) {
  const [stepX, stepY] = [(box.right - box.left) / columns, (box.bottom - box.top) / rows];
  const small = new Float64Array(columns * rows);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const [x0, y0] = [box.left + c * stepX, box.top + r * stepY];
      small[r * columns + c] = mean(ink, width, x0, x0 + stepX, y0, y0 + stepY, box);
    }
  }
  return small;
}

function mean(ink, width, x0, x1, y0, y1, box) {
  let sum = 0;
  for (let y = Math.floor(y0); y < Math.min(y1, box.bottom); y++) {
    const tall = Math.min(y + 1, y1) - Math.max(y, y0);
    for (let x = Math.floor(x0); x < Math.min(x1, box.right); x++) {
      sum += ink[y * width + x] * tall * (Math.min(x + 1, x1) - Math.max(x, x0));
    }
  }
  return sum / ((x1 - x0) * (y1 - y0));
}

function centreOfMass(image, columns, rows) {
  let [mass, x, y] = [0, 0, 0];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const m = image[r * columns + c];
      mass += m;
      x += m * (c + 0.5);
      y += m * (r + 0.5);
    }
  }
  return { x: x / mass, y: y / mass };
}

function within(value, limit) {
  return Math.min(Math.max(value, 0), limit);
}
