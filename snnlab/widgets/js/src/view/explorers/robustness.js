/** The robustness explorer: image → spikes → hidden spikes → votes → verdict, and how often that is right on all digits. */
import { AccuracyPlot } from "../charts/accuracy-curve.js";
import { MAX_EPS } from "../controls/attack-controls.js";
import { bestCurve } from "../model/accuracy.js";
import { partsOf } from "../model/fusion-names.js";
import { ALL_RUNS } from "../panels/caption.js";
import { bench } from "../session/bench.js";
import { FlipSearch } from "../session/flip-search.js";
import { curveTitle, flipText, resultKey, spoken } from "../text/frame.js";
import { FrameExplorer } from "./base.js";

/** A request that took longer (ms) is not repeated for other ε. */
const SLOW = 600;

export class RobustnessExplorer extends FrameExplorer {
  static kind = "robustness";
  static style = "robustness";

  declare() {
    const code = this.networkSelect("code");
    const time = this.timeline((exit) => this.setExit(exit));
    this.plot = new AccuracyPlot({ onEps: this.set("eps"), onPick: this.set("encoding"), control: this.curves.element });
    this.flip = new FlipSearch((request) => this.engine.run(request), MAX_EPS);
    this.stage.onDispose(() => this.flip.stop());
    const tune = [this.eps.element, this.exit.element];
    const panels = this.page(code.element, tune, time, this.verdict.effect, this.plot.element, bench(this));
    return { controls: { encoding: code }, panels, limits: this.limits() };
  }

  changed(state) {
    super.changed(state);
    this.flip.stop();
  }

  answered(frame, request) {
    this.stage.speak(`${spoken(frame, request, this.model(frame.encoding).title)} ${this.plot.sentence}`);
    this.#bound(frame, request);
    // In a kernel the scan would delay the next request, and a large network would keep the page busy.
    if (this.engine.kind !== "browser" || frame.ms > SLOW) return;
    this.flip.start(request, frame, () => this.showVerdict(frame, request, [], this.#after(frame, request)));
  }

  /** Bounds come right after the frame: they are fast, but their script may have to be loaded first. */
  async #bound(frame, request) {
    if (request.eps === 0 || !this.engine.bounds) return;
    try {
      const part = await this.engine.part("bounds");
      const bounds = await this.engine.bounds({ ...request, label: frame.target });
      if (!bounds || this.last?.answer !== frame || this.stage.disposed) return;
      frame.bounds = { ...part, ...bounds };
      this.repaint();
    } catch {
      // a page without the script, or a newer request: the frame stays without bands
    }
  }

  /** @returns {string[]} */
  #after(frame, request) {
    const known = frame.bounds ? [frame.bounds.boundText(frame, this.at ?? frame.exit_step)] : [];
    return [...known, ...this.#flips(frame, request)];
  }

  #flips(frame, request) {
    return frame.attacked ? flipText(this.flip.known(request), MAX_EPS, frame.towards) : [];
  }

  paint(frame, request, colours) {
    const { title, decoder } = this.model(frame.encoding);
    const exit = frame.exit_step;
    this.showFrame(frame, request, { exit, parts: partsOf(title), decoder, colours }, [], this.#after(frame, request));
    this.showCaption(frame, request, resultKey(request), { runs: ALL_RUNS });
    if (!this.zoo.results) return;
    // An ANN has no exits: beside it, all steps of the others are read.
    const timed = Boolean(frame.clean.input);
    const curves = {
      models: this.models,
      current: [frame.encoding],
      measured: bestCurve,
      exit: timed ? exit : frame.num_steps,
    };
    this.showCurves(frame, request, { ...curves, title: curveTitle(request, timed ? exit : null) }, colours);
  }
}
