/** What an answer costs: this image up to its exit, the same network if it ran on, and the ANN, on one scale. */
import { fixed, say } from "../../language.js";
import { h, setText } from "../dom/elements.js";
import { nanojoules } from "../text/frame.js";

export class EnergyPanel {
  constructor() {
    this.value = h("strong", {});
    this.note = h("span", { class: "note" });
    this.spent = h("i", { class: "spent" });
    this.saved = h("i", { class: "saved" });
    this.network = h("div", { class: "bar" }, this.spent, this.saved);
    this.ann = h("div", { class: "bar ann" }, h("i", {}));
    this.compare = h("p", { class: "compare" });
    const shown = [h("p", { class: "reading" }, this.value, this.note), this.network, this.ann, this.compare];
    this.element = h("section", { class: "panel meter" }, h("h4", {}, say`Energy for this image`), ...shown);
  }

  /** @param {Float32Array|null} energy pJ up to every exit  @param {number|null} ann nJ */
  show(energy, exit, ann) {
    this.element.hidden = !energy;
    if (!energy) return;
    const spent = energy[Math.min(exit, energy.length) - 1] / 1000;
    const whole = energy.at(-1) / 1000;
    const most = Math.max(whole, ann ?? 0);
    const share = (value) => `${(100 * value) / most}%`;
    setText(this.value, nanojoules(spent));
    setText(
      this.note,
      exit < energy.length ? say` at exit ${exit}; ${nanojoules(whole)} with all steps` : say` with all steps`,
    );
    this.spent.style.width = share(spent);
    this.saved.style.width = share(whole - spent);
    this.ann.hidden = ann === null;
    this.ann.firstChild.style.width = share(ann ?? 0);
    const times = (ann ?? 0) / spent;
    // Before the first spike the energy is 0, and there is no ratio.
    const ratio = spent > 0 && times >= 1.05 ? say`, ${times < 10 ? fixed(times, 1) : Math.round(times)} times as much` : "";
    setText(this.compare, ann === null ? "" : say`the ANN: ${nanojoules(ann)}${ratio}`);
  }
}
