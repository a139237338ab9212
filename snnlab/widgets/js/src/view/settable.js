/** What the settings of explorers may be: a link is read by this, and what cannot be is left as the page has it. */
import { ATTACKERS, ATTACKS } from "../engine/index.js";

export const oneOf = (values) => (value) => values.includes(value);

export const between = (low, high) => (value) => value >= low && value <= high;

export const whole = (low, high) => (value) => Number.isInteger(value) && between(low, high)(value);

/** A model among these. */
export const modelOf = (models) => oneOf(models.map(({ name }) => name));

/** The image: one of the strip, or -1 for the drawn one, if there is one. */
export function imageOf({ digits }) {
  const size = digits.shape.reduce((a, b) => a * b, 1);
  const isLevel = whole(0, 255);
  return {
    drawing: (pixels) => Array.isArray(pixels) && pixels.length === size && pixels.every(isLevel),
    image: whole(-1, digits.labels.length - 1),
  };
}

export const BUDGET = { eps: between(0, 1) };

export const ATTACK = { attack: oneOf(ATTACKS), attacker: oneOf(ATTACKERS), ...BUDGET };

/** Which curves are shown. */
export const CURVE = { curve: oneOf(["worst", "own"]) };
