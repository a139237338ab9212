/** Elements in one line each. */

/**
 * Make an element.
 *
 * @param {string} tag
 * @param {object} [attributes] values of null and false are left out; functions become listeners of the event `onname`
 * @param {...(Node|string|null)} children
 */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value);
    else if (value !== null && value !== false && value !== undefined)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

let count = 0;

/** An id that no other element of this script has. */
export function uniqueId(prefix) {
  count += 1;
  return `${prefix}-${count}`;
}

/** Set the text of an element, only where it differs: a live region repeats what is written twice. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let epoch = 0;
const sizes = new WeakMap();

/** Something has changed its size: measure anew. */
export function forgetSizes() {
  epoch += 1;
}

/**
 * Width and height of an element in CSS pixels. Asking the page each time would make it lay itself out several times a
 * frame, so the answer is kept until `forgetSizes`.
 *
 * @returns {{width: number, height: number}}
 */
export function sizeOf(element) {
  const known = sizes.get(element);
  if (known?.epoch === epoch && known.width > 0) return known;
  const size = { width: element.clientWidth, height: element.clientHeight, epoch };
  sizes.set(element, size);
  return size;
}

/**
 * Give a canvas as many pixels as the screen shows.
 *
 * @returns {{context: CanvasRenderingContext2D, width: number, height: number, ratio: number}|null} sizes in device pixels
 */
export function fit(canvas) {
  const ratio = globalThis.devicePixelRatio || 1;
  const size = sizeOf(canvas);
  const width = Math.round(size.width * ratio);
  const height = Math.round(size.height * ratio);
  if (width === 0 || height === 0) return null;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  return { context: canvas.getContext("2d"), width, height, ratio };
}
