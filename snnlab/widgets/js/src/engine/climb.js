/**
 * An attack watched step by step: one image, and what one attacker sees and does at every iteration. Mirrors
 * snnlab/widgets/climbs.py, which says why. All begin at the image itself and stop once it is misread. Four climb the margin,
 * the last searches among the spike trains in reach (spiketrain.js).
 *
 *   naive  straight-through code                       PGD: ε/4 along the sign
 *   bpda   relaxed code                                the same
 *   eot    relaxed code, averaged over DRAWS draws     the same
 *   assg   relaxed code, adaptive sharpness            SA-PGD
 *   spike_train   gain of each pixel's best train       a share of the pixels takes it
 */
import { inputGradient } from "./attack.js";
import { choose } from "./check.js";
import { margin } from "./losses.js";
import { SPIKE_TRAIN } from "./network.js";
import { pause } from "./pause.js";
import { AdaptiveSharpness } from "./sharpness.js";
import { gathered, shareAt, TrainSearch } from "./spiketrain.js";

const { fround } = Math;

export const CLIMBERS = {
  naive: { attacker: "naive" },
  bpda: { attacker: "relaxed" },
  eot: { attacker: "relaxed", averages: true },
  assg: { attacker: "relaxed", adapts: true },
  spike_train: { attacker: SPIKE_TRAIN },
};
export const STEPS = 10;
export const DRAWS = 10;
export const JITTER = 1 / 16;

/**
 * @typedef {object} Climb  S steps, S + 1 images of P pixels
 * @property {Float32Array} images [S + 1, P]
 * @property {Float32Array} gradients [S, P], followed at each but the last; of spike trains, the gain of each pixel's best
 * @property {Float32Array} margins [S + 1]
 * @property {Int8Array} predictions [S + 1]
 */

/**
 * @param {string} method a key of CLIMBERS
 * @param {object} network read at its last exit
 * @param {Float32Array} image
 * @param {number} eps
 * @param {{label: number, random: () => number, coin: () => () => number, steps?: number, draws?: number,
 *   start?: Float32Array, signal?: AbortSignal}} options `random` for the draws; `coin` makes the random numbers under which
 *   a stochastic code shows every image
 * @returns {Promise<Climb>}
 */
export async function climb(method, network, image, eps, options) {
  const who = CLIMBERS[choose("climber", method, Object.keys(CLIMBERS))];
  const { label, random, coin, steps = STEPS, draws = DRAWS, signal } = options;
  if (who.attacker === SPIKE_TRAIN) return climbTrains(network, image, eps, { ...options, steps });
  const sharpness = who.adapts ? new AdaptiveSharpness() : null;
  const aim = { label, exitStep: network.numSteps, attacker: who.attacker, random, signal, sharpness, loss: "margin" };
  const rise = who.adapts ? saPgd(eps, steps) : pgd(eps, steps);
  const read = (pixels) => look(network, pixels, label, coin());
  let current = options.start ?? image;
  const images = [current];
  const gradients = [];
  const seen = [read(current)];
  for (let k = 0; k < steps && seen.at(-1).answer === label; k++) {
    await pause(signal);
    const gradient = Float32Array.from(await slope(who, network, current, aim, draws, sharpness));
    current = inside(rise(current, gradient), image, eps);
    images.push(current);
    gradients.push(gradient);
    seen.push(read(current));
  }
  return recorded(images, gradients, seen);
}

/** The search among spike trains, step by step; in place of a gradient, what every pixel gains by its best train. */
async function climbTrains(network, image, eps, { label, random, coin, steps, start = image, signal }) {
  const search = new TrainSearch(network, image, eps, { label, exitStep: network.numSteps, random });
  const { momentum: decay, shares } = network.search;
  const read = () => look(network, search.values, label, coin());
  search.begin(start);
  const images = [Float32Array.from(search.values)];
  const gains = [];
  const seen = [read()];
  let momentum = null;
  for (let k = 0; k < steps && seen.at(-1).answer === label; k++) {
    await pause(signal);
    momentum = gathered(momentum, search.look().gradient, decay);
    gains.push(search.gains(momentum));
    search.move(momentum, shareAt(shares, k, steps));
    images.push(Float32Array.from(search.values));
    seen.push(read());
  }
  return recorded(images, gains, seen);
}

