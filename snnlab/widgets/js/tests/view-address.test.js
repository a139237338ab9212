/** Settings in the address of a page: their text, and how reload, Back and links give them back. */
import assert from "node:assert/strict";
import test from "node:test";
import { mulberry32 } from "../src/engine/index.js";
import { Address } from "../src/state/address.js";
import { validators } from "../src/state/settings.js";
import { ElementStore } from "../src/state/store.js";
import { accepted, differing, link, readSettings, writeSettings } from "../src/state/text.js";

const OWN = { image: 7, drawing: [], encoding: "latency", attack: "none", eps: 4 / 255, exit_step: 8 };
const ENCODINGS = ["latency", "onset", "fusion(0.125*direct, latency)", "a/b?c&d=e#f %ü"];
const { curve, attacker, ...SETTINGS } = validators("robustness", {
  drawing: 2,
  image: 39,
  encoding: ENCODINGS,
  exit_step: 8,
});
const NAMES = Object.keys(SETTINGS);
const always = () => true;
const restored = (changes, fits = always) => accepted(OWN, changes, SETTINGS, fits);

function randomState(random) {
  const pick = (values) => values[Math.floor(values.length * random())];
  return {
    image: Math.floor(40 * random()),
    drawing: [],
    encoding: pick(ENCODINGS),
    attack: pick(["none", "pgd"]),
    eps: pick([OWN.eps, Math.round(1000 * random()) / 1000]),
    exit_step: 1 + Math.floor(8 * random()),
  };
}

test("what is written into an address is read from it, for any settings of any explorers", () => {
  const random = mulberry32(5);
  for (let k = 0; k < 500; k++) {
    const states = { exit: randomState(random), "exit-2": randomState(random), robustness: randomState(random) };
    const all = Object.fromEntries(Object.entries(states).map(([name, state]) => [name, differing(NAMES, state, OWN)]));
    // As a browser has it: what an address may not hold is escaped, and the rest is left as it is.
    const { hash } = new URL(`file:///early_exit.html#${writeSettings(all)}`);
    const found = readSettings(hash.slice(1), Object.keys(states));
    for (const [name, state] of Object.entries(states)) assert.deepEqual(restored(found[name] ?? {}), state);
  }
});

test("an address is short and can be read: it holds what differs from the page's own settings, and no more", () => {
  assert.deepEqual(differing(NAMES, OWN, OWN), {});
  const changed = differing(NAMES, { ...OWN, eps: 0.15, attack: "pgd" }, OWN);
  assert.equal(writeSettings({ exit: changed, robustness: {} }), "exit?attack=pgd&eps=0.15");
  assert.equal(writeSettings({ exit: {} }), "");
  assert.equal(link("exit", {}), "exit?");
});

test("numbers are as long as the controls make them", () => {
  assert.deepEqual(differing(NAMES, { ...OWN, eps: 0.1 + 0.2 }, OWN), { eps: "0.3" });
  assert.deepEqual(differing(NAMES, { ...OWN, eps: 0.0157 }, OWN), {});
});

test("anchors of headings and foreign explorers are no settings", () => {
  for (const fragment of [
    "",
    "measured",
    "exit",
    "sec:a=b&c=d",
    "%E0%A4%A",
    "other?eps=0.1",
    "?eps=0.1",
    "exit-2?eps=1",
    "__proto__?eps=1",
  ]) {
    assert.deepEqual(readSettings(fragment, ["exit"]), {}, fragment);
  }
  assert.deepEqual(Object.keys(readSettings("exit?/%/other?x=1//robustness?eps=%", ["exit", "robustness"])), [
    "exit",
    "robustness",
  ]);
});

test("what is unknown or cannot be leaves the page's own setting, and the others are taken", () => {
  const asked = (query) => restored(readSettings(`exit?${query}`, ["exit"]).exit);
  for (const query of [
    "eps=",
    "eps=much",
    "eps=-1",
    "eps=2",
    "exit_step=9",
    "exit_step=1.5",
    "image=40",
    "encoding=morse",
    "explorer=robustness",
    "__proto__=1",
    "constructor=1",
    "drawing=1",
    "%",
    "&&==",
  ]) {
    assert.deepEqual(asked(query), OWN, query);
    assert.deepEqual(asked(`${query}&attack=pgd`), { ...OWN, attack: "pgd" }, query);
  }
});

test("settings that do not go together are refused from the first on that does not", () => {
  const fits = ({ attack, exit_step: exit }) => attack === "none" || exit === 8;
  assert.deepEqual(restored({ exit_step: "5", attack: "pgd" }, fits), { ...OWN, attack: "pgd" });
});

