/** The frames that the network reads, one a step, above the other plots over time: darker, brighter, and what the attack changed. */

import { count, say } from "../language.js";
import { h, setText } from "../view/dom/elements.js";
import { fit } from "../view/dom/sizes.js";
import { RasterPanel } from "../view/panels/panel.js";

export class FramesPanel extends RasterPanel {
  constructor() {
    super("film", say`spikes in`);
    const part = (kind, text) => [h("i", { class: kind }), text];
    this.key = h("span", { class: "key" }, ...part("off", "darker"), ...part("on", "brighter"));
    this.attackKey = h("span", { class: "key", hidden: true }, ...part("made", "made"), ...part("gone", "taken away"));
    this.title.after(this.key, this.attackKey);
  }

  /** @param {any} frame  @param {any} context */
  show({ clean, attacked, num_steps: steps, side }, { margins, colours }) {
    const target = fit(this.canvas);
    this.attackKey.hidden = !attacked;
    const total = (of) => of.input.reduce((sum, s) => sum + s, 0);
    setText(this.note, say`${count(total(attacked ?? clean))} spikes`);
    if (!target) return;
    const { context: ink, width, height, ratio } = target;
    ink.clearRect(0, 0, width, height);
    const left = margins.left * ratio;
    const column = (width - left - margins.right * ratio) / steps;
    const room = Math.min(column - 3 * ratio, height);
    const size = side * side;
    const on = colours.code("latency").colour;
    for (let t = 0; t < steps; t++) {
      const x0 = left + t * column + (column - room) / 2;
      const y0 = (height - room) / 2;
      ink.fillStyle = colours.panel;
      ink.fillRect(x0, y0, room, room);
      const dot = (p, colour, grow = 0) => {
        const [x, y] = [p % side, Math.floor(p / side)];
        const [x1, y1] = [x0 + (x * room) / side, y0 + (y * room) / side];
        const unit = room / side;
        ink.fillStyle = colour;
        ink.fillRect(x1 - grow, y1 - grow, unit + 2 * grow, unit + 2 * grow);
      };
      for (let p = 0; p < size; p++) {
        const at = (of, polarity) => of.input[(t * 2 + polarity) * size + p];
        const [off, bright] = [at(clean, 0), at(clean, 1)];
        if (off || bright) dot(p, off && bright ? colours.ink : off ? colours.darker : on);
      }
      if (!attacked) continue;
      for (let p = 0; p < size; p++) {
        for (const polarity of [0, 1]) {
          const [before, after] = [clean, attacked].map((of) => of.input[(t * 2 + polarity) * size + p]);
          if (after > before) dot(p, colours.attack, 0.6 * ratio);
          if (after < before) {
            dot(p, colours.attack, 0.6 * ratio);
            dot(p, colours.panel, -0.6 * ratio);
          }
        }
      }
    }
  }
}
