/**
 * A painted code: rows of signs, dark to bright, "0" or "1" a step. The first row is the train of black, the others share the
 * intensities above it alike. Its name carries the rows: table(rows=00 01 10). Mirrors `table` of snnlab/encoding/step_codes.py.
 */

import { encode, encoder, need, parse } from "../engine/index.js";
import { say } from "../language.js";

export const STEPS = [2, 16];
export const LEVELS = [2, 32];

/** @typedef {string[]} Rows */

/** @param {Rows} rows */
export const nameOf = (rows) => `table(rows=${rows.join(" ")})`;

/** Whether a code is written as its table. */
export const isTable = (name) => name.startsWith("table(");

/** The rows of a code on a grid: its own, or those of another code at the middle of every level. @returns {Rows} */
export function rowsOf(name, steps, levels) {
  if (isTable(name)) {
    const rows = (parse(name).options.rows ?? "").split(/\s+/);
    encoder(name, rows[0].length); // says what is wrong with it
    return rows;
  }
  const code = encoder(name, steps);
  need(
    code.parts.length === 1 && code.parts[0].table,
    say`"${name}" has no table to paint; choose onset, offset, latency or binary`,
  );
  const spikes = encode(code, middles(levels), () => 0.5);
  const row = (l) => Array.from({ length: steps }, (_, t) => (spikes[t * (levels + 1) + l] > 0 ? "1" : "0")).join("");
  return Array.from({ length: levels + 1 }, (_, l) => row(l));
}

/** The intensity for which a row stands: black, then the middle of every level. */
export function middles(levels) {
  return Float32Array.from({ length: levels + 1 }, (_, l) => (l === 0 ? 0 : (l - 0.5) / levels));
}

/** The rows of a condition of intensity and step. @param {(x: number, t: number) => boolean} fires @returns {Rows} */
export function rowsWhere(fires, steps, levels) {
  const row = (x) => Array.from({ length: steps }, (_, t) => (fires(x, t) ? "1" : "0")).join("");
  return Array.from({ length: levels + 1 }, (_, l) => row(l === 0 ? 0 : (l - 0.5) / levels));
}

/** The same rows with a cell painted. @param {Rows} rows @returns {Rows} */
export function painted(rows, row, step, fires) {
  const sign = fires ? "1" : "0";
  if (rows[row][step] === sign) return rows;
  return rows.map((text, r) => (r === row ? text.slice(0, step) + sign + text.slice(step + 1) : text));
}

/** On a grid of another size: steps are cut off or stay silent, levels are read at their middle. @param {Rows} rows @returns {Rows} */
export function resized(rows, steps, levels) {
  const old = rows.length - 1;
  const from = (l) => (l === 0 ? 0 : Math.min(old, Math.floor(((l - 0.5) / levels) * old) + 1));
  return Array.from({ length: levels + 1 }, (_, l) => rows[from(l)].slice(0, steps).padEnd(steps, "0"));
}

/** What one click makes of a code. @type {Object<string, (rows: Rows) => Rows>} */
export const TURNS = {
  clear: (rows) => rows.map((row) => "0".repeat(row.length)),
  invert: (rows) => rows.map((row) => [...row].map((sign) => (sign === "1" ? "0" : "1")).join("")),
  "turn time": (rows) => rows.map((row) => [...row].reverse().join("")),
  "swap dark and bright": (rows) => [...rows].reverse(),
};

/** Where a train changes from one row to the next. @param {Rows} rows @returns {{row: number, step: number, gained: boolean}[]} */
export function edgesOf(rows) {
  return rows
    .slice(1)
    .flatMap((row, r) =>
      [...row].flatMap((sign, step) => (sign === rows[r][step] ? [] : [{ row: r + 1, step, gained: sign === "1" }])),
    );
}

/**
 * The first step, from 1, in which a black pixel raised by up to ε fires otherwise than black; null: in none.
 * @param {Rows} rows
 */
export function firstAct(rows, eps) {
  const levels = rows.length - 1;
  if (eps <= 0) return null;
  const reached = rows.slice(1, 1 + Math.min(levels, Math.ceil(eps * levels - 1e-9)));
  const steps = reached.flatMap((row) => [...row].flatMap((sign, t) => (sign === rows[0][t] ? [] : [t + 1])));
  return steps.length ? Math.min(...steps) : null;
}

/** How many pairs of neighbouring rows are different: what the code tells of an intensity. */
export const distinct = (rows) => new Set(rows).size;