test("a drawn digit is kept while it is shown, but is in no address", () => {
  const drawn = { ...OWN, image: -1, drawing: [0, 255], eps: 0.2 };
  const changes = differing(NAMES, drawn, OWN);
  assert.deepEqual(restored(changes), drawn);
  assert.equal(link("exit", changes), "exit?eps=0.2");
  assert.equal(differing(NAMES, { ...drawn, image: 3 }, OWN).drawing, undefined);
  const fits = ({ image, drawing }) => image !== -1 || drawing.length === 2;
  assert.equal(restored({ image: "-1" }, fits).image, OWN.image);
  assert.equal(restored({ image: "-1", drawing: [0, 256] }, fits).image, OWN.image);
});

// --- the history of a page ---------------------------------------------------------------------------------------------

/** A page with explorers and a history, as far as an address needs them; `reload` and `visit` begin a new one. */
class Page extends EventTarget {
  constructor(
    kinds,
    entries = [{ url: "file:///page.html", state: null }],
    at = entries.length - 1,
    readyState = "interactive",
  ) {
    super();
    Object.assign(this, { kinds, entries, at, scrolled: [] });
    this.hosts = kinds.map((kind, k) => new Host(kind, () => this.scrolled.push(k)));
    this.document = { readyState, querySelectorAll: () => this.hosts };
    const put = (state, url, add) => {
      this.entries = this.entries.slice(0, this.at + (add ? 1 : 0));
      this.entries.push({ url, state: structuredClone(state) });
      this.at = this.entries.length - 1;
    };
    const page = this;
    this.history = {
      get state() {
        return page.entries[page.at].state;
      },
      pushState: (state, _, url) => put(state, url, true),
      replaceState(state, _, url) {
        page.entries[page.at] = { url, state: structuredClone(state) };
      },
    };
    this.location = {
      get href() {
        return page.entries[page.at].url;
      },
      get hash() {
        return new URL(this.href).hash;
      },
    };
    this.address = new Address(this);
    this.stores = this.hosts.map((host) => new ElementStore(host, this.address));
    this.kept = this.stores.map((store) => store.keep(EXIT, always));
  }

  go(steps) {
    this.at += steps;
    this.dispatchEvent(new Event("popstate"));
    this.dispatchEvent(new Event("hashchange"));
  }

  /** Follow a link within the page. */
  follow(fragment) {
    this.entries = [...this.entries.slice(0, this.at + 1), { url: `file:///page.html#${fragment}`, state: null }];
    this.go(1);
  }

  reload = () => new Page(this.kinds, this.entries, this.at);

  press = (isDown) => this.dispatchEvent(new Event(isDown ? "pointerdown" : "pointerup"));

  get hash() {
    return this.location.hash.slice(1);
  }
}

class Host {
  attributes = new Map([["eps", "0.1"]]);

  constructor(kind, scrollIntoView) {
    this.attributes.set("explorer", kind);
    this.scrollIntoView = scrollIntoView;
  }

  getAttribute = (name) => this.attributes.get(name) ?? null;
  setAttribute = (name, value) => this.attributes.set(name, value);
}

const { encoding, eps, exit_step } = validators("exit", { encoding: ["onset", "latency"], exit_step: 8 });
const EXIT = { encoding, eps, exit_step };
const settingsOf = ({ stores }) => stores.map((store) => [store.get("eps"), store.get("exit_step")]);
const gesture = (page, change, k = 0) => {
  page.press(true);
  page.stores[k].set(change);
  page.press(false);
};

test("a change stands in the address, reload gives it back, Back undoes it, Forward does it again", () => {
  const page = new Page(["exit"]);
  gesture(page, { eps: 0.2 });
  gesture(page, { exit_step: 5 });
  assert.equal(page.hash, "exit?eps=0.2&exit_step=5");
  assert.deepEqual(settingsOf(page.reload()), [[0.2, 5]]);
  page.go(-1);
  assert.deepEqual(settingsOf(page), [[0.2, 8]]);
  page.go(-1);
  assert.deepEqual(settingsOf(page), [[0.1, 8]]);
  assert.equal(page.hash, "");
  page.go(2);
  assert.deepEqual(settingsOf(page), [[0.2, 5]]);
});

test("a gesture is one entry however long it takes, and the next one another", () => {
  const page = new Page(["exit"]);
  page.press(true);
  for (let k = 1; k <= 50; k++) page.stores[0].set({ eps: k / 100 });
  page.press(false);
  assert.equal(page.entries.length, 2);
  assert.equal(page.hash, "exit?eps=0.5");
  gesture(page, { eps: 0.6 });
  assert.equal(page.entries.length, 3);
  page.go(-1);
  assert.deepEqual(settingsOf(page), [[0.5, 8]]);
});

