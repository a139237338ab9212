/**
 * Attacks inside an L∞ budget ε on images in [0, 1]. Mirrors snnlab/attack/, which uses torchattacks.
 *
 *   noise  x' = clip(x + ε·(±1 at random))                        the control
 *   fgsm   x' = clip(x + ε sign ∇L(x))
 *   pgd    x'_0 = clip(x + U(-ε, ε)),  x'_{i+1} = clip(Π_ε(x'_i + ε/4 sign ∇L(x'_i))),  10 steps
 *
 * An attacker who knows the code's spike trains searches among them instead (spiketrain.js).
 *
 * L is the cross-entropy of the logits at the exit in use, averaged over fresh encodings for a stochastic code
 * (expectation over transformation). Every step is rounded to float32.
 */
import { choose } from "./check.js";
import { LOSS_GRADIENTS } from "./losses.js";
import { SPIKE_TRAIN } from "./network.js";
import { pause } from "./pause.js";
import { spikeTrainAttack } from "./spiketrain.js";

const { fround } = Math;

export const ATTACKS = ["none", "noise", "fgsm", "pgd"];
export const PGD_STEPS = 10;

/**
 * @typedef {object} Target  what the attack is aimed at
 * @property {number} label
 * @property {number} exitStep
 * @property {string} attacker one of the network's views ("naive", "informed", "relaxed"), or "spike_train"
 * @property {() => number} random
 * @property {string} [loss] a key of LOSS_GRADIENTS; cross-entropy if not given
 * @property {number} [draws] encodings averaged over; the network's own number if not given
 * @property {import("./sharpness.js").AdaptiveSharpness} [sharpness] in place of the attacker's surrogate
 * @property {AbortSignal} [signal]
 */

/**
 * @param {string} name one of ATTACKS
 * @param {object} network
 * @param {Float32Array} image clean
 * @param {number} eps
 * @param {Target} target
 * @returns {Promise<{image: Float32Array, gradientZero: number|null, moved: number}>}
 */
export async function attack(name, network, image, eps, target) {
  choose("attack", name, ATTACKS);
  let attacked = image;
  let gradientZero = null;
  if (name === "noise") attacked = noise(image, eps, target.random);
  if (target.attacker === SPIKE_TRAIN && name === "fgsm") {
    throw new Error(`the search among spike trains is iterative: use attack "pgd", got "fgsm"`);
  }
  if (target.attacker === SPIKE_TRAIN && name === "pgd") {
    attacked = await spikeTrainAttack(network, image, eps, target);
  } else if (name === "fgsm" || name === "pgd") {
    const gradient = await inputGradient(network, image, target);
    gradientZero = share(gradient, (g) => g === 0);
    attacked = name === "fgsm" ? along(gradient, image, eps) : await pgd(network, image, eps, target);
  }
  return { image: attacked, gradientZero, moved: share(attacked, (x, p) => x !== image[p]) };
}

/** A random sign times ε on every pixel: what a perturbation of this size does when nobody aims it. */
export function noise(image, eps, random) {
  return along(
    Float64Array.from(image, () => (random() < 0.5 ? -1 : 1)),
    image,
    eps,
  );
}

async function pgd(network, image, eps, target) {
  let attacked = image.map((x) => clip(fround(x + fround(eps * (2 * target.random() - 1)))));
  for (let i = 0; i < PGD_STEPS; i++) {
    await pause(target.signal);
    const gradient = await inputGradient(network, attacked, target);
    attacked = project(along(gradient, attacked, eps / 4, false), image, eps);
  }
  return attacked;
}

/**
 * ∂L/∂x at an image, what an attack steps along.
 *
 * @param {object} network
 * @param {Float32Array} image
 * @param {Target} target
 * @returns {Promise<Float64Array>}
 */
export async function inputGradient(network, image, target) {
  const { label, exitStep, attacker, random, signal, sharpness, loss = "cross_entropy", draws = network.eot } = target;
  const traces = [];
  for (let k = 0; k < draws; k++) {
    if (k > 0) await pause(signal);
    traces.push(network.forward(image, random));
  }
  const gradLogits = LOSS_GRADIENTS[loss](meanLogits(traces, network.classes, exitStep), label);
  for (let k = 0; k < gradLogits.length; k++) gradLogits[k] /= traces.length;
  const total = network.backward(traces[0], gradLogits, exitStep, attacker, sharpness);
  for (const trace of traces.slice(1)) {
    await pause(signal);
    const grad = network.backward(trace, gradLogits, exitStep, attacker, sharpness);
    for (let p = 0; p < total.length; p++) total[p] += grad[p];
  }
  return total;
}

function meanLogits(traces, classes, exitStep) {
  const start = (exitStep - 1) * classes;
  return Float64Array.from({ length: classes }, (_, k) => {
    return traces.reduce((sum, trace) => sum + trace.votes[start + k], 0) / traces.length;
  });
}

/** x + size·sign(direction), clipped to [0, 1] unless a projection follows. */
function along(direction, image, size, clipped = true) {
  const alpha = fround(size);
  return image.map((x, p) => {
    const moved = fround(x + alpha * Math.sign(direction[p]));
    return clipped ? clip(moved) : moved;
  });
}

/** The nearest image inside the budget and inside [0, 1]. */
function project(attacked, image, eps) {
  const radius = fround(eps);
  return attacked.map((x, p) => {
    const delta = Math.min(Math.max(fround(x - image[p]), -radius), radius);
    return clip(fround(image[p] + delta));
  });
}

function clip(x) {
  return x < 0 ? 0 : x > 1 ? 1 : x;
}

function share(values, holds) {
  let count = 0;
  for (let p = 0; p < values.length; p++) if (holds(values[p], p)) count++;
  return count / values.length;
}
