/**
 * Fused codes by their names: "fusion(0.125*direct, latency)" is made of the parts direct, gated by 1/8, and latency.
 * Models with the same parts form a mix; in a mix they differ by their gate, and by how it came about.
 *
 * @typedef {{name: string, gate: number}} Part
 */

import { partsOf } from "../../engine/index.js";
import { pointed, say } from "../../language.js";

export { partsOf };

/** 0.125 → "1/8", 0.45 → "0.45": a share of one as a fraction, if it is one. */
export function gateNumber(gate) {
  const inverse = 1 / gate;
  return gate < 1 && gate > 0 && Number.isInteger(inverse) ? `1/${inverse}` : pointed(String(Math.round(100 * gate) / 100));
}

/** "direct", or "direct × 1/8" on two lines. */
export const gateText = ({ name, gate }) => (gate === 1 ? name : `${name}\n× ${gateNumber(gate)}`);

/**
 * Models that are fused from the same parts, by rising gate of the first part relative to the last, learned gates last;
 * hardened: learned under adversarial training.
 * @typedef {{name: string, parts: string[], members: Member[]}} Mix
 * @typedef {{model: any, gate: number, kind: "fixed"|"learned"|"hardened", title: string}} Member
 */

const KINDS = ["fixed", "learned", "hardened"];

/** Mixes of some models; a code by itself is a mix of one part. @returns {Mix[]} those of several parts first */
export function mixesOf(models) {
  const mixes = new Map();
  for (const model of models) {
    const parts = partsOf(model.encoding);
    const name = parts.map((part) => part.name).join(" + ");
    const mix = mixes.get(name) ?? { name, parts: parts.map((part) => part.name), members: [] };
    mix.members.push(memberOf(model, parts));
    mixes.set(name, mix);
  }
  const order = (a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || a.gate - b.gate;
  for (const { members } of mixes.values()) members.sort(order);
  return [...mixes.values()].sort((a, b) => Number(a.parts.length === 1) - Number(b.parts.length === 1));
}

function memberOf(model, parts) {
  const gate = parts[0].gate / parts.at(-1).gate;
  // A gate set by hand leaves the last part as it is; a learned one shares what there is among all.
  const learned = parts.at(-1).gate !== 1;
  const kind = learned ? (model.rule === "bptt" ? "learned" : "hardened") : "fixed";
  const title = { fixed: gateNumber(gate), learned: say`learned`, hardened: say`learned, FGSM` }[kind];
  return { model, gate, kind, title };
}

/** What a member is called among all: "1/8 direct + latency", "direct + latency, learned". */
export function memberTitle({ name, parts, members }, { kind, gate }) {
  if (parts.length === 1) return name;
  if (kind !== "fixed") return `${name}, ${kind === "learned" ? say`learned` : say`learned, FGSM`}`;
  return members.length === 1 || gate === 1 ? name : `${gateNumber(gate)} ${name}`;
}
