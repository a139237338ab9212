/** What the attack explorer says: trajectories in, sentences out. */

import { SPIKE_TRAIN } from "../../engine/index.js";
import { listed, plural, say } from "../../language.js";
import { options, VOCABULARY } from "../../vocabulary.js";
import { epsText, grade, percent, SILENT } from "./frame.js";

/** The attackers in the order in which each changes one thing of the one before. */
export const ATTACKERS = Object.keys(VOCABULARY.attack_variants);

/** Naive and informed PGD: the same steps, with another gradient of the code. */
export const PAIR = ["naive", "bpda"];

export const TITLES = Object.fromEntries(options(VOCABULARY.attack_variants));

const BLIND = 0.5;

/** What an attacker does, in a line. @param {string} method */
export function doing(method, { kind, stochastic, trains }) {
  if (kind === "ann" && method === "naive") return say`An ANN has no code: its own gradient is all there is.`;
  if (kind === "ann" && method === "bpda") return say`No steps to replace: the same as naive.`;
  return {
    naive: say`Takes the code's spikes for its slope: a silent pixel gets no gradient.`,
    bpda: say`Informed: puts a smooth step in place of the code's, on the way back only.`,
    eot: stochastic
      ? say`BPDA, averaged over 10 encodings of the image.`
      : say`BPDA, averaged over 10 images nearby (smoothing): nothing in this code is random.`,
    assg:
      kind === "ann"
        ? say`Momentum, and steps that start large; there are no spikes to adapt to.`
        : say`BPDA, with a surrogate fitted to every neuron, and momentum.`,
    [SPIKE_TRAIN]: trains
      ? say`Searches among the spike trains that the code gives within ε: no gradient of the code is needed.`
      : kind === "ann"
        ? say`An ANN has no spike trains to search among.`
        : say`This code has no spike trains to search among: it is no step function of each pixel.`,
  }[method];
}

/** Return the step at which the image was first misread; 0: before any step; null: never. */
export function brokenAt({ path, target }) {
  const step = path.predictions.findIndex((answer) => answer !== target);
  return step < 0 ? null : step;
}

export const taken = ({ path }) => path.predictions.length - 1;

/** Share of the pixels whose gradient at a step is exactly zero; null where none was followed. */
export function zeroShare({ path, shape }, step) {
  const gradient = gradientAt({ path, shape }, step);
  return gradient && gradient.filter((g) => g === 0).length / gradient.length;
}

/** One row of a path, or its last one; null where it has none. @returns {Float32Array|null} */
function rowAt(values, shape, step) {
  const size = shape.reduce((a, b) => a * b, 1);
  const row = Math.min(step, values.length / size - 1);
  return row < 0 ? null : values.subarray(row * size, (row + 1) * size);
}

/** The gradient at a step; at the last, where none was needed any more, the one before. */
export const gradientAt = ({ path, shape }, step) => rowAt(path.gradients, shape, step);

export const imageAt = ({ path, shape }, step) => rowAt(path.images, shape, step);

const reads = (answer) => (answer === SILENT ? say`falls silent` : say`reads ${answer}`);

/** The answer at a step, as `Verdict` shows it. */
export function answerAt(trajectory, step) {
  const { path, target, label } = trajectory;
  const answer = path.predictions[Math.min(step, taken(trajectory))];
  const right = answer === target;
  const text = answer === SILENT ? say`Silent` : say`Reads ${answer}`;
  const drawn = right ? say`as before` : say`was ${target}`;
  const known = right ? say`correct` : say`truth: ${label}`;
  return { text, note: label === null ? drawn : known, ...grade(right) };
}

export function ending(trajectory) {
  const at = brokenAt(trajectory);
  const { margins, predictions } = trajectory.path;
  const tied = margins.at(-1) === 0 && predictions.at(-1) !== SILENT;
  const end = at === null ? say`not broken in ${trajectory.steps} steps` : say`broken at step ${at}`;
  return `${at === 0 ? say`misread before any step` : end}${tied ? say` (tie, decided by potential)` : ""}`;
}

/** All trajectories in words, for those who cannot see them. @param {Trajectory[]} trajectories  @param {number} step */
export function spokenTrajectories(trajectories, step, title, eps) {
  const each = trajectories.map((trajectory) => {
    const at = brokenAt(trajectory);
    const zero = zeroShare(trajectory, step);
    const blind = zero ? say`gradient zero on ${percent(zero)} of the pixels, ` : "";
    const last = trajectory.path.predictions.at(-1);
    const broken = at !== null && at <= step;
    const end = broken ? say`broken at step ${at}, ${reads(last)}` : say`still reads ${trajectory.target}`;
    return `${TITLES[trajectory.method]}: ${blind}${end}`;
  });
  return say`${title}, epsilon ${epsText(eps)}, step ${step}. ${each.join(". ")}.`;
}

/** What to make of it, whatever step is shown. @param {Trajectory[]} trajectories @returns {string[]} sentences */
export function conclusion(trajectories) {
  const [naive, ...others] = trajectories;
  const broken = brokenAt(naive);
  if (broken === 0) return [say`The network misreads this digit without any attack: choose another.`];
  const zero = zeroShare(naive, 0) ?? 0;
  const blind = zero >= BLIND;
  const gradientText = blind
    ? say`On the clean image naive sees no gradient at ${percent(zero)} of the pixels.`
    : say`Naive sees a gradient at most pixels.`;
  const winners = others.filter((trajectory) => brokenAt(trajectory) !== null);
  if (broken !== null) {
    const failed = others.length - winners.length;
    const rest = others.length === 1 ? only(others[0], failed === 0) : together(failed);
    return [say`${gradientText} It breaks this image in ${steps(broken)}, ${rest}: nothing is hidden here.`];
  }
  if (winners.length === 0) return [gradientText, say`${blind ? NOT_HIDDEN : NOBODY} Raise ε before calling it robust.`];
  const won = winners.map((one, k) => say`${TITLES[one.method]} in ${k ? brokenAt(one) : steps(brokenAt(one))}`);
  const list = listed(won);
  return [
    gradientText,
    say`It fails. The same image, network and budget are broken by ${list}.`,
    blind ? MASKED : NOT_ENOUGH,
  ];
}

const only = ({ method }, breaks) => (breaks ? say`and so does ${TITLES[method]}` : say`${TITLES[method]} does not`);
const together = (failed) =>
  failed === 0
    ? say`and all others break it as well`
    : plural(failed)`1 of the others does not|${failed} of the others do not`;

const NOBODY = say`Nobody breaks this image at this budget.`;
const NOT_HIDDEN = say`But whoever sees a gradient everywhere does not break this image either: here the missing gradient is not what protects it.`;
const MASKED = say`What looked robust was an attacker who could not see.`;
const NOT_ENOUGH = say`A gradient everywhere is not yet one that leads anywhere.`;

const steps = (n) => plural(n)`1 step|${n} steps`;
