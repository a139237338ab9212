/** No text of the explorers escapes translation, and a catalogue reaches every kind of it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { entries, pot, sources, unmarked } from "../strings.mjs";

const FILES = sources();

/** Messages for whoever calls the engine: they name fields and shapes, and stay in English, as Python's errors do. */
const ENGINE = /^(engine|layers|workers)\//;

test("every text that a reader sees is marked", () => {
  assert.deepEqual(
    unmarked(FILES, (name) => !ENGINE.test(name)),
    [],
  );
});

test("the committed table holds every marked text", () => {
  const committed = readFileSync(new URL("../../bundle/explorers.pot", import.meta.url), "utf8");
  assert.equal(committed, pot(entries(FILES)), "run 'make bundle' and commit it");
});

test("no text stands in the table twice, and a text with two forms has both", () => {
  const table = entries(FILES);
  const texts = table.map(({ text }) => text);
  assert.deepEqual(
    texts.filter((text, k) => texts.indexOf(text) !== k),
    [],
  );
  for (const { text, plural } of table) {
    assert.ok(plural === null || plural.length > 0, text);
    assert.ok(plural !== null || !/\p{L}\|\p{L}/u.test(text), `two forms without a number: ${text}`);
  }
});

test("no sentence has more than 35 words, as on the pages of the book (tests/book/test_reading.py)", () => {
  const said = entries(FILES).flatMap(({ text, plural }) => [text, plural ?? ""]);
  const sentences = said.flatMap((text) => text.split(/(?<=[.!?])\s+/));
  assert.deepEqual(
    sentences.filter((sentence) => sentence.split(/\s+/).length > 35),
    [],
  );
});

const CATALOGUE = {
  "Reads {0}": "Liest {0}",
  "{0} of {1} steps": "Von {1} Schritten {0}",
  "{0} step|{1} steps": { one: "{0} krok", few: "{0} kroki", other: "{1} kroków" },
  "silent outputs up to {0}%": "stumme Ausgänge bis {0} %",
  "single seed": "ein Startwert",
};

/** language.js as a page with this language has it. @param {string|null} lang */
async function languageOf(lang, catalogue = CATALOGUE) {
  globalThis.document = /** @type {any} */ ({ documentElement: { lang: lang ?? "en" } });
  globalThis.snnlabLanguages = lang ? { [lang]: catalogue } : undefined;
  try {
    return await import(`../src/language.js?lang=${lang}`);
  } finally {
    delete globalThis.document;
    delete globalThis.snnlabLanguages;
  }
}

test("without a catalogue the English stays, with its values as they are", async () => {
  const { say, plural, said, fixed, count, pointed, translated } = await languageOf(null);
  assert.equal(say`Reads ${7} at ${0.25} of ${null}`, "Reads 7 at 0.25 of null");
  assert.equal(plural(1)`${1} step|${1} steps`, "1 step");
  assert.equal(plural(0)`${0} step|${0} steps`, "0 steps");
  assert.equal(said("single seed"), "single seed");
  assert.deepEqual([fixed(0.125, 2), fixed(-0.001, 2), count(12345), pointed("0.5")], ["0.13", "-0.00", "12,345", "0.5"]);
  assert.deepEqual(translated({ title: "single seed" }), { title: "single seed" });
});

test("a catalogue moves values, chooses among the forms of its language, and writes numbers its way", async () => {
  const { say, plural, fixed, count, pointed } = await languageOf("pl");
  assert.equal(say`${3} of ${8} steps`, "Von 8 Schritten 3");
  assert.equal(say`Not in the ${"catalogue"}`, "Not in the catalogue");
  assert.deepEqual(
    [1, 3, 5].map((n) => plural(n)`${n} step|${n} steps`),
    ["1 krok", "3 kroki", "5 kroków"],
  );
  assert.deepEqual([say`Reads ${0.5}`, fixed(0.5, 2), pointed("0.5")], ["Liest 0,5", "0,50", "0,5"]);
  assert.equal(count(123456).replace(/\s/u, " "), "123 456");
});

test("texts of records are translated where a reader sees them, also around their numbers, and names are not", async () => {
  const { translated } = await languageOf("de");
  const record = {
    models: [{ name: "single seed", title: "single seed" }],
    flags: { onset: { worst: ["silent outputs up to 1.4%", "unknown"] } },
    attacks: { worst: "single seed" },
    threats: { naive: ["single seed"] },
    digits: { names: ["single seed"], pixels: new Float32Array(2) },
  };
  assert.deepEqual(translated(record), {
    models: [{ name: "single seed", title: "ein Startwert" }],
    flags: { onset: { worst: ["stumme Ausgänge bis 1,4 %", "unknown"] } },
    attacks: { worst: "ein Startwert" },
    threats: { naive: ["single seed"] },
    digits: { names: ["ein Startwert"], pixels: new Float32Array(2) },
  });
});
