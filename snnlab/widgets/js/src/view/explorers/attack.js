/** The attack explorer: one image and one network under two or five attackers, step by step. */

import { integerBetween, SPIKE_TRAIN } from "../../engine/index.js";
import { count, say } from "../../language.js";
import { Choice } from "../controls/choice.js";
import { Player } from "../controls/player.js";
import { Slider } from "../controls/slider.js";
import { MAGNIFIED } from "../dom/canvas-image.js";
import { explained, h, setText } from "../dom/elements.js";
import { accuracyCurve, readCurve } from "../model/accuracy.js";
import { AttackColumn } from "../panels/attack-column.js";
import { flagsOf, ONE_RUN, whoComputed } from "../panels/caption.js";
import { imageKey } from "../session/flip-search.js";
import { ATTACKERS, conclusion, PAIR, spokenTrajectories } from "../text/attack.js";
import { epsText, intervalText, lowerText, percent } from "../text/frame.js";
import { ImageExplorer } from "./base.js";

const STEPS = 10;

const SLICE = say`slice: the same along the first gradient; dashes: what this gradient predicts; dots: whole grey levels, as a file stores them`;

const HOW = [
  say`The first four follow the gradient of the margin, the votes of the strongest wrong class minus those of the right one, with all steps read. They start at the image itself and stop once it is misread; equal votes are decided by the read-out's potential. Naive, BPDA and EOT move every pixel by ε/4 along the sign of their gradient (PGD) and keep the surrogate that the network was trained with. ASSG adapts each neuron's surrogate to its distance from threshold and steps by SA-PGD (Wang et al. 2025).`,
  say`The spike-train attack needs no gradient of the code. A budget leaves a pixel of a step code finitely many spike trains; from the gradient of the loss with respect to the spikes follows, to first order, what each of them gains. At every step a random share of the pixels takes its best train, fewer and fewer, with the intensity that is nearest to the clean one. Its loss is the cross-entropy of votes and soft spikes, its surrogate that of ASSG.`,
  say`EOT averages over what is random. A stochastic code is averaged over 10 encodings; a deterministic one has only one, so there the average is over 10 images within ±1/16 of the present one.`,
  say`With two attackers, a slice shows the margin along the direction of the first gradient, x + t sign(g). The line is what the network does, the dashes what the gradient promises. Dots are images of whole grey levels. The strip below shows where the image is misclassified. A file stores whole grey levels, so what lies between two dots is lost when it is saved.`,
  say`Each gradient map is scaled to its own largest value, by a square root; a pixel is hatched where the gradient is exactly zero, not where it is small. Of the spike-train attack the map shows what each pixel gains by its best train, red where that train is of a brighter pixel. Changes are magnified ${MAGNIFIED} times.`,
  say`One image proves nothing about a network: its accuracies are those of the zoo's suite, over all test digits.`,
];

export class AttackExplorer extends ImageExplorer {
  static kind = "attack";
  static style = "attacks";
  #asked = null;

  declare() {
    const { store } = this;
    const setStep = (step) => {
      this.film.stop();
      store.set({ step });
    };
    const network = this.networkSelect();
    const compare = new Choice(
      say`attackers`,
      Object.entries({ pair: say`naive | informed`, all: say`all five` }),
      this.set("compare"),
    );
    const step = new Slider({
      label: say`step`,
      max: STEPS,
      text: (k) => say`${k} of ${STEPS}`,
      spoken: (k) => (k === 0 ? say`0, the clean image` : say`${k} of ${STEPS}`),
      onInput: setStep,
    });
    this.film = new Player({ get: () => store.get("step"), set: this.set("step"), last: STEPS });
    this.columns = ATTACKERS.map((method) => new AttackColumn(method, setStep));
    this.beside = h("div", { class: "attack-columns" }, ...this.columns.map(({ element }) => element));
    this.sliceSign = h("span", {}, SLICE);
    this.signs = signs(this.sliceSign);
    this.conclusion = h("p", { class: "effect" });
    this.people = h("p", { class: "people" });
    this.stage.onDispose(() => {
      this.film.stop();
      this.#asked?.controller.abort();
    });
    const played = h("div", { class: "played" }, step.element, this.film.button);
    return {
      controls: { encoding: network, compare, step },
      panels: [
        ...this.picker.elements,
        this.controlGroup([network.element, compare.element], [this.eps.element, played]),
        this.beside,
        this.signs,
        this.conclusion,
        this.people,
      ],
      limits: this.limits({ step: STEPS }),
    };
  }

