/** What moved, in sentences. */
import { answer, epsText, SILENT, spikes } from "../view/text/frame.js";

const steps = (n) => (n === 1 ? "1 step" : `${n} steps`);
const reading = (k) => (k === SILENT ? "silent" : `a ${k}`);

/** The sentences beside the answer. @param {any} frame  @param {any} request @returns {string[]} */
export function movedText({ clean, alone, moved, total, exit_step: exit }, { eps, shift, mover }) {
  const before = reading(answer(clean, exit));
  const out = [];
  if (alone) {
    const now = reading(answer(alone, exit));
    out.push(
      `Intensities changed by ε = ${epsText(eps)}${moved ? " alone" : ""}: ${now === before ? "still" : "now"} ${now}.`,
    );
  }
  if (!moved) {
    return out.length ? out : [`No spike moves: all ${spikes(total)} come when the code fires them.`];
  }
  const who = mover === "chance" ? "Chance" : "The attacker";
  const { moved: count, shift: most } = moved.spent;
  if (count === 0) return [...out, `${who} moved no spike.`];
  const far = most === 1 ? "by 1 step" : `by at most ${steps(most)}`;
  const where = moved.late ? `, ${moved.late} of them behind the exit, where nothing is read` : "";
  const limit = most < shift ? ` (${steps(shift)} were allowed)` : "";
  return [...out, `${who} moved ${count} of ${spikes(total)} ${far}${limit}${where}. No spike is new and none is lost.`];
}

/** @param {{share: number, low: number, high: number}} read */
export function measuredText({ low, high }, right, n, exit) {
  const percent = (v) => Math.round(100 * v);
  return `Measured here, with this budget at exit ${exit}: ${right} of the ${n} sample digits are right (95 % interval ${percent(low)} to ${percent(high)} %).`;
}
