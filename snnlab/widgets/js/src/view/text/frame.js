/** Sentences about a frame: state and frame in, text out. */

import { ANY, SPIKE_TRAIN } from "../../engine/index.js";
import { count, fixed, plural, say } from "../../language.js";
import { VOCABULARY } from "../../vocabulary.js";
import { YOURS } from "../model/models.js";

export const SILENT = -1;

export const attackTitle = (attack) => VOCABULARY.attacks[attack].title;

export const attackerTitle = (attacker) => VOCABULARY.attackers[attacker].title;

/** Attacks that follow the gradient: only for these it matters what the attacker knows. */
export const isGradientAttack = (attack) => VOCABULARY.attacks[attack]?.gradient === true;

/** Whether the attack is the search among spike trains. */
export const searches = ({ attack, attacker }) => attack === "pgd" && attacker === SPIKE_TRAIN;

/** Whether the attack moves towards a class. @param {any} state */
export const isTargeted = ({ attack, target = ANY }) => target !== ANY && isGradientAttack(attack);

/** The key of the results that the curves show: the worst case, or the attack that is chosen; none was recorded towards a class. */
export function resultKey({ attack, attacker, curve, target = ANY }) {
  if (attack === "none" || curve !== "own" || isTargeted({ attack, target })) return "worst";
  if (!isGradientAttack(attack)) return attack;
  return attacker === SPIKE_TRAIN ? SPIKE_TRAIN : `${attack}.${attacker}`;
}

/** 0.1 → "0.10", 0.125 → "0.125". */
export const epsText = (eps) => (Number.isInteger(Math.round(eps * 1e6) / 1e4) ? fixed(eps, 2) : fixed(eps, 3));

/** 0.814 → "81 %", with a narrow space. */
export const percent = (share) => say`${hundredths(share)}\u202f%`;

/** An interval of shares, "[79–87]", that is not broken between lines. */
export const intervalText = ({ low, high }) => `[${hundredths(low)}\u2060–\u2060${hundredths(high)}]`;

/** The lower end of a robust accuracy in words, "" of another share. @param {{proved?: number|null}|null} read */
export function lowerText(read, least = "≥") {
  if (read?.proved === undefined) return "";
  return read.proved === null ? say`no bound known` : say`proved ${least} ${percent(read.proved)}`;
}

/** A share with its interval, for those who cannot see it, and with its lower end. */
export function spokenShare(read) {
  const lower = lowerText(read, say`at least`);
  return say`${percent(read.share)}, 95 % interval ${percent(read.low)} to ${percent(read.high)}${lower && `, ${lower}`}`;
}

/** What a curve says, "≈" where it was read between two budgets. @param {Share|null} read */
export const readText = (read) =>
  read ? `${read.measured === false ? "≈ " : ""}${percent(read.share)}` : say`not measured`;

/** Hundredths as whole numbers, below one with a decimal. */
function hundredths(share) {
  const shown = 100 * share;
  return shown > 0 && shown < 1 ? fixed(shown, 1) : String(Math.round(shown));
}

/** Energy: "37 nJ", "3.7 nJ". */
export const nanojoules = (nJ) => say`${nJ < 10 ? fixed(nJ, 1) : count(Math.round(nJ))}\u202fnJ`;

const capitalised = (text) => text[0].toUpperCase() + text.slice(1);

export const trainingRuns = (n) => plural(n)`1 training run|${n} training runs`;

export const spikes = (n) => plural(n)`1 spike|${count(n)} spikes`;

/** Shown where a network of the reader has no curves. */
export const NO_CURVES = say`Accuracy curves belong to the zoo's models. The command snnlab evaluate measures yours.`;

/** The attacked side of a frame, or the clean one without an attack. */
export const shownSide = (frame) => frame.attacked ?? frame.clean;

/** How many classes a side votes for. */
export const classesOf = ({ votes, predictions }) => votes.length / predictions.length;

/** The share that guessing gets right. */
export const chanceOf = (frame) => 1 / classesOf(frame.clean);

export const voteText = (value) => (Number.isInteger(value) ? String(value) : fixed(value, 1));

