/** Sentences about events: what an attack did, and what was measured. */
import { count, plural, say } from "../language.js";
import { percent, trainingRuns } from "../view/text/frame.js";

/** What can be done to the spikes: title of the choice, and the verb of a sentence. */
export const TAMPERS = {
  none: [say`none`, ""],
  noise: [say`by chance`, say`changed at random`],
  add: [say`attack: add`, say`added`],
  remove: [say`attack: remove`, say`removed`],
  change: [say`attack: add or remove`, say`added or removed`],
  polarity: [say`attack: flip polarity`, say`changed in polarity`],
};

/** What happened to the recording. @returns {string[]} sentences */
export function effectText(frame, { tamper, number }) {
  const { clean, attacked, changes, events } = frame;
  const spikes = clean.input.reduce((sum, s) => sum + s, 0);
  const seen = say`The sensor fired ${count(events.length)} events; in nine steps they are ${count(spikes)} spikes.`;
  if (!attacked) return [seen];
  const [, verb] = TAMPERS[tamper];
  const made = plural(changes)`1 spike is ${verb}|${changes} spikes are ${verb}`;
  if (tamper === "noise") return [seen, say`${made}, drawn anew for each number.`];
  const wrong = frame.fooled
    ? ""
    : plural(number)` The search found no change that flips the answer.| The search found no changes that flip the answer.`;
  return [seen, say`${made}, where the gradient says that they count most.${wrong}`];
}

/** The recorded share for a kind and the nearest number that was measured. */
export function measuredText({ n, seeds, eps }, points, number) {
  const near = eps.reduce((best, e) => (Math.abs(e - number) < Math.abs(best - number) ? e : best));
  const point = points.find((p) => p.eps === near);
  return point
    ? say`Of n = ${n} recordings ${percent(point.share)} are still right at ${near} (${trainingRuns(seeds)}).`
    : "";
}
