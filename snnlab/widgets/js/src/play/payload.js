/** A network that has learned in the page, described as a model of the zoo: every engine and worker runs and attacks it. */
import { CLASSES, LOSSES } from "../engine/train.js";

/** A model of the zoo, of which the settings of the attackers are taken. */
export const MODEL = "onset";

/**
 * @param {import("../engine/train.js").Recipe} recipe  @param {import("../engine/train.js").Weights} weights
 * @param {any} settings payload of a model of the zoo  @param {string} name
 */
export function payloadOf({ code, steps, beta, hidden, surrogate: shape, slope, loss }, weights, settings, name) {
  const { w1, b1, w2, b2 } = weights;
  const { attack_surrogate, spike_train } = settings;
  const layers = [
    { inputs: w1.length / hidden, outputs: hidden, columns: w1, bias: b1 },
    { inputs: hidden, outputs: CLASSES, columns: w2, bias: b2 },
  ];
  const neurons = { beta, threshold: 1, reset: "subtract", tau_s: null, surrogate: { shape, slope } };

  return {
    name,
    kind: "snn",
    layers,
    encoder: { name: code, num_steps: steps },
    decoder: LOSSES[loss],
    ...neurons,
    eot: 1,
    attack_surrogate,
    spike_train,
  };
}