/** The answer when the first `exit` steps are read; an ANN has one answer for all exits. */
export const answer = (side, exit) => side.predictions[Math.min(exit, side.predictions.length) - 1];

/** The classes with the most votes at an exit, where the potential decides between them; an ANN has none to decide. */
export function tied(side, exit) {
  if (!side.votes || !side.membrane || answer(side, exit) === SILENT) return [];
  const classes = classesOf(side);
  const votes = side.votes.subarray((exit - 1) * classes, exit * classes);
  const most = Math.max(...votes);
  return [...votes.keys()].filter((k) => votes[k] === most);
}

/** What decides between classes with equally many votes. @returns {string[]} no sentence without a tie */
export function tieText(side, exit) {
  const classes = tied(side, exit);
  if (classes.length < 2) return [];
  const row = (exit - 1) * classesOf(side);
  const potential = (k) => side.membrane[row + k];
  const [first, ...others] = classes.sort((a, b) => potential(b) - potential(a));
  const rest = others.map((k) => say`${fixed(potential(k), 2)} of class ${k}`).join(", ");
  const votes = voteText(side.votes[row + first]);
  return [
    say`A tie at ${votes} votes: the output potential decides, ${fixed(potential(first), 2)} of class ${first} against ${rest}.`,
  ];
}

/** The votes of a class as they stand beside a plot, "= 5" in a tie. @returns {(k: number) => string} */
export function voteLabels(side, exit) {
  const row = (Math.min(exit, side.predictions.length) - 1) * classesOf(side);
  const equal = tied(side, exit);
  return (k) => (equal.length > 1 && equal.includes(k) ? "= " : "") + voteText(side.votes[row + k]);
}

/** The answer in large letters, under an attack or under `faults`. @returns {{text: string, note: string, tone: "right"|"wrong"|"open", sign: string}} */
export function verdict(frame, exit, faults = false) {
  const { label, attacked, target, towards = ANY } = frame;
  const read = answer(shownSide(frame), exit);
  if (read === SILENT) return { text: say`Silent: no answer`, note: say`counts as an error`, ...grade(false) };
  const aimed = towards === ANY ? "" : aimNote(towards, read, target, attacked);
  const text = say`Reads ${read}`;
  const tie = tied(shownSide(frame), exit).length > 1 ? say`; tie, decided by potential` : "";
  if (label === null && !attacked) return { text, note: say`your digit${tie}`, tone: "open", sign: "" };
  const right = read === (label ?? target);
  const known = right ? say`correct` : say`the truth is ${label}`;
  const same = faults ? say`as without faults` : say`as without the attack`;
  const other = faults ? say`without faults: ${target}` : say`without the attack: ${target}`;
  return { text, note: `${label !== null ? known : right ? same : other}${aimed}${tie}`, ...grade(right) };
}

/** What became of the target, behind an answer. */
function aimNote(towards, read, own, attacked) {
  if (!attacked) return towards === own ? say`; the target is its own class` : "";
  return read === towards ? say`; target reached` : say`; target ${towards} not reached`;
}

/** How an answer is marked. @returns {{tone: "right"|"wrong", sign: string}} */
export const grade = (right) => (right ? { tone: "right", sign: "✓" } : { tone: "wrong", sign: "✗" });

/**
 * What differs between two input rasters.
 * @param {Float32Array} clean [T, P]  @param {Float32Array} attacked  @param {number} steps T
 * @param {Float32Array} image the clean one
 * @returns {{made: number, read: number, lost: number, first: number|null, black: number|null}} spikes that only the
 *   attacked image makes, those of them that are read, and those that only the clean one makes; the step of the first of its
 *   own, from 1, and of the first on a pixel that was black
 */
export function difference(clean, attacked, steps, exit, image) {
  const width = clean.length / steps;
  let [made, read, lost, first, black] = [0, 0, 0, null, null];
  for (let step = 1; step <= steps; step++) {
    const row = (step - 1) * width;
    for (let p = 0; p < width; p++) {
      const [before, after] = [clean[row + p] > 0, attacked[row + p] > 0];
      if (before && !after) lost += 1;
      if (before || !after) continue;
      made += 1;
      first ??= step;
      if (step <= exit) read += 1;
      if (black === null && image[p % image.length] === 0) black = step;
    }
  }
  return { made, read, lost, first, black };
}

