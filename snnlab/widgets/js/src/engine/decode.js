/**
 * Reading a network out at every exit: e in 1 … T reads the steps 0 … e-1, index e-1 in every array.
 *
 *   rate:  logit_k(e) = Σ_{t < e} s_k[t]
 *
 * One forward pass gives all exits, as a running sum.
 */

/** The prediction of a network that stayed silent: no answer, counted as an error. */
export const SILENT = -1;

/**
 * @param {Uint8Array} spikes of the output layer, [T, classes]
 * @param {number} classes
 * @returns {Float32Array} logits at every exit, [T, classes]
 */
export function rate(spikes, classes) {
  const votes = new Float32Array(spikes.length);
  for (let k = 0; k < spikes.length; k++) votes[k] = spikes[k] + (k < classes ? 0 : votes[k - classes]);
  return votes;
}

/**
 * The leading class at one exit. Equal spike counts are decided by the membrane potential of that step.
 *
 * @param {Float32Array} votes [T, classes]
 * @param {Float32Array} tieBreak membrane potential, [T, classes]
 * @param {number} classes
 * @param {number} exitStep e
 * @returns {number} 0 … classes - 1
 */
export function leadingClass(votes, tieBreak, classes, exitStep) {
  const start = (exitStep - 1) * classes;
  let best = start;
  for (let k = start + 1; k < start + classes; k++) {
    if (votes[k] > votes[best] || (votes[k] === votes[best] && tieBreak[k] > tieBreak[best])) best = k;
  }
  return best - start;
}

/**
 * Predictions at every exit; SILENT where no output spike has been read.
 *
 * @param {Float32Array} votes [T, classes]
 * @param {Float32Array} membrane [T, classes]
 * @param {number} classes
 * @returns {Int8Array} [T]
 */
export function predictions(votes, membrane, classes) {
  return Int8Array.from({ length: votes.length / classes }, (_, t) => {
    const spoken = votes.subarray(t * classes, (t + 1) * classes).some((count) => count > 0);
    return spoken ? leadingClass(votes, membrane, classes, t + 1) : SILENT;
  });
}

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
