/** Sentences about a measurement. */
import { count, epsText, intervalText, lowerText, percent } from "../view/text/frame.js";
import { attackName } from "./names.js";

const SILENT = -1;

/** What is measured: "onset, FGSM (informed), ε = 0.10, exit 8". */
export function whatText(settings, { title, kind }) {
  const {
    attack,
    attacker,
    target,
    eps,
    exit_step: exit,
    silenced = -1,
    from_step: from = 0,
    rule = "fixed",
    threshold,
  } = settings;
  const towards = target === undefined ? [] : [`towards ${target} (without the digits of class ${target})`];
  const under = attack === "none" ? ["no attack"] : [attackName(attack, attacker), ...towards, `ε = ${epsText(eps)}`];
  const late = from > 0 ? [`from step ${from + 1}`] : [];
  const leaves =
    rule === "fixed"
      ? `exit ${exit}`
      : `leaves by ${rule.replace("_", " ")}${rule === "first_spike" ? "" : ` ≥ ${threshold}`}`;
  const part = silenced >= 0 ? [`part ${silenced + 1} silenced`] : [];
  return [title, ...under, ...late, ...part, ...(kind === "ann" ? [] : [leaves])].join(", ");
}

/** The accuracy so far, and how it came about. @param {import("./measurement.js").Measurement} measurement */
export function readingText(measurement, total, threads) {
  const { n, ms } = measurement;
  const by = threads ? `, ${threads}` : "";
  const time = `${(ms / 1000).toFixed(1)} s`;
  return `of ${count(n)}${n < total ? ` of ${count(total)}` : ""} test digits, interval ${intervalText(measurement.share)} (95 %, Wilson) · ${time}${by}`;
}

/** Which threads compute. */
export const threadsText = (kind, size) => (kind === "page" ? "in the page" : `${size} worker${size === 1 ? "" : "s"}`);

/**
 * What the record says beside it.
 * @param {import("./measurement.js").Measurement} measurement  @param {any} record  @param {boolean} chance whether random
 *   numbers decide too
 */
export function recordText(measurement, record, chance) {
  if (!record) return "These settings are not in the record: what you see was measured by your browser alone.";
  const { n } = record;
  if (!record.measured) return `Recorded: ≈ ${percent(record.share)}, read between two measured ε.`;
  const lower = lowerText(record) && ` (${lowerText(record)})`;
  const told = `Recorded with PyTorch: ${percent(record.share)} ${intervalText(record)}${lower}, n = ${count(n)}`;
  const here = measurement.rightOfFirst(n);
  if (here === null) return `${told}.`;
  const there = Math.round(record.share * n);
  if (here === there) return `${told}, the same digits: ${there} right there, ${here} here.`;
  const random = "The random numbers differ: of the start of PGD, of noise, of a random code. ";
  return `${told}, the same digits: ${there} right there, ${here} here. ${chance ? random : ""}${LADDER}`;
}

const LADDER = "The record counts a digit as fallen also where it fell at a smaller ε.";

/** Which digits fell. @param {import("./measurement.js").Measurement} measurement  @param {number} shown */
export function fallenText(measurement, shown) {
  const fallen = measurement.fallen.length;
  const attacked = measurement.settings.attack !== "none";
  const of = attacked ? `${count(measurement.cleanRight)} that are read correctly without the attack` : count(measurement.n);
  const some = fallen > shown ? ` The first ${shown}:` : "";
  if (fallen === 0) return attacked ? `None of ${of} fell.` : `All ${of} are right.`;
  const reached =
    measurement.reached === null ? "" : `, ${count(measurement.reached)} to the target ${measurement.settings.target}`;
  return `${count(fallen)} of ${of} ${attacked ? "fell" : "are wrong"}${reached}; press one to open it.${some}`;
}

const readAs = (read) => (read === SILENT ? "–" : String(read));

/** A digit that fell, below its picture and for those who cannot see it. */
export const fallenLabel = ({ label, attacked }) => `${label}→${readAs(attacked)}`;
export const fallenName = ({ index, label, attacked }) =>
  `test digit ${index}, a ${label}, ${attacked === SILENT ? "not answered" : `read as ${attacked}`}; open it`;
