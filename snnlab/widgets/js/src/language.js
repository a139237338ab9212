/**
 * The language of the page. English is written where it is used, and marked: say`Reads ${7}`, plural(n)`1 spike|${n} spikes`.
 * A page in another language (<html lang="de">) runs a script before this one that brings the translations:
 *
 *   snnlabLanguages = { de: { "Reads {0}": "Liest {0}", "1 spike|{0} spikes": { one: "1 Spike", other: "{0} Spikes" } } }
 *
 * The table of all English sentences is ../../bundle/explorers.pot, which the build makes (strings.mjs).
 */
const lang = globalThis.document?.documentElement?.lang ?? "";
const catalogue = globalThis.snnlabLanguages?.[lang];

/** What this page is written in, for Intl. */
export const LANGUAGE = catalogue ? lang : "en-US";

/** The decimal mark of the language. */
const POINT = (1.5).toLocaleString(LANGUAGE)[1];

const rules = new Intl.PluralRules(LANGUAGE);

/** The pieces of a template as a key: "Reads {0}". */
const keyOf = (pieces) => pieces.reduce((key, piece, k) => `${key}{${k - 1}}${piece}`);

/** A number in a sentence is written as the language writes it. */
const shown = (value) => (catalogue && typeof value === "number" ? value.toLocaleString(LANGUAGE) : value);

const NUMBER = /\d+(\.\d+)?/g;

const filled = (text, values) => text.replace(/\{(\d+)\}/g, (_, k) => shown(values[k]));

/** A text that stands in no template: a title of vocabulary.toml; of a record, also one with numbers. @param {string} english */
export function said(english) {
  if (!catalogue || catalogue[english]) return catalogue?.[english] ?? english;
  const numbers = [];
  const key = english.replace(NUMBER, (number) => `{${numbers.push(number) - 1}}`);
  return catalogue[key] ? filled(catalogue[key], numbers.map(pointed)) : english;
}

/** A sentence, or a part of one. @returns {string} */
export function say(pieces, ...values) {
  const key = keyOf(pieces);
  return filled(catalogue?.[key] ?? key, values);
}

/** A sentence that depends on a number: plural(n)`1 spike|${n} spikes`. @param {number} n @returns {typeof say} */
export const plural =
  (n) =>
  (pieces, ...values) => {
    const key = keyOf(pieces);
    const [one, other] = key.split("|");
    const forms = catalogue?.[key] ?? { one, other };
    return filled(forms[rules.select(n)] ?? forms.other, values);
  };

/** A number that something else has written: 0.5, or 0,5. @param {string} text */
export const pointed = (text) => text.replace(".", POINT);

/** A number with so many decimals. */
export const fixed = (value, digits) =>
  catalogue
    ? value.toLocaleString(LANGUAGE, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false })
    : value.toFixed(digits);

/** A count, with its thousands apart. */
export const count = (n) => n.toLocaleString(LANGUAGE);

/** "a, b and c" */
export const listed = (items) => new Intl.ListFormat(catalogue ? lang : "en-GB").format(items);

/** Fields of a record whose values the reader sees. */
const SEEN = ["title", "about", "claim", "source"];

/** Records, with their titles, descriptions of attacks and flags in the language of the page. @template T @param {T} data @returns {T} */
export function translated(data) {
  if (catalogue && data) translate(data, false);
  return data;
}

/** @param {any} node  @param {boolean} seen whether the reader sees every text in it */
function translate(node, seen) {
  for (const [key, value] of Object.entries(node)) {
    if (typeof value === "string") node[key] = seen || SEEN.includes(key) ? said(value) : value;
    else if (value && typeof value === "object" && !ArrayBuffer.isView(value)) {
      translate(
        value,
        seen || key === "flags" || (key === "attacks" && !Array.isArray(value)) || (key === "names" && Array.isArray(value)),
      );
    }
  }
}
