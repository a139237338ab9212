/** Sizes of elements, measured once until something changes them. */

let epoch = 0;
const sizes = new WeakMap();

/** Something has changed its size: measure anew. */
export function forgetSizes() {
  epoch += 1;
}

/** Width and height of an element in CSS pixels, kept until `forgetSizes`: asking makes the page lay itself out. */
export function sizeOf(element) {
  const known = sizes.get(element);
  if (known?.epoch === epoch && known.width > 0) return known;
  const size = { width: element.clientWidth, height: element.clientHeight, epoch };
  sizes.set(element, size);
  return size;
}

/** Give a canvas as many pixels as the screen shows; sizes in device pixels, or null while there is none. */
export function fit(canvas) {
  const ratio = globalThis.devicePixelRatio || 1;
  const size = sizeOf(canvas);
  const width = Math.round(size.width * ratio);
  const height = Math.round(size.height * ratio);
  if (width === 0 || height === 0) return null;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  return { context: canvas.getContext("2d"), width, height, ratio };
}

/** Name an SVG, and make its view box as large as it is; null while it has no size. */
export function fitSvg(svg, name) {
  const { width, height } = sizeOf(svg);
  if (width === 0) return null;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-label", name);
  return { width, height };
}
