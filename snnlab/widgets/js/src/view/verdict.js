/**
 * The answer, large: right or wrong by word, sign and colour; and what the attack did. Two elements, because on a narrow
 * screen the answer stays in sight with the controls.
 */
import { h, setText } from "./dom.js";

export class Verdict {
  constructor() {
    this.text = h("strong", {});
    this.note = h("span", { class: "note" });
    this.sign = h("span", { class: "sign", "aria-hidden": "true" });
    this.answer = h("p", { class: "answer" }, this.text, this.sign, this.note);
    this.effect = h("p", { class: "effect" });
  }

  /** @param {{text: string, note: string, tone: string, sign: string}} verdict  @param {string[]} sentences */
  show({ text, note, tone, sign }, sentences) {
    setText(this.text, text);
    setText(this.note, note);
    setText(this.sign, sign);
    setText(this.effect, sentences.join(" "));
    this.answer.dataset.tone = tone;
  }
}
