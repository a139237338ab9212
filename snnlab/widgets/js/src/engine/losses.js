/**
 * Losses of the logits z that an attack raises, and their gradients. Mirrors snnlab/attacks/goal.py.
 *
 *   cross_entropy  -log softmax(z)_y
 *   margin         max_{k≠y} z_k - z_y        above 0 where the answer is wrong
 */

/** softmax(z) - onehot(label). @param {Float64Array|number[]} logits z  @returns {Float64Array} */
export function crossEntropyGradient(logits, label) {
  const top = Math.max(...logits);
  const terms = Float64Array.from(logits, (z) => Math.exp(z - top));
  const total = terms.reduce((a, b) => a + b, 0);
  return terms.map((term, k) => term / total - (k === label ? 1 : 0));
}

/** The cross-entropy, from logits of any size. */
export function crossEntropy(logits, label) {
  const top = Math.max(...logits);
  return Math.log(logits.reduce((sum, z) => sum + Math.exp(z - top), 0)) + top - logits[label];
}

/** Votes of the strongest wrong class minus those of the label. */
export const margin = (logits, label) => Math.max(...strongest(logits, label).map((k) => logits[k])) - logits[label];

/** Its gradient; wrong classes that tie share it, as torch's `amax` does. */
export function marginGradient(logits, label) {
  const others = strongest(logits, label);
  return Float64Array.from(logits, (_, k) => (k === label ? -1 : others.includes(k) ? 1 / others.length : 0));
}

/** The wrong classes with the most votes. */
function strongest(logits, label) {
  const others = Array.from(logits, (_, k) => k).filter((k) => k !== label);
  const most = Math.max(...others.map((k) => logits[k]));
  return others.filter((k) => logits[k] === most);
}

/**
 * The same for an attack towards a class t, in each of several draws: of log(1 + (K-1) exp(d)) with d the margin of the class,
 * z_t - max_{k≠t} z_k, in the mean of the draws. Mirrors snnlab/attacks/targeted.py.
 * @param {ArrayLike<number>[]} draws logits  @param {number} target t  @returns {Float64Array[]}
 */
export function towardsGradients(draws, target) {
  const ahead = draws.reduce((sum, logits) => sum - margin(logits, target), 0) / draws.length;
  const slope = 1 / (1 + Math.exp(-ahead) / (draws[0].length - 1)) / draws.length;
  return draws.map((logits) => marginGradient(logits, target).map((g) => -slope * g));
}

export const LOSS_GRADIENTS = { cross_entropy: crossEntropyGradient, margin: marginGradient };
