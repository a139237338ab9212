/**
 * A code as a line of text, read by a grammar of our own:
 *
 *   rule    = [ "fire" "when" ] either
 *   either  = both { "or" both }                 both = not { "and" not }              not = [ "not" ] compare
 *   compare = sum [ sign sum { sign sum } ]      sign = "==" | "!=" | "<" | "<=" | ">" | ">="
 *   sum     = term { ("+" | "-") term }          term = factor { ("*" | "/" | "%") factor }
 *   factor  = "-" factor | power                 power = atom [ "**" factor ]
 *   atom    = number | x | t | T | p | pi | function "(" sum { "," sum } ")" | "(" either ")"
 *
 * x is the intensity, t the step from 0, T the number of steps, p a number that the reader turns. Comparisons may be chained.
 */
import { plural, say } from "../language.js";

/** A sentence about one character of a line. */
export class RuleError extends Error {
  /** @param {string} message  @param {number} at from 0 */
  constructor(message, at) {
    super(message);
    this.at = at;
  }
}

/** @typedef {{x: number, t: number, T: number, p: number}} Scope */

const FUNCTIONS = {
  floor: [1, Math.floor],
  ceil: [1, Math.ceil],
  round: [1, Math.round],
  abs: [1, Math.abs],
  sqrt: [1, Math.sqrt],
  exp: [1, Math.exp],
  log: [1, Math.log],
  log2: [1, Math.log2],
  sin: [1, Math.sin],
  cos: [1, Math.cos],
  min: [2, Math.min],
  max: [2, Math.max],
};
const NAMES = ["x", "t", "T", "p"];
const WORDS = ["and", "or", "not", "fire", "when"];
const MEANT = { "=": "==", "&&": "and", "||": "or", "!": "not", "^": "**" };
const COMPARE = {
  "==": (a, b) => Math.abs(a - b) < 1e-9,
  "!=": (a, b) => Math.abs(a - b) >= 1e-9,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};
const CALCULATE = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a - b * Math.floor(a / b),
  "**": (a, b) => a ** b,
};
const TOKEN = /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|(\*\*|==|!=|<=|>=|&&|\|\||[-+*/%()<>=,!^]))/y;

/** A part of a rule: what it gives, whether that is a condition, and where it begins. @typedef {{of: (scope: Scope) => any, holds: boolean, at: number}} Part */

/** @param {string} text @returns {{kind: string, text: string, at: number}[]} */
function tokens(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  for (;;) {
    const begin = TOKEN.lastIndex;
    const rest = text.slice(begin);
    if (rest.trim() === "") break;
    const match = TOKEN.exec(text);
    const at = begin + rest.length - rest.trimStart().length;
    if (!match) throw new RuleError(say`"${text[at]}" has no meaning here`, at);
    const [, number, word, sign] = match;
    if (sign && MEANT[sign]) throw new RuleError(say`write "${MEANT[sign]}" for "${sign}"`, at);
    found.push({ kind: number ? "number" : word ? "word" : "sign", text: number ?? word ?? sign, at });
  }
  return [...found, { kind: "end", text: say`the end`, at: text.length }];
}

class Parser {
  uses = new Set();

  /** @param {string} text */
  constructor(text) {
    this.tokens = tokens(text);
    this.k = 0;
  }

  get next() {
    return this.tokens[this.k];
  }

  /** Whether the next token is one of these; then it is taken. @param {...string} texts @returns {any} */
  take(...texts) {
    const { next } = this;
    if (next.kind === "end" || next.kind === "number" || !texts.includes(next.text)) return null;
    this.k += 1;
    return next;
  }

  expect(text) {
    if (!this.take(text)) this.fail(say`"${text}" is expected`);
  }

  /** @returns {never} */
  fail(expected, { text, at, kind } = this.next) {
    throw new RuleError(say`${expected}, not ${kind === "end" ? text : `"${text}"`}`, at);
  }

  /** @param {Part} part  @param {boolean} holds  @returns {Part} */
  need(part, holds) {
    if (part.holds !== holds)
      throw new RuleError(
        holds ? say`a condition is expected, as in t == 0` : say`a number is expected, not a condition`,
        part.at,
      );
    return part;
  }

  rule() {
    if (this.take("fire")) this.expect("when");
    const part = this.either();
    if (this.next.kind !== "end") this.fail(say`an operator or the end is expected`);
    return this.need(part, true);
  }

