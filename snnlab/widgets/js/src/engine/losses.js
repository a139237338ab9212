/**
 * Losses of the logits z that an attack raises, and their gradients. Mirrors snnlab/attack/losses.py.
 *
 *   cross_entropy  -log softmax(z)_y
 *   margin         max_{k≠y} z_k - z_y        above 0 where the answer is wrong
 */

/**
 * Gradient of the cross-entropy with respect to the logits: softmax(z) - onehot(label).
 *
 * @param {ArrayLike<number>} logits z
 * @param {number} label
 * @returns {Float64Array}
 */
export function crossEntropyGradient(logits, label) {
  const top = Math.max(...logits);
  const grad = Float64Array.from(logits, (z) => Math.exp(z - top));
  const total = grad.reduce((a, b) => a + b, 0);
  for (let k = 0; k < grad.length; k++) grad[k] /= total;
  grad[label] -= 1;
  return grad;
}

/** The cross-entropy, from logits of any size. */
export function crossEntropy(logits, label) {
  const top = Math.max(...logits);
  return Math.log(logits.reduce((sum, z) => sum + Math.exp(z - top), 0)) + top - logits[label];
}

/** Votes of the strongest wrong class minus those of the label. */
export function margin(logits, label) {
  return Math.max(...strongest(logits, label).map((k) => logits[k])) - logits[label];
}

/** Its gradient; wrong classes that tie share it, as torch's `amax` does. */
export function marginGradient(logits, label) {
  const grad = new Float64Array(logits.length);
  const others = strongest(logits, label);
  for (const k of others) grad[k] = 1 / others.length;
  grad[label] = -1;
  return grad;
}

/** The wrong classes with the most votes. */
function strongest(logits, label) {
  const others = [...logits.keys()].filter((k) => k !== label);
  const most = Math.max(...others.map((k) => logits[k]));
  return others.filter((k) => logits[k] === most);
}

export const LOSS_GRADIENTS = { cross_entropy: crossEntropyGradient, margin: marginGradient };