test("keys that follow each other turn one knob in one gesture, and another knob in another", () => {
  const page = new Page(["exit"]);
  for (const eps of [0.11, 0.12, 0.13]) page.stores[0].set({ eps });
  page.stores[0].set({ exit_step: 7 }); // which brings the entry before it up to date
  assert.equal(page.entries.length, 3);
  page.go(-1);
  assert.deepEqual(settingsOf(page), [[0.13, 8]]);
});

test("what changes nothing is no entry", () => {
  const page = new Page(["exit"]);
  gesture(page, { eps: 0.1 });
  gesture(page, { step: 3 }); // a field that this explorer does not have
  assert.equal(page.entries.length, 1);
});

test("explorers of a page are kept apart, also two of a kind", () => {
  const page = new Page(["exit", "robustness", "exit"]);
  gesture(page, { eps: 0.2 }, 2);
  gesture(page, { eps: 0.3 }, 1);
  assert.equal(page.hash, "exit-2?eps=0.2/robustness?eps=0.3");
  assert.deepEqual(settingsOf(page.reload()), [
    [0.1, 8],
    [0.3, 8],
    [0.2, 8],
  ]);
  assert.equal(page.kept[2].link(), "file:///page.html#exit-2?eps=0.2");
  assert.equal(page.kept[0].link(), "file:///page.html#exit?");
});

test("the way to a heading leaves settings and anchor alone, and reload there keeps both", () => {
  const page = new Page(["exit"]);
  gesture(page, { eps: 0.2 });
  page.follow("measured");
  assert.equal(page.hash, "measured");
  assert.deepEqual(settingsOf(page), [[0.2, 8]]);
  assert.deepEqual(page.scrolled, []);
  const again = page.reload();
  assert.equal(again.hash, "measured");
  assert.deepEqual(settingsOf(again), [[0.2, 8]]);
  gesture(again, { exit_step: 4 });
  assert.equal(again.hash, "exit?eps=0.2&exit_step=4");
  again.go(-1);
  assert.equal(again.hash, "measured");
});

test("a link sets what it names, all of that explorer and nothing of another, and goes there", () => {
  const page = new Page(["exit", "robustness"]);
  gesture(page, { eps: 0.2 }, 0);
  gesture(page, { eps: 0.3 }, 1);
  page.follow("robustness?exit_step=3");
  assert.deepEqual(settingsOf(page), [
    [0.2, 8],
    [0.1, 3],
  ]);
  assert.deepEqual(page.scrolled, [1]);
  page.go(-1);
  assert.deepEqual(settingsOf(page), [
    [0.2, 8],
    [0.3, 8],
  ]);
  assert.deepEqual(settingsOf(page.reload()), [
    [0.2, 8],
    [0.3, 8],
  ]);
});

test("a page opened by a link goes to its explorer, and again when it has its height, unless the reader has moved", () => {
  const opened = () => new Page(["exit", "robustness"], [{ url: "file:///page.html#robustness?eps=0.3", state: null }]);
  const page = opened();
  assert.deepEqual(settingsOf(page), [
    [0.1, 8],
    [0.3, 8],
  ]);
  page.kept[1].revealed();
  page.kept[0].revealed();
  assert.deepEqual(page.scrolled, [1, 1]);
  const moved = opened();
  moved.dispatchEvent(new Event("wheel"));
  moved.kept[1].revealed();
  assert.deepEqual(moved.scrolled, [1]);
  assert.deepEqual(page.reload().scrolled, []);
});

test("a script that runs before the page is read to its end finds the explorers then", () => {
  const page = new Page(["exit"], [{ url: "file:///page.html#exit?eps=0.3", state: null }], 0, "loading");
  assert.deepEqual(settingsOf(page), [[0.1, 8]]);
  page.dispatchEvent(new Event("DOMContentLoaded"));
  assert.deepEqual(settingsOf(page), [[0.3, 8]]);
});

test("an address that is none leaves the page as it is", () => {
  for (const fragment of ["exit?eps=much&exit_step=99", "exit?%&&?/?", "nowhere", "%E0%A4%A"]) {
    const page = new Page(["exit"], [{ url: `file:///page.html#${fragment}`, state: null }]);
    assert.deepEqual(settingsOf(page), [[0.1, 8]]);
    assert.equal(page.entries.length, 1);
  }
});

test("where a page may not write its address the explorer works on", () => {
  const page = new Page(["exit"]);
  page.history.pushState = () => {
    throw new DOMException("no", "SecurityError");
  };
  gesture(page, { eps: 0.2 });
  assert.deepEqual(settingsOf(page), [[0.2, 8]]);
});
