/** Sentences about a picture and a network that reads it. */
import { ANY } from "../engine/index.js";
import { count, fixed, say } from "../language.js";
import { isAnalog } from "../view/dom/canvas-raster.js";
import {
  answer,
  attackTitle,
  classesOf,
  difference,
  grade,
  isGradientAttack,
  isTargeted,
  percent,
  reachedText,
  SILENT,
  shownSide,
  spikes,
} from "../view/text/frame.js";

/** ε in grey levels, as this data set has it: 0.0078… → "2/255". */
export const levelText = (eps) => say`${Number((255 * eps).toFixed(2))}/255`;

/** ε on a quarter of a grey level, where it is as near to one as the rounding of an address. */
export function snapped(eps) {
  const level = Math.round(4 * 255 * eps) / 4;
  return Math.abs(level / 255 - eps) < 5.1e-5 ? level / 255 : eps;
}

/** The name of a class. */
const nameOf = (names, k) => (k === SILENT ? say`nothing` : (names[k] ?? String(k)));

/** The answer in large letters. @param {any} frame  @param {number} exit  @param {string[]} names of the classes */
export function verdict(frame, exit, names) {
  const read = answer(shownSide(frame), exit);
  const text = say`Reads ${nameOf(names, read)}`;
  const { label, attacked, target } = frame;
  if (label === null && !attacked) return { text, note: say`your picture`, tone: "open", sign: "" };
  const right = read === (label ?? target);
  const truth = label === null ? say`without the attack: ${nameOf(names, target)}` : say`it shows: ${nameOf(names, label)}`;
  const same = label === null ? say`as without the attack` : say`correct`;
  return { text, note: right ? same : truth, ...grade(right) };
}

/** What the attack did, or how the answer came about without one. @returns {string[]} sentences */
export function effect(frame, { attack, attacker, eps, exit_step: exit }, names) {
  const { clean, attacked, num_steps: steps, moved, target, towards = ANY } = frame;
  if (!attacked && towards !== ANY && towards === target) {
    return [
      say`Not attacked: ${nameOf(names, target)} is this picture's own class. Choose another target, or another picture.`,
    ];
  }
  if (!attacked) return [quietly(frame, exit, names)];
  const knows = isGradientAttack(attack) && clean.input ? ` (${attacker})` : "";
  const title = attackTitle(attack);
  const out = [
    say`${title[0].toUpperCase()}${title.slice(1)}${knows} moved ${percent(moved)} of the values by at most ${levelText(eps)}.`,
  ];
  if (clean.input && !isAnalog(clean.input, steps)) out.push(inSpikes(frame, exit));
  const before = answer(clean, exit);
  const after = answer(attacked, exit);
  if (clean.input) out.push(inBlocks(frame));
  if (towards !== ANY) out.push(reachedText(towards, after, (k) => nameOf(names, k)));
  out.push(before === after ? say`The answer stays.` : say`Clean, it reads ${nameOf(names, before)}.`);
  if (frame.gradient_zero >= 0.5) {
    out.push(say`Blind: the gradient that it followed was exactly zero on ${percent(frame.gradient_zero)} of the values.`);
  }
  return out;
}

function quietly(frame, exit, names) {
  const side = frame.clean;
  if (!side.input) return say`Not attacked. A conventional network has no time: it reads the picture once.`;
  const read = answer(side, exit);
  let since = exit;
  while (since > 1 && side.predictions[since - 2] === read) since -= 1;
  const when =
    since === exit && exit > 1 ? say`in this step` : since === 1 ? say`from the first step on` : say`since step ${since}`;
  return say`Not attacked. It reads ${nameOf(names, read)} ${when}.`;
}

function inSpikes({ clean, attacked, num_steps: steps }, exit) {
  const { made, lost, first } = difference(clean.input, attacked.input, steps, exit, clean.image);
  if (made + lost === 0) return say`It changed no spike of the input.`;
  const when = first === null ? "" : say`, the first in step ${first}`;
  return say`In the input it made ${spikes(made)}${when}, and took ${count(lost)} away.`;
}

/** The share of neurons whose spikes changed, block by block. @param {any} frame @returns {number[]} */
export function changed({ clean, attacked, maps, num_steps: steps }) {
  const width = clean.blocks.length / steps;
  let first = 0;
  return maps.map((shape) => {
    const n = shape.reduce((a, b) => a * b, 1);
    let differ = 0;
    for (let i = first; i < first + n; i++) {
      for (let t = 0; t < steps; t++) {
        if (clean.blocks[t * width + i] === attacked.blocks[t * width + i]) continue;
        differ += 1;
        break;
      }
    }
    first += n;
    return differ / n;
  });
}

const inBlocks = (frame) => say`Neurons whose spikes changed, block by block: ${changed(frame).map(percent).join(", ")}.`;

/** The state and its outcome for a screen reader. */
export function spoken(frame, state, title, names) {
  const { text, note } = verdict(frame, state.exit_step, names);
  const { attack, attacker, eps } = state;
  const towards = isTargeted(state) ? say`, towards ${nameOf(names, state.target)}` : "";
  const knows = isGradientAttack(attack) ? `, ${attacker}${towards}` : "";
  const under = attack === "none" ? say`no attack` : say`${attackTitle(attack)}${knows}, epsilon ${levelText(eps)}`;
  return `${title}, ${under}: ${text}, ${note}.`;
}

/** The classes that lead at an exit: "frog 0.52, deer 0.13 …". */
export function leaders(side, exit, names) {
  const classes = classesOf(side);
  const row = (Math.min(exit, side.predictions.length) - 1) * classes;
  const order = [...Array(classes).keys()].sort((a, b) => side.votes[row + b] - side.votes[row + a]);
  return order.slice(0, 3).map((k) => `${nameOf(names, k)} ${fixed(side.votes[row + k], 1)}`);
}
