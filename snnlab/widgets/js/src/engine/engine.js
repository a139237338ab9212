/** The engine in the browser: a request in, a frame out. It knows nothing of the page. */
import { noise } from "./attack.js";
import { checkBudget, checkImage, choose, integerBetween, need } from "./check.js";
import { encode, encoder } from "./encode.js";
import { ATTACK, CODE, frameOf, taken } from "./frame.js";
import { network } from "./network.js";
import { mulberry32 } from "./random.js";
import { attackSlice, attackTrajectory, STEPS } from "./trajectory.js";
import { unpackZoo } from "./zoo.js";

/** What the encoder explorer may do to an image; no model is needed. */
export const DISTURBANCES = ["none", "noise", "brighten"];

/**
 * Image and shape [C, H, W]; label, null for a drawn digit, whose clean answer is attacked then; name of a model; index of a
 * part that is silenced (-1: none); the first step at which the perturbation acts; the class that the attack moves towards
 * (-1: any wrong one).
 * @typedef {{image: Float32Array, shape: number[], label: number|null, encoding: string, attack: string, attacker: string,
 *   eps: number, exit_step: number, silenced?: number, from_step?: number, target?: number, seed?: number, signal?:
 *   AbortSignal}} Request
 */

export class BrowserEngine {
  kind = "browser";
  #load;
  #zoo = null;
  #networks = new Map();
  #chains = new Map();

  /** @param {(key: string) => Promise<any>} load payloads "zoo" and "model/<name>", "network/<k>" of a reader, and further scripts */
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

  /** What a further script exports (src/parts), or its text (src/workers). @param {string} name */
  part(name) {
    return this.#load(name);
  }

  /** Encode, run, attack, run again. @param {Request} request @returns {Promise<any>} frame */
  async run(request) {
    const { network, image } = await this.#asked(request);
    return frameOf(network, { ...request, image }, this.kind);
  }

  /**
   * What no attacker inside ε can change; null where no bound is known (src/parts/bounds.js).
   * @param {Request} request with the class that is right  @returns {Promise<import("./bounds.js").Certificate|null>}
   */
  async bounds(request) {
    const [{ network: model, image }, { certificate }] = await Promise.all([this.#asked(request), this.part("bounds")]);
    // Of chains of layers, and of more than two, none is known.
    return model.layers || model.middle ? null : certificate(model, image, request.label, request.eps);
  }

  /**
   * One attacker, step by step, with all steps of the network read.
   * @param {{image: Float32Array, shape: number[], label: number|null, encoding: string, method: string, eps: number, seed?:
   *   number, slices?: boolean, signal?: AbortSignal}} request method: a key of ATTACK_VARIANTS; `slices`: whether margin and
   *   answer along its first gradient are asked for too
   * @returns {Promise<any>} frame, with the Path under `path`
   */
  async trajectory(request) {
    const { method, eps, label, slices = false, seed = 0, signal } = request;
    const { network: model, image } = await this.#asked(request);
    const started = performance.now();
    const coin = () => mulberry32(seed, CODE);
    const target = label ?? taken(model, model.forward(image, coin()), model.numSteps);
    const aim = { label: target, random: mulberry32(seed, ATTACK), coin, signal };
    const path = await attackTrajectory(method, model, image, eps, aim);
    const first = path.gradients.subarray(0, image.length);
    const slice = slices && first.length ? await attackSlice(model, image, eps, first, aim) : null;
    return {
      shape: request.shape,
      encoding: request.encoding,
      method,
      eps,
      steps: STEPS,
      computed_by: this.kind,
      label: label ?? null,
      target,
      path: slice ? { ...path, slice_margins: slice.margins, slice_predictions: slice.predictions } : path,
      ms: performance.now() - started,
    };
  }

  /**
   * All codes of one image, for the encoder explorer.
   * @param {{image: Float32Array, shape: number[], encoders: (string|any)[], eps: number, attack: string, num_steps?:
   *   number, seed?: number}} request encoders by name, or described as in a model's payload
   * @returns {Promise<any>} codes by name, each {clean, attacked}, sequences [T, P]
   */
  async encode({ image, shape, encoders, eps, attack: method, num_steps: numSteps = 8, seed = 0 }) {
    const clean = checkImage(image, shape);
    checkBudget(eps);
    choose("attack", method, DISTURBANCES);
    need(Array.isArray(encoders) && encoders.length > 0, `encoders must be a list of names, got ${encoders}`);
    const started = performance.now();
    const attacked = disturb(method, clean, eps, mulberry32(seed, ATTACK));
    const codes = {};
    for (const spec of encoders) {
      const code = encoder(spec, numSteps);
      const look = (pixels) => encode(code, pixels, mulberry32(seed, CODE));
      codes[code.name] = { clean: look(clean), attacked: attacked && look(attacked) };
    }
    const [ms, images] = [performance.now() - started, { clean, attacked }];
    return { shape, num_steps: numSteps, computed_by: this.kind, images, codes, ms };
  }

  /** The network of a request, and its image; throws unless they fit. @param {any} request */
  async #asked({ image: given, shape, encoding, label, eps, signal }) {
    const network = await this.#network(encoding);
    const image = checkImage(given, shape);
    const expected = `${encoding} expects an image of ${network.numPixels} pixels`;
    need(image.length === network.numPixels, `${expected}, got ${image.length}; rescale it`);
    checkBudget(eps);
    if (label !== null && label !== undefined) integerBetween("label", label, 0, network.classes - 1);
    signal?.throwIfAborted();
    return { network, image };
  }

  async #network(name) {
    const zoo = await this.zoo();
    const names = zoo.models.map((m) => m.name);
    choose("encoding", name, names);
    if (!this.#networks.has(name)) {
      const payload = await this.#load(`model/${name}`);
      const made = payload.kind === "layers" ? await this.#layered(payload, zoo) : network(payload, zoo.num_steps);
      this.#networks.set(name, made);
    }
    return this.#networks.get(name);
  }

  /** A network of the reader's own; several codes may share its layers. */
  async #layered(payload, zoo) {
    const { chain, layered } = await this.part("layers");
    const { network: key } = payload;
    if (!this.#chains.has(key)) this.#chains.set(key, chain(await this.#load(key), key));
    return layered(payload, this.#chains.get(key), zoo.num_steps);
  }
}

function disturb(method, image, eps, random) {
  if (method === "none" || eps === 0) return null;
  return method === "noise" ? noise(image, eps, random) : image.map((x) => Math.min(x + eps, 1));
}
