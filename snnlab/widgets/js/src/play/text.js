/** Sentences about a training. */

import { wilson } from "../engine/wilson.js";
import { fixed, say } from "../language.js";
import { intervalText, percent } from "../view/text/frame.js";
import { TEST_EPS } from "./training.js";

/** What a code is called where its table would be too long. */
export const codeName = (code) => (code.startsWith("table(") ? say`painted code` : code);

/** "latency, T = 8, β = 0.90, 128 + 64 hidden, sigmoid 4, count, clean digits". */
export function recipeText({ code, steps, beta, hidden, second = 0, surrogate, slope, loss, eps }) {
  const neurons = second > 0 ? `${hidden} + ${second}` : hidden;
  const learned = eps > 0 ? say`FGSM digits at ε = ${fixed(eps, 2)}` : say`clean digits`;
  return say`${codeName(code)}, T = ${steps}, β = ${fixed(beta, 2)}, ${neurons} hidden, ${surrogate.replace("_", " ")} ${slope}, ${loss}, ${learned}`;
}

/** That a network is kept, and where it appears. @param {any} training  @param {number} numSteps of the zoo */
export function keptText({ recipe }, numSteps) {
  const where =
    recipe.steps === numSteps
      ? say`it is among the networks of the next page that you open, as “yours”`
      : say`other explorers read ${numSteps} steps, so it appears here alone`;
  return say`Kept in this browser: ${where}.`;
}

/** What opens a network that is kept. */
export function keptTitle({ recipe, tests }) {
  const { length } = tests;
  return length < recipe.epochs ? say`Go on after epoch ${length} of ${recipe.epochs}` : say`Open the last one`;
}

/** A share with its interval (Wilson). */
export const shareText = (count, n) => `${percent(count / n)} ${intervalText(wilson(count, n))}`;

/** The last test, with intervals. */
export function testText(tests) {
  const last = tests.at(-1);
  if (!last) return say`No epoch is complete.`;
  const part = (count) => shareText(count, last.n);
  return say`After epoch ${last.epoch}: ${part(last.clean)} of ${last.n} test digits, ${part(last.robust)} under FGSM (informed) at ε = ${fixed(TEST_EPS, 2)}.`;
}

/** How far it is. */
export function progressText({ epoch, recipe, batches, finished, ms }) {
  if (batches.length === 0) return say`Not trained: the weights are those of chance.`;
  const last = batches.slice(-10);
  const mean = (name) => last.reduce((sum, point) => sum + point[name], 0) / last.length;
  const where = finished ? say`${recipe.epochs} epochs` : say`epoch ${epoch} of ${recipe.epochs}`;
  return say`${where}, ${fixed(ms / 1000, 1)} s. Last batches: loss ${fixed(mean("loss"), 2)}, ${percent(mean("share"))} right.`;
}
