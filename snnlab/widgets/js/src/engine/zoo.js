/** The zoo's record as it reaches a page: which models there are, the test digits, the measured accuracies. */
import { field, sound } from "./check.js";

/** Classes, unless the payload says another number. */
const CLASSES = 10;

/**
 * Check the payload "zoo" and unpack its digits.
 * @returns {any} the payload, with digits.images: Float32Array, [n, C·H·W], values v/255, and with the number of classes
 */
export function unpackZoo(payload) {
  const models = field(payload, "models", "zoo");
  sound(models.length > 0, "zoo: no models");
  const results = field(payload, "results", "zoo");
  // A reader's own model, behind a kernel, comes without measured accuracies.
  if (results !== null) checkResults(results, field(payload, "num_steps", "zoo"));
  return { classes: CLASSES, ...payload, digits: unpackDigits(field(payload, "digits", "zoo")) };
}

function unpackDigits(digits) {
  const size = field(digits, "shape", "zoo, digits").reduce((a, b) => a * b, 1);
  const labels = field(digits, "labels", "zoo, digits");
  const bytes = /** @type {Uint8Array} */ (fromBase64(field(digits, "pixels", "zoo, digits")));
  const expected = `${labels.length * size} pixels for ${labels.length} digits`;
  sound(bytes.length === labels.length * size, `zoo, digits: expected ${expected}, got ${bytes.length}`);
  return { ...digits, images: Float32Array.from(bytes, (v) => v / 255) };
}

/** Counts of correct (and of silent) answers, [exit][ε] per model and attack, each from 0 to n. */
function checkResults(results, numSteps) {
  const eps = field(results, "eps", "zoo, results");
  const n = field(results, "n", "zoo, results");
  field(results, "correct", "zoo, results");
  const isCount = (count) => Number.isInteger(count) && count >= 0 && count <= n;
  for (const kind of ["correct", "silent"]) {
    for (const [model, byAttack] of Object.entries(results[kind] ?? {})) {
      const rows = results.exits?.[model]?.length ?? numSteps;
      for (const [attack, counts] of Object.entries(byAttack)) {
        const whole = counts?.length === rows && counts.every((row) => row?.length === eps.length && row.every(isCount));
        const where = `zoo, results: ${kind}, ${model}, ${attack}`;
        sound(whole, `${where}: expected ${rows} × ${eps.length} counts from 0 to ${n}`);
      }
    }
  }
}

function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    return sound(false, "zoo, digits: the pixels are not base64");
  }
}
