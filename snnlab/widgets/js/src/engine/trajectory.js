/**
 * An attack watched step by step: what one attacker sees and does at every iteration, from the image until it is misread.
 *
 *   naive  straight-through code                       PGD: ε/4 along the sign
 *   bpda   relaxed code                                the same
 *   eot    relaxed code, averaged over DRAWS draws     the same
 *   assg   relaxed code, adaptive sharpness            SA-PGD
 *   spike_train   gain of each pixel's best train       a share of the pixels takes it
 */
import { clip, inputGradient } from "./attack.js";
import { choose } from "./check.js";
import { margin } from "./losses.js";
import { SPIKE_TRAIN } from "./network.js";
import { pause } from "./pause.js";
import { AdaptiveSharpness } from "./sharpness.js";
import { gathered, shareAt, TrainSearch } from "./spiketrain.js";

const { fround } = Math;

export const ATTACK_VARIANTS = {
  naive: { attacker: "naive" },
  bpda: { attacker: "relaxed" },
  eot: { attacker: "relaxed", averages: true },
  assg: { attacker: "relaxed", adapts: true },
  spike_train: { attacker: SPIKE_TRAIN },
};
export const STEPS = 10;
export const DRAWS = 10;
const JITTER = 1 / 16;

/**
 * S steps: images [S + 1, P]; gradients [S, P], or the gain of each pixel's best train; margins and predictions [S + 1].
 * @typedef {{images: Float32Array, gradients: Float32Array, margins: Float32Array, predictions: Int8Array}} Path
 */

/** `random` is for the draws, `coin` for the code of every image. @param {any} options @returns {Promise<Path>} */
export async function attackTrajectory(method, network, image, eps, options) {
  const who = ATTACK_VARIANTS[choose("attack variant", method, Object.keys(ATTACK_VARIANTS))];
  const { label, coin, steps = STEPS, start = image, signal } = options;
  const advance = who.attacker === SPIKE_TRAIN ? searcher : ascent;
  const next = advance(who, network, image, eps, { ...options, steps, start });
  const read = (pixels) => look(network, pixels, label, coin());
  const images = [Float32Array.from(start)];
  const gradients = [];
  const readings = [read(start)];
  const joined = (rows) => Float32Array.from(rows.flatMap((row) => Array.from(row)));
  for (let k = 0; k < steps && readings.at(-1).answer === label; k++) {
    await pause(signal);
    const { moved, gradient } = await next(images.at(-1), k);
    images.push(moved);
    gradients.push(gradient);
    readings.push(read(moved));
  }
  return {
    images: joined(images),
    gradients: joined(gradients),
    margins: Float32Array.from(readings, ({ margin }) => margin),
    predictions: Int8Array.from(readings, ({ answer }) => answer),
  };
}

/** Grey levels of a stored image, and points of a slice between two of them. */
const LEVELS = 255;
export const perLevel = (eps) => Math.min(4, Math.max(1, Math.floor(160 / (2 * LEVELS * eps))));

/**
 * Margin and answer along the direction of a gradient, x(t) = clip(x + t sign g): at t = j / (255 per), for 0 ≤ t ≤ 2ε. At
 * each `per`-th point the image is one of whole grey levels, as a file stores it.
 * @param {Float32Array} gradient  @returns {Promise<{margins: Float32Array, predictions: Int8Array}>}
 */
export async function attackSlice(network, image, eps, gradient, { label, coin, signal }) {
  const per = perLevel(eps);
  const readings = [];
  for (let j = 0; j <= Math.floor(2 * LEVELS * eps + 1e-9) * per; j++) {
    if (j % 20 === 0) await pause(signal);
    const t = fround(j / (LEVELS * per));
    readings.push(
      look(
        network,
        Float32Array.from(image, (x, p) => clip(fround(x + t * Math.sign(gradient[p])))),
        label,
        coin(),
      ),
    );
  }
  return {
    margins: Float32Array.from(readings, ({ margin }) => margin),
    predictions: Int8Array.from(readings, ({ answer }) => answer),
  };
}

/** Steps along the gradient of the margin. @param {any} options */
function ascent(who, network, image, eps, options) {
  const { label, random, steps, draws = DRAWS, signal } = options;
  const sharpness = who.adapts ? new AdaptiveSharpness() : null;
  const aim = { label, exitStep: network.numSteps, attacker: who.attacker, random, signal, sharpness, loss: "margin" };
  const rise = (who.adapts ? saPgd : pgd)(eps, steps);
  return async (current) => {
    const gradient = Float32Array.from(await slope(who, network, current, aim, draws, sharpness));
    return { moved: inside(rise(current, gradient), image, eps), gradient };
  };
}

/** Steps of the search among spike trains; in place of a gradient, what every pixel gains by its best train. */
function searcher(_who, network, image, eps, { label, random, steps, start }) {
  const search = new TrainSearch(network, image, eps, { label, exitStep: network.numSteps, random });
  const { momentum: decay, shares } = network.search;
  let momentum = null;
  search.begin(start);
  return async (_current, k) => {
    momentum = gathered(momentum, search.look().gradient, decay);
    const gradient = search.gains(momentum);
    search.move(momentum, shareAt(shares, k, steps));
    return { moved: Float32Array.from(search.values), gradient };
  };
}

/** The gradient that the ascent follows. @returns {Promise<Float64Array>} */
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
  const checkpoints = new Set();
  let [at, share] = [0, 0.22];
  while (at + share < 1) {
    at += share;
    checkpoints.add(rounded(at * steps));
    share = Math.max(share - 0.03, 0.06);
  }
  return checkpoints;
}

/** To the nearest whole number, halves to the even one, as Python does. */
function rounded(value) {
  const near = Math.round(value);
  return Math.abs(value % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near;
}

/** Mean of f over the gradient, kept away from zero. */
const mean = (gradient, f) => Math.max(gradient.reduce((sum, g) => sum + f(g), 0) / gradient.length, 1e-20);

/** The nearest image inside the budget and inside [0, 1]. */
function inside(moved, image, eps) {
  const radius = fround(eps);
  return moved.map((x, p) => clip(Math.min(Math.max(x, fround(image[p] - radius)), fround(image[p] + radius))));
}

function look(network, image, label, random) {
  const { votes, predictions } = network.forward(image, random);
  return { margin: margin(votes.subarray(-network.classes), label), answer: predictions.at(-1) };
}
