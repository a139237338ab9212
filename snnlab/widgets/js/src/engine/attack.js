/**
 * Attacks inside an L∞ budget ε on images in [0, 1]. Mirrors snnlab/attacks/, which uses torchattacks.
 *
 *   noise  x' = clip(x + ε·(±1 at random))                        the control
 *   fgsm   x' = clip(x + ε sign ∇L(x))
 *   pgd    x'_0 = clip(x + U(-ε, ε)),  x'_{i+1} = clip(Π_ε(x'_i + ε/4 sign ∇L(x'_i))),  10 steps
 *
 * L is the cross-entropy at the exit in use, averaged over encodings of a stochastic code; of an attack towards a class, what
 * `towardsGradients` says. Every step is rounded to float32.
 */
import { choose, integerBetween, need } from "./check.js";
import { LOSS_GRADIENTS, towardsGradients } from "./losses.js";
import { SPIKE_TRAIN } from "./network.js";
import { pause } from "./pause.js";
import { spikeTrainAttack } from "./spiketrain.js";

const { fround } = Math;

export const PGD_STEPS = 10;

/** The attacks: from a clean image and, for gradient attacks, its gradient to the attacked image. */
const METHODS = {
  none: { run: ({ image }) => image },
  noise: { run: ({ image, eps, target }) => noise(image, eps, target.random) },
  fgsm: { gradient: true, run: ({ image, eps, gradient }) => along(gradient, image, eps) },
  pgd: { gradient: true, run: ({ network, image, eps, target }) => pgd(network, image, eps, target) },
};
export const ATTACKS = Object.keys(METHODS);

/** No class of its own: any wrong answer is welcome. */
export const ANY = -1;

/**
 * The class that an attack moves towards: what is asked for, or any wrong one; an attack without a gradient has no aim.
 * @param {number} wanted  @param {number} classes how many there are
 */
export function towardsOf(method, wanted, classes) {
  return METHODS[method].gradient ? integerBetween("target", wanted, ANY, classes - 1) : ANY;
}

/**
 * What an attack is aimed at. `attacker` is one of the network's views, or "spike_train"; `draws` encodings are averaged over
 * (the network's own number if not given); `sharpness` is used in place of the attacker's surrogate; `towards` is the class
 * that it moves towards, if it is not content with any.
 * @typedef {{label: number, towards?: number, exitStep: number, attacker: string, random: () => number, loss?: string, draws?: number,
 *   sharpness?: import("./sharpness.js").AdaptiveSharpness, signal?: AbortSignal}} Target
 */

/**
 * @param {string} name one of ATTACKS  @param {Float32Array} image clean  @param {Target} target
 * @returns {Promise<{image: Float32Array, gradientZero: number|null, moved: number}>}
 */
export async function attack(name, network, image, eps, target) {
  choose("attack", name, ATTACKS);
  const method = METHODS[name];
  let gradient = null;
  let attacked;
  if (method.gradient && target.attacker === SPIKE_TRAIN) {
    need(name === "pgd", `the search among spike trains is iterative: use attack "pgd", got "${name}"`);
    attacked = await spikeTrainAttack(network, image, eps, target);
  } else {
    if (method.gradient) gradient = await inputGradient(network, image, target);
    attacked = await method.run({ network, image, eps, target, gradient });
  }
  const gradientZero = gradient && share(gradient, (g) => g === 0);
  return { image: attacked, gradientZero, moved: share(attacked, (x, p) => x !== image[p]) };
}

/** A random sign times ε on every pixel: what a perturbation of this size does when nobody aims it. */
export function noise(image, eps, random) {
  const signs = Float64Array.from(image, () => (random() < 0.5 ? -1 : 1));
  return along(signs, image, eps);
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

/** ∂L/∂x at an image, what an attack steps along. @param {Target} target @returns {Promise<Float64Array>} */
export async function inputGradient(network, image, target) {
  const { label, exitStep, attacker, random, signal, sharpness, loss = "cross_entropy", draws = network.eot } = target;
  const { towards = ANY } = target;
  const traces = [];
  for (let k = 0; k < draws; k++) {
    if (k > 0) await pause(signal);
    traces.push(network.forward(image, random));
  }
  const logits = traces.map(({ votes }) => votes.subarray((exitStep - 1) * network.classes, exitStep * network.classes));
  const gradients = towards === ANY ? awayGradients(logits, label, loss) : towardsGradients(logits, towards);
  const total = network.backward(traces[0], gradients[0], exitStep, attacker, sharpness);
  for (const [k, trace] of traces.slice(1).entries()) {
    await pause(signal);
    const grad = network.backward(trace, gradients[k + 1], exitStep, attacker, sharpness);
    for (let p = 0; p < total.length; p++) total[p] += grad[p];
  }
  return total;
}

/** Of a loss of the mean logits of several draws: the same in each. */
function awayGradients(draws, label, loss) {
  const mean = Float64Array.from(draws[0], (_, k) => draws.reduce((sum, logits) => sum + logits[k], 0) / draws.length);
  const gradient = LOSS_GRADIENTS[loss](mean, label).map((g) => g / draws.length);
  return draws.map(() => gradient);
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

export const clip = (x) => (x < 0 ? 0 : x > 1 ? 1 : x);

const share = (values, holds) => values.filter(holds).length / values.length;
