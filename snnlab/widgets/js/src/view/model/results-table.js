/**
 * Measured accuracies of a table of networks: accuracy against one attack at one ε, and whether a spiking network has
 * twice the accuracy of a conventional one, as is claimed. No page is needed, so this can be tested.
 *
 * @typedef {{share: number, low: number, high: number, seeds: number[], proved?: number|null}} Read a share with its 95 % interval,
 *   one a seed, and its lower end if it is an upper one
 */
import { wilson } from "../../engine/index.js";

export const FUSED = "fusion";

/** Unit of ε in the record: grey levels of 255. */
export const LEVELS = 255;

export function nearestLevel(levels, eps) {
  const wanted = eps * LEVELS;
  return [...levels].sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted))[0];
}

/** The part of a record that a decoding has; an ANN has one read-out for all. */
export function decoded(record, model, decoder) {
  const parts = record.results[model] ?? {};
  return parts[decoder] ?? (kindOf(record, model) === "ann" ? Object.values(parts)[0] : undefined);
}

/** The levels of ε at which at least half of the networks were measured: the others would compare nearly nothing. */
export function levelsOf(record) {
  const measured = record.models.map(({ name }) => Object.values(record.results[name])[0].eps);
  const enough = (level) => 2 * measured.filter((levels) => levels.includes(level)).length >= measured.length;
  return [...new Set(measured.flat())].filter(enough).sort((a, b) => a - b);
}

/** The exits at which a decoding of any network was measured. */
export function exitsOf(record, decoder) {
  const result = record.models.flatMap(({ name }) => record.results[name]?.[decoder]?.exits ?? []);
  return [...new Set(result)].sort((a, b) => a - b);
}

/** @returns {(Read & {eps: number})[]} one a level of ε; none where this was not measured */
export function curveOf(record, model, { against, decoder, exit }) {
  const part = decoded(record, model, decoder);
  const row = kindOf(record, model) === "ann" ? 0 : part?.exits.indexOf(exit);
  // A seed may have been measured at fewer exits than the first.
  const seeds = (part?.correct[against] ?? []).map((exits) => exits[row]).filter(Boolean);
  if (seeds.length === 0) return [];
  const at = (k) => seeds.map((counts) => counts[k]);
  const lower = (k) => (against === "worst" && part.eps[k] > 0 ? { proved: part.proved?.[row]?.[k] ?? null } : {});
  return part.eps.map((eps, k) => ({ eps, ...pooled(at(k), record.n), ...lower(k) }));
}

/** @returns {Read|null} null where this was not measured */
export const readAt = (record, model, at) => curveOf(record, model, at).find(({ eps }) => eps === at.level) ?? null;

const kindOf = ({ models }, name) => models.find((model) => model.name === name)?.kind;

/** The mean over seeds, with an interval over pictures: all seeds answer the same ones, so more seeds are no more pictures. */
function pooled(counts, n) {
  const mean = counts.reduce((a, b) => a + b, 0) / counts.length;
  return { ...wilson(mean, n), seeds: counts.map((count) => count / n) };
}

export function fairAnn({ models, source }, threat) {
  const plain = models.filter(({ kind, rule }) => kind === "ann" && rule === "bptt");
  return (threat === "transfer" ? plain.find(({ name }) => name !== source) : plain[0]) ?? plain[0];
}

/**
 * Does a spiking network, trained plainly, keep at least `factor` times what the ANN keeps? The claim is one on fused codes:
 * where a table has any, the best of these is compared, otherwise the best of all.
 * @returns {{state: "reached"|"missed"|"undecided"|"chance"|"unmeasured", best?: any, overall?: any, ann?: any,
 *   ratio?: number|null}} `overall`: the best of all; `ratio`: null where the ANN has nothing correct. "chance":
 *   the best one does not clearly keep more than guessing would, and a ratio of such shares says nothing; "reached" and
 *   "missed": even the near ends of the two intervals agree on it
 */
export function claimed(record, threat, at, factor = 2) {
  const rival = fairAnn(record, threat);
  const ann = rival && readAt(record, rival.name, at);
  const plain = record.models.filter(({ kind, rule }) => kind === "snn" && rule === "bptt");
  const fused = plain.filter(({ code }) => code === FUSED);
  const bestOf = (models) =>
    models
      .map((model) => ({ model, read: readAt(record, model.name, at) }))
      .filter(({ read }) => read)
      .reduce((a, b) => (a && a.read.share >= b.read.share ? a : b), null);
  const [best, overall] = [bestOf(fused.length ? fused : plain), bestOf(plain)];
  if (!ann || !best) return { state: "unmeasured" };
  const ratio = ann.share > 0 ? best.read.share / ann.share : null;
  const result = { best, overall, ann: { model: rival, read: ann }, ratio };
  if (best.read.low <= record.chance) return { ...result, state: "chance" };
  if (best.read.low >= factor * ann.high) return { ...result, state: "reached" };
  return { ...result, state: best.read.high < factor * ann.low ? "missed" : "undecided" };
}
