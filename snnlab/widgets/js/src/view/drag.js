/** Where a pointer is in a plot, and dragging along the horizontal: what a plot needs to have a line moved in it. */

/**
 * The page around may be zoomed (`zoom` of CSS, as in the slides): a pointer is seen from outside, a plot is drawn inside.
 *
 * @param {{clientX: number, clientY: number}} event
 * @param {Element} element
 * @returns {{x: number, y: number, width: number}} in the element's own CSS pixels
 */
export function inside({ clientX, clientY }, element) {
  const { left, top, width } = element.getBoundingClientRect();
  const zoom = element.currentCSSZoom ?? 1;
  return { x: (clientX - left) / zoom, y: (clientY - top) / zoom, width: width / zoom };
}

/**
 * @param {PointerEvent} event that begins it
 * @param {Element} element in which positions are measured
 * @param {(x: number, width: number) => void} move called at once and while the pointer is down; in CSS pixels
 */
export function drag(event, element, move) {
  const moved = (now) => {
    const { x, width } = inside(now, element);
    move(x, width);
  };
  const end = () => element.removeEventListener("pointermove", moved);
  element.setPointerCapture(event.pointerId);
  element.addEventListener("pointermove", moved);
  for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, end, { once: true });
  moved(event);
}

/** The step whose column a position lies in, from 1; margins and width as in `drag`. */
export function stepAt(x, width, { left, right }, steps) {
  const step = Math.ceil(((x - left) / (width - left - right)) * steps);
  return Math.min(steps, Math.max(1, step));
}
