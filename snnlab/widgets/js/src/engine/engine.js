/**
 * The engine in the browser: a request in, a frame out. It knows nothing of the page; the view knows nothing of it but
 * `zoo`, `run` and `encode`, which the engine behind a kernel has too.
 */
import { ATTACKS, attack, noise } from "./attack.js";
import { climb, STEPS } from "./climb.js";
import { budget, checkImage, choose, integerBetween } from "./check.js";
import { leadingClass } from "./decode.js";
import { unpackZoo } from "./zoo.js";
import { encode, encoder, lateFrom, silence } from "./encode.js";
import { ATTACKERS, network } from "./network.js";
import { inputOrder } from "./order.js";
import { throwIfAborted } from "./pause.js";
import { mulberry32 } from "./random.js";

/** Independent streams of one seed: the code's own randomness, and the attack's. */
const CODE = 0;
const ATTACK = 1;

/** What the encoder explorer may do to an image; no model is needed. */
export const DISTURBANCES = ["none", "noise", "brighten"];

/**
 * @typedef {object} Request
 * @property {Float32Array} image  C·H·W values in [0, 1]
 * @property {number[]} shape  [C, H, W]
 * @property {number|null} label  null for a drawn digit: the clean answer is attacked then
 * @property {string} encoding  name of a model of the zoo
 * @property {string} attack    "none", "noise", "fgsm", "pgd"
 * @property {string} attacker  "naive", "informed"
 * @property {number} eps  in [0, 1]
 * @property {number} exit_step  1 … T
 * @property {number} [silenced]  index of a fusion's part that is silenced; -1: none
 * @property {number} [from_step]  the perturbation acts on steps t ≥ from_step only, and is made knowing this; 0 … T
 * @property {number} [seed]
 * @property {AbortSignal} [signal]
 *
 * @typedef {object} Side  what the network made of one image; sequences are time first
 * @property {Float32Array} image
 * @property {Float32Array|null} input  [T, P]; null for the ANN
 * @property {Uint8Array|null} hidden  spikes [T, H]; null for the ANN
 * @property {Uint8Array|null} output  spikes [T, K]; null for the ANN
 * @property {Float32Array|null} activation  [H], the ANN's
 * @property {Float32Array} votes  logits at exit e in row e-1, [T, K]
 * @property {Float32Array|null} membrane  of the read-out, [T, K]; null for the ANN
 * @property {Int8Array} predictions  [T], -1 where silent
 * @property {Float32Array} energy  pJ up to every exit, [T]; of the ANN's one answer, [1]
 */

export class BrowserEngine {
  kind = "browser";
  #load;
  #zoo = null;
  #networks = new Map();

  /** @param {(key: string) => Promise<object>} load payloads "zoo" and "model/<name>" */
  constructor(load) {
    this.#load = load;
  }

  /** The zoo's record, with the digits unpacked (`digits.images`). */
  async zoo() {
    this.#zoo ??= unpackZoo(await this.#load("zoo"));
    return this.#zoo;
  }

  /** A record that was measured elsewhere, as it is stored. @param {string} key */
  record(key) {
    return this.#load(key);
  }

  /**
   * Encode, run, attack, run again.
   *
   * @param {Request} request
   * @returns {Promise<object>} frame
   */
  async run(request) {
    const { attack: method, attacker, eps, exit_step: exitStep, label, seed = 0, signal } = request;
    const { silenced = -1, from_step: fromStep = 0 } = request;
    const whole = await this.#network(request.encoding);
    const model = silenced === -1 ? whole : whole.behind(silence(whole.encoder, silenced));
    choose("attack", method, ATTACKS);
    choose("attacker", attacker, ATTACKERS);
    budget(eps);
    integerBetween("exit_step", exitStep, 1, model.numSteps);
    if (label !== null && label !== undefined) integerBetween("label", label, 0, model.classes - 1);
    const image = fitting(request, model);
    const attackable = fromStep === 0 ? model : model.behind(lateFrom(model.encoder, image, fromStep));
    throwIfAborted(signal);

    const started = performance.now();
    // Both images meet the same random numbers: what differs in the rasters is then the attack's doing.
    const look = (network, pixels) => network.forward(pixels, mulberry32(seed, CODE));
    const clean = look(model, image);
    const target = label ?? taken(model, clean, exitStep);
    const aim = { label: target, exitStep, attacker, random: mulberry32(seed, ATTACK), signal };
    const result = method === "none" || eps === 0 ? null : await attack(method, attackable, image, eps, aim);
    return {
      shape: request.shape,
      num_steps: model.numSteps,
      encoding: request.encoding,
      exit_step: exitStep,
      computed_by: this.kind,
      label: label ?? null,
      target,
      clean: side(model, clean),
      attacked: result && side(attackable, look(attackable, result.image)),
      order: {
        input: inputOrder(image, model.parts),
        hidden: model.hiddenOrder.order,
        preferred: model.hiddenOrder.preferred,
      },
      gradient_zero: result?.gradientZero ?? null,
      moved: result?.moved ?? 0,
      ms: performance.now() - started,
    };
  }

