/**
 * The spike-train attack on one image: a search among the spike trains that a budget can reach. Mirrors
 * snnlab/attacks/spike_train.py, which derives it.
 *
 *   score of bin b      Σ_t g[t] s_b[t]  (+ g_x x_b where the code has analog parts)
 *   momentum            m ← μ m + g / mean|g|
 *   one iteration       a random share of the pixels takes its best train; the share falls geometrically
 *
 * g is the gradient of the cross-entropy of logits and soft spikes with respect to the encoded sequence (against it where a class
 * is wanted), through a surrogate of adaptive sharpness. All constants are Python's: they come with the network's weights.
 */
import { need } from "./check.js";
import { binOf, firstBin, sideBySide } from "./codetable.js";
import { derivative, encode } from "./encode.js";
import { crossEntropy, crossEntropyGradient } from "./losses.js";
import { pause } from "./pause.js";
import { AdaptiveSharpness } from "./sharpness.js";

const { fround } = Math;

/** The table of a code's step parts, and the column of each part in it (-1: none); null where no part has steps. */
export function trainsOf(network) {
  if (!network.encoder || !network.search) return null;
  const { parts } = network.encoder;
  const steps = parts.filter((part) => part.table !== null);
  return steps.length ? { table: sideBySide(steps), columns: parts.map((part) => steps.indexOf(part)) } : null;
}

/** The share of the pixels that take their best train at an iteration. */
export const shareAt = ([first, last], step, steps) => first * (last / first) ** (step / Math.max(1, steps - 1));

/** One restart on one image: what every pixel can reach, and the train and intensity it has now. */
export class TrainSearch {
  /** @param {any} network @param {Float32Array} image @param {number} eps @param {any} aim label, towards, exitStep, random */
  constructor(network, image, eps, { label, towards = -1, exitStep, random }) {
    const trains = network.trains;
    const code = network.encoder ? `the code ${network.encoder.name}` : "an ANN";
    need(trains, `${code} has no spike trains to search among; use the attacker "informed"`);
    this.network = network;
    /** The class whose cross-entropy is raised, or lowered where it is wanted. */
    this.label = towards < 0 ? label : towards;
    this.sign = towards < 0 ? 1 : -1;
    this.exitStep = exitStep;
    this.random = random;
    this.table = trains.table;
    this.columns = trains.columns;
    this.perStep = trains.columns.filter((column) => column >= 0).length;
    const radius = fround(eps);
    this.clean = image;
    this.low = image.map((x) => Math.max(0, fround(x - radius)));
    this.high = image.map((x) => Math.min(1, fround(x + radius)));
    this.first = Int32Array.from(this.low, (x) => firstBin(this.table, x));
    this.last = Int32Array.from(this.high, (x) => binOf(this.table, x));
    this.joint = trains.columns.includes(-1);
    this.draws = network.encoder.stochastic ? network.eot : 1;
    const [from, to] = network.search.sharpness;
    this.sharpness = new AdaptiveSharpness(from + (to - from) * random());
  }

  /** @param {Float32Array} start an image inside the budget */
  begin(start) {
    this.values = Float32Array.from(start);
    this.bins = Int32Array.from(start, (x) => binOf(this.table, x));
  }

  /**
   * Loss, answer and gradient at the present trains.
   * @returns {{value: number, reached: boolean, gradient: Float64Array}} gradient [R, P], divided by its mean size: a row for
   *   each step and part of the trains, and a last one for the intensity where the code has analog parts
   */
  look() {
    const pixels = this.clean.length;
    const gradient = new Float64Array((this.table.width + (this.joint ? 1 : 0)) * pixels);
    let [value, reached] = [0, false];
    for (let k = 0; k < this.draws; k++) {
      this.sharpness.begin();
      const trace = this.network.respond(this.values, this.#sequence());
      value += this.#look(trace, gradient) / this.draws;
      const hits = trace.predictions[this.exitStep - 1] === this.label;
      reached = this.sign > 0 ? !hits : hits;
    }
    const along = gradient.subarray(0, this.table.width * pixels);
    const size = Math.max(
      along.reduce((sum, g) => sum + Math.abs(g), 0),
      1e-20,
    );
    return { value, reached: reached && !this.network.encoder.stochastic, gradient: gradient.map((g) => g / size) };
  }

  /** The encoded sequence of the trains and intensities. */
  #sequence() {
    const { table, columns, perStep, bins, values } = this;
    const { encoder } = this.network;
    const pixels = values.length;
    const sequence = encode(encoder, values, this.random);
    for (const [k, column] of columns.entries()) {
      if (column < 0) continue;
      for (let t = encoder.fromStep; t < encoder.numSteps; t++) {
        const start = (t * columns.length + k) * pixels;
        for (let p = 0; p < pixels; p++) {
          sequence[start + p] = table.trains[bins[p] * table.width + t * perStep + column];
        }
      }
    }
    return sequence;
  }

