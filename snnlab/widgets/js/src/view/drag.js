/** Dragging along the horizontal: what a plot needs to have a line moved in it. */

/**
 * @param {PointerEvent} event that begins it
 * @param {Element} element in which positions are measured
 * @param {(x: number, width: number) => void} move called at once and while the pointer is down; in CSS pixels
 */
export function drag(event, element, move) {
  const { left, width } = element.getBoundingClientRect();
  const moved = ({ clientX }) => move(clientX - left, width);
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
