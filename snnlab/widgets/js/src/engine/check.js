/**
 * Checks at the border. Every message says what was given, what is expected and what to do.
 */

/** One of `valid`, or an error that lists them. */
export function choose(what, given, valid) {
  if (!valid.includes(given)) throw new Error(`unknown ${what} ${show(given)}; choose one of ${valid.join(", ")}`);
  return given;
}

/** A number above zero. */
export function positive(what, given) {
  if (!(Number.isFinite(given) && given > 0)) throw new Error(`${what} must be a positive number, got ${show(given)}`);
  return given;
}

/** An integer in low … high. */
export function integerBetween(what, given, low, high) {
  if (!(Number.isInteger(given) && given >= low && given <= high)) {
    throw new Error(`${what} must be a whole number from ${low} to ${high}, got ${show(given)}`);
  }
  return given;
}

/** An L∞ budget ε in [0, 1], in pixel units. */
export function budget(given) {
  if (!(typeof given === "number" && given >= 0 && given <= 1)) {
    throw new Error(`eps must be a number in [0, 1], got ${show(given)}; a budget of 8 grey levels is 8/255`);
  }
  return given;
}

/**
 * An image as Float32Array, checked.
 *
 * @param {ArrayLike<number>} image C·H·W values in [0, 1]
 * @param {number[]} shape [C, H, W]
 * @returns {Float32Array}
 */
export function checkImage(image, shape) {
  if (!(Array.isArray(shape) && shape.length === 3 && shape.every((n) => Number.isInteger(n) && n > 0))) {
    throw new Error(`shape must be [C, H, W], got ${show(shape)}; an MNIST digit is [1, 28, 28]`);
  }
  if (!(image instanceof Float32Array || image instanceof Float64Array || Array.isArray(image))) {
    const kind = image?.constructor?.name ?? String(image);
    throw new Error(`image must be a Float32Array of values in [0, 1], got ${kind}; divide 8-bit images by 255`);
  }
  const expected = shape[0] * shape[1] * shape[2];
  if (image.length !== expected) {
    throw new Error(`image must have ${expected} values for shape [${shape.join(", ")}], got ${image.length}`);
  }
  for (let p = 0; p < expected; p++) {
    if (!(image[p] >= 0 && image[p] <= 1)) {
      throw new Error(`image must lie in [0, 1], got ${show(image[p])} at pixel ${p}; clip or rescale it`);
    }
  }
  return image instanceof Float32Array ? image : Float32Array.from(image);
}

/** A field of a payload, or an error that names the payload. */
export function field(payload, name, key) {
  const value = payload?.[name];
  if (value === undefined) {
    throw new Error(`${key}: the field "${name}" is missing; the web data is damaged, build it again`);
  }
  return value;
}

/** A short rendering of a value for messages. */
function show(value) {
  if (typeof value === "string") return `"${value}"`;
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (typeof value === "object" && value !== null) return JSON.stringify(value);
  return String(value);
}
