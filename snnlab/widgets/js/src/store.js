/**
 * The state of an explorer, in one of two homes: the attributes of the element <snn-lab>, or the traits of a widget.
 * The view reads and writes both in the same way, so that it need not know where it lives.
 */

const DEFAULTS = {
  explorer: "robustness",
  image: 0,
  drawing: [],
  encoding: "onset",
  code: "latency",
  silenced: -1,
  attack: "none",
  attacker: "informed",
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
}

/** State as attributes. A number that is none stays visible as NaN: the engine then says what it expects. */
export class ElementStore extends Store {
  #element;
  #drawing = DEFAULTS.drawing;

  constructor(element) {
    super();
    this.#element = element;
  }

  get(name) {
    if (name === "drawing") return this.#drawing;
    const text = this.#element.getAttribute(name);
    const fallback = DEFAULTS[name];
    if (text === null) return fallback;
    return typeof fallback === "number" ? (text.trim() === "" ? Number.NaN : Number(text)) : text;
  }

  set(changes) {
    for (const [name, value] of Object.entries(changes)) {
      if (name === "drawing") this.#drawing = value;
      else if (this.#element.getAttribute(name) !== String(value)) this.#element.setAttribute(name, String(value));
    }
    this.changed();
  }
}

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
