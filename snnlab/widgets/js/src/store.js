import { accepted, asText, asValue, differing } from "./settings.js";

/**
 * The state of an explorer, in one of two homes: the attributes of the element <snn-lab>, or the traits of a widget.
 * The view reads and writes both in the same way, so that it need not know where it lives.
 */

const DEFAULTS = {
  explorer: "robustness",
  image: 0,
  drawing: [],
  change: "brighten",
  encoding: "onset",
  code: "latency",
  silenced: -1,
  attack: "none",
  attacker: "informed",
  curve: "worst",
  eps: 0.1,
  from_step: 0,
  exit_step: 8,
  rule: "fixed",
  threshold: 2,
  step: 10,
  beta: 0.9,
  theta: 1,
  reset: "subtract",
  drive: 0.3,
  pattern: "1".repeat(24),
  against: "worst",
  decoder: "current",
};

/** The fields that an element carries as attributes; a drawing would be 784 numbers long, so it is not among them. */
export const ATTRIBUTES = Object.keys(DEFAULTS).filter((name) => name !== "drawing");

class Store {
  #listeners = new Set();

  /** All fields at once. */
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

  /**
   * Keep what the reader sets beyond the life of the page, and give it back now. A widget needs none of this: its traits live
   * in the kernel.
   *
   * @param {Object<string, (value: unknown) => boolean>} settings what each may be
   * @param {(state: object) => boolean} fits whether settings go together
   * @returns {object|null}
   */
  keep(settings, fits) {
    return null;
  }
}

/** State as attributes. A number that is none stays visible as NaN: the engine then says what it expects. */
export class ElementStore extends Store {
  #element;
  #address;
  #drawing = DEFAULTS.drawing;
  #own = null;
  #kept = null;
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
    return text === null ? DEFAULTS[name] : asValue(text, DEFAULTS[name]);
  }

  set(changes) {
    const before = this.all();
    this.#write(changes);
    this.#kept?.changed(Object.keys(changes).filter((name) => asText(changes[name]) !== asText(before[name])));
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

  keep(settings, fits) {
    this.#own ??= this.all();
    const names = Object.keys(settings);
    const read = () => differing(names, this.all(), this.#own);
    const own = () => ({ ...this.all(), ...only(names, this.#own) });
    const apply = (changes) => this.#write(only(names, accepted(own(), changes, settings, fits)));
    this.#kept = this.#address?.join(this.#element, { read, apply }) ?? null;
    // A drawing is kept, but fits in no address.
    return this.#kept && { ...this.#kept, complete: () => read().drawing === undefined };
  }
}

const only = (names, state) => Object.fromEntries(names.map((name) => [name, state[name]]));

/** State as traits of an anywidget model, which other widgets can link with. A widget has only the traits it needs. */
export class TraitStore extends Store {
  #model;
  #stop;

  constructor(model) {
    super();
    this.#model = model;
    const changed = () => this.changed();
    for (const name of Object.keys(DEFAULTS)) model.on(`change:${name}`, changed);
    this.#stop = () => {
      for (const name of Object.keys(DEFAULTS)) model.off(`change:${name}`, changed);
    };
  }

  get(name) {
    return this.#model.get(name) ?? DEFAULTS[name];
  }

  set(changes) {
    for (const [name, value] of Object.entries(changes)) this.#model.set(name, value);
    this.#model.save_changes();
  }

  dispose() {
    this.#stop();
  }
}
