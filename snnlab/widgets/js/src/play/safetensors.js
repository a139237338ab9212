/** A trained network as a safetensors file that `snnlab.networks.load` reads: weights, code, read-out, architecture, recipe. */

import { LOSSES, layersOf } from "../engine/train.js";
import { say } from "../language.js";

/** [inputs, outputs] → [outputs, inputs], as PyTorch has it. */
function turned(values, inputs, outputs) {
  const out = new Float32Array(values.length);
  for (let j = 0; j < inputs; j++) for (let i = 0; i < outputs; i++) out[i * inputs + j] = values[j * outputs + i];
  return out;
}

/**
 * @param {import("../engine/train.js").Recipe} recipe  @param {import("../engine/train.js").Weights} weights
 * @param {any} result what was measured, kept beside the recipe  @returns {Uint8Array}
 */
export function safetensors(recipe, weights, result) {
  const { steps, code, beta, loss } = recipe;
  const layers = layersOf(recipe, weights);
  /** @type {[string, number[], Float32Array][]} */
  const tensors = layers.flatMap(({ inputs, outputs, columns, bias }, k) => [
    [`layers.${k}.weight`, [outputs, inputs], turned(columns, inputs, outputs)],
    [`layers.${k}.bias`, [outputs], bias],
  ]);
  const settings = {
    code: { name: code, num_steps: steps },
    decoder: LOSSES[loss],
    options: { exit_step: steps },
    mlp: {
      sizes: [layers[0].inputs, ...layers.map(({ outputs }) => outputs)],
      beta,
      surrogate: { shape: recipe.surrogate, slope: recipe.slope },
    },
    recipe: { ...recipe, made: say`in the page`, result },
  };
  const header = { __metadata__: { snnlab: JSON.stringify(settings) } };
  let at = 0;
  for (const [name, shape, values] of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [at, at + values.byteLength] };
    at += values.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + padded + at).fill(32, 8, 8 + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(text, 8);
  let place = 8 + padded;
  for (const [, , values] of tensors) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), place);
    place += values.byteLength;
  }
  return file;
}
