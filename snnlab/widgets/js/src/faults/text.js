/** What the faults did, in sentences. */
import { say } from "../language.js";

/** How many hidden spikes came and went. @param {any} frame @returns {string} */
export function changeText({ clean, attacked }) {
  const total = clean.hidden.reduce((a, b) => a + b, 0);
  if (!attacked) return say`The chip is sound: ${total} hidden spikes.`;
  let [gone, come] = [0, 0];
  for (let k = 0; k < clean.hidden.length; k++) {
    if (clean.hidden[k] > attacked.hidden[k]) gone++;
    if (clean.hidden[k] < attacked.hidden[k]) come++;
  }
  return say`Of ${total} hidden spikes ${gone} are missing, and ${come} are new (in the colour of attacks, hatched).`;
}

/** @param {{share: number, low: number, high: number}} read @returns {string} */
export function measuredText({ low, high }, right, n) {
  const percent = (v) => Math.round(100 * v);
  return say`Measured here, with all faults at once: ${right} of the ${n} sample digits are right (95 % interval ${percent(low)} to ${percent(high)} %).`;
}
