/**
 * What an explorer says: state and frame in, sentences out. No page is needed, so these can be tested.
 */

import { SPIKE_TRAIN } from "../engine/index.js";

export const SILENT = -1;

export const ATTACKS = { none: "none", noise: "noise", fgsm: "FGSM", pgd: "PGD" };

/** Attacks that follow the gradient: only for these it matters what the attacker knows. */
export const isGradientAttack = (attack) => attack === "fgsm" || attack === "pgd";

/** Under which name the zoo keeps what the curves show: the worst case, or the attack that is chosen. */
export function resultKey({ attack, attacker, curve }) {
  if (attack === "none" || curve !== "own") return "worst";
  if (!isGradientAttack(attack)) return attack;
  return attacker === SPIKE_TRAIN ? SPIKE_TRAIN : `${attack}.${attacker}`;
}

/** 0.1 → "0.10", 0.125 → "0.125". */
export function epsText(eps) {
  return Number.isInteger(Math.round(eps * 1e6) / 1e4) ? eps.toFixed(2) : eps.toFixed(3);
}

/** 0.814 → "81 %", with a narrow space. */
export function percent(share) {
  return `${hundredths(share)}\u202f%`;
}

/** An interval of shares, "[79–87]", that is not broken between lines. */
export function intervalText({ low, high }) {
  return `[${hundredths(low)}\u2060–\u2060${hundredths(high)}]`;
}

/** Whole, but below one with a decimal: a little is not nothing. */
function hundredths(share) {
  const shown = 100 * share;
  return shown > 0 && shown < 1 ? shown.toFixed(1) : String(Math.round(shown));
}

/** Energy: "37 nJ", "3.7 nJ". */
export const nanojoules = (nJ) => `${nJ < 10 ? nJ.toFixed(1) : count(Math.round(nJ))}\u202fnJ`;

export const count = (n) => n.toLocaleString("en-US");

export const spikes = (n) => (n === 1 ? "1 spike" : `${count(n)} spikes`);

/** Where own networks have none. */
export const NO_CURVES = "Accuracy curves belong to the zoo's models. Run snnlab.evaluate on your own to measure them.";

/** The side that counts: what the attack made, or the clean one. */
export const shownSide = (frame) => frame.attacked ?? frame.clean;

/** How many classes a side votes for. */
export const classesOf = ({ votes, predictions }) => votes.length / predictions.length;

/** The share that guessing gets right. */
export const chanceOf = (frame) => 1 / classesOf(frame.clean);

/** Votes are counts, or potentials. */
export const voteText = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(1));

/** The answer when the first `exit` steps are read; an ANN has one answer for all exits. */
export function answer(side, exit) {
  return side.predictions[Math.min(exit, side.predictions.length) - 1];
}

/** The classes with the most votes at an exit, where the potential decides between them; an ANN has none to decide. */
export function tied(side, exit) {
  if (!side.votes || !side.membrane || answer(side, exit) === SILENT) return [];
  const classes = classesOf(side);
  const votes = side.votes.subarray((exit - 1) * classes, exit * classes);
  const most = Math.max(...votes);
  return [...votes.keys()].filter((k) => votes[k] === most);
}

/**
 * The answer in large letters.
 *
 * @returns {{text: string, note: string, tone: "right"|"wrong"|"open", sign: string}}
 */
export function verdict(frame, exit) {
  const read = answer(shownSide(frame), exit);
  const { label, attacked, target } = frame;
  const tie = tied(shownSide(frame), exit).length > 1 ? "; tie, decided by potential" : "";
  if (read === SILENT) return { text: "Silent: no answer", note: "counts as an error", tone: "wrong", sign: "✗" };
  if (label !== null) {
    const right = read === label;
    return {
      text: `Reads ${read}`,
      note: `${right ? "correct" : `the truth is ${label}`}${tie}`,
      tone: right ? "right" : "wrong",
      sign: right ? "✓" : "✗",
    };
  }
  if (!attacked) return { text: `Reads ${read}`, note: `your digit${tie}`, tone: "open", sign: "" };
  const same = read === target;
  return {
    text: `Reads ${read}`,
    note: `${same ? "as without the attack" : `without the attack: ${target}`}${tie}`,
    tone: same ? "right" : "wrong",
    sign: same ? "✓" : "✗",
  };
}

