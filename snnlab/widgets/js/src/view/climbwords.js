/** What the attack explorer says: climbs in, sentences out. No page is needed, so these can be tested. */
import { SPIKE_TRAIN } from "../engine/index.js";
import { epsText, percent, SILENT } from "./words.js";

/** The attackers in the order in which each changes one thing of the one before. */
export const ATTACKERS = ["naive", "bpda", "eot", "assg", SPIKE_TRAIN];

export const TITLES = { naive: "naive", bpda: "BPDA", eot: "EOT", assg: "ASSG", [SPIKE_TRAIN]: "spike trains" };

/** From this share of zero gradients on, an attacker is called blind. */
const BLIND = 0.5;

/**
 * What an attacker does, in a line.
 *
 * @param {string} method
 * @param {{kind: string, stochastic: boolean, trains: boolean}} model
 */
export function doing(method, { kind, stochastic, trains }) {
  if (kind === "ann" && method === "naive") return "An ANN has no code: its own gradient is all there is.";
  if (kind === "ann" && method === "bpda") return "No steps to replace: the same as naive.";
  return {
    naive: "Takes the code's spikes for its slope: a silent pixel gets no gradient.",
    bpda: "Puts a smooth step in place of the code's, on the way back only.",
    eot: stochastic
      ? "BPDA, averaged over 10 encodings of the image."
      : "BPDA, averaged over 10 images nearby: nothing in this code is random.",
    assg:
      kind === "ann"
        ? "Momentum, and steps that start large; there are no spikes to adapt to."
        : "BPDA, with a surrogate fitted to every neuron, and momentum.",
    [SPIKE_TRAIN]: trains
      ? "Searches among the spike trains that the code gives within ε: no gradient of the code is needed."
      : kind === "ann"
        ? "An ANN has no spike trains to search among."
        : "This code has no spike trains to search among: it is no step function of each pixel.",
  }[method];
}

/** The step at which a climb was first misread, 0: before any; null: never. */
export function brokenAt({ path, target }) {
  const step = path.predictions.findIndex((answer) => answer !== target);
  return step < 0 ? null : step;
}

/** How many steps a climb took before it won or gave up. */
export const taken = ({ path }) => path.predictions.length - 1;

/** Share of the pixels whose gradient at a step is exactly zero; null where none was followed. */
export function zeroShare({ path, shape }, step) {
  const gradient = gradientAt({ path, shape }, step);
  return gradient && gradient.reduce((count, g) => count + (g === 0 ? 1 : 0), 0) / gradient.length;
}

/** The gradient at a step; at the last, where none was needed any more, the one before. @returns {Float32Array|null} */
export function gradientAt({ path, shape }, step) {
  const size = shape.reduce((a, b) => a * b, 1);
  const row = Math.min(step, path.gradients.length / size - 1);
  return row < 0 ? null : path.gradients.subarray(row * size, (row + 1) * size);
}

/** The image at a step. */
export function imageAt({ path, shape }, step) {
  const size = shape.reduce((a, b) => a * b, 1);
  const row = Math.min(step, path.predictions.length - 1);
  return path.images.subarray(row * size, (row + 1) * size);
}

const reads = (answer) => (answer === SILENT ? "falls silent" : `reads ${answer}`);

/** The answer at a step, as `Verdict` shows it. */
export function answerAt(climb, step) {
  const { path, target, label } = climb;
  const answer = path.predictions[Math.min(step, taken(climb))];
  const right = answer === target;
  const text = answer === SILENT ? "Silent" : `Reads ${answer}`;
  if (!right) return { text, note: label === null ? `was ${target}` : `truth: ${label}`, tone: "wrong", sign: "✗" };
  return { text, note: label === null ? "as before" : "correct", tone: "right", sign: "✓" };
}

/** How a climb ends. */
export function ending(climb) {
  const at = brokenAt(climb);
  const tie = tiedAt(climb, taken(climb)) ? " (tie, decided by potential)" : "";
  if (at === 0) return `misread before any step${tie}`;
  return `${at === null ? `not broken in ${climb.steps} steps` : `broken at step ${at}`}${tie}`;
}

/** Whether the right class and a wrong one have equal votes at a step. */
export function tiedAt({ path }, step) {
  const at = Math.min(step, path.predictions.length - 1);
  return path.margins[at] === 0 && path.predictions[at] !== SILENT;
}

/** All climbs in words, for those who cannot see them. @param {object[]} climbs  @param {number} step */
export function spokenClimbs(climbs, step, title, eps) {
  const each = climbs.map((climb) => {
    const at = brokenAt(climb);
    const zero = zeroShare(climb, step);
    const blind = zero ? `gradient zero on ${percent(zero)} of the pixels, ` : "";
    const last = climb.path.predictions.at(-1);
    if (at !== null && at <= step) return `${TITLES[climb.method]}: ${blind}broken at step ${at}, ${reads(last)}`;
    return `${TITLES[climb.method]}: ${blind}still reads ${climb.target}`;
  });
  return `${title}, epsilon ${epsText(eps)}, step ${step}. ${each.join(". ")}.`;
}

/** What to make of it, whatever step is shown. @param {object[]} climbs @returns {string[]} sentences */
export function conclusion(climbs) {
  const [naive, ...others] = climbs;
  if (brokenAt(naive) === 0) return ["The network misreads this digit without any attack: choose another."];
  const zero = zeroShare(naive, 0) ?? 0;
  const winners = others.filter((climb) => brokenAt(climb) !== null);
  const seen =
    zero >= BLIND
      ? `On the clean image naive sees no gradient at ${percent(zero)} of the pixels.`
      : "Naive sees a gradient at most pixels.";
  if (brokenAt(naive) === null && winners.length > 0) {
    const won = winners.map((climb, k) => `${TITLES[climb.method]} in ${k ? brokenAt(climb) : steps(brokenAt(climb))}`);
    const list = won.length > 1 ? `${won.slice(0, -1).join(", ")} and ${won.at(-1)}` : won[0];
    return [
      seen,
      `It fails. The same image, network and budget are broken by ${list}.`,
      zero >= BLIND ? MASKED : NOT_ENOUGH,
    ];
  }
  if (brokenAt(naive) === null) {
    const nobody =
      zero >= BLIND
        ? "But the others, who see one everywhere, do not break this image either: here the missing gradient is not what protects it."
        : "Nobody breaks this image at this budget.";
    return [seen, `${nobody} Raise ε before calling it robust.`];
  }
  const failed = others.length - winners.length;
  const rest = failed === 0 ? "and so do all others" : `${failed} of the others ${failed === 1 ? "does" : "do"} not`;
  return [`${seen} It breaks this image in ${steps(brokenAt(naive))}, ${rest}: nothing is hidden here.`];
}

const MASKED = "What looked robust was an attacker who could not see.";
const NOT_ENOUGH = "A gradient everywhere is not yet one that leads anywhere.";

const steps = (n) => (n === 1 ? "1 step" : `${n} steps`);
