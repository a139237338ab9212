/**
 * The table of a code: which intensities give which spike train. Mirrors snnlab/encoding/table.py.
 *
 *   x in [lower_b, upper_b]  ⇒  s(x) = s_b,   b = 0 … B-1, dark to bright
 */

/**
 * First and last intensity of each of B bins, and its train, [B, T, C'] of C' parts; `size` is B, `width` T·C'.
 * @typedef {{lower: Float32Array, upper: Float32Array, trains: Float32Array, size: number, width: number}} CodeTable
 */

/** The table of intervals that begin at `lower`, rising from 0; equal neighbours become one bin. @returns {CodeTable} */
export function tableOf(lower, rows) {
  const begins = rows.map((_, b) => b).filter((b) => b === 0 || !same(rows[b], rows[b - 1]));
  const first = Float32Array.from(begins, (b) => lower[b]);
  const upper = Float32Array.from(begins, (_, k) => (k + 1 < first.length ? before(first[k + 1]) : 1));
  const trains = Float32Array.from(begins.flatMap((b) => Array.from(rows[b])));
  return { lower: first, upper, trains, size: first.length, width: rows[0].length };
}

/** The table of step parts side by side, gates included: one bin for every combination. @returns {CodeTable} */
export function sideBySide(parts) {
  const lower = [...new Set(parts.flatMap(({ table }) => Array.from(table.lower)))].sort((a, b) => a - b);
  const steps = Array.from({ length: parts[0].numSteps }, (_, t) => t);
  const at = ({ table, gate }, x, t) => Math.fround(gate * table.trains[binOf(table, x) * table.width + t]);
  return tableOf(
    lower,
    lower.map((x) => steps.flatMap((t) => parts.map((part) => at(part, x, t)))),
  );
}

export const binOf = ({ lower }, x) => Math.max(0, bisect(lower.length, (b) => lower[b] > x) - 1);

/** The first bin that reaches `x` or above: the lowest one that meets an interval beginning at `x`. */
export const firstBin = ({ upper }, x) => bisect(upper.length, (b) => upper[b] >= x);

/** The first of the numbers below `size` for which a condition holds that holds for all after it; `size` if none does. */
export function bisect(size, holds) {
  let [low, high] = [0, size];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The float32 number before a positive one. */
function before(x) {
  const float = Float32Array.of(x);
  new Int32Array(float.buffer)[0] -= 1;
  return float[0];
}

const same = (a, b) => a.every((value, k) => value === b[k]);
