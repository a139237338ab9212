/** A network and a request in, a frame out: the clean image and the attacked one, as the network answers them. */
import { ANY, ATTACKS, attack, towardsOf } from "./attack.js";
import { choose, integerBetween } from "./check.js";
import { leadingClass } from "./decode.js";
import { lateFrom, silence } from "./encode.js";
import { energyOf } from "./energy.js";
import { ATTACKERS } from "./network.js";
import { inputOrder } from "./order.js";
import { mulberry32 } from "./random.js";

/** Independent streams of one seed: the code's own randomness, and the attack's. */
export const CODE = 0;
export const ATTACK = 1;

/**
 * Encode, run, attack, run again.
 * @param {any} whole the network  @param {import("./engine.js").Request} request  @param {string} by who computes
 * @param {(network: any, trace: any) => object} [more] what a side of the frame has beside  @returns {Promise<any>}
 */
export async function frameOf(whole, request, by, more = () => ({})) {
  const { image, attack: method, attacker, eps, exit_step: exitStep, label, seed = 0, signal } = request;
  const { silenced = -1, from_step: fromStep = 0, target: wanted = ANY } = request;
  const model = silenced === -1 ? whole : whole.behind(silence(whole.encoder, silenced));
  choose("attack", method, ATTACKS);
  choose("attacker", attacker, ATTACKERS);
  integerBetween("exit_step", exitStep, 1, model.numSteps);
  const attackable = fromStep === 0 ? model : model.behind(lateFrom(model.encoder, image, fromStep));
  const started = performance.now();
  // Both images meet the same random numbers: what differs in the rasters is then the attack's doing.
  const look = (network, pixels) => network.forward(pixels, mulberry32(seed, CODE));
  const clean = look(model, image);
  const target = label ?? taken(model, clean, exitStep);
  const towards = towardsOf(method, wanted, model.classes);
  const aim = { label: target, towards, exitStep, attacker, random: mulberry32(seed, ATTACK), signal };
  // Towards the class that the image has, there is nothing to attack.
  const result =
    method === "none" || eps === 0 || towards === target ? null : await attack(method, attackable, image, eps, aim);
  const side = (network, trace) => ({ ...sideOf(network, trace), ...more(network, trace) });
  return {
    shape: request.shape,
    num_steps: model.numSteps,
    encoding: request.encoding,
    exit_step: exitStep,
    computed_by: by,
    label: label ?? null,
    target,
    towards,
    clean: side(model, clean),
    attacked: result && side(attackable, look(attackable, result.image)),
    order: { input: inputOrder(image, model.parts), ...model.hiddenOrder },
    gradient_zero: result?.gradientZero ?? null,
    moved: result?.moved ?? 0,
    ms: performance.now() - started,
  };
}

/** What an image without a label is taken for. */
export function taken(model, { votes, output }, exitStep) {
  return leadingClass(votes, output?.membrane ?? votes, model.classes, exitStep);
}

/** @returns {Side} */
function sideOf(network, trace) {
  const { image, input = null, hidden, activation = null, output, votes, predictions } = trace;
  const operations = network.operations(trace);
  return {
    image,
    input,
    hidden: hidden?.spikes ?? null,
    output: output?.spikes ?? null,
    activation,
    votes,
    membrane: output?.membrane ?? null,
    predictions,
    energy: operations && energyOf(operations),
    operations,
  };
}
