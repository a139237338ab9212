/** Sentences about a painted code. */
import { wilson } from "../engine/wilson.js";
import { epsText, intervalText, percent } from "../view/text/frame.js";
import { distinct, edgesOf, firstAct } from "./table.js";

const some = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/** What the table tells: trains, edges, and when ε on black acts. @param {import("./table.js").Rows} rows */
export function tableText(rows, eps) {
  const edges = edgesOf(rows);
  const lost = edges.filter(({ gained }) => !gained).length;
  const made = `${some(edges.length, "edge")} (${edges.length - lost} gain a spike, ${lost} lose one)`;
  return `${some(distinct(rows), "spike train")} for ${rows.length - 1} levels of intensity and black, ${made}. ${actText(rows, eps)}`;
}

/** When ε on black acts. @param {import("./table.js").Rows} rows */
export function actText(rows, eps) {
  if (eps <= 0) return "Raise ε to see when black pixels act.";
  const first = firstAct(rows, eps);
  const steps = rows[0].length;
  if (first === null) return `ε = ${epsText(eps)} on black changes no spike.`;
  const leave = first === 1 ? "no exit comes before it" : `an exit at step ${first - 1} or before reads none of it`;
  return `ε = ${epsText(eps)} on black acts first in step ${first} of ${steps}: ${leave}.`;
}

/** One measured accuracy. @param {number} right  @param {number} n */
export const shareText = (right, n) => `${percent(right / n)} ${intervalText(wilson(right, n))}`;

/**
 * What was measured of a code. @param {string} title  @param {{eps: number, right: number, n: number}[]} counts
 * @param {string} under which attack
 */
export function measuredText(title, counts, under) {
  const done = counts.filter(({ n }) => n > 0);
  if (done.length === 0) return "";
  const each = done.map(({ eps, right, n }) => `${shareText(right, n)} ${eps === 0 ? "clean" : `at ε = ${epsText(eps)}`}`);
  const rises = done.some(({ right, n }, k) => k > 0 && right / n > done[k - 1].right / done[k - 1].n);
  const flag = rises ? " It rises with ε somewhere: this attack has not found the worst there, so try a stronger one." : "";
  return `${title[0].toUpperCase()}${title.slice(1)} under ${under}: ${each.join(", ")}, of ${Math.max(...done.map(({ n }) => n))} test digits.${flag}`;
}
