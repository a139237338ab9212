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

/**
 * Operations of one image's trace up to every exit, [3, T]: MACs, MACs without products of zero, and SynOps.
 * @param {import("./network.js").SpikingNetwork} network
 */
export function spikingOperations({ encoder, first, middle, second, numPixels, numSteps }, { input, early, hidden }) {
  const counts = new Float32Array(3 * numSteps);
  const active = encoder.parts.flatMap((part, k) => (part.gate === 0 ? [] : [[part.constant, k * numPixels]]));
  let [macs, nonzero, synops] = [0, 0, 0];
  for (let t = 0; t < numSteps; t++) {
    for (const [analog, offset] of active) {
      const start = t * first.inputs + offset;
      const reached = first.outputs * events(input, start, numPixels);
      if (!analog) synops += reached;
      else if (t === 0 || changed(input, start, first.inputs, numPixels)) {
        macs += first.outputs * numPixels;
        nonzero += reached;
      }
    }
    if (middle) synops += middle.outputs * events(early.spikes, t * middle.inputs, middle.inputs);
    synops += second.outputs * events(hidden.spikes, t * second.inputs, second.inputs);
    [macs, nonzero, synops].forEach((count, k) => {
      counts[k * numSteps + t] = count;
    });
  }
  return counts;
}

/** An ANN uses every weight once; without products of zero, those of lit pixels and active units. @returns {Float32Array} [3, 1] */
export function conventionalOperations({ first, second }, { image, activation }) {
  const used = first.outputs * events(image, 0, first.inputs) + second.outputs * events(activation, 0, second.inputs);
  return Float32Array.of(first.inputs * first.outputs + second.inputs * second.outputs, used, 0);
}

/** pJ up to every exit, [T]. @param {Float32Array} operations [3, T] */
export function energyOf(operations) {
  const steps = operations.length / 3;
  return Float32Array.from({ length: steps }, (_, t) => picojoules(operations[t], operations[2 * steps + t]));
}

const events = (values, start, count) => values.subarray(start, start + count).filter((value) => value !== 0).length;

/** Whether the values from `start` on differ from those of the step before. */
function changed(values, start, width, count) {
  return values.subarray(start, start + count).some((value, j) => value !== values[start + j - width]);
}