  /** Operands of conditions. @returns {Part} */
  chain(word, operand, join) {
    let left = operand();
    while (this.take(word)) {
      const [a, b] = [this.need(left, true), this.need(operand(), true)];
      left = { of: (s) => join(a.of(s), () => b.of(s)), holds: true, at: a.at };
    }
    return left;
  }

  either() {
    return this.chain(
      "or",
      () => this.both(),
      (a, b) => a || b(),
    );
  }

  both() {
    return this.chain(
      "and",
      () => this.not(),
      (a, b) => a && b(),
    );
  }

  not() {
    const word = this.take("not");
    if (!word) return this.compare();
    const part = this.need(this.not(), true);
    return { of: (s) => !part.of(s), holds: true, at: word.at };
  }

  compare() {
    const first = this.sum();
    let left = first;
    let whole = null;
    for (let sign = this.take(...Object.keys(COMPARE)); sign; sign = this.take(...Object.keys(COMPARE))) {
      const [a, b, same, before] = [this.need(left, false), this.need(this.sum(), false), COMPARE[sign.text], whole];
      whole = (s) => (before === null || before(s)) && same(a.of(s), b.of(s));
      left = b;
    }
    return whole ? { of: whole, holds: true, at: first.at } : first;
  }

  /** Operands of numbers, from left to right. @returns {Part} */
  numbers(signs, operand) {
    let left = operand();
    for (let sign = this.take(...signs); sign; sign = this.take(...signs)) {
      const [a, b, calculate] = [this.need(left, false), this.need(operand(), false), CALCULATE[sign.text]];
      left = { of: (s) => calculate(a.of(s), b.of(s)), holds: false, at: a.at };
    }
    return left;
  }

  sum() {
    return this.numbers(["+", "-"], () => this.numbers(["*", "/", "%"], () => this.factor()));
  }

  factor() {
    const minus = this.take("-");
    if (minus) {
      const part = this.need(this.factor(), false);
      return { of: (s) => -part.of(s), holds: false, at: minus.at };
    }
    const base = this.atom();
    if (!this.take("**")) return base;
    const [a, b] = [this.need(base, false), this.need(this.factor(), false)];
    return { of: (s) => a.of(s) ** b.of(s), holds: false, at: a.at };
  }

  atom() {
    const { next } = this;
    const { kind, text, at } = next;
    if (this.take("(")) {
      const inside = this.either();
      this.expect(")");
      return { ...inside, at };
    }
    if (kind === "number") return this.constant(Number(text), at);
    if (kind !== "word" || WORDS.includes(text)) return this.fail(say`a number, x, t, T or p is expected`);
    if (Object.hasOwn(FUNCTIONS, text)) return this.call(text, at);
    if (text === "pi") return this.constant(Math.PI, at);
    const known = say`known are x, t, T, p, pi and ${Object.keys(FUNCTIONS).join(", ")}`;
    if (!NAMES.includes(text)) throw new RuleError(say`"${text}" is not known; ${known}`, at);
    this.k += 1;
    this.uses.add(text);
    return { of: (s) => s[text], holds: false, at };
  }

  constant(value, at) {
    this.k += 1;
    return { of: () => value, holds: false, at };
  }

  call(name, at) {
    this.k += 1;
    const [count, apply] = FUNCTIONS[name];
    this.expect("(");
    const given = [this.need(this.sum(), false)];
    while (this.take(",")) given.push(this.need(this.sum(), false));
    if (given.length !== count)
      throw new RuleError(
        plural(count)`${name} takes 1 number, not ${given.length}|${name} takes ${count} numbers, not ${given.length}`,
        at,
      );
    this.expect(")");
    return { of: (s) => apply(...given.map((part) => part.of(s))), holds: false, at };
  }
}

/**
 * Read a line. @param {string} text @returns {{fires: (scope: Scope) => boolean, uses: Set<string>}} `uses`: which of x, t, T, p
 * @throws {RuleError} that names the character
 */
export function readRule(text) {
  const parser = new Parser(text);
  const { of } = parser.rule();
  return { fires: (scope) => Boolean(of(scope)), uses: parser.uses };
}

/** The lines of codes that have a name, to begin with. */
export const LINES = {
  latency: "fire when t == floor((1 - x) * T)",
  onset: "fire when t > (1 - x) * T",
  offset: "fire when t < x * T",
  binary: "fire when x >= 0.5",
};
