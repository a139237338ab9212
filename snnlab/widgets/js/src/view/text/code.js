/** What the encoder explorer says about one code of one image. */
import { count, say } from "../../language.js";
import { partsOf } from "../model/fusion-names.js";
import { difference, epsText, firstSteps, spikes } from "./frame.js";

/** What a code made of an image, and of the image changed by ε: sequences [T, P]. */
export function codeSummary(name, { clean, attacked }, steps, image) {
  const parts = partsOf(name).map((part) => part.name);
  const width = clean.length / steps;
  const size = width / parts.length;
  // A constant current is not made of spikes, so only the other parts are counted.
  const counted = (i) => parts[Math.floor((i % width) / size)] !== "direct";
  const total = clean.reduce((sum, v, i) => sum + Number(v > 0 && counted(i)), 0);
  const masked = (values) => values.map((v, i) => (counted(i) ? v : 0));
  const change = attacked && difference(masked(clean), masked(attacked), steps, steps, image);
  const current = parts.includes("direct");
  return {
    current,
    spiking: parts.length > 1 || !current,
    total,
    ...(change ?? { made: 0, lost: 0, first: null, black: null }),
    changed: Boolean(attacked),
  };
}

/** The same as two sentences: about the image, and about what ε did. @returns {[string, string]} */
export function summaryText({ current, spiking, total, made, lost, first, black, changed }, step) {
  const base = [current ? say`A current at every step` : null, spiking ? spikes(total) : null]
    .filter(Boolean)
    .join(say` and `);
  if (!changed) return [`${base}.`, ""];
  if (!current) return [`${base}.`, ownPart(made, lost, first, black, step)];
  const others = made > 0 ? say`, and adds ${spikes(made)} from step ${first} on` : "";
  return [`${base}.`, say`ε flows in from step 1${others}.`];
}

function ownPart(made, lost, first, black, step) {
  if (made === 0) return lost > 0 ? say`ε adds none, takes ${count(lost)} away.` : say`ε adds none.`;
  const unseen = first > step ? say`: after what is read` : "";
  return say`ε adds ${count(made)}, ${firstSteps(first, black)}${unseen}.`;
}

/** All codes in one sentence, for a screen reader: when does a black pixel fire? */
export function spokenCodes(summaries, eps) {
  const when = ({ current, black }) =>
    current ? say`at every step` : black === null ? say`never` : say`from step ${black}`;
  const each = summaries.map((summary) => `${summary.name} ${when(summary)}`);
  return say`With epsilon ${epsText(eps)} black pixels act: ${each.join(", ")}.`;
}
