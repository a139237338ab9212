/** What moved, in sentences. */
import { plural, say } from "../language.js";
import { answer, epsText, SILENT, spikes } from "../view/text/frame.js";

export const stepsText = (n) => plural(n)`1 step|${n} steps`;

/** What ε alone did. */
function alone(before, now, eps, moved) {
  const where = moved
    ? say`Intensities changed by ε = ${epsText(eps)} alone`
    : say`Intensities changed by ε = ${epsText(eps)}`;
  if (now === SILENT) return say`${where}: silent.`;
  return now === before ? say`${where}: still a ${now}.` : say`${where}: now a ${now}.`;
}

/** The sentences beside the answer. @param {any} frame  @param {any} request @returns {string[]} */
export function movedText({ clean, alone: bent, moved, total, exit_step: exit }, { eps, shift, mover }) {
  const out = bent ? [alone(answer(clean, exit), answer(bent, exit), eps, moved)] : [];
  if (!moved) return out.length ? out : [say`No spike moves: all ${spikes(total)} come when the code fires them.`];
  const { moved: number, shift: most } = moved.spent;
  const who = mover === "chance" ? say`Chance` : say`The attacker`;
  if (number === 0) return [...out, say`${who} moved no spike.`];
  const far = most === 1 ? say`by 1 step` : say`by at most ${stepsText(most)}`;
  const more = [];
  if (most < shift) more.push(say`${stepsText(shift)} were allowed.`);
  if (moved.late) more.push(say`${moved.late} went behind the exit, where nothing is read.`);
  return [...out, say`${who} moved ${number} of ${spikes(total)} ${far}.`, ...more, say`No spike is new and none is lost.`];
}

/** @param {{share: number, low: number, high: number}} read */
export function measuredText({ low, high }, right, n, exit) {
  const percent = (v) => Math.round(100 * v);
  return say`Measured here, with this budget at exit ${exit}: ${right} of the ${n} sample digits are right (95 % interval ${percent(low)} to ${percent(high)} %).`;
}
