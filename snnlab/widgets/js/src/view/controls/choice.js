/** A choice among few options, as a group of native radio buttons, or among many, as a native select. */
import { h, setText, showText, uniqueId } from "../dom/elements.js";

export class Choice {
  /** @param {string[][]} options value and text  @param {(value: string) => void} onChange */
  constructor(label, options, onChange) {
    const name = uniqueId("choice");
    this.inputs = options.map(([value]) => h("input", { type: "radio", name, value, onchange: () => onChange(value) }));
    this.texts = options.map(([, text]) => h("span", {}, text));
    const labels = this.texts.map((text, k) => h("label", {}, this.inputs[k], text));
    this.why = h("p", { class: "why", id: uniqueId("why"), hidden: true });
    const attributes = { class: "field choice", "aria-describedby": this.why.id };
    this.element = h("fieldset", attributes, h("legend", {}, label), h("div", { class: "options" }, ...labels), this.why);
  }

  /** Options in `without` cannot be chosen now; `why` is shown below. */
  show(value, disabled = false, without = [], why = "") {
    for (const input of this.inputs) {
      input.checked = input.value === value;
      input.disabled = without.includes(input.value);
    }
    this.element.disabled = disabled;
    showText(this.why, why);
  }

  /** Other words for the options. @param {string[]} texts */
  write(texts) {
    for (const [k, text] of texts.entries()) setText(this.texts[k], text);
  }
}

export class Select {
  /** @param {string[][]} options value and text  @param {(value: string) => void} onChange */
  constructor(label, options, onChange) {
    const id = uniqueId("select");
    const items = options.map(([value, text]) => h("option", { value }, text));
    this.select = h("select", { id, onchange: () => onChange(this.select.value) }, ...items);
    this.element = h("div", { class: "field select" }, h("label", { for: id }, label), this.select);
  }

  show(value) {
    this.select.value = value;
  }
}
