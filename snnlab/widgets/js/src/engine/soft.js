/**
 * Read-outs of soft spikes p[t] = σ(a (U[t] - θ)), which move where spike counts do not. Mirrors the loss of
 * snnlab/attack/spike_train.py. As the decoders, at one exit e:
 *
 *   rate      Σ_{t < e} p[t]
 *   membrane  Σ_{t < e} U[t]
 *   ttfs      Σ_{t < e} f[t] + f[e-1] (T - e),   f[t] = 1 - Π_{u ≤ t} (1 - p[u])
 *
 * The gradient of the last factor of `ttfs` is left out, as in its decoder.
 */

/**
 * @typedef {object} SoftReadout
 * @property {(membrane: Float32Array, options: object) => Float64Array} votes  [classes], with options threshold, slope a,
 *   classes, exitStep and numSteps
 * @property {(gradVotes: Float64Array, membrane: Float32Array, options: object) => Float64Array} backward  to the membrane,
 *   [T, classes]
 */
/** @type {Record<string, SoftReadout>} */
export const SOFT_READOUTS = {
  rate: {
    votes: (membrane, options) => sum(membrane, options, (u) => logistic(u, options)),
    backward: (grad, membrane, options) =>
      spread(grad, membrane, options, (u) => options.slope * logistic(u, options) * (1 - logistic(u, options))),
  },
  membrane: {
    votes: (membrane, options) => sum(membrane, options, (u) => u),
    backward: (grad, membrane, options) => spread(grad, membrane, options, () => 1),
  },
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

function logistic(u, { threshold, slope }) {
  return 1 / (1 + Math.exp(-slope * (u - threshold)));
}

/** Π_{u ≤ t} (1 - p[u]) of one class, up to the exit. */
function silence(membrane, k, { classes, exitStep, threshold, slope }) {
  const out = new Float64Array(exitStep);
  let left = 1;
  for (let t = 0; t < exitStep; t++) {
    left *= 1 / (1 + Math.exp(slope * (membrane[t * classes + k] - threshold)));
    out[t] = left;
  }
  return out;
}

function sum(membrane, { classes, exitStep }, of) {
  const out = new Float64Array(classes);
  for (let i = 0; i < exitStep * classes; i++) out[i % classes] += of(membrane[i]);
  return out;
}

function spread(grad, membrane, { classes, exitStep }, of) {
  const out = new Float64Array(membrane.length);
  for (let i = 0; i < exitStep * classes; i++) out[i] = grad[i % classes] * of(membrane[i]);
  return out;
}
