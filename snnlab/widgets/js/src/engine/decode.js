/**
 * Reading a network out at every exit: e in 1 … T reads the steps 0 … e-1, index e-1 in every array. Mirrors
 * snnlab/networks/decoding.py.
 *
 *   rate      logit_k(e) = Σ_{t < e} s_k[t]
 *   membrane  logit_k(e) = Σ_{t < e} U_k[t]
 *   ttfs      logit_k(e) = max_{t < e} s_k[t] (T - t)
 *   current   logit_k(e) = U_k[e-1] + Σ_{t < e-1} s_k[t]     the charge, of an output with β = 1, θ = 1
 *
 * One forward pass gives all exits, as a running quantity.
 */

/** The prediction of a network that stayed silent: no answer, counted as an error. */
export const SILENT = -1;

/**
 * One decoder. `votes` reads the output layer, {spikes, membrane}, both [T, classes]; `backward` takes ∂L/∂logits at exit e
 * to ∂L/∂spikes and ∂L/∂membrane (null: zero), both [T, classes].
 *
 * @typedef {object} Decoder
 * @property {(output: import("./lif.js").Activity, classes: number) => Float32Array} votes logits at every exit
 * @property {(gradLogits: Float64Array, output: import("./lif.js").Activity, exitStep: number) =>
 *   {spikes: Float64Array, membrane: Float64Array|null}} backward
 */
/** @type {Record<string, Decoder>} */
export const DECODERS = {
  rate: {
    votes: ({ spikes }, classes) => runningSum(spikes, classes),
    backward(gradLogits, { spikes }, exitStep) {
      return { spikes: atEveryStep(gradLogits, spikes.length, exitStep), membrane: null };
    },
  },
  membrane: {
    votes: ({ membrane }, classes) => runningSum(membrane, classes),
    backward: (gradLogits, { membrane }, exitStep) => ({
      spikes: new Float64Array(membrane.length),
      membrane: atEveryStep(gradLogits, membrane.length, exitStep),
    }),
  },
  ttfs: {
    votes: ({ spikes }, classes) => {
      const numSteps = spikes.length / classes;
      const votes = new Float32Array(spikes.length);
      for (let k = 0; k < spikes.length; k++) {
        const before = k < classes ? 0 : votes[k - classes];
        votes[k] = Math.max(before, spikes[k] * (numSteps - Math.floor(k / classes)));
      }
      return votes;
    },
    // What a spike more or less does to the first spike's step, among those that are read: one before the first moves it
    // there, the first is followed by the second (none: the exit), later ones do not count.
    backward: (gradLogits, { spikes }, exitStep) => {
      const classes = gradLogits.length;
      const grad = new Float64Array(spikes.length);
      const next = (k, from) => {
        let t = from;
        while (t < exitStep && spikes[t * classes + k] === 0) t++;
        return t;
      };
      for (let k = 0; k < classes; k++) {
        const first = next(k, 0);
        for (let t = 0; t < first; t++) grad[t * classes + k] = gradLogits[k] * (first - t);
        if (first < exitStep) grad[first * classes + k] = gradLogits[k] * (next(k, first + 1) - first);
      }
      return { spikes: grad, membrane: null };
    },
  },
  current: {
    votes: ({ spikes, membrane }, classes) => {
      const fired = new Float32Array(classes); // before this step
      return membrane.map((u, k) => {
        const charge = u + fired[k % classes];
        fired[k % classes] += spikes[k];
        return charge;
      });
    },
    // The potential alone carries the gradient of the charge.
    backward: (gradLogits, { membrane }, exitStep) => {
      const grad = new Float64Array(membrane.length);
      grad.set(gradLogits, (exitStep - 1) * gradLogits.length);
      return { spikes: new Float64Array(membrane.length), membrane: grad };
    },
  },
};

/** Σ over the steps so far, summed in float64 as torch's cumsum does. */
function runningSum(values, classes) {
  const total = new Float64Array(classes);
  return Float32Array.from(values, (v, k) => (total[k % classes] += v));
}

/** A sum over the steps 0 … e-1 gives each of them the whole gradient. */
function atEveryStep(gradLogits, length, exitStep) {
  const grad = new Float64Array(length);
  for (let t = 0; t < exitStep; t++) grad.set(gradLogits, t * gradLogits.length);
  return grad;
}

/** The class with the most of the votes [T, classes] at exit e; a tie is decided by the potential of that step. */
export function leadingClass(votes, tieBreak, classes, exitStep) {
  const start = (exitStep - 1) * classes;
  let best = start;
  for (let k = start + 1; k < start + classes; k++) {
    if (votes[k] > votes[best] || (votes[k] === votes[best] && tieBreak[k] > tieBreak[best])) best = k;
  }
  return best - start;
}

/** Predictions at every exit, [T]; SILENT where nothing has been read. @param {Float32Array} votes */
export function predictions(votes, membrane, classes) {
  return Int8Array.from({ length: votes.length / classes }, (_, t) => {
    const spoken = votes.subarray(t * classes, (t + 1) * classes).some((vote) => vote !== 0);
    return spoken ? leadingClass(votes, membrane, classes, t + 1) : SILENT;
  });
}
