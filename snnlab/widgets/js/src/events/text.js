/** Sentences about events: what an attack did, and what was measured. */
import { count, plural, say } from "../language.js";
import { percent, trainingRuns, verdict } from "../view/text/frame.js";

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
  const [fired, total] = [count(events.length), count(spikes)];
  const seen = frame.live
    ? say`The sensor fired ${fired} events in the last 300 ms; in nine steps they are ${total} spikes.`
    : say`The sensor fired ${fired} events; in nine steps they are ${total} spikes.`;
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

/** The answer to what the camera sees now: without movement there is none, and of the truth nothing is known. */
export function liveVerdict(frame, exit) {
  const { note, ...said } = verdict(frame, exit);
  if (frame.attacked) return { ...said, note };
  const isSilent = frame.clean.predictions[exit - 1] < 0;
  const heard = isSilent ? say`too few events: move something` : say`in front of your camera`;
  return { ...said, note: heard, tone: "open", sign: "" };
}

/** How the reader's camera becomes an event camera. @param {import("./camera.js").Camera} camera @returns {string[]} paragraphs */
export function liveHow({ threshold, dark, duration, num_steps: steps }) {
  return [
    say`Your camera: of each picture the middle square, in grey, as 28 × 28 pixels. A pixel fires each time the logarithm of its intensity (plus ${dark}) has changed by ${threshold} since its last event, as in the simulated camera. Between two pictures it moves on a straight line. The network reads the last ${duration / 1000} ms in ${steps} steps, again with each picture. No picture, event or answer is stored or sent.`,
    say`The network learned digits on three strokes of the simulated camera. It may be wrong about a digit that a hand moves in another way. What it reads of a room or a face means nothing. The curves are those of the simulated camera.`,
  ];
}
