/** What the energy explorer says: prices in, sentences out. */

/** A price in pJ: "0.5 pJ", "50 pJ". */
export const priceText = (x) => `${x < 10 ? Number(x.toFixed(1)) : Math.round(x)}\u202fpJ`;

/** How often one energy is in another: "0.04 ×", "3.1 ×". */
export const timesText = (ratio) => `${ratio.toFixed(ratio < 10 ? 2 : 0)}\u202f×`;

/** Up to which price of a weight a network needs less than the ANN. */
export function breakEvenText(x) {
  if (x === 0) return "at no price";
  return Number.isFinite(x) ? `up to ${priceText(x)}` : "at every price";
}

/** @param {{title: string, ratio: number}[]} rows beside the ANN @returns {string[]} sentences */
export function comparison(rows, { zeros, price, exit_step: exit }) {
  const skipped = zeros === "skipped" ? "Every network skips zeros" : "The ANN and direct multiply zeros too";
  const named = (some) => some.map(({ title, ratio }) => `${title} (${timesText(ratio)})`).join(", ") || "none";
  const less = rows.filter(({ ratio }) => ratio < 1).sort((a, b) => a.ratio - b.ratio);
  return [
    `${skipped}, and reading a weight costs ${priceText(price)}.`,
    `At exit ${exit}, this image costs less than in the ANN with ${named(less)}; as much or more with ${named(rows.filter((row) => !less.includes(row)))}.`,
  ];
}
