/** What the explorer of results says: a state and a record in, sentences out. */
import { claimed, curveOf, decoded, FUSED } from "./tally.js";
import { count, intervalText, percent } from "./words.js";

export const THREATS = { transfer: "transfer", naive: "naive", adaptive: "adaptive" };

export const KNOWS = {
  transfer: "Black box: made on a conventional network and shown to all; the attacker has never seen the network that is measured.",
  naive: "White box, naive: made on the network itself, through the gradients that its authors left in it.",
  adaptive: "White box, adaptive: made on the network itself by an attacker who wants through; every image counts as lost that any attack on its list has broken.",
};

/** Short names of the attacks, for controls. */
const SHORT = {
  "transfer.fgsm": "FGSM",
  transfer: "PGD-20",
  "transfer.difgsm": "DI-FGSM-20",
  "transfer.mifgsm": "MI-FGSM-20",
  "fgsm.naive": "FGSM",
  "pgd.naive": "PGD-10",
  worst: "worst of all attacks",
};

export const attackName = (key) => SHORT[key] ?? key;

/** 0.5 → "½/255", 4 → "4/255". */
export function levelText(level) {
  if (level === 0) return "0";
  return `${level === 0.5 ? "½" : level}/255`;
}

/** 3.66 → "3.7 ×". */
export const factorText = (ratio) => (Number.isFinite(ratio) ? `${ratio.toFixed(1)} ×` : "no bound");

/** The threat that an attack belongs to. */
export function threatOf(record, against) {
  const found = Object.entries(record.threats).find(([, attacks]) => attacks.includes(against));
  if (!found) {
    const known = Object.values(record.threats).flat().join(", ");
    throw new Error(`unknown attack "${against}"; choose one of ${known}`);
  }
  return found[0];
}

const VERDICTS = {
  reached: ["right", "✓", "Twice the ANN is reached here."],
  missed: ["wrong", "✗", "Twice the ANN is not reached."],
  undecided: ["none", "?", "Whether that is twice is not decided: the intervals allow both."],
};

/** What holds of the claim in this state: a verdict, and the sentence behind it. */
export function finding(record, threat, at) {
  const found = claimed(record, threat, at);
  if (found.state === "unmeasured") {
    return { tone: "none", sign: "", verdict: "not measured", sentence: "This combination was not measured; choose another ε or exit." };
  }
  const { best, ann, ratio, state } = found;
  const here = at.level === 0 ? "On clean pictures" : `At ε = ${levelText(at.level)}`;
  const kept = `${here} ${best.model.title}, the best ${best.model.code === FUSED ? "fused code" : "of them"}, keeps ${percent(best.read.share)} ${intervalText(best.read)}, the ${ann.model.title} ${percent(ann.read.share)} ${intervalText(ann.read)}`;
  // A factor that a flag speaks against must not stand without it.
  const flags = decoded(record, best.model.name, at.decoder)?.flags?.[at.against] ?? [];
  const said = flags.filter((flag) => flag !== ALONE);
  const noted = said.length ? ` ⚑ ${best.model.title}: ${said.join("; ")}.` : "";
  if (state === "chance") {
    return {
      tone: "wrong",
      sign: "✗",
      verdict: "nothing is left",
      sentence: `${kept}. ${best.model.code === FUSED ? "No fused code" : "No spiking network"} clearly beats guessing (${percent(record.chance)}), so a ratio says nothing.${noted}`,
    };
  }
  const times = Number.isFinite(ratio) ? `${ratio.toFixed(1)} times as much` : "where the ANN keeps nothing";
  const [tone, sign, words] = VERDICTS[state];
  return { tone, sign, verdict: factorText(ratio), sentence: `${kept}: ${times}. ${words}${noted}` };
}

/** One line about the numbers. */
export function facts(record) {
  const runs = Object.values(record.seeds).map((seeds) => seeds.length);
  const [least, most] = [Math.min(...runs), Math.max(...runs)];
  const told = `${least < most ? `${least} or ${most}` : most} training run${most > 1 ? "s" : ""}`;
  return `n = ${count(record.n)} test pictures of ${record.dataset} · ${told}`;
}

const ALONE = "single seed";

/** What qualifies the numbers that are shown, a network after the other. */
export function flagsOf(record, place) {
  return record.models.flatMap(({ name, title }) => {
    const flags = [...(decoded(record, name, place.decoder)?.flags?.[place.against] ?? [])];
    // Later training runs may have been measured at fewer exits than the first.
    const alone = record.seeds[name].length > 1 && curveOf(record, name, place)[0]?.seeds.length === 1;
    if (alone) flags.push(`${ALONE} at this exit`);
    return flags.length ? [`${title}: ${flags.join(", ")}`] : [];
  });
}

/** What stands behind "how?". */
export function how(record, against, flags) {
  const list = Object.entries(record.attacks)
    .filter(([name]) => name !== "worst")
    .map(([, text]) => text);
  return [
    `The accuracies come from the records of the package, on ${count(record.n)} test pictures of ${record.dataset} that no choice was made on; nothing is computed here. Bars are means over training runs, with 95 % Wilson intervals over pictures (all runs answer the same ones); a tick is one run.`,
    `Shown now: ${attackName(against)} (${record.attacks[against] ?? against}). Attacks, not every one on every network: ${list.join("; ")}.`,
    ...listed(record),
    record.about,
    ...(flags.length ? [`Flags. ${flags.join(". ")}.`] : []),
  ].filter(Boolean);
}

/** Where networks were attacked with less than the longest list: what they were spared. */
function listed(record) {
  const lists = record.models.map(({ name, title }) => ({ title, own: Object.values(record.results[name])[0].attacks ?? [] }));
  const most = Object.keys(record.attacks).filter((name) => name !== "worst");
  const spared = lists
    .map(({ title, own }) => ({ title, missing: most.filter((name) => !own.includes(name)) }))
    .filter(({ missing }) => missing.length > 0);
  return spared.length ? [`Not run: ${spared.map(({ title, missing }) => `${missing.join(", ")} on ${title}`).join("; ")}.`] : [];
}

/** The state in one breath. */
export function spoken(record, threat, at) {
  const { verdict, sentence } = finding(record, threat, at);
  return `${THREATS[threat] ?? threat}, ${attackName(at.against)}, epsilon ${levelText(at.level)}, exit ${at.exit}. ${verdict}. ${sentence}`;
}
