/** What is said of an exit whose votes are bounded. */
import assert from "node:assert/strict";
import test from "node:test";
import { bands, boundText, known } from "../src/view/charts/bands.js";

test("an exit is proved, broken or open, and the sentence says which", () => {
  const side = (predictions) => ({ predictions, input: new Float32Array(1) });
  const frame = /** @type {any} */ ({
    clean: side([3, 3, 3]),
    attacked: side([3, 5, 3]),
    target: 3,
    num_steps: 3,
    bounds: { proved: [true, false, false] },
  });
  assert.deepEqual([known(frame, 1), known(frame, 2), known(frame, 3)], ["proved", "broken", "open"]);
  assert.match(boundText(frame, 1), /^Proved at exit 1: no attacker/);
  assert.match(boundText(frame, 3), /too wide for a proof/);
  assert.deepEqual(bands({ ...frame, bounds: null }, /** @type {any} */ ({})), []);
});
