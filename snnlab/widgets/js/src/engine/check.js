/** Checks at the border. Every message says what was given, what is expected and what to do. */

/** Throw an error with this message unless a condition holds. */
export function need(holds, message) {
  if (!holds) throw new Error(message);
}

/** One of `valid`, or an error that lists them. */
export function choose(what, given, valid) {
  need(valid.includes(given), `unknown ${what} ${show(given)}; choose one of ${valid.join(", ")}`);
  return given;
}

export function positive(what, given) {
  need(Number.isFinite(given) && given > 0, `${what} must be a positive number, got ${show(given)}`);
  return given;
}

export function integerBetween(what, given, low, high) {
  const fits = Number.isInteger(given) && given >= low && given <= high;
  need(fits, `${what} must be a whole number from ${low} to ${high}, got ${show(given)}`);
  return given;
}

/** Check an L∞ budget ε in [0, 1], in pixel units. */
export function checkBudget(given) {
  const fits = typeof given === "number" && given >= 0 && given <= 1;
  need(fits, `eps must be a number in [0, 1], got ${show(given)}; a budget of 8 grey levels is 8/255`);
}

/** An image of shape [C, H, W] and values in [0, 1] as Float32Array. @param {any} image @param {number[]} shape */
export function checkImage(image, shape) {
  const isShape = Array.isArray(shape) && shape.length === 3 && shape.every((n) => Number.isInteger(n) && n > 0);
  need(isShape, `shape must be [C, H, W], got ${show(shape)}; an MNIST digit is [1, 28, 28]`);
  const isList = image instanceof Float32Array || image instanceof Float64Array || Array.isArray(image);
  const kind = image?.constructor?.name ?? String(image);
  need(isList, `image must be a Float32Array of values in [0, 1], got ${kind}; divide 8-bit images by 255`);
  const expected = shape[0] * shape[1] * shape[2];
  const sizes = `${expected} values for shape [${shape.join(", ")}]`;
  need(image.length === expected, `image must have ${sizes}, got ${image.length}`);
  const p = image.findIndex((x) => !(x >= 0 && x <= 1));
  need(p < 0, `image must lie in [0, 1], got ${show(image[p])} at pixel ${p}; clip or rescale it`);
  return image instanceof Float32Array ? image : Float32Array.from(image);
}

/** A field of a payload, or an error that names the payload. */
export function field(payload, name, key) {
  const value = payload?.[name];
  sound(value !== undefined, `${key}: the field "${name}" is missing`);
  return value;
}

/** Throw unless the web data hold what they should. */
export const sound = (holds, otherwise) => need(holds, `${otherwise}; the web data is damaged, build it again`);

function show(value) {
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  return typeof value === "string" || typeof value === "object" ? JSON.stringify(value) : String(value);
}
