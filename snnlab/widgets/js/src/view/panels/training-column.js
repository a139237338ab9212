/** One network among several that are given the same image: its answer, its spikes, its votes. */
import { say } from "../../language.js";
import { swatch } from "../charts/marks.js";
import { markChanged, Picture } from "../dom/canvas-image.js";
import { h, setText } from "../dom/elements.js";
import { activity, shownSide, tieText, verdict } from "../text/frame.js";
import { HiddenPanel } from "./hidden.js";
import { InputPanel } from "./input.js";
import { OutputPanel } from "./outputs.js";
import { Timeline } from "./timeline.js";
import { Verdict } from "./verdict.js";

const MARGINS = { left: 20, right: 54 };

export class TrainingColumn {
  /** @param {string} title  @param {(exit: number) => void} onExit */
  constructor(title, onExit) {
    this.title = title;
    this.mark = h("span", { class: "swatch-box" });
    this.clean = new Picture(say`clean`);
    this.picture = new Picture(say`attacked`, "attacked");
    this.verdict = new Verdict();
    this.time = new Timeline([new InputPanel(), new HiddenPanel(), new OutputPanel()], { onExit, margins: MARGINS });
    this.note = h("p", { class: "activity" });
    const heading = h("h4", {}, this.mark, title);
    const top = h("div", { class: "top" }, heading, this.verdict.answer, this.clean.element, this.picture.element);
    this.element = h("section", { class: "column", "aria-label": title }, top, this.time.element, this.note);
  }

  /** @param {Frame} frame  @param {Model} model  @param {number} exit  @param {Colours} colours */
  show(frame, model, exit, colours) {
    const { attacked, clean, shape } = frame;
    this.mark.replaceChildren(swatch(colours.mark(model), colours));
    this.clean.show(clean.image, shape);
    this.picture.show((attacked ?? clean).image, shape);
    markChanged(this.picture.element, attacked);
    this.verdict.show(verdict(frame, exit), []);
    this.time.show(frame, { exit, parts: [], decoder: model.decoder, colours });
    setText(this.note, [...tieText(shownSide(frame), exit), activity(frame, exit)].join(" "));
  }
}
