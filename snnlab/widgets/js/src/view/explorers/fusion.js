/** The fusion explorer: codes side by side in one network, their gate, what remains without one, and where that leads. */

import { need } from "../../engine/index.js";
import { say } from "../../language.js";
import { CleanRobustPlot } from "../charts/clean-robust.js";
import { FusionMixer } from "../controls/fusion-mixer.js";
import { bestCurve, readCurve, withoutPart } from "../model/accuracy.js";
import { coinAt, equalCoin } from "../model/coin.js";
import { memberTitle, mixesOf, partsOf } from "../model/fusion-names.js";
import { ofGroups } from "../model/models.js";
import { ALL_RUNS } from "../panels/caption.js";
import { DialAnswers } from "../session/dial-answers.js";
import { chanceOf, spoken } from "../text/frame.js";
import { FrameExplorer } from "./base.js";

const GATE = say`A coin chooses one of the two parts for each image, the second with probability q; both parts are networks of their own, trained alike. Its accuracies are means of theirs, and its worst case is at least the mean. A gate scales what its part sends; the attack goes through all parts. A part is silenced at test time, in a network that was trained with it; where that was measured, the plane shows where it ends up (one training run, attacked anew without the part).`;

export class FusionExplorer extends FrameExplorer {
  static kind = "fusion";
  static style = "fusion";

  /** All fusions, the codes that they are made of, and the ANN beside them. */
  offered() {
    const models = ofGroups(this.zoo, "codes", "fusion");
    const fused = models.filter(({ encoding }) => partsOf(encoding).length > 1);
    const parts = new Set(fused.flatMap(({ encoding }) => partsOf(encoding).map(({ name }) => name)));
    const single = models.filter(({ encoding }) => parts.has(encoding));
    const ann = models.filter(({ kind }) => kind === "ann").map((model) => ({ ...model, encoding: "ANN" }));
    return [...fused, ...single, ...ann];
  }

  declare() {
    const { store } = this;
    this.mixes = mixesOf(this.models);
    const mixer = new FusionMixer(this.mixes, store);
    this.mixer = mixer;
    this.answers = new DialAnswers((request) => this.engine.run(request));
    this.stage.onDispose(() => this.answers.stop());
    const onPick = (encoding) => store.set({ encoding, silenced: -1 });
    this.plot = new CleanRobustPlot({ onPick, onCoin: this.set("coin"), control: mixer.coin.element });
    const drawn = [mixer.element, this.timeline(), this.verdict.effect, this.plot.element];
    return {
      panels: this.page(mixer.mix.element, [...mixer.gates, this.eps.element], ...drawn),
      limits: this.limits({ silenced: Math.max(...this.mixes.map((mix) => mix.parts.length)) - 1 }),
    };
  }

  changed(state) {
    this.answers.stop();
    super.changed({ ...state, exit_step: this.zoo.num_steps });
    this.mixer.show(state);
  }

  ask(state) {
    const request = super.ask(state);
    const { encoding, silenced } = request;
    const { parts } = this.mixer.find(encoding).mix;
    const known = [-1, ...(parts.length > 1 ? parts.keys() : [])];
    need(known.includes(silenced), say`no part ${silenced} of "${encoding}" to silence; choose one of ${known.join(", ")}`);
    return { ...request, exit_step: this.zoo.num_steps };
  }

  answered(frame, request) {
    const { mix, member } = this.mixer.find(frame.encoding);
    const off = request.silenced >= 0 ? say`, ${mix.parts[request.silenced]} silenced` : "";
    this.stage.speak(`${spoken(frame, request, memberTitle(mix, member) + off)} ${this.plot.sentence}`);
    const { encoding } = frame;
    this.answers.start(request, this.mixer.dial(encoding), (answers) => this.mixer.mark(encoding, answers));
  }

  paint(frame, request, colours) {
    const { encoding, decoder } = this.model(frame.encoding);
    const parts = partsOf(encoding);
    const { silenced } = request;
    const off = silenced >= 0 ? [say`Without ${parts[silenced].name}, with which it was trained.`] : [];
    this.showFrame(frame, request, { exit: frame.num_steps, parts, silenced, decoder, colours }, off);
    this.showCaption(frame, request, "worst", { runs: ALL_RUNS, about: [GATE] });
    if (this.zoo.results) this.#paintPlane(frame, request, colours);
  }

  #paintPlane(frame, { silenced, coin, eps }, colours) {
    const { results } = this.zoo;
    const read = (name, at) => readCurve(bestCurve(results, name, "worst", frame.num_steps) ?? [], at);
    const placed = (mix, member) => {
      const { model, title } = member;
      const label = mix.parts.length === 1 || mix.members.length === 1 ? mix.name : title;
      const reads = { clean: read(model.name, 0), robust: read(model.name, eps) };
      return { name: model.name, model, title: memberTitle(mix, member), label, ...reads };
    };
    const all = this.mixes.flatMap((mix) => mix.members.map((member) => placed(mix, member)));
    const points = all.filter(({ clean }) => clean);
    const { mix, member } = this.mixer.find(frame.encoding);
    const rest = withoutPart(results, frame.encoding, silenced, eps);
    const without = rest && { ...rest, part: mix.parts[silenced] };
    const about = { current: frame.encoding, eps, chance: chanceOf(frame) };
    const tossed = this.#coin(mix, member, points, coin);
    this.plot.show({ points, path: this.#path(mix), without, coin: tossed, ...about }, colours);
  }

  /** The coin between two parts that were trained as the fused network was; null: there is none. */
  #coin({ parts }, { kind, model }, points, share) {
    const ends = parts.map((part) => points.find((point) => point.model.encoding === part));
    if (parts.length !== 2 || kind === "hardened" || !ends.every(Boolean)) return null;
    const place = coinAt(ends, share);
    const network = points.find(({ name }) => name === model.name);
    return place && { ...place, share, ends, equal: equalCoin(network, ends) };
  }

  /** From the last part alone, with a gate of 0, to the first alone. */
  #path({ parts, members }) {
    const alone = (part) => this.models.find(({ encoding }) => encoding === part)?.name;
    const fixed = members.filter(({ kind }) => kind === "fixed").map(({ model }) => model.name);
    return parts.length === 2 && fixed.length > 1 ? [alone(parts[1]), ...fixed, alone(parts[0])].filter(Boolean) : [];
  }
}
