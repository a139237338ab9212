/** Sentences of the results explorer: state and record in, text out. */

import { need } from "../../engine/index.js";
import { count, fixed, say } from "../../language.js";
import { options, VOCABULARY } from "../../vocabulary.js";
import { claimed, curveOf, decoded, FUSED } from "../model/results-table.js";
import { intervalText, lowerText, percent, trainingRuns } from "./frame.js";

export const THREATS = Object.fromEntries(options(VOCABULARY.threats));

export const KNOWS = {
  transfer: say`Black box: made on a conventional network and shown to all; the attacker does not know the network that is measured.`,
  naive: say`White box, naive: made on the network itself, with the gradient that its training used.`,
  adaptive: say`White box, adaptive: made on the network itself, by an attacker that knows the code; an image counts as misclassified if any attack on the list succeeds.`,
};

export const attackName = (key) => VOCABULARY.suite_attacks[key]?.title ?? key;

/** 0.5 → "½/255", 4 → "4/255". */
export const levelText = (level) => (level === 0 ? "0" : say`${level === 0.5 ? "½" : level}/255`);

export function threatOf(record, against) {
  const result = Object.entries(record.threats).find(([, attacks]) => attacks.includes(against));
  need(result, say`unknown attack "${against}"; choose one of ${Object.values(record.threats).flat().join(", ")}`);
  return result[0];
}

/** Tone, sign and words of a verdict. */
const VERDICTS = {
  unmeasured: ["none", "", say`This combination was not measured; choose another ε or exit.`],
  reached: ["right", "✓", say`Twice the ANN is reached here.`],
  missed: ["wrong", "✗", say`Twice the ANN is not reached.`],
  undecided: ["none", "?", say`Whether that is twice is not decided: the intervals allow both.`],
  chance: ["wrong", "✗", say`clearly beats guessing`],
};

/** Return the verdict on the claim in this state, with a sentence. */
export function finding(record, threat, at) {
  const { best, overall, ann, ratio, state } = claimed(record, threat, at);
  const [tone, sign, words] = VERDICTS[state];
  if (state === "unmeasured") return { tone, sign, verdict: say`not measured`, sentence: words };
  const here = at.level === 0 ? say`On clean pictures` : say`At ε = ${levelText(at.level)}`;
  const isFused = best.model.code === FUSED;
  const rated = (read) => `${percent(read.share)} ${intervalText(read)}${lowerText(read) && ` (${lowerText(read)})`}`;
  const kind = isFused ? say`fused code` : say`spiking network`;
  const comparison = say`${here} the best ${kind}, ${best.model.title}, has an accuracy of ${rated(best.read)}, the ${ann.model.title} ${rated(ann.read)}`;
  const above =
    isFused && overall.model !== best.model
      ? say` The best spiking network of all, ${overall.model.title}, is not fused: ${rated(overall.read)}.`
      : "";
  // A factor is never shown without the flags that qualify it.
  const flags = decoded(record, best.model.name, at.decoder)?.flags?.[at.against] ?? [];
  const shown = flags.filter((flag) => flag !== ALONE);
  const noted = shown.length ? ` ⚑ ${best.model.title}: ${shown.join("; ")}.` : "";
  if (state === "chance") {
    const nobody = say`No ${kind} ${words} (${percent(record.chance)})`;
    return {
      tone,
      sign,
      verdict: say`not above guessing`,
      sentence: say`${comparison}. ${nobody}, so a ratio says nothing.${above}${noted}`,
    };
  }
  const times = ratio === null ? say`nothing to divide by` : say`${fixed(ratio, 1)} times as much`;
  const verdict = ratio === null ? say`no ratio` : `${fixed(ratio, 1)} ×`;
  return { tone, sign, verdict, sentence: `${comparison}: ${times}. ${words}${above}${noted}` };
}

export function facts(record) {
  const runs = Object.values(record.seeds).map((seeds) => seeds.length);
  const [least, most] = [Math.min(...runs), Math.max(...runs)];
  const trained = least < most ? say`${least} or ${most} training runs` : trainingRuns(most);
  return say`n = ${count(record.n)} test pictures of ${record.dataset} · ${trained}`;
}

const ALONE = say`single seed`;

/** What qualifies the numbers that are shown, a network after the other. */
export function flagsOf(record, place) {
  return record.models.flatMap(({ name, title }) => {
    const flags = [...(decoded(record, name, place.decoder)?.flags?.[place.against] ?? [])];
    // Later training runs may have been measured at fewer exits than the first.
    const alone = record.seeds[name].length > 1 && curveOf(record, name, place)[0]?.seeds.length === 1;
    if (alone) flags.push(say`${ALONE} at this exit`);
    return flags.length ? [`${title}: ${flags.join(", ")}`] : [];
  });
}

/** Return the paragraphs behind "how?". */
export function how(record, against, flags) {
  const { worst: _, ...attacks } = record.attacks;
  return [
    say`The accuracies come from the records of the package, on ${count(record.n)} test pictures of ${record.dataset} that no choice was made on; nothing is computed here. Bars are means over training runs, with 95 % Wilson intervals over pictures (all runs answer the same ones); a tick is one run.`,
    say`Shown now: ${attackName(against)} (${record.attacks[against] ?? against}). Attacks, not every one on every network: ${Object.values(attacks).join("; ")}.`,
    ...listed(record),
    record.about,
    ...(flags.length ? [say`Flags. ${flags.join(". ")}.`] : []),
  ].filter(Boolean);
}

/** The attacks that were not run on every network. */
function listed(record) {
  const most = Object.keys(record.attacks).filter((name) => name !== "worst");
  const spared = record.models.flatMap(({ name, title }) => {
    const { attacks = [] } = Object.values(record.results[name])[0];
    const missing = most.filter((attack) => !attacks.includes(attack));
    return missing.length ? [say`${missing.join(", ")} on ${title}`] : [];
  });
  return spared.length ? [say`Not run: ${spared.join("; ")}.`] : [];
}

export function spoken(record, threat, at) {
  const { verdict, sentence } = finding(record, threat, at);
  return say`${THREATS[threat] ?? threat}, ${attackName(at.against)}, epsilon ${levelText(at.level)}, exit ${at.exit}. ${verdict}. ${sentence}`;
}
