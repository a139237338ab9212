/** What the worker of the pictures does: one picture through a network of layers, attacked if the request asks for it. */
import { frameOf } from "../engine/frame.js";
import { chain, layered } from "../layers/network.js";

/** Layers whose activity is shown, by number: all that fire or rectify, but the output. */
const blocksOf = ({ layers }) =>
  layers.flatMap(({ kind }, k) => ((kind === "neuron" || kind === "relu") && k < layers.length - 1 ? [k] : []));

/** The activity of all blocks side by side, [T, neurons]; of an ANN one row of activations. */
function activity(network, { done }) {
  const blocks = blocksOf(network).map((k) => done[k].activity?.spikes ?? done[k].values);
  const steps = network.encoder ? network.numSteps : 1;
  const width = blocks.reduce((sum, values) => sum + values.length / steps, 0);
  const joined = network.encoder ? new Uint8Array(steps * width) : new Float32Array(width);
  for (let t = 0, at = 0; t < steps; t++) {
    for (const values of blocks) {
      const n = values.length / steps;
      joined.set(values.subarray(t * n, (t + 1) * n), at);
      at += n;
    }
  }
  return { blocks: joined };
}

/** As engine/serve.js takes tasks. @type {Object<string, any>} */
export const TASKS = {
  picture: {
    prepare({ payload, numSteps }) {
      const network = layered(payload.model, chain(payload.network, `picture/${payload.model.name}`), numSteps);
      return { network, maps: blocksOf(network).map((k) => payload.network.layers[k].outputs) };
    },
    async each({ network, maps }, _settings, request, signal) {
      return { ...(await frameOf(network, { ...request, signal }, "browser", activity)), maps };
    },
  },
};
