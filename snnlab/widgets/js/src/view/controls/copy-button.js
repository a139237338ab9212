/** A button that copies a text, or shows it to be copied where a page may not. */
import { say } from "../../language.js";
import { h, setText } from "../dom/elements.js";

const SHOWN_MS = 4000;

export class CopyButton {
  #timer = null;

  /**
   * @param {{label: string, name: string, text: () => string, complete?: () => boolean, speak: (sentence: string) => void}} hooks
   *   `name` of the text for screen readers; `complete`: whether a drawn digit is in it
   */
  constructor(hooks) {
    this.hooks = hooks;
    this.message = h("span", { "aria-hidden": "true" });
    this.field = h("textarea", { rows: 1, readonly: true, "aria-label": hooks.name, hidden: true });
    this.button = h("button", { type: "button", onclick: () => this.#copy() }, hooks.label);
    this.element = h("div", { class: "copy" }, this.message, this.button, this.field);
  }

  async #copy() {
    const { text, complete, name, speak } = this.hooks;
    const copied = await toClipboard(text(), this.field);
    const what = copied ? say`copied${complete?.() === false ? say`, without your drawing` : ""}` : say`copy this:`;
    setText(this.message, what);
    speak(`${name}: ${what} ${copied ? "" : text()}`.trim());
    clearTimeout(this.#timer);
    if (copied) this.button.focus();
    if (copied) this.#timer = setTimeout(() => setText(this.message, ""), SHOWN_MS);
    if (!copied) this.field.select();
  }

  dispose() {
    clearTimeout(this.#timer);
  }
}

/** @param {HTMLTextAreaElement} field that the text is left in if nothing else helps @returns {Promise<boolean>} */
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
