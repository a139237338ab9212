/** One test digit, attacked with all settings of an explorer: what the network answers without and with the attack. */
import { ANY, ATTACKS, attack, towardsOf } from "./attack.js";
import { checkBudget, choose, integerBetween, need } from "./check.js";
import { lateFrom, silence } from "./encode.js";
import { exitStep } from "./exit.js";
import { ATTACKERS } from "./network.js";
import { mulberry32 } from "./random.js";

/** Streams of a seed, as in engine.js. */
const CODE = 0;
const ATTACK = 1;

/**
 * Settings of a measurement: those of a request (engine.js) without its image, and the rule by which an image leaves.
 * @typedef {{attack: string, attacker: string, eps: number, exit_step: number, target?: number, silenced?: number,
 *   from_step?: number, rule?: string, threshold?: number}} Settings
 */

/**
 * Each digit has random numbers of its own, so that two digits are independent.
 * @param {any} whole network  @param {Float32Array} image  @param {number} label its class, which the attack pushes away from
 * @param {Settings} settings  @param {number} seed  @param {AbortSignal} [signal]
 * @returns {Promise<{clean: number, attacked: number}>} answers, -1: silent
 */
export async function measureDigit(whole, image, label, settings, seed, signal) {
  const { attack: method, attacker, eps, exit_step: exit, silenced = -1, from_step: fromStep = 0 } = settings;
  const { target = ANY } = settings;
  choose("attack", method, ATTACKS);
  choose("attacker", attacker, ATTACKERS);
  checkBudget(eps);
  integerBetween("exit_step", exit, 1, whole.numSteps);
  integerBetween("label", label, 0, whole.classes - 1);
  const model = silenced === -1 ? whole : whole.behind(silence(whole.encoder, silenced));
  const attackable = fromStep === 0 ? model : model.behind(lateFrom(model.encoder, image, fromStep));
  const look = (network, pixels) => network.forward(pixels, mulberry32(seed, CODE));
  const trace = look(model, image);
  const leaves = leaving(model, trace, settings);
  const clean = answerAt(trace, leaves);
  if (method === "none" || eps === 0) return { clean, attacked: clean };
  // Under a rule, the attack is aimed at the exit of the clean image.
  const towards = towardsOf(method, target, model.classes);
  need(towards !== label, `digits of the target class ${label} are left out of the measurement`);
  const aim = { label, towards, exitStep: leaves, attacker, random: mulberry32(seed, ATTACK), signal };
  const result = await attack(method, attackable, image, eps, aim);
  const after = look(attackable, result.image);
  return { clean, attacked: answerAt(after, leaving(model, after, settings)) };
}

const answerAt = ({ predictions }, exit) => predictions[exit - 1];

/** The exit, or the step at which the rule leaves. @param {any} network  @param {any} trace  @param {Settings} settings */
function leaving({ numSteps, classes, encoder }, { votes }, { rule = "fixed", threshold, exit_step: exit }) {
  return rule === "fixed" || !encoder ? exit : exitStep(votes, numSteps, classes, rule, threshold);
}
