/** What the energy explorer says: prices in, sentences out. */
import { fixed, say } from "../../language.js";

/** A price in pJ: "0.5 pJ", "50 pJ". */
export const priceText = (x) => say`${x < 10 ? Number(x.toFixed(1)) : Math.round(x)}\u202fpJ`;

/** How often one energy is in another: "0.04 ×", "3.1 ×". */
export const timesText = (ratio) => `${fixed(ratio, ratio < 10 ? 2 : 0)}\u202f×`;

/** Up to which price of a weight a network needs less than the ANN. */
export function breakEvenText(x) {
  if (x === 0) return say`at no price`;
  return Number.isFinite(x) ? say`up to ${priceText(x)}` : say`at every price`;
}

/** @param {{title: string, ratio: number}[]} rows beside the ANN @returns {string[]} sentences */
export function comparison(rows, { zeros, price, exit_step: exit }) {
  const skipped = zeros === "skipped" ? say`Every network skips zeros` : say`The ANN and direct multiply zeros too`;
  const named = (some) => some.map(({ title, ratio }) => `${title} (${timesText(ratio)})`).join(", ") || say`none`;
  const less = rows.filter(({ ratio }) => ratio < 1).sort((a, b) => a.ratio - b.ratio);
  return [
    say`${skipped}, and reading a weight costs ${priceText(price)}.`,
    say`At exit ${exit}, this image costs less than in the ANN with ${named(less)}; as much or more with ${named(rows.filter((row) => !less.includes(row)))}.`,
  ];
}
