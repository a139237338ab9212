/** The encoder explorer: one image in all codes, side by side. When does a perturbation of size ε make its spikes? */

import { integerBetween } from "../../engine/index.js";
import { fixed, say } from "../../language.js";
import { VOCABULARY } from "../../vocabulary.js";
import { Choice } from "../controls/choice.js";
import { PixelPicker } from "../controls/pixel-picker.js";
import { Slider } from "../controls/slider.js";
import { Picture } from "../dom/canvas-image.js";
import { explained, h, setText } from "../dom/elements.js";
import { CodePanel } from "../panels/code.js";
import { codeSummary, spokenCodes } from "../text/code.js";
import { epsText } from "../text/frame.js";
import { ImageExplorer } from "./base.js";

const ROWS = say`A row is a pixel, brightest on top; black pixels stand apart below. Steps run from left to right; what lies after the last step that is read fades.`;
const CODES = VOCABULARY.side_by_side.codes;
const CHANGES = Object.entries({ brighten: say`brighten by ε`, noise: say`random sign` });

export class EncodingExplorer extends ImageExplorer {
  static kind = "encoder";
  static style = "encoder";
  static epsLabel = say`by ε`;

  /** No network is involved. */
  offered() {
    return [];
  }

  declare() {
    const { zoo } = this;
    const steps = zoo.num_steps;
    const change = new Choice(say`change every pixel`, CHANGES, this.set("change"));
    const text = (step) => say`step ${step} of ${steps}`;
    const onInput = this.set("exit_step");
    const step = new Slider({ label: say`read until`, min: 1, max: steps, text, onInput });
    const play = this.clock(() => this.store.get("exit_step"));
    this.clean = new Picture(say`image: point at a pixel`);
    this.attacked = new Picture(say`changed by ε`, "attacked changed");
    this.pixelPicker = new PixelPicker(this.clean, zoo.digits.shape, () => this.repaint());
    this.pixel = h("p", { class: "pixel" });
    this.codes = CODES.map((name) => new CodePanel(name, this.set("exit_step")));
    return {
      controls: { change, exit_step: step },
      panels: [
        ...this.picker.elements,
        h("div", { class: "pair" }, this.clean.element, this.attacked.element),
        change.element,
        h("div", { class: "tune" }, this.eps.element, step.element, play),
        this.pixel,
        h("div", { class: "codes" }, ...this.codes.map(({ element }) => element), key()),
      ],
      limits: this.limits(),
    };
  }

  changed(state) {
    super.changed(state);
    this.moved(state.exit_step);
  }

  moved(step) {
    for (const panel of this.codes) panel.showStep(step, this.zoo.num_steps);
  }

  ask(state) {
    const { change, eps, exit_step: step } = state;
    const steps = this.zoo.num_steps;
    integerBetween("exit_step", step, 1, steps);
    const { image, shape } = this.picker.pixels(state);
    return { image, shape, encoders: CODES, eps, attack: change, num_steps: steps, seed: 0 };
  }

  run(request) {
    return this.engine.encode(request);
  }

  paint(frame, { eps }, colours) {
    const step = this.at ?? this.store.get("exit_step");
    const { clean, attacked } = frame.images;
    this.clean.show(clean, frame.shape);
    this.attacked.show(attacked ?? clean, frame.shape);
    this.pixelPicker.show(clean);
    setText(this.pixel, this.#pixelText(clean, attacked));
    const summaries = this.codes.map((panel) => {
      const code = frame.codes[panel.name];
      const summary = codeSummary(panel.name, code, frame.num_steps, clean);
      panel.show(code, frame, this.pixelPicker.pixel, summary, step, colours);
      return { name: panel.name, ...summary };
    });
    this.caption.say(say`computed in your browser · an image of ${this.zoo.dataset} · ε = ${epsText(eps)} (L∞)`);
    if (this.at === null) this.stage.speak(spokenCodes(summaries, eps));
  }

  #pixelText(clean, attacked) {
    const { pixel } = this.pixelPicker;
    const x = clean[pixel];
    const grey = Object.entries({ black: 0, dark: 0.34, grey: 0.67 }).find(([, most]) => x <= most)?.[0] ?? "bright";
    const after = attacked && attacked[pixel] !== x ? ` → ${fixed(attacked[pixel], 2)}` : "";
    return say`The marked pixel is ${grey} (${fixed(x, 2)}${after}). The line shows its place in each code, and the row below its spike train.`;
  }
}

function key() {
  const signs = { kept: say`spikes of the image`, made: say`spikes that ε adds`, lost: say`spikes that ε takes away` };
  const rows = explained("p", { ...signs, marked: say`the marked pixel` });
  return h("div", { class: "explain" }, ...rows, h("p", { class: "quiet" }, ROWS));
}
