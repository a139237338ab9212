/** One of a few: a group of native radio buttons that looks like one control; and one of many: a native select. */
import { h, setText, uniqueId } from "./dom.js";

export class Choice {
  /**
   * @param {string} label
   * @param {[string, string][]} options value and text
   * @param {(value: string) => void} onChange
   */
  constructor(label, options, onChange) {
    const name = uniqueId("choice");
    this.inputs = options.map(([value]) => h("input", { type: "radio", name, value, onchange: () => onChange(value) }));
    this.texts = options.map(([, text]) => h("span", {}, text));
    const labels = this.texts.map((text, k) => h("label", {}, this.inputs[k], text));
    this.why = h("p", { class: "why", id: uniqueId("why"), hidden: true });
    this.element = h(
      "fieldset",
      { class: "field choice", "aria-describedby": this.why.id },
      h("legend", {}, label),
      h("div", { class: "options" }, ...labels),
      this.why,
    );
  }

  /**
   * @param {string} value
   * @param {boolean} [disabled] all of it
   * @param {string[]} [without] options that cannot be chosen now
   * @param {string} [why] the reason, shown below
   */
  show(value, disabled = false, without = [], why = "") {
    for (const input of this.inputs) {
      input.checked = input.value === value;
      input.disabled = without.includes(input.value);
    }
    this.element.disabled = disabled;
    setText(this.why, why);
    this.why.hidden = !why;
  }

  /** Other words for the options. @param {string[]} texts */
  write(texts) {
    for (const [k, text] of texts.entries()) setText(this.texts[k], text);
  }
}

export class Select {
  /**
   * @param {string} label
   * @param {[string, string][]} options value and text
   * @param {(value: string) => void} onChange
   */
  constructor(label, options, onChange) {
    const id = uniqueId("select");
    this.select = h(
      "select",
      { id, onchange: () => onChange(this.select.value) },
      ...options.map(([value, text]) => h("option", { value }, text)),
    );
    this.element = h("div", { class: "field select" }, h("label", { for: id }, label), this.select);
  }

  show(value) {
    this.select.value = value;
  }
}
