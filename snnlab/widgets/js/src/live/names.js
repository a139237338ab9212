/** Attacks by their titles, with what the attacker knows. */
import { attackTitle, isGradientAttack, searches } from "../view/text/frame.js";

export function attackName(attack, attacker) {
  if (searches({ attack, attacker })) return "spike-train attack";
  return `${attackTitle(attack)}${isGradientAttack(attack) ? ` (${attacker})` : ""}`;
}
