/**
 * The Wilson score interval of a share k/n, which stays inside [0, 1] and is right near both ends:
 *
 *   centre ± z √(p(1-p)/n + z²/4n²) / (1 + z²/n),   centre = (p + z²/2n) / (1 + z²/n)
 *
 * Reference: E. B. Wilson, JASA 22 (1927).
 */
import { need } from "./check.js";

/** Quantile of the normal distribution for a 95 % interval. */
const Z95 = 1.959963984540054;

/**
 * @param {number} count k, 0 … n; need not be whole, as a mean over seeds is not  @param {number} n at least 1
 * @returns {Share}
 */
export function wilson(count, n, z = Z95) {
  const fits = Number.isInteger(n) && n >= 1 && count >= 0 && count <= n;
  need(fits, `wilson needs a count from 0 to n and n of at least 1, got ${count} of ${n}`);
  const share = count / n;
  const scale = 1 + (z * z) / n;
  const centre = (share + (z * z) / (2 * n)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return { share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
