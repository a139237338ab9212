/**
 * The address of a page keeps what readers set in its explorers: a reload restores it, Back takes it back, and a link shows it.
 *
 * One finished gesture is one entry of the history. The entry itself (`history.state`) keeps the settings too: they survive
 * a jump to a heading, and so does a drawn digit. An entry without them is a link: the page takes its settings.
 */
import { link, readSettings, writeSettings } from "./text.js";

const KEY = "snnlab";

/** Changes of the same settings belong to one gesture if they follow each other within this time (ms). */
const PAUSE = 1000;

/** While the hand moves, the address follows this often (ms); browsers refuse more. */
const FOLLOWS = 200;

/** How one refers to an explorer: by its kind, and by its number if there are several. */
function explorersOf(page) {
  const hosts = new Map();
  const count = {};
  for (const host of page.document.querySelectorAll("snn-lab")) {
    const kind = host.getAttribute("explorer") ?? "robustness";
    count[kind] = (count[kind] ?? 0) + 1;
    hosts.set(count[kind] === 1 ? kind : `${kind}-${count[kind]}`, host);
  }
  return hosts;
}

const show = (host) => host.scrollIntoView({ block: "start" });

export class Address {
  #page;
  #members = new Map();
  #states = {};
  #goal = null;
  #timer = null;
  #pressed = false;
  #last = { what: null, at: 0 };

  constructor(page) {
    this.#page = page;
    for (const event of ["popstate", "hashchange"]) page.addEventListener(event, () => this.#arrive());
    page.addEventListener("pointerdown", () => this.#press(true), true);
    for (const event of ["pointerup", "pointercancel"]) page.addEventListener(event, () => this.#press(false), true);
    // A reader who scrolls is not moved any more.
    for (const event of ["wheel", "touchmove", "keydown"]) {
      page.addEventListener(event, () => (this.#goal = null), { capture: true, passive: true });
    }
    page.addEventListener("pagehide", () => this.#flush());
    // The explorers of a page are known once it has been read to its end.
    if (page.document.readyState === "loading")
      page.addEventListener("DOMContentLoaded", () => this.#arrive(), { once: true });
    else this.#arrive();
  }

  /** An explorer is ready: it is given its settings, and says when the reader changes them. @param {any} member */
  join(host, member) {
    const [name] = [...explorersOf(this.#page)].find(([, other]) => other === host) ?? [];
    if (!name) return null;
    this.#members.set(name, member);
    if (this.#states[name]) this.#give(name);
    return {
      changed: (fields) => this.#changed(name, fields),
      // The fallback had another height.
      revealed: () => this.#goal === name && show(host),
      link: () => this.#url(link(name, member.read())),
      leave: () => this.#members.get(name) === member && this.#members.delete(name),
    };
  }

  #arrive() {
    const { history, location } = this.#page;
    // A pending change belongs to the entry that was left; the next change begins a gesture.
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#last.what = null;
    const known = history.state?.[KEY];
    const explorers = explorersOf(this.#page);
    const asked = known ?? readSettings(location.hash.slice(1), [...explorers.keys()]);
    this.#states = known ?? { ...this.#states, ...asked };
    for (const name of this.#members.keys()) if (known || asked[name]) this.#give(name);
    if (known) return;
    this.#put("replaceState", location.href);
    this.#goal = Object.keys(asked)[0] ?? null;
    if (this.#goal) show(explorers.get(this.#goal));
  }

  /** Give an explorer its settings; it takes those that are valid. */
  #give(name) {
    const member = this.#members.get(name);
    member.apply(this.#states[name] ?? {});
    this.#states = { ...this.#states, [name]: member.read() };
  }

  #press(isDown) {
    this.#flush();
    this.#pressed = isDown;
    this.#goal = null;
    if (isDown) this.#last.what = null;
    else this.#last.at = performance.now();
  }

  #changed(name, fields) {
    const states = { ...this.#states, [name]: this.#members.get(name).read() };
    if (JSON.stringify(states[name]) === JSON.stringify(this.#states[name] ?? {})) return;
    const [what, at] = [[name, ...fields].join(), performance.now()];
    const goesOn = what === this.#last.what && (this.#pressed || at - this.#last.at < PAUSE);
    if (!goesOn) this.#flush();
    this.#last = { what, at };
    this.#states = states;
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
  #put(method, url = this.#url(writeSettings(this.#states))) {
    const { history } = this.#page;
    const others = method === "replaceState" && typeof history.state === "object" ? history.state : {};
    try {
      history[method]({ ...others, [KEY]: this.#states }, "", url);
    } catch {
      // A page in a frame, or in a strict browser on disk, may not write its address; the explorer works without.
    }
  }

  #url(fragment) {
    const { href } = this.#page.location;
    return href.replace(/#.*$/s, "") + (fragment && `#${fragment}`);
  }
}
