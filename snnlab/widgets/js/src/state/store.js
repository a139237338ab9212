import { DEFAULTS } from "./settings.js";
import { accepted, asText, asValue, differing } from "./text.js";

/**
 * The state of an explorer, in one of two homes: the attributes of the element <snn-lab>, or the traits of a widget. The
 * view reads and writes both in the same way, so that it need not know where it lives.
 */

/** The fields that an element carries as attributes; a drawing would be 784 numbers long, so it is not among them. */
export const ATTRIBUTES = Object.keys(DEFAULTS).filter((name) => name !== "drawing");

class Store {
  #listeners = new Set();

  /** @param {string} name of a field @returns {any} its value, or its default */
  get(name) {
    return DEFAULTS[name];
  }

  all() {
    return Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, this.get(name)]));
  }

  /** @param {() => void} listener called after every change, whoever made it */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed() {
    for (const listener of this.#listeners) listener();
  }
}

/** State as attributes. An invalid number is NaN, and the engine reports what it expects. */
export class ElementStore extends Store {
  #element;
  #address;
  #drawing = DEFAULTS.drawing;
  #initial = null;
  #membership = null;
  #writing = false;

  /** @param {Element} element  @param {import("./address.js").Address} [address] that keeps what the reader sets */
  constructor(element, address = null) {
    super();
    this.#element = element;
    this.#address = address;
  }

  get(name) {
    if (name === "drawing") return this.#drawing;
    const text = this.#element.getAttribute(name);
    return text === null ? super.get(name) : asValue(text, DEFAULTS[name]);
  }

  set(changes) {
    const before = this.all();
    this.#write(changes);
    this.#membership?.changed(Object.keys(changes).filter((name) => asText(changes[name]) !== asText(before[name])));
  }

  /** The element reports each of its attributes; of several that are written together, listeners hear once. */
  changed() {
    if (!this.#writing) super.changed();
  }

  #write(changes) {
    this.#writing = true;
    for (const [name, value] of Object.entries(changes)) {
      if (name === "drawing") this.#drawing = value;
      else if (this.#element.getAttribute(name) !== String(value)) this.#element.setAttribute(name, String(value));
    }
    this.#writing = false;
    this.changed();
  }

  /** Keep the settings in the address of the page, and restore them now; null: there is no address. @returns {any} */
  keep(settings, fits) {
    this.#initial ??= this.all();
    const names = Object.keys(settings);
    const read = () => differing(names, this.all(), this.#initial);
    const initial = () => ({ ...this.all(), ...only(names, this.#initial) });
    const apply = (changes) => this.#write(only(names, accepted(initial(), changes, settings, fits)));
    this.#membership = this.#address?.join(this.#element, { read, apply }) ?? null;
    // A drawing is stored, but does not fit in an address.
    return this.#membership && { ...this.#membership, complete: () => read().drawing === undefined };
  }
}

const only = (names, state) => Object.fromEntries(names.map((name) => [name, state[name]]));

/** State as traits of an anywidget model, which other widgets can link with. A widget has only the traits it needs. */
export class TraitStore extends Store {
  #model;
  #heard = () => this.changed();

  constructor(model) {
    super();
    this.#model = model;
    this.#listen("on");
  }

  /** @param {"on"|"off"} method */
  #listen(method) {
    for (const name of Object.keys(DEFAULTS)) this.#model[method](`change:${name}`, this.#heard);
  }

  get(name) {
    return this.#model.get(name) ?? super.get(name);
  }

  set(changes) {
    for (const [name, value] of Object.entries(changes)) this.#model.set(name, value);
    this.#model.save_changes();
  }

  dispose() {
    this.#listen("off");
  }
}
