/** The position of a pointer in a plot, and dragging along the horizontal. */

/**
 * The page around may be zoomed (`zoom` of CSS, as in the slides): pointers are measured outside the zoom, plots are drawn
 * inside it.
 * @param {{clientX: number, clientY: number}} event  @param {Element} element
 * @returns {{x: number, y: number, width: number}} in the element's own CSS pixels
 */
export function inside({ clientX, clientY }, element) {
  const { left, top, width } = element.getBoundingClientRect();
  const zoom = element.currentCSSZoom ?? 1;
  return { x: (clientX - left) / zoom, y: (clientY - top) / zoom, width: width / zoom };
}

/** Follow a pointer while it is down: `move` is called with x, the width and y, in CSS pixels. */
export function drag(event, element, move) {
  const moved = (now) => {
    const { x, y, width } = inside(now, element);
    move(x, width, y);
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
