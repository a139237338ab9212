/**
 * What every explorer has around it: a shadow root with the style sheet, the colours of the page's scheme, the place of
 * messages, the spoken read-out, and the fallback that stands until the first frame is ready.
 */
import { palette } from "../palette.js";
import { backgroundBehind, watchScheme } from "../theme.js";
import { forgetSizes, h, setText } from "./dom.js";
import { attackExplorer } from "./attacks.js";
import { encoderExplorer } from "./encoder.js";
import { exitExplorer } from "./exits.js";
import { fusionExplorer } from "./fusion.js";
import { neuronExplorer } from "./neuron.js";
import { resultsExplorer } from "./results.js";
import { robustnessExplorer } from "./robustness.js";
import { STYLE } from "./style.js";
import { trainingExplorer } from "./training.js";

const EXPLORERS = {
  robustness: robustnessExplorer,
  encoder: encoderExplorer,
  training: trainingExplorer,
  exit: exitExplorer,
  fusion: fusionExplorer,
  attack: attackExplorer,
  results: resultsExplorer,
  neuron: neuronExplorer,
};
const SPEAK_AFTER = 600;

/**
 * Bring an explorer to life.
 *
 * @param {HTMLElement} host
 * @param {object} store
 * @param {object} engine
 * @returns {() => void} takes it down again
 */
export function mount(host, store, engine) {
  const stage = new Stage(host);
  const stop = engine.onStatus?.((status) => stage.say(status));
  if (stop) stage.onDispose(stop);
  const name = store.get("explorer");
  const make = EXPLORERS[name];
  if (!make) {
    stage.fail(new Error(`unknown explorer "${name}"; choose one of ${Object.keys(EXPLORERS).join(", ")}`));
  } else {
    make(stage, store, engine).catch((error) => stage.fail(error));
  }
  return () => stage.dispose();
}

class Stage {
  #cleanups = [];
  #timer = null;
  #repaint = () => {};
  disposed = false;

  constructor(host) {
    this.host = host;
    // JupyterLab would take the arrow keys away from the sliders.
    host.setAttribute("data-lm-suppress-shortcuts", "true");
    this.root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    this.app = h("div", { class: "app", hidden: true });
    this.notice = h("p", { class: "notice", role: "alert", hidden: true });
    this.status = h("p", { class: "notice status", role: "status", hidden: true });
    this.live = h("p", { class: "unseen", "aria-live": "polite" });
    this.fallback = h("div", { class: "fallback" }, h("slot"));
    this.lab = h("div", { class: "lab" }, this.status, this.notice, this.fallback, this.app, this.live);
    this.root.replaceChildren(h("style", {}, STYLE), this.lab);
    this.onDispose(watchScheme((scheme) => this.#recolour(scheme)));
    const observer = new ResizeObserver(() => {
      forgetSizes();
      this.#repaint();
    });
    observer.observe(this.lab);
    this.onDispose(() => observer.disconnect());
  }

  /** Wide layouts have digits and set-up in one row: the digits end where the set-up begins, however wide its words are. */
  #leaveRoom() {
    const setup = this.app.querySelector(".setup");
    if (!setup || !this.app.querySelector(":scope > .digits")) return;
    const observer = new ResizeObserver(() => this.app.style.setProperty("--beside", `${setup.offsetWidth + 22}px`));
    observer.observe(setup);
    this.onDispose(() => observer.disconnect());
  }

  #recolour(scheme) {
    const colours = palette(scheme);
    const background = backgroundBehind(this.host, scheme) ?? colours.background;
    if (this.colours?.scheme === scheme && this.colours.background === background) return;
    this.colours = { ...colours, background };
    this.lab.dataset.scheme = scheme;
    for (const [name, value] of Object.entries(this.colours)) {
      if (typeof value === "string") this.lab.style.setProperty(`--${name}`, value);
    }
    this.#repaint();
  }

  /** @param {() => void} paint called when colours or sizes have changed */
  onRepaint(paint) {
    this.#repaint = paint;
  }

  onDispose(cleanup) {
    this.#cleanups.push(cleanup);
  }

  /** The first frame is ready: it takes the place of the fallback. @returns {boolean} whether this is the first one */
  reveal() {
    if (!this.app.hidden) return false;
    this.app.hidden = false;
    this.fallback.hidden = true;
    this.#leaveRoom();
    this.host.setAttribute("data-ready", "");
    return true;
  }

  busy(isBusy) {
    this.app.setAttribute("aria-busy", String(isBusy));
  }

  /** One sentence in place; what was shown before stays. */
  fail(error) {
    const sentence = error.message;
    setText(
      this.notice,
      `⚠ ${sentence}${/[.!?]$/.test(sentence) ? "" : "."}${this.app.hidden ? "" : " What you see is the last good state."}`,
    );
    this.notice.hidden = false;
  }

  succeed() {
    this.notice.hidden = true;
    setText(this.notice, "");
  }

  /** @param {string|null} sentence about the engine */
  say(sentence) {
    setText(this.status, sentence ?? "");
    this.status.hidden = !sentence;
  }

  /** Speak, once the reader has come to rest. */
  speak(sentence) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => setText(this.live, sentence), SPEAK_AFTER);
  }

  dispose() {
    this.disposed = true;
    clearTimeout(this.#timer);
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
    this.root.replaceChildren();
    this.host.removeAttribute("data-ready");
  }
}
