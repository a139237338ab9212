/** A slice through the loss: along the direction of a gradient, with the grey levels on the way. */
import assert from "node:assert/strict";
import test from "node:test";
import { attackSlice, perLevel } from "../src/engine/index.js";
import { sliceSummary, sliceText } from "../src/view/charts/slice.js";

/** Two pixels are two votes; the label is class 0. */
const network = {
  classes: 2,
  forward: (image) => ({ votes: Float32Array.from(image), predictions: [image[1] > image[0] ? 1 : 0] }),
};
const slice = (gradient, eps = 0.1, image = [0.5, 0.45]) =>
  attackSlice(network, Float32Array.from(image), eps, Float32Array.from(gradient), { label: 0, coin: () => null });

test("a slice runs to twice the budget in equal parts of a grey level, and begins at the image itself", async () => {
  for (const eps of [0.01, 0.1, 0.3]) {
    const { margins, predictions } = await slice([0, 0], eps);
    assert.equal(margins.length, Math.floor(510 * eps + 1e-9) * perLevel(eps) + 1);
    assert.equal(predictions.length, margins.length);
    assert.ok(margins.every((m) => m === margins[0])); // no gradient: nowhere to go
  }
});

test("only the sign of the gradient counts, and pixels stay in [0, 1]", async () => {
  const [small, large] = await Promise.all([slice([-1e-6, 1e-6]), slice([-3, 5])]);
  assert.deepEqual(small, large);
  assert.ok(Math.abs(small.margins.at(-1) - (-0.05 + 2 * (51 / 255))) < 1e-6);
  const { margins } = await slice([0, 1], 0.5, [1, 0.95]);
  assert.equal(margins.at(-1), 0);
});

const at = (predictions, eps = 0.1) => ({ path: { slice_predictions: Int8Array.from(predictions) }, target: 3, eps });

test("what lies between grey levels is lost in rounding, what reaches them is not", () => {
  assert.equal(perLevel(0.1), 3);
  // Grey levels at 0, 3, 6; point 1 is nearest to 0, point 5 to 6.
  assert.deepEqual(sliceSummary(at([3, 8, 3, 3, 3, 8, 8])), { wrong: 3, lost: 1, first: 2 });
  assert.match(sliceText(at([3, 8, 3, 3, 3, 8, 8])), /from 2 grey levels on\. Rounding undoes 1 point of 3/);
  assert.match(sliceText(at([3, 3, 3, 3])), /^Correct at every whole grey level up to 51\.$/);
  assert.match(sliceText(at([3, 3, 3, 8])), /from 1 grey level on\.$/);
  assert.equal(sliceSummary({ path: {}, target: 3, eps: 0.1 }), null);
});
