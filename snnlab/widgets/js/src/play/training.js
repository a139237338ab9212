/** One training on the page: what is learned, how far it is, and what came of it. A worker does the work. */
import { mulberry32 } from "../engine/random.js";
import { BATCH, initial } from "../engine/train.js";

let keys = 0;

/** A name that no training of this page has. */
export function newKey() {
  keys += 1;
  return `training ${keys}`;
}

export const EPOCHS = 5;

/** Test digits that are read, clean and attacked, after each epoch. */
export const TESTS = 200;

/** The attack after each epoch, whatever the training. */
export const TEST_EPS = 0.1;

/** Weights come back after so many batches. */
const TOLD = 3;

export class Training {
  /** Points {batch, loss, share} of the batches, and {epoch, batch, clean, robust} of the tests. @type {any[]} */
  batches = [];
  /** @type {any[]} */
  tests = [];
  adam = null;
  ms = 0;

  /** @param {import("../engine/train.js").Recipe} recipe  @param {number} pixels of an image */
  constructor(recipe, pixels) {
    this.recipe = recipe;
    this.weights = initial(recipe, pixels);
    /** Items of the worker that are done. */
    this.done = 0;
    /** Name in the worker. */
    this.key = newKey();
  }

  get finished() {
    return this.items !== undefined && this.done >= this.items.length;
  }

  /** The epoch that is under way, from 1. */
  get epoch() {
    return Math.min(this.tests.length + 1, this.recipe.epochs);
  }

  /** All items of the worker: the batches of every epoch in a random order of its own, then a test. @param {number} digits */
  plan(digits) {
    if (this.items) return;
    this.items = [];
    for (let epoch = 0; epoch < this.recipe.epochs; epoch++) {
      const rows = shuffled(digits, mulberry32(this.recipe.seed, 1000 + epoch));
      const count = Math.floor(digits / BATCH);
      for (let b = 0; b < count; b++) {
        const seed = epoch * count + b;
        this.items.push({ rows: rows.slice(b * BATCH, (b + 1) * BATCH), seed, tell: seed % TOLD === 0 });
      }
      this.items.push({ tests: TESTS, seed: epoch, tell: true });
    }
    this.perEpoch = Math.floor(digits / BATCH);
  }

  /** What a worker needs to go on from here. */
  get start() {
    const { recipe, weights, adam, perEpoch } = this;
    return { recipe, weights, adam, batches: perEpoch * recipe.epochs };
  }

  /** @param {any[]} results of items, in order */
  add(results) {
    for (const { seed, loss, right, n, clean, robust, tests, weights, adam } of results) {
      this.done += 1;
      if (weights) this.weights = weights;
      if (adam) this.adam = adam;
      if (loss !== undefined) this.batches.push({ batch: seed + 1, loss, share: right / n });
      else this.tests.push({ epoch: seed + 1, batch: (seed + 1) * this.perEpoch, clean, robust, n: tests });
    }
  }

  /** Begin the present epoch again, from the weights after the last one: all that a worker that died leaves behind. */
  rewind() {
    const epochs = this.tests.length;
    this.done = epochs * (this.perEpoch + 1);
    this.batches = this.batches.slice(0, epochs * this.perEpoch);
    const saved = this.saved ?? { weights: initial(this.recipe, this.weights.w1.length / this.recipe.hidden), adam: null };
    Object.assign(this, { weights: saved.weights, adam: saved.adam });
  }

  /** Remember these weights as those after an epoch. */
  save() {
    this.saved = { weights: this.weights, adam: this.adam };
  }
}

/** A training that was kept (store.js): it goes on after its last epoch. @param {any} found  @param {number} pixels of an image */
export function revived({ recipe, weights, adam, batches, tests, ms }, pixels) {
  const training = new Training(recipe, pixels);
  training.plan((BATCH * batches.length) / tests.length);
  Object.assign(training, { weights, adam, batches, tests, ms, done: tests.length * (training.perEpoch + 1) });
  training.save();
  return training;
}

/** Fisher and Yates. @param {() => number} random */
function shuffled(length, random) {
  const order = Array.from({ length }, (_, k) => k);
  for (let k = length - 1; k > 0; k--) {
    const other = Math.floor(random() * (k + 1));
    [order[k], order[other]] = [order[other], order[k]];
  }
  return order;
}
