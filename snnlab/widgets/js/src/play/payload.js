/** A network that has learned in the page, described as a model of the zoo: every engine and worker runs and attacks it. */
import { LOSSES, layersOf } from "../engine/train.js";

/** A model of the zoo, of which the settings of the attackers are taken. */
export const MODEL = "onset";

/**
 * @param {import("../engine/train.js").Recipe} recipe  @param {import("../engine/train.js").Weights} weights
 * @param {any} settings payload of a model of the zoo  @param {string} name
 */
export function payloadOf(recipe, weights, settings, name) {
  const { code, steps, beta, surrogate: shape, slope, loss } = recipe;
  const { attack_surrogate, spike_train } = settings;
  const neurons = { beta, threshold: 1, reset: "subtract", tau_s: null, surrogate: { shape, slope } };

  return {
    name,
    kind: "snn",
    layers: layersOf(recipe, weights),
    encoder: { name: code, num_steps: steps },
    decoder: LOSSES[loss],
    ...neurons,
    eot: 1,
    attack_surrogate,
    spike_train,
  };
}
