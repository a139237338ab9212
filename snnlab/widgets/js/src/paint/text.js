/** Sentences about a painted code. */

import { wilson } from "../engine/wilson.js";
import { plural, say } from "../language.js";
import { epsText, intervalText, percent } from "../view/text/frame.js";
import { distinct, edgesOf, firstAct } from "./table.js";

/** What the table tells: trains, edges, and when ε on black acts. @param {import("./table.js").Rows} rows */
export function tableText(rows, eps) {
  const edges = edgesOf(rows);
  const lost = edges.filter(({ gained }) => !gained).length;
  const all = edges.length;
  const made = plural(
    all,
  )`1 edge (${all - lost} gain a spike, ${lost} lose one)|${all} edges (${all - lost} gain a spike, ${lost} lose one)`;
  const trains = distinct(rows);
  return say`${plural(trains)`1 spike train|${trains} spike trains`} for ${rows.length - 1} levels of intensity and black, ${made}. ${actText(rows, eps)}`;
}

/** When ε on black acts. @param {import("./table.js").Rows} rows */
export function actText(rows, eps) {
  if (eps <= 0) return say`Raise ε to see when black pixels act.`;
  const first = firstAct(rows, eps);
  const steps = rows[0].length;
  if (first === null) return say`ε = ${epsText(eps)} on black changes no spike.`;
  const leave = first === 1 ? say`no exit comes before it` : say`an exit at step ${first - 1} or before reads none of it`;
  return say`ε = ${epsText(eps)} on black acts first in step ${first} of ${steps}: ${leave}.`;
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
  const most = Math.max(...done.map(({ n }) => n));
  const at = (eps) => (eps === 0 ? say`clean` : say`at ε = ${epsText(eps)}`);
  const only = (n) => (n < most ? say` (of ${n} so far)` : "");
  const each = done.map(({ eps, right, n }) => `${shareText(right, n)} ${at(eps)}${only(n)}`);
  const rises = done.some(({ right, n }, k) => k > 0 && right / n > done[k - 1].right / done[k - 1].n);
  const flag = rises
    ? say` It rises with ε somewhere: this attack has not found the worst there, so try a stronger one.`
    : "";
  return say`${title[0].toUpperCase()}${title.slice(1)} under ${under}: ${each.join(", ")}, of ${most} test digits.${flag}`;
}