  /** The loss of one draw; its gradient is added. */
  #look(trace, total) {
    const { network, exitStep, columns, perStep, table, clean } = this;
    const { encoder } = network;
    const { value, gradient } = sequenceLoss(network, trace, this, this.sharpness);
    const pixels = clean.length;
    for (const [k, column] of columns.entries()) {
      const isStep = column >= 0;
      const slopes = isStep ? null : derivative(encoder, k, "straight_through", this.values, trace.input);
      for (let t = encoder.fromStep; t < exitStep; t++) {
        const from = (t * columns.length + k) * pixels;
        const to = (isStep ? t * perStep + column : table.width) * pixels;
        for (let p = 0; p < pixels; p++) {
          const along = isStep ? 1 : slopes ? slopes[t * pixels + p] : encoder.parts[k].gate;
          total[to + p] += (along * gradient[from + p]) / this.draws;
        }
      }
    }
    return value;
  }

  /** The best bin of one pixel for a momentum [R, P], the intensity in it, and what it gains over the present one. */
  best(momentum, p) {
    const { table, joint, low, high, first, last } = this;
    const { width, trains, lower, upper } = table;
    const pixels = low.length;
    const along = joint ? momentum[width * pixels + p] : 0;
    const score = (bin) => {
      let total = 0;
      for (let r = 0; r < width; r++) {
        const s = trains[bin * width + r];
        if (s !== 0) total += s * momentum[r * pixels + p];
      }
      return total;
    };
    let [best, most, value] = [first[p], Number.NEGATIVE_INFINITY, low[p]];
    for (let bin = first[p]; bin <= last[p]; bin++) {
      const end = along > 0 ? Math.min(high[p], upper[bin]) : Math.max(low[p], lower[bin]);
      const total = score(bin) + along * end;
      if (total > most) [best, most, value] = [bin, total, end];
    }
    if (!joint) value = this.#nearest(best, p);
    return { bin: best, value, gain: most - score(this.bins[p]) - along * this.values[p] };
  }

  /** Give a random share of the pixels their best train. */
  move(momentum, share) {
    const limit = fround(share);
    for (let p = 0; p < this.clean.length; p++) {
      if (!(fround(this.random()) < limit)) continue;
      const { bin, value } = this.best(momentum, p);
      this.bins[p] = bin;
      this.values[p] = value;
    }
  }

  /** What every pixel gains by its best train, with the sign of its change of intensity. @returns {Float32Array} */
  gains(momentum) {
    return Float32Array.from(this.values, (now, p) => {
      const { value, gain } = this.best(momentum, p);
      return Math.max(0, gain) * Math.sign(value - now);
    });
  }

  /** The intensity nearest to the clean one in a bin, inside the budget. */
  #nearest(bin, p) {
    const least = Math.max(this.table.lower[bin], this.low[p]);
    const most = Math.min(this.table.upper[bin], this.high[p]);
    return Math.min(Math.max(this.clean[p], least), most);
  }
}

/**
 * The cross-entropy of logits and soft spikes at an exit, and its gradient with respect to the sequence that was read, [T, P].
 * @param {any} network  @param {any} trace of `respond`  @param {{label: number, exitStep: number, sign?: number}} aim
 *   `sign`: -1 where the class is wanted
 */
export function sequenceLoss(network, trace, { label, exitStep, sign = 1 }, sharpness) {
  const { classes, neuron, search, numSteps } = network;
  const options = { threshold: neuron.threshold, slope: search.softness, classes, exitStep, numSteps };
  const start = (exitStep - 1) * classes;
  const soft = network.soft.votes(trace.output.membrane, options);
  const logits = soft.map((vote, k) => vote + trace.votes[start + k]);
  const gradLogits = crossEntropyGradient(logits, label).map((g) => sign * g);
  const read = network.decoder.backward(gradLogits, trace.output, exitStep);
  const smooth = network.soft.backward(gradLogits, trace.output.membrane, options);
  const membrane = read.membrane ? smooth.map((g, k) => g + read.membrane[k]) : smooth;
  const gradient = network.sequenceGradient(trace, { spikes: read.spikes, membrane }, exitStep, sharpness);
  return { value: sign * crossEntropy(logits, label), gradient };
}

/** m ← μ m + g. @returns {Float64Array} */
export function gathered(momentum, gradient, decay) {
  return momentum ? momentum.map((m, k) => decay * m + gradient[k]) : gradient;
}

/**
 * Attack one image: the best iterate of one restart that begins at the image itself, or at another one inside the budget.
 * @param {any} network a SpikingNetwork  @param {Float32Array} image
 * @param {{label: number, towards?: number, exitStep: number, random: () => number, steps?: number, start?: Float32Array, signal?:
 *   AbortSignal}} aim
 * @returns {Promise<Float32Array>} an image inside the budget
 */
export async function spikeTrainAttack(network, image, eps, aim) {
  const search = new TrainSearch(network, image, eps, aim);
  const { momentum: decay, shares, steps: usual } = network.search;
  const { steps = usual, start = image } = aim;
  search.begin(start);
  let [best, most, momentum] = [start, Number.NEGATIVE_INFINITY, null];
  for (let step = 0; step <= steps; step++) {
    if (step > 0) await pause(aim.signal);
    const { value, reached, gradient } = search.look();
    if (reached || value > most) [best, most] = [Float32Array.from(search.values), value];
    if (reached || step === steps) break;
    momentum = gathered(momentum, gradient, decay);
    search.move(momentum, shareAt(shares, step, steps));
  }
  return best;
}
