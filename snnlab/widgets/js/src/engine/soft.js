/**
 * Read-outs of soft spikes p[t] = σ(a (U[t] - θ)), which move where spike counts do not. Mirrors the loss of
 * snnlab/attacks/spike_train.py. As the decoders, at one exit e:
 *
 *   rate      Σ_{t < e} p[t]
 *   membrane  Σ_{t < e} U[t]
 *   ttfs      Σ_{t < e} f[t] + f[e-1] (T - e),   f[t] = 1 - Π_{u ≤ t} (1 - p[u])
 *
 * The gradient of the last factor of `ttfs` is left out, as in its decoder.
 */

const logistic = (u, { threshold, slope }) => 1 / (1 + Math.exp(-slope * (u - threshold)));

/**
 * Votes, [classes], and their gradient to the membrane, [T, classes]; options: threshold, slope a, classes, exitStep, numSteps.
 * @type {Object<string, {votes: (membrane: Float32Array, options: any) => Float64Array,
 *   backward: (grad: Float64Array, membrane: Float32Array, options: any) => Float64Array}>}
 */
export const SOFT_READOUTS = {
  rate: summed(logistic, (u, options) => options.slope * logistic(u, options) * (1 - logistic(u, options))),
  membrane: summed(
    (u) => u,
    () => 1,
  ),
  ttfs: {
    votes(membrane, options) {
      const { classes, exitStep, numSteps } = options;
      return Float64Array.from({ length: classes }, (_, k) => {
        const silent = silence(membrane, k, options);
        const fired = silent.reduce((total, q) => total + 1 - q, 0);
        return fired + (1 - silent[exitStep - 1]) * (numSteps - exitStep);
      });
    },
    // d(1 - Π (1 - p))/dU[s] = a p[s] Π_{u ≤ t} (1 - p[u]) for every t ≥ s.
    backward(grad, membrane, options) {
      const { classes, exitStep, slope } = options;
      const out = new Float64Array(membrane.length);
      for (let k = 0; k < classes; k++) {
        const silent = silence(membrane, k, options);
        let later = 0;
        for (let t = exitStep - 1; t >= 0; t--) {
          later += silent[t];
          const at = t * classes + k;
          out[at] = grad[k] * slope * logistic(membrane[at], options) * later;
        }
      }
      return out;
    },
  },
};

/** Π_{u ≤ t} (1 - p[u]) of one class, up to the exit. */
function silence(membrane, k, { classes, exitStep, threshold, slope }) {
  let left = 1;
  return Float64Array.from({ length: exitStep }, (_, t) => {
    left *= 1 / (1 + Math.exp(slope * (membrane[t * classes + k] - threshold)));
    return left;
  });
}

/** The sum of a function of the membrane over the steps that are read, from the function and its derivative. */
function summed(of, slopeOf) {
  return {
    votes(membrane, options) {
      const out = new Float64Array(options.classes);
      const read = membrane.subarray(0, options.exitStep * options.classes);
      read.forEach((u, i) => (out[i % options.classes] += of(u, options)));
      return out;
    },
    backward(grad, membrane, options) {
      const { classes, exitStep } = options;
      const slope = (u, i) => (i < exitStep * classes ? grad[i % classes] * slopeOf(u, options) : 0);
      return Float64Array.from(membrane, slope);
    },
  };
}
