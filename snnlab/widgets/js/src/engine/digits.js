/**
 * The zoo's record as it reaches a page: which models there are, the test digits, the measured accuracies.
 */
import { field } from "./check.js";

/**
 * Check the payload "zoo" and unpack its digits.
 *
 * @param {object} payload
 * @returns {object} the payload, with digits.images: Float32Array, [n, C·H·W], values v/255
 */
export function unpackZoo(payload) {
  const models = field(payload, "models", "zoo");
  field(payload, "num_steps", "zoo");
  const digits = field(payload, "digits", "zoo");
  if (!Array.isArray(models) || models.length === 0) throw new Error("zoo: no models; build the web data again");
  const size = field(digits, "shape", "zoo, digits").reduce((a, b) => a * b, 1);
  const labels = field(digits, "labels", "zoo, digits");
  const bytes = fromBase64(field(digits, "pixels", "zoo, digits"));
  if (bytes.length !== labels.length * size) {
    const expected = `${labels.length * size} pixels for ${labels.length} digits`;
    throw new Error(`zoo, digits: expected ${expected}, got ${bytes.length}; the web data is damaged, build it again`);
  }
  return { ...payload, digits: { ...digits, images: Float32Array.from(bytes, (v) => v / 255) } };
}

function fromBase64(text) {
  let binary;
  try {
    binary = atob(text);
  } catch {
    throw new Error("zoo, digits: the pixels are not base64; the web data is damaged, build it again");
  }
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}
