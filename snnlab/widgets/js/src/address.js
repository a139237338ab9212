/**
 * The address of a page keeps what readers set in its explorers: a reload restores it, Back takes it back, and a link shows it.
 *
 * One finished gesture is one entry of the history, whatever it moved through. The entry itself (`history.state`) keeps the
 * settings too: so they outlive the way to a heading, whose anchor then stands alone in the address, and so does a digit that
 * the reader drew. An entry without them is new: a link. Settings in it are taken, and the page goes to their explorer;
 * anything else is none of our business.
 */
import { link, readSettings, writeSettings } from "./settings.js";

const KEY = "snnlab";

/** Changes of the same settings belong to one gesture if they follow each other within this time (ms). */
const PAUSE = 1000;

/** While the hand moves, the address follows this often (ms); browsers refuse more. */
const FOLLOWS = 200;

/** How one refers to an explorer: by its kind, and by its number if there are several. */
export function explorersOf(page) {
  const found = new Map();
  const count = {};
  for (const host of page.document.querySelectorAll("snn-lab")) {
    const kind = host.getAttribute("explorer") ?? "robustness";
    count[kind] = (count[kind] ?? 0) + 1;
    found.set(count[kind] === 1 ? kind : `${kind}-${count[kind]}`, host);
  }
  return found;
}

export class Address {
  #page;
  #members = new Map();
  #kept = {};
  #goal = null;
  #timer = null;
  #pressed = false;
  #last = { what: null, at: 0 };

  /** @param {Window} page */
  constructor(page) {
    this.#page = page;
    for (const event of ["popstate", "hashchange"]) page.addEventListener(event, () => this.#arrive());
    page.addEventListener("pointerdown", () => this.#press(true), true);
    for (const event of ["pointerup", "pointercancel"]) page.addEventListener(event, () => this.#press(false), true);
    // Who moves on their own is not taken anywhere any more.
    for (const event of ["wheel", "touchmove", "keydown"]) {
      page.addEventListener(event, () => (this.#goal = null), { capture: true, passive: true });
    }
    page.addEventListener("pagehide", () => this.#flush());
    // Before the page is read to its end, nobody knows which explorers it has.
    if (page.document.readyState === "loading") page.addEventListener("DOMContentLoaded", () => this.#arrive(), { once: true });
    else this.#arrive();
  }

  /**
   * An explorer is ready: it is given its settings, and says when the reader changes them.
   *
   * @param {Element} host
   * @param {{read: () => object, apply: (changes: object) => void}} member
   */
  join(host, member) {
    const [name] = [...explorersOf(this.#page)].find(([, other]) => other === host) ?? [];
    if (!name) return null;
    this.#members.set(name, member);
    if (this.#kept[name]) this.#give(name);
    return {
      changed: (fields) => this.#changed(name, fields),
      // What stood there before had another height.
      revealed: () => this.#goal === name && this.#show(host),
      link: () => this.#url(link(name, member.read())),
      leave: () => this.#members.get(name) === member && this.#members.delete(name),
    };
  }

  #arrive() {
    const { history, location } = this.#page;
    // What waits to be written belongs to the entry that was left; what is changed next begins a gesture.
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#last.what = null;
    const known = history.state?.[KEY];
    const explorers = explorersOf(this.#page);
    const asked = known ?? readSettings(location.hash.slice(1), [...explorers.keys()]);
    this.#kept = known ?? { ...this.#kept, ...asked };
    for (const name of this.#members.keys()) if (known || asked[name]) this.#give(name);
    if (known) return;
    this.#put("replaceState", location.href);
    this.#goal = Object.keys(asked)[0] ?? null;
    if (this.#goal) this.#show(explorers.get(this.#goal));
  }

  /** Settings for an explorer, which takes what can be. */
  #give(name) {
    const member = this.#members.get(name);
    member.apply(this.#kept[name] ?? {});
    this.#kept = { ...this.#kept, [name]: member.read() };
  }

  #show(host) {
    host.scrollIntoView({ block: "start" });
  }

  #press(isDown) {
    this.#flush();
    this.#pressed = isDown;
    this.#goal = null;
    if (isDown) this.#last.what = null;
    else this.#last.at = performance.now();
  }

  #changed(name, fields) {
    const kept = { ...this.#kept, [name]: this.#members.get(name).read() };
    if (JSON.stringify(kept[name]) === JSON.stringify(this.#kept[name] ?? {})) return;
    const [what, at] = [[name, ...fields].join(), performance.now()];
    const goesOn = what === this.#last.what && (this.#pressed || at - this.#last.at < PAUSE);
    if (!goesOn) this.#flush();
    this.#last = { what, at };
    this.#kept = kept;
    if (goesOn) this.#timer ??= setTimeout(() => this.#flush(), FOLLOWS);
    else this.#put("pushState");
  }

  /** Bring the present entry up to date. */
  #flush() {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#put("replaceState");
  }

  /** @param {"pushState"|"replaceState"} method */
  #put(method, url = this.#url(writeSettings(this.#kept))) {
    const { history } = this.#page;
    const others = method === "replaceState" && typeof history.state === "object" ? history.state : {};
    try {
      history[method]({ ...others, [KEY]: this.#kept }, "", url);
    } catch {
      // A page in a frame, or in a strict browser on disk, may not write its address; the explorer works without.
    }
  }

  #url(fragment) {
    const { href } = this.#page.location;
    return href.replace(/#.*$/s, "") + (fragment && `#${fragment}`);
  }
}