/**
 * What differs between two input rasters.
 *
 * @param {Float32Array} clean [T, P]
 * @param {Float32Array} attacked
 * @param {number} steps T
 * @param {number} exit
 * @param {Float32Array} image the clean one
 * @returns {{made: number, read: number, lost: number, first: number|null, black: number|null}} spikes that only the attacked
 *   image makes, those of them that are read, and those that only the clean one makes; the step of the first of its own,
 *   from 1, and of the first on a pixel that was black
 */
export function difference(clean, attacked, steps, exit, image) {
  const width = clean.length / steps;
  let [made, read, lost, first, black] = [0, 0, 0, null, null];
  for (let step = 1; step <= steps; step++) {
    const row = (step - 1) * width;
    for (let p = 0; p < width; p++) {
      const [before, after] = [clean[row + p] > 0, attacked[row + p] > 0];
      if (before === after) continue;
      if (before) {
        lost += 1;
        continue;
      }
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
  return `Votes at the exit: ${order.map((k) => `class ${k}: ${voteText(value(k))}`).join(", ")}`;
}

/** Since which step an answer has been the same, up to the exit. */
export function standsSince(side, exit) {
  const last = answer(side, exit);
  let step = Math.min(exit, side.predictions.length);
  while (step > 1 && side.predictions[step - 2] === last) step -= 1;
  return step;
}

/**
 * What the attack did, or how the answer came about without one.
 *
 * @param {object} frame
 * @param {{attack: string, attacker: string, eps: number, exit_step: number}} state
 * @param {boolean} analog whether the input holds values other than spikes
 * @returns {string[]} sentences
 */
export function effect(frame, state, analog) {
  const { clean, attacked } = frame;
  const exit = state.exit_step;
  if (!attacked) return ["Not attacked.", quietly(frame, exit)];
  const searches = state.attacker === SPIKE_TRAIN && state.attack === "pgd";
  const name = searches ? "The spike-train attack" : { noise: "Noise", fgsm: "FGSM", pgd: "PGD" }[state.attack];
  const out = [`${name} moved ${percent(frame.moved)} of the pixels by at most ${epsText(state.eps)}.`];
  const before = answer(clean, exit);
  if (clean.input && !analog)
    out.push(ownSpikes(difference(clean.input, attacked.input, frame.num_steps, exit, clean.image), exit));
  else if (clean.input) out.push("Its change flows in at every step, from the first on.");
  if (before !== answer(attacked, exit))
    out.push(before === SILENT ? "Clean, it is silent." : `Clean, it reads ${before}.`);
  if (frame.gradient_zero >= 0.5) {
    out.push(`Blind: the gradient it followed was exactly zero on ${percent(frame.gradient_zero)} of the pixels.`);
  }
  return out;
}

function quietly(frame, exit) {
  const side = frame.clean;
  if (answer(side, exit) === SILENT) return "No output neuron has fired so far.";
  if (!side.input) return "An ANN has no time: every exit gives the same answer.";
  const since = standsSince(side, exit);
  return since === exit && exit > 1 ? "It has just come to this answer." : `It has said so since step ${since}.`;
}

function ownSpikes({ made, read, lost, first, black }, exit) {
  const gone = lost > 0 ? ` ${spikes(lost)} of the image ${lost === 1 ? "is" : "are"} gone.` : "";
  if (made === 0) return `It made no spike of its own.${gone}`;
  if (first > exit) {
    return `${made === 1 ? "Its only spike comes" : `All ${spikes(made)} of its own come`} after the exit.${gone}`;
  }
  const some = read < made ? `, ${count(read)} of them before the exit` : "";
  return `It made ${spikes(made)} of its own${some}, ${firstSteps(first, black)}.${gone}`;
}

/** The first step of all, and of those on black pixels, where the image itself has none. */
export function firstSteps(first, black) {
  if (black === null) return `the first in step ${first}, none on black pixels`;
  return black === first
    ? `the first in step ${first}, on black pixels`
    : `the first in step ${first}, on black pixels from step ${black}`;
}

/** What a search for the smallest harmful ε has found. @param {number|"never"|null} found */
export function flipText(found, most) {
  if (found === null) return "";
  return found === "never"
    ? `It is not misread up to ε = ${epsText(most)}.`
    : `First misread at ε = ${epsText(found)}.`;
}

/** The state and its outcome in one sentence, for a screen reader. */
export function spoken(frame, state, title) {
  const { text, note } = verdict(frame, state.exit_step);
  const exit = frame.clean.input ? `, exit ${state.exit_step}` : "";
  return `${title}, ${attackText(state)}${exit}: ${text}, ${note}.`;
}

function attackText({ attack, attacker, eps }) {
  if (attack === "none") return "no attack";
  if (attacker === SPIKE_TRAIN && attack === "pgd") return `spike-train attack, epsilon ${epsText(eps)}`;
  return `${ATTACKS[attack]}${isGradientAttack(attack) ? `, ${attacker}` : ""}, epsilon ${epsText(eps)}`;
}

/** Several networks and their outcomes in one sentence. @param {{title: string, frame: object}[]} columns */
export function spokenColumns(columns, state, code) {
  const answers = columns.map(({ title, frame }) => {
    const { text, note } = verdict(frame, state.exit_step);
    return `${title}: ${text}, ${note}`;
  });
  return `${code ? `${code}, ` : ""}${attackText(state)}, exit ${state.exit_step}. ${answers.join(". ")}.`;
}

/** How busy a network is until the exit. */
export function activity(frame, exit) {
  const { hidden, output, predictions, input } = shownSide(frame);
  if (!input) return "An ANN has no spikes.";
  const steps = predictions.length;
  const busy = (spiking) => firing(spiking, spiking.length / steps, exit);
  const out = [];
  if (hidden) {
    const { total, fired } = busy(hidden);
    out.push(`${spikes(total)} of ${fired} of ${hidden.length / steps} hidden neurons.`);
  }
  if (output) {
    const { first } = busy(output);
    out.push(first ? `The first output spike comes in step ${first}.` : "No output spike.");
  }
  return out.join(" ");
}

/** How many spikes there are until the exit, in how many neurons, and the step of the first, from 1. */
function firing(spiking, neurons, exit) {
  const found = new Set();
  let [total, first] = [0, null];
  for (let i = 0; i < exit * neurons; i++) {
    if (!spiking[i]) continue;
    total += 1;
    first ??= Math.floor(i / neurons) + 1;
    found.add(i % neurons);
  }
  return { total, fired: found.size, first };
}

/** The attack whose results are shown. */
export function underText(state) {
  const key = resultKey(state);
  if (key === "worst") return "worst case of all attacks";
  if (key === SPIKE_TRAIN) return "survivors up to spike trains";
  return key === "noise" ? "noise" : `${ATTACKS[state.attack]}, ${state.attacker}`;
}

/** The same behind a share: "84 % in the worst case of all attacks". */
export function underPhrase(state) {
  const key = resultKey(state);
  if (key === "worst") return "in the worst case of all attacks";
  if (key === SPIKE_TRAIN) return "after all quick attacks up to the spike-train attack";
  return `under ${underText(state)}`;
}

/** Why no curve is shown. */
export const notRecorded = (state) =>
  resultKey(state) === SPIKE_TRAIN
    ? "The spike-train attack was not recorded by itself in these results: it counts in the worst case."
    : "This attack was not recorded by itself here: it counts in the worst case.";

/** What a curve of survivors is. */
export const SURVIVORS =
  "The spike-train attack runs on the survivors alone, the digits that no quick attack before it (noise, FGSM, PGD, transfer) has broken. Its curve counts who survives all of them up to it: at most what the attack alone would leave.";

/** What the curves show. */
export function curveTitle(state, exit, steps = null) {
  const under = underText(state);
  return `Accuracy ${exit === steps ? `with all ${steps} steps read` : `at exit ${exit}`} — ${under}`;
}
