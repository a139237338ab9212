/**
 * What an answer costs, counted in operations (Horowitz 2014, 45 nm). Mirrors snnlab/networks/energy.py, which says what is left out.
 *
 *   E(e) = 4.6 pJ · MACs(e) + 0.9 pJ · SynOps(e)
 *
 * A spike is one SynOp per neuron that it reaches; an analog part is multiplied (MACs) when its input changes.
 */
const { fround } = Math;

export const PJ_PER_MAC = 4.6;
export const PJ_PER_SYNOP = 0.9;

/** Picojoules of a number of operations, rounded as torch rounds them. */
const picojoules = (macs, synops) => fround(fround(fround(PJ_PER_MAC) * macs) + fround(fround(PJ_PER_SYNOP) * synops));

/** pJ up to every exit, [T], of one image's trace. @param {import("./network.js").SpikingNetwork} network */
export function spikingEnergy({ encoder, first, second, numPixels, numSteps }, { input, hidden }) {
  const pJ = new Float32Array(numSteps);
  const active = encoder.parts.flatMap((part, k) => (part.gate === 0 ? [] : [[part.constant, k * numPixels]]));
  let [macs, synops] = [0, 0];
  for (let t = 0; t < numSteps; t++) {
    for (const [analog, offset] of active) {
      const start = t * first.inputs + offset;
      if (!analog) synops += first.outputs * events(input, start, numPixels);
      else if (t === 0 || changed(input, start, first.inputs, numPixels)) macs += first.outputs * numPixels;
    }
    synops += second.outputs * events(hidden.spikes, t * second.inputs, second.inputs);
    pJ[t] = picojoules(macs, synops);
  }
  return pJ;
}

/** Every weight of an ANN is used once. @returns {Float32Array} [1] */
export function conventionalEnergy({ first, second }) {
  return Float32Array.of(picojoules(first.inputs * first.outputs + second.inputs * second.outputs, 0));
}

const events = (values, start, count) => values.subarray(start, start + count).filter((value) => value !== 0).length;

/** Whether the values from `start` on differ from those of the step before. */
function changed(values, start, width, count) {
  return values.subarray(start, start + count).some((value, j) => value !== values[start + j - width]);
}
