/** What an explorer shows, as arrays and as a table. The explorers differ in what they ask, so each kind has its own rows. */

import { BATCH } from "../../engine/train.js";
import { say } from "../../language.js";
import { npy } from "./npz.js";

/** As Excel and pandas read it (RFC 4180). @param {Object<string, any>[]} rows @returns {string} */
export function csv(rows) {
  const names = [...new Set(rows.flatMap(Object.keys))];
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  return lines.map((line) => `${line.map(cell).join(",")}\r\n`).join("");
}

function cell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Values from 0 to 1 with their interval under the names of a table; none where nothing was measured. */
const share = (read, name = "accuracy") =>
  read ? { [name]: read.share, [`${name}_low`]: read.low, [`${name}_high`]: read.high } : {};

/** How many images were measured. */
const sizeOf = (data) => data?.results?.n ?? data?.n;

/** Curves against ε: a row for each point that was measured. */
const curves =
  (unit) =>
  ({ plot: { content }, data }) =>
    content?.curves.flatMap(({ name, title, points }) =>
      points.map((point) => ({
        network: name,
        title,
        measured: content.title,
        n: point.n ?? sizeOf(data),
        eps: point.eps / unit,
        ...share(point),
      })),
    );

/** The rows by kind of explorer, undefined where nothing was measured. @type {Object<string, (explorer: any) => any[]|undefined>} */
const ROWS = {
  playground({ training }) {
    const { batches = [], tests = [] } = training ?? {};
    const of = ({ batch, n }, series, right) => ({ series, batch, n, accuracy: right / n });
    return [
      ...batches.map(({ batch, loss, share: accuracy }) => ({
        series: say`training digits`,
        batch,
        n: BATCH,
        accuracy,
        loss,
      })),
      ...tests.flatMap((test) => [of(test, say`test digits`, test.clean), of(test, say`under FGSM`, test.robust)]),
    ];
  },
  /** Votes of every class at every exit. */
  picture({ last, names }) {
    const { clean, attacked, encoding, num_steps: steps } = last.answer;
    const votes = (side, t, k) => side?.votes[Math.min(t, side.predictions.length - 1) * names.length + k];
    return Array.from({ length: steps * names.length }, (_, row) => {
      const [t, k] = [Math.floor(row / names.length), row % names.length];
      const both = { votes_clean: votes(clean, t, k), votes_attacked: votes(attacked, t, k) };
      return { network: encoding, exit: t + 1, class: names[k], ...both };
    });
  },
  paint: curves(1),
  robustness: curves(1),
  training: curves(1),
  fault: curves(1),
  retiming: curves(1),
  results: curves(255),
  exit({ plot: { content }, data }) {
    if (!content) return undefined;
    const under = { clean: "clean", attacked: content.under };
    const fixed = Object.entries(content.series).flatMap(([name, points]) =>
      points.map((point) => ({ series: under[name], n: sizeOf(data), exit: point.exit, threshold: null, ...share(point) })),
    );
    const ruled = content.points.flatMap((point) =>
      Object.keys(under).map((name) => ({
        series: under[name],
        n: sizeOf(data),
        exit: point.meanExit,
        threshold: point.threshold,
        ...share(point[name]),
      })),
    );
    return [...fixed, ...ruled];
  },
  fusion({ plot: { content }, data }) {
    return content?.points.map(({ name, title, clean, robust }) => ({
      network: name,
      title,
      n: sizeOf(data),
      eps: content.eps,
      ...share(clean, "clean"),
      ...share(robust, "worst"),
    }));
  },
  attack({ last: { answer } }) {
    return answer.flatMap(({ method, eps, path }) =>
      Array.from(path.margins, (margin, step) => ({ method, eps, step, margin, prediction: path.predictions[step] })),
    );
  },
  encoder({ last: { answer } }) {
    const count = (train, step) => {
      const pixels = train.length / answer.num_steps;
      return train.subarray(step * pixels, (step + 1) * pixels).reduce((a, b) => a + b, 0);
    };
    return Object.entries(answer.codes).flatMap(([code, { clean, attacked }]) =>
      Array.from({ length: answer.num_steps }, (_, t) => ({
        code,
        step: t + 1,
        input_clean: count(clean, t),
        input_changed: attacked ? count(attacked, t) : null,
      })),
    );
  },
  energy({ bars }) {
    return bars.rows?.map(({ model, title, cost, ratio }) => ({
      network: model.name,
      title,
      arithmetic_pJ: cost.arithmetic,
      reading_pJ: cost.reading,
      total_pJ: cost.total,
      beside_ann: ratio,
    }));
  },
  event: ({ last: { answer } }) =>
    answer.events.map(({ x, y, t, p }) => ({ column: x, row: y, microsecond: t, polarity: p })),
  neuron({ last: { answer } }) {
    const { current, carried, taken, membrane, spikes } = answer.activity;
    return Array.from(membrane, (u, t) => ({
      step: t + 1,
      current: current[t],
      carried: carried[t],
      taken: taken[t],
      membrane: u,
      spike: spikes[t],
    }));
  },
};

/** What the plot of an explorer shows, as rows of a table; undefined: nothing was measured. @returns {any[]|undefined} */
export function rowsOf(explorer) {
  const rows = ROWS[explorer.constructor.kind]?.(explorer);
  return rows?.length ? rows : undefined;
}

/** The images that an explorer shows, each as a file of .npy, and their class. @param {any} explorer with a picker of images */
export function arraysOf({ last, picker, store }, settings) {
  const { label } = picker.pixels(store.all());
  const answers = [last.answer].flat();
  const [{ shape, clean, images, path }] = answers;
  const one = (pixels) => npy(Float32Array.from(pixels), shape);
  const size = shape.reduce((a, b) => a * b, 1);
  const before = clean?.image ?? images?.clean ?? path.images.subarray(0, size);
  const out = { clean: one(before) };
  for (const answer of answers) {
    const name = answers.length > 1 ? `attacked_${answer.method ?? answer.encoding}` : "attacked";
    const after = answer.attacked?.image ?? answer.images?.attacked;
    if (after && after !== before) out[name] = one(after); // a fault changes the network and not the image
    if (answer.path) out[name] = npy(Float32Array.from(answer.path.images), [answer.path.images.length / size, ...shape]);
  }
  // -1: the class of a drawing is not known.
  return { ...out, label: npy(Int32Array.of(label ?? -1), []), settings: npy(settings) };
}
