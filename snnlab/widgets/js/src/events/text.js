/** Sentences about events: what an attack did, and what was measured. */
import { percent, verdict } from "../view/text/frame.js";

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
  const when = frame.live ? " in the last 300 ms" : "";
  const seen = `The sensor fired ${events.length.toLocaleString("en-US")} events${when}; in nine steps they are ${spikes} spikes.`;
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

/** The answer to what the camera sees now: without movement there is none, and of the truth nothing is known. */
export function liveVerdict(frame, exit) {
  const { note, ...said } = verdict(frame, exit);
  if (frame.attacked) return { ...said, note };
  const isSilent = frame.clean.predictions[exit - 1] < 0;
  return { ...said, note: isSilent ? "too few events: move something" : "in front of your camera", tone: "open", sign: "" };
}

/** How the reader's camera becomes an event camera. @param {import("./camera.js").Camera} camera @returns {string[]} paragraphs */
export function liveHow({ threshold, dark, duration, num_steps: steps }) {
  return [
    `Your camera: of each picture the middle square, in grey, as 28 × 28 pixels. A pixel fires each time the logarithm of its intensity (plus ${dark}) has changed by ${threshold} since its last event, as in the simulated camera; between two pictures it is taken to move on a straight line. The network reads the last ${duration / 1000} ms in ${steps} steps, again with each picture. No picture, event or answer is stored or sent.`,
    "The network learned digits on three strokes of the simulated camera. Of a digit that a hand moves in another way it may be wrong, and what it reads of a room or a face means nothing. The curves are those of the simulated camera.",
  ];
}