/** @returns {Climb} */
function recorded(images, gradients, seen) {
  const size = images[0].length;
  return {
    images: joined(images, size),
    gradients: joined(gradients, size),
    margins: Float32Array.from(seen, (s) => s.margin),
    predictions: Int8Array.from(seen, (s) => s.answer),
  };
}

/** The gradient that a climber follows. @returns {Promise<Float64Array>} */
export async function slope(who, network, image, aim, draws, sharpness = null) {
  sharpness?.begin();
  const stochastic = Boolean(network.encoder?.stochastic);
  if (!who.averages || stochastic) return inputGradient(network, image, { ...aim, draws: who.averages ? draws : 1 });
  const total = new Float64Array(image.length);
  for (let k = 0; k < draws; k++) {
    if (k > 0) await pause(aim.signal);
    const near = image.map((x) => clip(fround(x + fround(JITTER * fround(2 * aim.random() - 1)))));
    const gradient = await inputGradient(network, near, { ...aim, draws: 1 });
    for (let p = 0; p < total.length; p++) total[p] += gradient[p] / draws;
  }
  return total;
}

/** One step of PGD: ε/4 along the sign, or 2.5 ε/steps where few steps could not cross the budget otherwise. */
export function pgd(eps, steps) {
  const alpha = fround(Math.max(eps / 4, (2.5 * eps) / steps));
  return (image, gradient) => image.map((x, p) => fround(x + alpha * Math.sign(gradient[p])));
}

/**
 * One step of SA-PGD (Wang et al. 2025), with its memory:
 *
 *   m ← 0.5 m + g / mean|g|,   v ← 0.8 v + g² / mean(g²),   x ← x + clip(η m/√v, -η, η)
 *
 * η starts at ε and is halved at checkpoints.
 */
export function saPgd(eps, steps) {
  const halvings = checkpoints(steps);
  let [rate, step, momentum, second] = [eps, 0, null, null];
  return (image, gradient) => {
    momentum ??= new Float64Array(image.length);
    second ??= new Float64Array(image.length);
    if (halvings.has(step)) rate /= 2;
    step += 1;
    const absolute = mean(gradient, Math.abs);
    const square = mean(gradient, (g) => g * g);
    return image.map((x, p) => {
      momentum[p] = 0.5 * momentum[p] + gradient[p] / absolute;
      second[p] = 0.8 * second[p] + gradient[p] ** 2 / square;
      const move = (rate * momentum[p]) / (Math.sqrt(second[p]) + 1e-12);
      return fround(x + fround(Math.min(rate, Math.max(-rate, move))));
    });
  };
}

/** Iterations at which the step is halved: after 22 % of them, each interval 3 % shorter, at least 6 %. */
function checkpoints(steps) {
  const found = new Set();
  let [at, share] = [0, 0.22];
  while (at + share < 1) {
    at += share;
    found.add(rounded(at * steps));
    share = Math.max(share - 0.03, 0.06);
  }
  return found;
}

/** To the nearest whole number, halves to the even one, as Python does. */
function rounded(value) {
  const near = Math.round(value);
  return Math.abs(value % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near;
}

/** Mean of f over the gradient, kept away from zero. */
function mean(gradient, f) {
  return Math.max(gradient.reduce((sum, g) => sum + f(g), 0) / gradient.length, 1e-20);
}

/** The nearest image inside the budget and inside [0, 1]. */
function inside(moved, image, eps) {
  const radius = fround(eps);
  return moved.map((x, p) => clip(Math.min(Math.max(x, fround(image[p] - radius)), fround(image[p] + radius))));
}

/** What the network makes of an image, all steps read. */
function look(network, image, label, random) {
  const { votes, predictions } = network.forward(image, random);
  const logits = votes.subarray(votes.length - network.classes);
  return { margin: margin(logits, label), answer: predictions.at(-1) };
}

function joined(rows, size) {
  const out = new Float32Array(rows.length * size);
  rows.forEach((row, k) => out.set(row, k * size));
  return out;
}

function clip(x) {
  return x < 0 ? 0 : x > 1 ? 1 : x;
}
