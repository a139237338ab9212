/** A small zoo with random integer weights, so that the laws can be tested without trained models. */
import { BrowserEngine, mulberry32 } from "../src/engine/index.js";

export const SHAPE = [1, 6, 6];
export const PIXELS = 36;
export const CODES = ["direct", "poisson", "onset", "offset", "latency", "phase"];
export const MODELS = [...CODES, "fusion", "ann"];

/** Constants of the search among spike trains, for tests alone: pages have Python's. */
export const SEARCH = { momentum: 0.75, shares: [0.7, 0.02], sharpness: [0.39, 0.49], softness: 1, steps: 40 };

/** Weights q·2^-exponent with |q| ≤ 45, sent as characters. */
export function layerPayload(outputs, inputs, exponent, seed) {
  const random = mulberry32(seed);
  const weight = Array.from({ length: outputs * inputs }, () => String.fromCharCode(80 + Math.round(60 * random() - 22)));
  return {
    shape: [outputs, inputs],
    weight: weight.join(""),
    exponent: Array(outputs).fill(exponent),
    bias: Array.from({ length: outputs }, () => Math.round(20 * random())),
  };
}

export function modelPayload(name, changes = {}) {
  const describe = (code) => ({ name: code, num_steps: 8, slope: 10 });
  const fused = { ...describe("fusion"), parts: [describe("direct"), describe("latency")] };
  const encoder = name === "fusion" ? fused : name === "ann" ? null : describe(name);
  return {
    name,
    kind: name === "ann" ? "ann" : "snn",
    encoder,
    beta: 0.9,
    threshold: 1,
    reset: "subtract",
    surrogate: { shape: "sigmoid", slope: 4 },
    attack_surrogate: { shape: "arctan", slope: 2 },
    eot: name === "poisson" ? 10 : 1,
    spike_train: SEARCH,
    layers: [layerPayload(12, name === "fusion" ? 2 * PIXELS : PIXELS, -7, 1), layerPayload(10, 12, -6, 2)],
    ...changes,
  };
}

export const IMAGE = Float32Array.from({ length: PIXELS }, (_, p) =>
  p % 3 === 0 ? Math.fround(((p * 37) % 256) / 255) : 0,
);

export function zooPayload() {
  const pixels = btoa(String.fromCharCode(...IMAGE.map((x) => Math.round(x * 255))));
  return {
    num_steps: 8,
    models: MODELS.map((name) => ({ name })),
    digits: { shape: SHAPE, labels: [3], pixels },
    results: { eps: [0, 0.1], n: 5, correct: { onset: { worst: Array(8).fill([5, 4]) } } },
  };
}

export function engine(change = (_key, payload) => payload) {
  return new BrowserEngine(async (key) =>
    change(key, key === "zoo" ? zooPayload() : modelPayload(key.slice("model/".length))),
  );
}

export function request(changes = {}) {
  return {
    image: IMAGE,
    shape: SHAPE,
    label: 3,
    encoding: "onset",
    attack: "pgd",
    attacker: "informed",
    eps: 0.1,
    exit_step: 8,
    seed: 1,
    ...changes,
  };
}
