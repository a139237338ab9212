/** A network that learns in the page: it learns, it goes on where it stopped, and it is kept. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { asImage } from "../src/engine/digits.js";
import { network } from "../src/engine/network.js";
import { serve } from "../src/engine/serve.js";
import { checkRecipe, initial, LEARNED, networkOf, Trainer } from "../src/engine/train.js";
import { payloadOf } from "../src/play/payload.js";
import { safetensors } from "../src/play/safetensors.js";
import { FORBIDDEN, keep, kept, PLAYED } from "../src/play/store.js";
import { keptText, keptTitle, progressText, recipeText, testText } from "../src/play/text.js";
import { revived, Training } from "../src/play/training.js";

const SIDE = 6;
const PIXELS = SIDE * SIDE;
const RECIPE = {
  code: "onset",
  steps: 6,
  beta: 0.9,
  hidden: 24,
  surrogate: "sigmoid",
  slope: 4,
  loss: "count",
  eps: 0,
  seed: 0,
  epochs: 3,
};

/** Ten classes of small pictures: a bright row or column each, and some grey. */
function toy(count) {
  const pixels = new Uint8Array(count * PIXELS);
  const labels = Array.from({ length: count }, (_, n) => n % 10);
  for (const [n, label] of labels.entries()) {
    for (let k = 0; k < PIXELS; k++) {
      const [row, column] = [Math.floor(k / SIDE), k % SIDE];
      const lit = label < 5 ? row === label : column === label - 5;
      pixels[n * PIXELS + k] = lit ? 200 + (n % 50) : (n * 7 + k * 13) % 40;
    }
  }
  return { pixels, labels, size: PIXELS };
}