/** The classes that lead at an exit, for those who cannot see them. */
export function leadersText(side, exit) {
  const row = (Math.min(exit, side.predictions.length) - 1) * classesOf(side);
  const value = (k) => side.votes[row + k];
  const order = [...Array(classesOf(side)).keys()].sort((a, b) => value(b) - value(a)).slice(0, 3);
  return say`Votes at the exit: ${order.map((k) => say`class ${k}: ${voteText(value(k))}`).join(", ")}`;
}

/** What the attack did, or how the answer came about without one. @param {Frame} frame @returns {string[]} sentences */
export function effect(frame, state, analog) {
  const { clean, attacked } = frame;
  const exit = state.exit_step;
  const { towards = ANY } = frame;
  if (!attacked) {
    return [towards !== ANY && towards === frame.target ? ownClass(towards) : say`Not attacked.`, quietly(frame, exit)];
  }
  const name = searches(state) ? say`The spike-train attack` : capitalised(attackTitle(state.attack));
  const out = [say`${name} moved ${percent(frame.moved)} of the pixels by at most ${epsText(state.eps)}.`];
  const before = answer(clean, exit);
  if (towards !== ANY) out.push(reachedText(towards, answer(attacked, exit)));
  const change = analog || !clean.input ? null : difference(clean.input, attacked.input, frame.num_steps, exit, clean.image);
  if (change) out.push(ownSpikes(change, exit));
  else if (clean.input) out.push(say`Its change flows in at every step, from the first on.`);
  if (before !== answer(attacked, exit))
    out.push(before === SILENT ? say`Clean, it is silent.` : say`Clean, it reads ${before}.`);
  if (frame.gradient_zero >= 0.5) {
    out.push(say`Blind: the gradient it followed was exactly zero on ${percent(frame.gradient_zero)} of the pixels.`);
  }
  return out;
}

const ownClass = (k) => say`Not attacked: ${k} is this image's own class. Choose another target, or another image.`;

/** Whether an attack towards a class got there. @param {(k: any) => string} name of a class */
export function reachedText(target, read, name = String) {
  if (read === target) return say`The target ${name(target)} is reached.`;
  return read === SILENT
    ? say`The target ${name(target)} is not reached: it is silent.`
    : say`The target ${name(target)} is not reached: it reads ${name(read)}.`;
}

function quietly(frame, exit) {
  const side = frame.clean;
  if (answer(side, exit) === SILENT) return say`No output neuron has fired so far.`;
  if (!side.input) return say`An ANN has no time: every exit gives the same answer.`;
  let since = exit;
  while (since > 1 && side.predictions[since - 2] === answer(side, exit)) since -= 1;
  return since === exit && exit > 1 ? say`It has just come to this answer.` : say`It has said so since step ${since}.`;
}

function ownSpikes({ made, read, lost, first, black }, exit) {
  const gone = lost > 0 ? plural(lost)` 1 spike of the image is gone.| ${count(lost)} spikes of the image are gone.` : "";
  if (made === 0) return say`It made no spike of its own.${gone}`;
  if (first > exit) {
    return plural(
      made,
    )`Its only spike comes after the exit.${gone}|All ${count(made)} spikes of its own come after the exit.${gone}`;
  }
  const some = read < made ? say`, ${count(read)} of them before the exit` : "";
  return say`It made ${spikes(made)} of its own${some}, ${firstSteps(first, black)}.${gone}`;
}

/** The first step of all, and of those on black pixels, where the image itself has none. */
export function firstSteps(first, black) {
  const dark =
    black === null ? say`none on black pixels` : say`on black pixels${black === first ? "" : say` from step ${black}`}`;
  return say`the first in step ${first}, ${dark}`;
}

/** The result of a search for the smallest harmful ε; null: not known yet. @param {number|"never"|null} eps */
export function flipText(eps, most, towards = ANY) {
  if (eps === null) return [];
  if (towards === ANY) {
    return [
      eps === "never" ? say`It is not misread up to ε = ${epsText(most)}.` : say`First misread at ε = ${epsText(eps)}.`,
    ];
  }
  return [
    eps === "never"
      ? say`It is not read as ${towards} up to ε = ${epsText(most)}.`
      : say`First read as ${towards} at ε = ${epsText(eps)}.`,
  ];
}

