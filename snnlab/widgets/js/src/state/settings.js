/** The settings of the explorers and what each may be: snnlab/widgets/settings.toml, which the Python traits are made from too. */
import declared from "../../../settings.toml";
import { VOCABULARY } from "../vocabulary.js";

/**
 * A setting of settings.toml; `table` of the vocabulary whose names are the choices. A validator says whether a value can be.
 * @typedef {{kind: "integer"|"number"|"text"|"choice", default: string|number, min?: number, max?: number,
 *   choices?: string[], table?: string, pattern?: string}} Setting
 * @typedef {(value: any) => boolean} Validator
 */

/** @type {Object<string, Setting>} */
const SETTINGS = declared.settings;

/** All fields of a state, with their defaults. */
export const DEFAULTS = {
  explorer: "robustness",
  drawing: /** @type {number[]} */ ([]),
  ...Object.fromEntries(Object.entries(SETTINGS).map(([name, setting]) => [name, setting.default])),
};

/** What the settings of an explorer may be. @param {any} limits the largest number, or the choices */
export function validators(explorer, limits = {}) {
  const { drawing } = limits;
  const names = declared.explorers[explorer];
  const known = Object.fromEntries(names.map((name) => [name, validator(SETTINGS[name], limits[name])]));
  // The image -1 needs the drawing, so that comes first.
  return drawing === undefined ? known : { drawing: isDrawing(drawing), ...known };
}

/** @param {Setting} setting  @param {number|string[]} [limit] @returns {Validator} */
export function validator({ kind, choices, table, pattern, min = -Infinity, max = Infinity }, limit = max) {
  const known = Array.isArray(limit) ? limit : (choices ?? (table && Object.keys(VOCABULARY[table])));
  if (known) return (value) => known.includes(value);
  if (kind === "text") {
    const whole = new RegExp(`^(?:${pattern ?? ".*"})$`, "s");
    return (text) => typeof text === "string" && whole.test(text);
  }
  const isNumber = kind === "integer" ? Number.isInteger : Number.isFinite;
  return (value) => isNumber(value) && value >= min && value <= limit;
}

/** Whether a value is a drawing of `size` pixels: a list of grey levels. @param {number} size @returns {Validator} */
export const isDrawing = (size) => (pixels) =>
  Array.isArray(pixels) &&
  pixels.length === size &&
  pixels.every((level) => Number.isInteger(level) && level >= 0 && level <= 255);