  /**
   * One attacker, step by step, with all steps of the network read.
   *
   * @param {{image: Float32Array, shape: number[], label: number|null, encoding: string, method: string, eps: number,
   *   seed?: number, signal?: AbortSignal}} request method: a key of CLIMBERS
   * @returns {Promise<object>} frame, with the Climb under `path`
   */
  async climb(request) {
    const { method, eps, label, seed = 0, signal } = request;
    const model = await this.#network(request.encoding);
    budget(eps);
    if (label !== null && label !== undefined) integerBetween("label", label, 0, model.classes - 1);
    const image = fitting(request, model);
    throwIfAborted(signal);
    const started = performance.now();
    const coin = () => mulberry32(seed, CODE);
    const target = label ?? taken(model, model.forward(image, coin()), model.numSteps);
    const path = await climb(method, model, image, eps, {
      label: target,
      random: mulberry32(seed, ATTACK),
      coin,
      signal,
    });
    return {
      shape: request.shape,
      encoding: request.encoding,
      method,
      steps: STEPS,
      computed_by: this.kind,
      label: label ?? null,
      target,
      path,
      ms: performance.now() - started,
    };
  }

  /**
   * All codes of one image, for the encoder explorer.
   *
   * @param {{image: Float32Array, shape: number[], encoders: (string|object)[], eps: number, attack: string,
   *   num_steps?: number, seed?: number}} request encoders by name, or described as in a model's payload
   * @returns {Promise<object>} codes by name, each {clean, attacked}, sequences [T, P]
   */
  async encode({ image, shape, encoders, eps, attack: method, num_steps: numSteps = 8, seed = 0 }) {
    const clean = checkImage(image, shape);
    budget(eps);
    choose("attack", method, DISTURBANCES);
    if (!Array.isArray(encoders) || encoders.length === 0)
      throw new Error(`encoders must be a list of names, got ${encoders}`);
    const started = performance.now();
    const attacked = disturb(method, clean, eps, mulberry32(seed, ATTACK));
    const codes = {};
    for (const spec of encoders) {
      const code = encoder(spec, numSteps);
      codes[code.name] = {
        clean: encode(code, clean, mulberry32(seed, CODE)),
        attacked: attacked && encode(code, attacked, mulberry32(seed, CODE)),
      };
    }
    const ms = performance.now() - started;
    return {
      shape,
      num_steps: numSteps,
      computed_by: this.kind,
      images: { clean, attacked },
      order: inputOrder(clean, 1),
      codes,
      ms,
    };
  }

  async #network(name) {
    const zoo = await this.zoo();
    choose(
      "encoding",
      name,
      zoo.models.map((m) => m.name),
    );
    if (!this.#networks.has(name)) {
      this.#networks.set(name, network(await this.#load(`model/${name}`), zoo.num_steps));
    }
    return this.#networks.get(name);
  }
}

/** The image of a request, if it is one for this model. */
function fitting({ image: given, shape, encoding }, model) {
  const image = checkImage(given, shape);
  if (image.length !== model.numPixels) {
    throw new Error(`${encoding} expects an image of ${model.numPixels} pixels, got ${image.length}; rescale it`);
  }
  return image;
}

/** What an image without a label is taken for. */
function taken(model, { votes, output }, exitStep) {
  return leadingClass(votes, output?.membrane ?? votes, model.classes, exitStep);
}

function disturb(method, image, eps, random) {
  if (method === "none" || eps === 0) return null;
  return method === "noise" ? noise(image, eps, random) : image.map((x) => Math.min(x + eps, 1));
}

/** @returns {Side} */
function side(network, trace) {
  const { image, input = null, hidden, activation = null, output, votes, predictions } = trace;
  return {
    image,
    input,
    hidden: hidden?.spikes ?? null,
    output: output?.spikes ?? null,
    activation,
    votes,
    membrane: output?.membrane ?? null,
    predictions,
    energy: network.energy(trace),
  };
}
