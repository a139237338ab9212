/** The coin between two networks, and the answers at the stops of a dial. */
import assert from "node:assert/strict";
import test from "node:test";
import { coinAt, equalCoin } from "../src/view/model/coin.js";
import { DialAnswers } from "../src/view/session/dial-answers.js";

const place = (clean, robust) => ({ clean: { share: clean }, robust: robust === null ? null : { share: robust } });
const PARTS = [place(0.96, 0.1), place(0.92, 0.5)];

test("a coin has the mean accuracies of its parts, and is one of them at either end", () => {
  assert.deepEqual(coinAt(PARTS, 1), { clean: 0.96, robust: 0.1 });
  assert.deepEqual(coinAt(PARTS, 0), { clean: 0.92, robust: 0.5 });
  const { clean, robust } = coinAt(PARTS, 0.25);
  assert.ok(Math.abs(clean - 0.93) < 1e-12 && Math.abs(robust - 0.4) < 1e-12);
  assert.equal(coinAt([PARTS[0], place(0.9, null)], 0.5), null);
});

test("a network on the line is as accurate as the coin that is as robust, one beyond it is ahead by its distance", () => {
  for (const [clean, ahead] of [
    [0.94, 0],
    [0.95, 0.01],
    [0.93, -0.01],
  ]) {
    const equal = equalCoin(place(clean, 0.3), PARTS);
    assert.ok(Math.abs(equal.share - 0.5) < 1e-12);
    assert.ok(Math.abs(equal.ahead - ahead) < 1e-12);
  }
  // The order of the parts does not matter.
  assert.ok(Math.abs(equalCoin(place(0.95, 0.2), [...PARTS].reverse()).share - 0.25) < 1e-12);
});

test("less robust than both parts: the more accurate part is the coin; more robust than both: there is none", () => {
  assert.deepEqual(
    [0.05, 0.1].map((robust) => equalCoin(place(0.96, robust), PARTS)),
    Array(2).fill({ share: 1, ahead: 0 }),
  );
  assert.equal(equalCoin(place(0.9, 0.6), PARTS), null);
  // A part that is better in both respects is the best coin.
  assert.equal(equalCoin(place(0.9, 0.2), [place(0.95, 0.3), place(0.9, 0.1)]).share, 1);
});

test("every network of a dial answers once for each image, and a stopped dial asks no more", async () => {
  const asked = [];
  const run = async ({ encoding }) => {
    asked.push(encoding);
    return { clean: { predictions: [encoding === "b" ? 1 : 3] }, attacked: null, target: 3 };
  };
  const dial = new DialAnswers(run);
  const request = {
    image: new Float32Array(1),
    label: 3,
    attack: "none",
    attacker: "naive",
    eps: 0,
    silenced: -1,
    exit_step: 1,
  };
  let last = null;
  await dial.start(request, ["a", "b"], (answers) => {
    last = answers;
  });
  assert.deepEqual(last, [true, false]);
  await dial.start(request, ["a", "b"], () => {});
  assert.deepEqual(asked, ["a", "b"]);
  const other = dial.start({ ...request, eps: 0.1 }, ["a", "b"], (answers) => {
    last = answers;
  });
  dial.stop();
  await other;
  assert.deepEqual(last, [null, null]);
  assert.deepEqual(asked, ["a", "b"]);
});