/** The state and its outcome in one sentence, for a screen reader. */
export function spoken(frame, state, title) {
  const exit = frame.clean.input ? say`, exit ${state.exit_step}` : "";
  return `${title}, ${attackText(state)}${exit}: ${spokenAnswer(frame, state)}.`;
}

function spokenAnswer(frame, state) {
  const { text, note } = verdict(frame, state.exit_step);
  return `${text}, ${note}`;
}

function attackText({ attack, attacker, eps, target }) {
  if (attack === "none") return say`no attack`;
  const towards = isTargeted({ attack, target }) ? say`, towards ${target}` : "";
  if (searches({ attack, attacker })) return say`spike-train attack${towards}, epsilon ${epsText(eps)}`;
  return say`${attackTitle(attack)}${isGradientAttack(attack) ? `, ${attackerTitle(attacker)}` : ""}${towards}, epsilon ${epsText(eps)}`;
}

/** Several networks and their outcomes in one sentence. @param {{title: string, frame: any}[]} columns */
export function spokenColumns(columns, state, code) {
  const each = ({ frame, title }) => `${title}: ${spokenAnswer(frame, state)}`;
  return say`${code ? `${code}, ` : ""}${attackText(state)}, exit ${state.exit_step}. ${columns.map(each).join(". ")}.`;
}

export function activity(frame, exit) {
  const { hidden, output, predictions, input } = shownSide(frame);
  if (!input) return say`An ANN has no spikes.`;
  const widthOf = (layer) => layer.length / predictions.length;
  const fired = (layer) => [...layer.subarray(0, exit * widthOf(layer)).keys()].filter((i) => layer[i]);
  const out = [];
  if (hidden) {
    const neurons = widthOf(hidden);
    const active = new Set(fired(hidden).map((i) => i % neurons));
    out.push(say`${spikes(fired(hidden).length)} of ${active.size} of ${neurons} hidden neurons.`);
  }
  if (output) {
    const [first] = fired(output);
    const step = Math.floor(first / widthOf(output)) + 1;
    out.push(first === undefined ? say`No output spike.` : say`The first output spike comes in step ${step}.`);
  }
  return out.join(" ");
}

const untargeted = (state) => (isTargeted(state) ? say`, which have no target` : "");

/** The attack whose results are shown. */
export function underText(state) {
  const key = resultKey(state);
  if (key === "worst") return say`worst case of all attacks${untargeted(state)}`;
  if (key === SPIKE_TRAIN) return say`survivors up to spike trains`;
  return key === "noise" ? attackTitle("noise") : `${attackTitle(state.attack)}, ${attackerTitle(state.attacker)}`;
}

/** The same behind a share: "84 % in the worst case of all attacks". */
export function underPhrase(state) {
  const key = resultKey(state);
  if (key === "worst") return say`in the worst case of all attacks${untargeted(state)}`;
  if (key === SPIKE_TRAIN) return say`after all quick attacks up to the spike-train attack`;
  return say`under ${underText(state)}`;
}

/** Why no curve is shown. @param {any} state  @param {Model} [model] the current one */
export function notRecorded(state, model) {
  if (model?.group === YOURS) return say`Your network is in no record: press “Measure it here” to attack it on test digits.`;
  return resultKey(state) === SPIKE_TRAIN
    ? say`The spike-train attack was not recorded by itself in these results: it counts in the worst case.`
    : say`This attack was not recorded by itself here: it counts in the worst case.`;
}

/** What a curve of survivors is. */
export const SURVIVORS = say`The spike-train attack runs on the survivors alone, the digits that no quick attack before it (noise, FGSM, PGD, transfer) has broken. Its curve counts who survives all of them up to it: at most what the attack alone would leave.`;

/** What the curves show; of an ANN there is no exit. @param {number|null} exit */
export function curveTitle(state, exit, steps = null) {
  const read = exit === null ? "" : exit === steps ? say` with all ${steps} steps read` : say` at exit ${exit}`;
  return say`Accuracy${read} — ${underText(state)}`;
}