/** All items of a training, by a worker that answers at once; `until` says how many. */
async function worked(training, until = Number.POSITIVE_INFINITY) {
  training.plan(400);
  // One test, at the end, is enough.
  if (until > 1e6) training.items = training.items.filter(({ rows }, k, all) => rows || k === all.length - 1);
  const answers = [];
  const take = serve(
    (message) => answers.push(message),
    async () => {},
  );
  take({ type: "prepare", task: "train", key: training.key, start: training.start, train: toy(400), test: toy(200) });
  const items = training.items.slice(training.done, until).map((item) => ({ ...item, tell: true }));
  take({ type: "start", id: 1, task: "train", key: training.key, settings: { eps: 0.1 }, items });
  while (answers.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(answers[0].message, undefined);
  training.add(structuredClone(answers[0].results));
  return training;
}

test("every code learns", async () => {
  for (const code of LEARNED) {
    const { batches, finished } = await worked(new Training({ ...RECIPE, code, loss: "membrane", epochs: 8 }, PIXELS));
    assert.ok(batches.at(-1).loss < batches[0].loss, code);
    assert.equal(finished, true);
  }
});

test("accuracy is that of the engine's network, and an attack lowers it", async () => {
  const recipe = { ...RECIPE, hidden: 64, epochs: 30 };
  const { weights, tests } = await worked(new Training(recipe, PIXELS));
  const { clean, robust, n } = tests.at(-1);
  const network = networkOf(recipe, weights);
  const { pixels, labels } = toy(200);
  const read = (k) => network.forward(asImage(pixels.subarray(k * PIXELS, (k + 1) * PIXELS))).predictions.at(-1);
  assert.equal(clean, labels.filter((label, k) => read(k) === label).length);
  assert.ok(clean / n > 0.5, `${clean} of ${n}`);
  assert.ok(robust <= clean);
});

test("two hidden layers learn, are kept, go on, and are a model of the page", async () => {
  const storage = storageOf();
  const recipe = { ...RECIPE, loss: "membrane", second: 16 };
  const training = await worked(new Training(recipe, PIXELS), 5);
  assert.equal(keep(training, PLAYED, storage), null);
  const again = revived(kept(PLAYED, storage), PIXELS);
  const [whole, goneOn] = await Promise.all([worked(training), worked(again)]);
  assert.deepEqual(goneOn.weights, whole.weights);
  assert.ok(whole.batches.at(-1).loss < whole.batches[0].loss);
  assert.match(recipeText(recipe), /24 \+ 16 hidden/);
  const settings = { attack_surrogate: { shape: "arctan", slope: 2 }, spike_train: null };
  const model = network(payloadOf(recipe, whole.weights, settings, "yours"), 8);
  const image = asImage(toy(1).pixels);
  const same = networkOf(recipe, whole.weights).forward(image);
  assert.deepEqual(model.forward(image).predictions, same.predictions);
  assert.equal(model.middle.outputs, 16);
  assert.throws(() => network({ ...payloadOf(recipe, whole.weights, settings, "y"), kind: "ann" }, 8), /expected 2 layers/);
  assert.throws(() => checkRecipe({ ...recipe, second: 1.5 }), /second/);
});

test("training on attacked pictures is another training, and learns too", async () => {
  const clean = await worked(new Training({ ...RECIPE, epochs: 2 }, PIXELS));
  const attacked = await worked(new Training({ ...RECIPE, epochs: 2, eps: 0.1 }, PIXELS));
  assert.notDeepEqual(attacked.weights.w1, clean.weights.w1);
  assert.ok(attacked.batches.at(-1).loss < attacked.batches[0].loss);
});

test("the same seed gives the same network, another one another", async () => {
  const weights = async (seed) => (await worked(new Training({ ...RECIPE, seed, epochs: 1 }, PIXELS))).weights.w1;
  assert.deepEqual(await weights(0), await weights(0));
  assert.notDeepEqual(await weights(0), await weights(1));
});

test("an epoch that was lost begins again at the weights before it", async () => {
  const training = new Training(RECIPE, PIXELS);
  await worked(training, 5); // four batches and a test
  training.save();
  const before = training.weights.w1.slice();
  const epochs = training.tests.length;
  training.batches.push({ batch: 5, loss: 1, share: 0 });
  training.weights = initial({ ...RECIPE, seed: 9 }, PIXELS);
  training.done += 1;
  training.rewind();
  assert.deepEqual(training.weights.w1, before);
  assert.deepEqual([training.tests.length, training.batches.length, training.done], [epochs, 4, 5]);
});

test("each digit is learned once an epoch", () => {
  const training = new Training(RECIPE, PIXELS);
  training.plan(400);
  const first = training.items.slice(0, 4).flatMap(({ rows }) => rows);
  assert.deepEqual(
    [...first].sort((a, b) => a - b),
    Array.from({ length: 400 }, (_, k) => k),
  );
  assert.ok(training.items[4].tests > 0);
});

/** A storage of a browser that has room for so many characters. */
function storageOf(room = Number.POSITIVE_INFINITY) {
  const memory = new Map();
  const setItem = (key, value) => {
    if (value.length > room) throw new Error("QuotaExceededError");
    memory.set(key, value);
  };
  return () => ({ setItem, getItem: (key) => memory.get(key) ?? null });
}

test("what is kept goes on as if nothing had happened", async () => {
  const storage = storageOf();
  assert.equal(kept(PLAYED, storage), null);
  const training = await worked(new Training(RECIPE, PIXELS), 5); // an epoch: four batches and a test
  assert.equal(keep(training, PLAYED, storage), null);
  const found = kept(PLAYED, storage);
  assert.deepEqual(found.recipe, RECIPE);
  assert.equal(keptTitle(found), "Go on after epoch 1 of 3");
  const again = revived(found, PIXELS);
  assert.deepEqual(again.weights, training.weights);
  assert.equal(again.done, 5);
  const [whole, goneOn] = await Promise.all([worked(training, 10), worked(again, 10)]);
  assert.deepEqual(goneOn.weights, whole.weights);
  assert.deepEqual(goneOn.tests, whole.tests);
});

test("where the optimiser has no room the network alone is kept, and a browser that forbids it is a sentence", async () => {
  const training = await worked(new Training(RECIPE, PIXELS), 5);
  const storage = storageOf(8000);
  assert.equal(keep(training, PLAYED, storage), null);
  assert.equal(kept(PLAYED, storage).adam, null);
  assert.deepEqual(kept(PLAYED, storage).weights, training.weights);
  assert.match(keptText(training, 6), /as “yours”/);
  assert.match(keptText(training, 8), /other explorers read 8 steps/);
  const forbidden = () => {
    throw new Error("SecurityError");
  };
  assert.equal(keep(training, PLAYED, forbidden), FORBIDDEN);
  assert.equal(kept(PLAYED, forbidden), null);
});

test("a recipe that does not exist is a sentence", () => {
  checkRecipe(RECIPE);
  assert.throws(() => checkRecipe({ ...RECIPE, code: "morse" }), /unknown code "morse"/);
  assert.throws(() => checkRecipe({ ...RECIPE, steps: 1 }), /steps/);
  assert.throws(() => checkRecipe({ ...RECIPE, eps: 2 }), /eps/);
  assert.throws(() => checkRecipe({ ...RECIPE, slope: 0 }), /slope/);
});

test("the file begins with its header, and holds every weight", () => {
  const weights = initial(RECIPE, PIXELS);
  const file = safetensors(RECIPE, weights, {});
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  assert.deepEqual(header["layers.0.weight"].shape, [24, PIXELS]);
  assert.equal(JSON.parse(header.__metadata__.snnlab).recipe.code, "onset");
  assert.equal(file.length, 8 + length + 4 * (24 * PIXELS + 24 + 240 + 10));
});

test("sentences name the recipe, the progress and the intervals", () => {
  const training = new Training(RECIPE, PIXELS);
  assert.match(
    recipeText({ ...RECIPE, eps: 0.1 }),
    /onset, T = 6, β = 0\.90, 24 hidden, sigmoid 4, count, FGSM digits at ε = 0\.10/,
  );
  assert.match(progressText(training), /^Not trained/);
  assert.match(testText([]), /No epoch/);
  assert.match(
    testText([{ epoch: 2, clean: 180, robust: 100, n: 200 }]),
    /After epoch 2: 90\u202f% \[85.*of 200 test digits, 50/,
  );
  assert.equal(networkOf(RECIPE, training.weights).numPixels, PIXELS);
  assert.throws(() => new Trainer({ recipe: { ...RECIPE, loss: "none" }, weights: training.weights, batches: 1 }), /loss/);
});
