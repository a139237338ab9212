/**
 * The zoo's record as it reaches a page: which models there are, the test digits, the measured accuracies.
 */
import { field } from "./check.js";

const AGAIN = "the web data is damaged, build it again";

/**
 * Check the payload "zoo" and unpack its digits.
 *
 * @param {object} payload
 * @returns {object} the payload, with digits.images: Float32Array, [n, C·H·W], values v/255
 */
export function unpackZoo(payload) {
  const models = field(payload, "models", "zoo");
  if (!Array.isArray(models) || models.length === 0) throw new Error(`zoo: no models; ${AGAIN}`);
  const results = field(payload, "results", "zoo");
  // A reader's own model, behind a kernel, comes without measured accuracies.
  if (results !== null) checkResults(results, field(payload, "num_steps", "zoo"));
  return { ...payload, digits: unpackDigits(field(payload, "digits", "zoo")) };
}

function unpackDigits(digits) {
  const size = field(digits, "shape", "zoo, digits").reduce((a, b) => a * b, 1);
  const labels = field(digits, "labels", "zoo, digits");
  const bytes = fromBase64(field(digits, "pixels", "zoo, digits"));
  if (bytes.length !== labels.length * size) {
    const expected = `${labels.length * size} pixels for ${labels.length} digits`;
    throw new Error(`zoo, digits: expected ${expected}, got ${bytes.length}; ${AGAIN}`);
  }
  return { ...digits, images: Float32Array.from(bytes, (v) => v / 255) };
}

/** Counts of correct (and of silent) answers, [exit][ε] per model and attack, each from 0 to n. */
function checkResults(results, numSteps) {
  const eps = field(results, "eps", "zoo, results");
  const n = field(results, "n", "zoo, results");
  field(results, "correct", "zoo, results");
  for (const kind of ["correct", "silent"]) {
    for (const [model, byAttack] of Object.entries(results[kind] ?? {})) {
      const rows = results.exits?.[model]?.length ?? numSteps;
      for (const [attack, counts] of Object.entries(byAttack)) {
        const whole = counts?.length === rows && counts.every((row) => row?.length === eps.length);
        if (!(whole && counts.flat().every((c) => Number.isInteger(c) && c >= 0 && c <= n))) {
          const where = `zoo, results: ${kind}, ${model}, ${attack}`;
          throw new Error(`${where}: expected ${rows} × ${eps.length} counts from 0 to ${n}; ${AGAIN}`);
        }
      }
    }
  }
}

function fromBase64(text) {
  let binary;
  try {
    binary = atob(text);
  } catch {
    throw new Error(`zoo, digits: the pixels are not base64; ${AGAIN}`);
  }
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}
