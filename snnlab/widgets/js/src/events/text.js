/** Sentences about events: what an attack did, and what was measured. */
import { percent } from "../view/text/frame.js";

/** What can be done to the spikes: title of the choice, and the verb of a sentence. */
export const TAMPERS = {
  none: ["none", ""],
  noise: ["by chance", "changed at random"],
  add: ["attack: add", "added"],
  remove: ["attack: remove", "removed"],
  change: ["attack: add or remove", "added or removed"],
  polarity: ["attack: flip polarity", "changed in polarity"],
};

const few = (n) => (n === 1 ? "1 spike" : `${n} spikes`);

/** What happened to the recording. @returns {string[]} sentences */
export function effectText(frame, { tamper, number }) {
  const { clean, attacked, changes, events } = frame;
  const spikes = clean.input.reduce((sum, s) => sum + s, 0).toLocaleString("en-US");
  const seen = `The sensor fired ${events.length.toLocaleString("en-US")} events; in nine steps they are ${spikes} spikes.`;
  if (!attacked) return [seen];
  const [, verb] = TAMPERS[tamper];
  const made = `${few(changes)} ${changes === 1 ? "is" : "are"} ${verb}`;
  if (tamper === "noise") return [seen, `${made}, drawn anew for each number.`];
  const wrong = frame.fooled
    ? ""
    : ` The search found no ${number === 1 ? "change that flips" : "changes that flip"} the answer.`;
  return [seen, `${made}, where the gradient says that they count most.${wrong}`];
}

/** The recorded share for a kind and the nearest number that was measured. */
export function measuredText({ n, seeds, eps }, points, number) {
  const near = eps.reduce((best, e) => (Math.abs(e - number) < Math.abs(best - number) ? e : best));
  const point = points.find((p) => p.eps === near);
  return point
    ? `Of n = ${n} recordings ${percent(point.share)} are still right at ${near} (${seeds} training run${seeds > 1 ? "s" : ""}).`
    : "";
}
