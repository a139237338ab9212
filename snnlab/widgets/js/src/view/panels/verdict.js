/** The answer, large, and what the attack did: two elements, as a narrow screen keeps the answer with the controls. */
import { h, setText } from "../dom/elements.js";

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
