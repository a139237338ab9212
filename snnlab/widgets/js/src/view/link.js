/** A link to the present state: copied, or shown to be copied where a page may not. */
import { h, setText } from "./dom.js";

/** How long the answer stands, in ms. */
const STANDS = 4000;

const COPIED = "copied";
const SHOWN = "copy this address:";
const NOT_DRAWN = ", without your drawing";

export class StateLink {
  #timer = null;

  /** @param {{address: () => string, complete: () => boolean, speak: (sentence: string) => void}} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.said = h("span", { "aria-hidden": "true" });
    this.field = h("input", { type: "text", readonly: true, "aria-label": "address of this state", hidden: true });
    this.button = h("button", { type: "button", onclick: () => this.#copy() }, "link to this state");
    this.element = h("div", { class: "link" }, this.said, this.button, this.field);
  }

  async #copy() {
    const address = this.hooks.address();
    const copied = await toClipboard(address, this.field);
    const what = `${copied ? COPIED : SHOWN}${copied && !this.hooks.complete() ? NOT_DRAWN : ""}`;
    setText(this.said, what);
    this.hooks.speak(`Link to this state: ${what} ${copied ? "" : address}`.trim());
    clearTimeout(this.#timer);
    if (copied) this.button.focus();
    if (copied) this.#timer = setTimeout(() => setText(this.said, ""), STANDS);
    if (!copied) this.field.select();
  }

  dispose() {
    clearTimeout(this.#timer);
  }
}

/** @param {HTMLInputElement} field that the text is left in if nothing else helps @returns {Promise<boolean>} */
async function toClipboard(text, field) {
  field.value = text;
  try {
    await navigator.clipboard.writeText(text);
    field.hidden = true;
  } catch {
    // No clipboard without a secure context, or none for this page; the older way asks for nothing.
    field.hidden = false;
    field.select();
    field.hidden = document.execCommand("copy");
  }
  return field.hidden;
}
