/** What every explorer has around it: style sheet, colours of the page, messages, the spoken read-out, and the fallback. */
import { say } from "../../language.js";
import { palette } from "../../theme/palette.js";
import { backgroundBehind, watchScheme } from "../../theme/scheme.js";
import { h, setText, showText } from "../dom/elements.js";
import { forgetSizes } from "../dom/sizes.js";
import { STYLE } from "../styles/index.js";

const SPEAK_AFTER = 600;

export class Stage {
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
    const resized = new ResizeObserver(() => {
      forgetSizes();
      this.#repaint();
    });
    resized.observe(this.lab);
    this.onDispose(() => resized.disconnect());
  }

  /** Add a style sheet to that of all explorers. @param {string|undefined} sheet */
  wear(sheet) {
    if (sheet) this.root.append(h("style", {}, sheet));
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

  /** @param {(() => void)|undefined} cleanup */
  onDispose(cleanup) {
    if (cleanup) this.#cleanups.push(cleanup);
  }

  /** The first frame is ready: it takes the place of the fallback. @returns {boolean} whether this is the first one */
  reveal() {
    if (!this.app.hidden) return false;
    this.app.hidden = false;
    this.fallback.hidden = true;
    this.host.setAttribute("data-ready", "");
    return true;
  }

  busy(isBusy) {
    this.app.setAttribute("aria-busy", String(isBusy));
  }

  /** One sentence in place; what was shown before stays. */
  fail(error) {
    const sentence = error.message.replace(/[^.!?]$/, "$&.");
    showText(this.notice, `⚠ ${sentence}${this.app.hidden ? "" : say` What you see is the last good state.`}`);
  }

  succeed() {
    showText(this.notice, null);
  }

  /** @param {string|null} sentence about the engine */
  say(sentence) {
    showText(this.status, sentence);
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
