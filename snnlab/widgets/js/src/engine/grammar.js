/**
 * How a code is written: a name, and in brackets what it is made of. Mirrors snnlab/encoding/registry.py.
 *
 *   code     = name | name "(" argument { "," argument } ")"
 *   argument = code | gate "*" code | option "=" value
 *
 * As in onset(rounding=up), fusion(0.5*direct, fusion(latency, onset)), shuffled(latency, order=1 0).
 */
import { need } from "./check.js";

const EXAMPLE = "a code is written as in 'fusion(0.5*direct, latency)'";

/** @returns {{name: string, args: string[], options: Record<string, string>}} arguments may be codes themselves */
export function parse(text) {
  const [, name, rest] = /^\s*([^(]*?)\s*(?:\(([\s\S]*))?$/.exec(text);
  if (rest === undefined) return { name: name.trim(), args: [], options: {} };
  const inside = /^([\s\S]*)\)\s*$/.exec(rest);
  const written = inside && split(inside[1]);
  need(written, `the brackets of "${text}" do not match; ${EXAMPLE}`);
  need(written.length === 1 || !written.includes(""), `an empty argument in "${text}"; ${EXAMPLE}`);
  const option = (argument) => /^(\w+)\s*=\s*([\s\S]*)$/.exec(argument);
  const options = Object.fromEntries(written.filter(option).map((argument) => option(argument).slice(1)));
  return { name, args: written.filter((argument) => argument && !option(argument)), options };
}

/** Gate and code of a part of a fusion; without a number the gate is 1. @returns {[number, string]} */
export function gated(argument) {
  const [, number, code] = /^([^(*]*)\*([\s\S]*)$/.exec(argument) ?? [null, "1", argument];
  const gate = number.trim() === "" ? Number.NaN : Number(number);
  need(!Number.isNaN(gate), `the gate of a part is a number, as in '0.125*direct', got "${argument}"`);
  return [gate, code.trim()];
}

/**
 * The codes side by side in a written code, those of nested fusions too, each with its gate.
 * @returns {{name: string, gate: number}[]} any other code is its own only part
 */
export function partsOf(text, gate = 1) {
  if (!/^\s*fusion\s*\(/.test(text)) return [{ name: text.trim(), gate }];
  return parse(text).args.flatMap((argument) => {
    const [own, code] = gated(argument);
    return partsOf(code, gate * own);
  });
}

/** Split at top-level commas; null where brackets do not match. */
function split(text) {
  const parts = [""];
  let depth = 0;
  for (const letter of text) {
    depth += Number(letter === "(") - Number(letter === ")");
    if (depth < 0) return null;
    if (letter === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return depth === 0 ? parts.map((part) => part.trim()) : null;
}
