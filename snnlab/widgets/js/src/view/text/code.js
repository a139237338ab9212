/** What the encoder explorer says about one code of one image. */
import { partsOf } from "../model/fusion-names.js";
import { count, difference, epsText, firstSteps, spikes } from "./frame.js";

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
  const base = [current ? "A current at every step" : null, spiking ? spikes(total) : null].filter(Boolean).join(" and ");
  if (!changed) return [`${base}.`, ""];
  if (!current) return [`${base}.`, ownPart(made, lost, first, black, step)];
  const others = made > 0 ? `, and adds ${spikes(made)} from step ${first} on` : "";
  return [`${base}.`, `ε flows in from step 1${others}.`];
}

function ownPart(made, lost, first, black, step) {
  if (made === 0) return lost > 0 ? `ε adds none, takes ${count(lost)} away.` : "ε adds none.";
  const unseen = first > step ? ": after what is read" : "";
  return `ε adds ${count(made)}, ${firstSteps(first, black)}${unseen}.`;
}

/** All codes in one sentence, for a screen reader: when does a black pixel fire? */
export function spokenCodes(summaries, eps) {
  const when = ({ current, black }) => (current ? "at every step" : black === null ? "never" : `from step ${black}`);
  const each = summaries.map((summary) => `${summary.name} ${when(summary)}`);
  return `With epsilon ${epsText(eps)} black pixels act: ${each.join(", ")}.`;
}