  ask(state) {
    this.model(state.encoding);
    integerBetween("step", state.step, 0, STEPS);
    return super.ask(state);
  }

  /** Another step of a known or running attack needs no new request. */
  run({ step, signal, ...request }) {
    const key = [imageKey(request), request.encoding, request.compare, request.eps].join();
    if (this.#asked?.key !== key) {
      this.#asked?.controller.abort();
      const controller = new AbortController();
      const asked = { key, controller, answer: this.#trajectories({ ...request, signal: controller.signal }) };
      asked.answer.catch(() => {
        if (this.#asked === asked) this.#asked = null;
      });
      this.#asked = asked;
    }
    return this.#asked.answer;
  }

  /** One after the other: a kernel answers one question at a time. */
  async #trajectories(request) {
    const trajectories = [];
    const { trains } = this.model(request.encoding);
    const slices = request.compare === "pair";
    for (const method of slices ? PAIR : ATTACKERS) {
      if (method !== SPIKE_TRAIN || trains) trajectories.push(await this.engine.trajectory({ ...request, method, slices }));
    }
    return trajectories;
  }

  answered(trajectories, { encoding, eps, step }) {
    if (this.film.playing) return;
    const { title } = this.model(encoding);
    this.stage.speak(`${spokenTrajectories(trajectories, step, title, eps)} ${conclusion(trajectories).join(" ")}`);
  }

  paint(trajectories, request, colours) {
    const { step } = request;
    const { kind, title, trains } = this.model(request.encoding);
    const model = { kind, stochastic: title.includes("poisson"), trains };
    const isPair = request.compare === "pair";
    this.beside.classList.toggle("pair", isPair);
    this.sliceSign.hidden = !isPair;
    for (const column of this.columns) {
      column.element.hidden = isPair && !PAIR.includes(column.method);
      const trajectory = trajectories.find(({ method }) => method === column.method);
      if (trajectory) column.show(trajectory, trajectories, step, model, colours);
      else column.showNone(model);
    }
    setText(this.conclusion, conclusion(trajectories).join(" "));
    setText(this.people, this.#people(request));
    const ms = trajectories.reduce((sum, trajectory) => sum + trajectory.ms, 0);
    const all = { ...trajectories[0], ms };
    const { results } = this.zoo;
    const flags = flagsOf(this.zoo, request.encoding, "worst", ONE_RUN);
    const measured = results ? [say`Attacks of the suite: ${results.attacks.worst ?? say`worst of all`}.`] : [];
    const counted = say`${trajectories.length} attackers, ${STEPS} steps, one image`;
    this.caption.show(all, counted, flags, [whoComputed(all), ...HOW, ...measured]);
  }

  /** What the suite measured of this network: one image is not a result. */
  #people({ encoding, eps }) {
    const { results, dataset } = this.zoo;
    if (!results) return "";
    const exit = this.zoo.num_steps;
    const read = (key) => readCurve(accuracyCurve(results, encoding, key, exit) ?? [], eps);
    const [naive, worst] = [read("fgsm.naive"), read("worst")];
    if (!naive || !worst) return "";
    const about = naive.measured ? "" : say`about `;
    const shareText = (at) => `${about}${percent(at.share)} ${intervalText(at)}${lowerText(at) && ` (${lowerText(at)})`}`;
    return say`All ${count(results.n)} test digits of ${dataset} at ε = ${epsText(eps)}: ${shareText(naive)} are still read correctly after naive FGSM, ${shareText(worst)} in the worst case of all attacks.`;
  }
}

function signs(slice) {
  const colours = { brighter: say`brighter harms`, darker: say`darker harms`, nothing: say`gradient exactly zero` };
  const curve = h("span", {}, say`curve: votes of the strongest wrong class minus votes of the right one`);
  return h("p", { class: "signs" }, ...explained("span", colours), curve, slice);
}
