/** Sentences about a measurement. */
import { count, fixed, plural, say } from "../language.js";
import { epsText, intervalText, lowerText, percent } from "../view/text/frame.js";
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
  const towards = target === undefined ? [] : [say`towards ${target} (without the digits of class ${target})`];
  const under = attack === "none" ? [say`no attack`] : [attackName(attack, attacker), ...towards, `ε = ${epsText(eps)}`];
  const late = from > 0 ? [say`from step ${from + 1}`] : [];
  const leaves =
    rule === "fixed"
      ? say`exit ${exit}`
      : say`leaves by ${rule.replace("_", " ")}${rule === "first_spike" ? "" : ` ≥ ${threshold}`}`;
  const part = silenced >= 0 ? [say`part ${silenced + 1} silenced`] : [];
  return [title, ...under, ...late, ...part, ...(kind === "ann" ? [] : [leaves])].join(", ");
}

/** The accuracy so far, and how it came about. @param {import("./measurement.js").Measurement} measurement */
export function readingText(measurement, total, threads) {
  const { n, ms } = measurement;
  const by = threads ? `, ${threads}` : "";
  const time = say`${fixed(ms / 1000, 1)} s`;
  return say`of ${count(n)}${n < total ? say` of ${count(total)}` : ""} test digits, interval ${intervalText(measurement.share)} (95 %, Wilson) · ${time}${by}`;
}

/** Which threads compute. */
export const threadsText = (kind, size) => (kind === "page" ? say`in the page` : plural(size)`1 worker|${size} workers`);

/**
 * What the record says beside it.
 * @param {import("./measurement.js").Measurement} measurement  @param {any} record  @param {boolean} chance whether random
 *   numbers decide too
 */
export function recordText(measurement, record, chance) {
  if (!record) return say`These settings are not in the record: what you see was measured by your browser alone.`;
  const { n } = record;
  if (!record.measured) return say`Recorded: ≈ ${percent(record.share)}, read between two measured ε.`;
  const lower = lowerText(record) && ` (${lowerText(record)})`;
  const told = say`Recorded with PyTorch: ${percent(record.share)} ${intervalText(record)}${lower}, n = ${count(n)}`;
  const here = measurement.rightOfFirst(n);
  if (here === null) return `${told}.`;
  const there = Math.round(record.share * n);
  if (here === there) return say`${told}, the same digits: ${there} right there, ${here} here.`;
  const random = say`The random numbers differ: of the start of PGD, of noise, of a random code. `;
  return say`${told}, the same digits: ${there} right there, ${here} here. ${chance ? random : ""}${LADDER}`;
}

const LADDER = say`The record counts a digit as fallen also where it fell at a smaller ε.`;

/** Which digits fell. @param {import("./measurement.js").Measurement} measurement  @param {number} shown */
export function fallenText(measurement, shown) {
  const fallen = measurement.fallen.length;
  const attacked = measurement.settings.attack !== "none";
  const of = attacked
    ? say`${count(measurement.cleanRight)} that are read correctly without the attack`
    : count(measurement.n);
  const some = fallen > shown ? say` The first ${shown}:` : "";
  if (fallen === 0) return attacked ? say`None of ${of} fell.` : say`All ${of} are right.`;
  const reached =
    measurement.reached === null ? "" : say`, ${count(measurement.reached)} to the target ${measurement.settings.target}`;
  return say`${count(fallen)} of ${of} ${attacked ? say`fell` : say`are wrong`}${reached}; press one to open it.${some}`;
}

const readAs = (read) => (read === SILENT ? "–" : String(read));

/** A digit that fell, below its picture and for those who cannot see it. */
export const fallenLabel = ({ label, attacked }) => `${label}→${readAs(attacked)}`;
export const fallenName = ({ index, label, attacked }) =>
  say`test digit ${index}, a ${label}, ${attacked === SILENT ? say`not answered` : say`read as ${attacked}`}; open it`;
