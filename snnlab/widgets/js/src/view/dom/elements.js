/** Elements in one line each. */

/**
 * Make an element.
 * @param {any} [attributes] values of null and false are left out; functions become listeners of the event `onname`
 * @param {...(Node|string|null)} children
 */
export const h = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

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

/** What signs mean: for each class of a sign its meaning. @param {Object<string, string>} signs */
export function explained(tag, signs) {
  return Object.entries(signs).map(([kind, text]) => h(tag, {}, h("i", { class: kind }), text));
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

/** The same for an element that is hidden where it has nothing to say. @param {string|null} text */
export function showText(element, text) {
  setText(element, text ?? "");
  element.hidden = !text;
}
