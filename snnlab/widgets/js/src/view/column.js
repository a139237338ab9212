/** One network among several that see the same image: its answer, its spikes, its votes. */
import { h, setText } from "./dom.js";
import { Picture } from "./image.js";
import { swatch } from "./marks.js";
import { OutputPanel } from "./outputs.js";
import { HiddenPanel } from "./panels.js";
import { Timeline } from "./timeline.js";
import { Verdict } from "./verdict.js";
import { activity, verdict } from "./words.js";

const MARGINS = { left: 20, right: 54 };

export class Column {
  /** @param {string} title  @param {(exit: number) => void} onExit */
  constructor(title, onExit) {
    this.title = title;
    this.mark = h("span", { class: "swatch-box" });
    this.picture = new Picture("attacked", "attacked");
    this.verdict = new Verdict();
    this.time = new Timeline([new HiddenPanel(), new OutputPanel()], { onExit, margins: MARGINS });
    this.note = h("p", { class: "activity" });
    this.element = h(
      "section",
      { class: "column", "aria-label": title },
      h("div", { class: "top" }, h("h4", {}, this.mark, title), this.verdict.answer, this.picture.element),
      this.time.element,
      this.note,
    );
  }

  /** @param {object} frame  @param {object} model  @param {object} request  @param {object} colours */
  show(frame, model, request, colours) {
    const { exit_step: exit } = request;
    const { attacked, clean, shape } = frame;
    this.mark.replaceChildren(swatch(colours.mark(model), colours));
    this.picture.show((attacked ?? clean).image, shape);
    this.picture.element.classList.toggle("changed", Boolean(attacked));
    this.picture.element.classList.toggle("idle", !attacked);
    this.verdict.show(verdict(frame, exit), []);
    this.time.show(frame, { exit, parts: [], decoder: model.decoder, colours });
    setText(this.note, activity(frame, exit));
  }
}
