/** A link to the present state: copied, or shown to be copied where a page may not. */
import { h, setText } from "../dom/elements.js";

const STANDS = 4000;

export class ShareLink {
  #timer = null;

  /** @param {{address: () => string, complete: () => boolean, speak: (sentence: string) => void}} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.message = h("span", { "aria-hidden": "true" });
    this.field = h("input", { type: "text", readonly: true, "aria-label": "address of this state", hidden: true });
    this.button = h("button", { type: "button", onclick: () => this.#copy() }, "link to this state");
    this.element = h("div", { class: "link" }, this.message, this.button, this.field);
  }

  async #copy() {
    const address = this.hooks.address();
    const copied = await toClipboard(address, this.field);
    const part = this.hooks.complete() ? "copied" : "copied, without your drawing";
    const what = copied ? part : "copy this address:";
    setText(this.message, what);
    this.hooks.speak(`Link to this state: ${what} ${copied ? "" : address}`.trim());
    clearTimeout(this.#timer);
    if (copied) this.button.focus();
    if (copied) this.#timer = setTimeout(() => setText(this.message, ""), STANDS);
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
