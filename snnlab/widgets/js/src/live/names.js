/** Attacks by their titles, with what the attacker knows. */
import { say } from "../language.js";
import { attackTitle, isGradientAttack, searches } from "../view/text/frame.js";

export function attackName(attack, attacker) {
  if (searches({ attack, attacker })) return say`spike-train attack`;
  return `${attackTitle(attack)}${isGradientAttack(attack) ? ` (${attacker})` : ""}`;
}
