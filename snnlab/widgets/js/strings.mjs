// The text of the explorers, read from their source: what is marked (say`…`, plural(n)`…|…`), and what looks like text and is not.
//
// The build writes the marked texts and the titles of vocabulary.toml as one table, ../bundle/explorers.pot: the file that
// translators copy and fill in. tests/language.test.js sees to it that no text escapes the marks.

import { readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";
import * as ast from "typescript/unstable/ast";
import { API } from "typescript/unstable/sync";

const here = dirname(fileURLToPath(import.meta.url));
const VOCABULARY = join(here, "../../vocabulary.toml");
const K = ast.SyntaxKind;

// --- the source ------------------------------------------------------------------------------------------------------------

/** Every source file with its tree. @returns {{name: string, tree: any}[]} */
export function sources() {
  const api = new API({ cwd: here });
  try {
    const [project] = api.updateSnapshot({ openProject: join(here, "tsconfig.json") }).getProjects();
    const paths = project.rootFiles
      .map((path) => path.split(sep).join("/"))
      .filter((path) => /\/js\/src\/.*\.js$/.test(path));
    const nameOf = (path) => relative(join(here, "src"), path).split(sep).join("/");
    return paths.sort().map((path) => ({ name: nameOf(path), tree: project.program.getSourceFile(path) }));
  } finally {
    api.close();
  }
}

function walk(node, visit) {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}

const isLiteral = (node) =>
  ast.isStringLiteral(node) || ast.isNoSubstitutionTemplateLiteral(node) || ast.isTemplateExpression(node);

/** A literal as a key: "Reads {0}". */
function keyOf(node) {
  if (!ast.isTemplateExpression(node)) return node.text;
  return node.head.text + node.templateSpans.map((span, k) => `{${k}}${span.literal.text}`).join("");
}

// --- the table -------------------------------------------------------------------------------------------------------------

/**
 * A text of the table: `plural` of a text with two forms, the source of its values, the files it stands in.
 * @typedef {{text: string, plural: string|null, values: string[], files: string[]}} Entry
 */

/** Every marked text, and every title of the vocabulary, in the order of the source. @returns {Entry[]} */
export function entries(files = sources()) {
  const found = new Map();
  const add = (key, isPlural, values, file) => {
    const [text, plural = null] = isPlural ? key.split("|") : [key];
    const entry = found.get(key) ?? { text, plural, values, files: [] };
    if (!entry.files.includes(file)) entry.files.push(file);
    found.set(key, entry);
  };
  for (const { name, tree } of files) {
    walk(tree, (/** @type {any} */ node) => {
      if (!ast.isTaggedTemplateExpression(node)) return;
      const { tag } = /** @type {any} */ (node);
      const isPlural = ast.isCallExpression(tag) && calleeOf(tag) === "plural";
      if (!isPlural && tag.text !== "say") return;
      const spans = ast.isTemplateExpression(node.template) ? node.template.templateSpans : [];
      const values = spans.map(({ expression: e }) => tree.text.slice(ast.getTokenPosOfNode(e, tree), e.end));
      add(keyOf(node.template), isPlural, values, `js/src/${name}`);
    });
  }
  for (const table of Object.values(parse(readFileSync(VOCABULARY, "utf8")))) {
    for (const { title } of Object.values(table)) if (title) add(title, false, [], "vocabulary.toml");
  }
  return [...found.values()].filter(({ text }) => /\p{L}/u.test(text));
}

const quoted = (text) => `"${text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;

/** The table as gettext has it, without a date: the same source gives the same file. @param {Entry[]} table */
export function pot(table) {
  const head = 'msgid ""\nmsgstr ""\n"Project-Id-Version: snnlab\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n';
  const each = table.map(({ text, plural, values, files }) => {
    const what = values.map((value, k) => `{${k}}: ${value.replace(/\s+/g, " ")}`).join("  ");
    return [
      ...(what ? [`#. ${what}`] : []),
      `#: ${files.join(" ")}`,
      `msgid ${quoted(text)}`,
      ...(plural === null ? ['msgstr ""'] : [`msgid_plural ${quoted(plural)}`, 'msgstr[0] ""', 'msgstr[1] ""']),
    ].join("\n");
  });
  return `${[head, ...each].join("\n\n").replace("\n\n\n", "\n\n")}\n`;
}

// --- what is not marked ----------------------------------------------------------------------------------------------------

/** A word and a space behind it or before it. */
const WORDS = /\p{L}[\p{L}\p{N}’']*[.,:;!?]?\s|\s\p{L}/u;
const WORD = /\p{L}{2}/u;

/** Attributes of an element that are read out or shown; all others are not. */
const SPOKEN = ["aria-label", "aria-description", "aria-roledescription", "aria-valuetext", "alt", "placeholder", "title"];

/** Other properties whose value the reader sees. */
const SEEN = ["label", "text", "spoken", "heading", "note", "verdict", "sentence", "why", "hint", ...SPOKEN];

/** Calls that show text: which of their arguments, from the first of these to the last. */
const SHOWN = {
  h: [2, 99],
  svg: [2, 99],
  setText: [1, 1],
  showText: [1, 1],
  label: [2, 2],
  labelBefore: [2, 2],
  Choice: [0, 0],
  Select: [0, 0],
  Picture: [0, 0],
  showNothing: [0, 0],
  say: [0, 0],
  speak: [0, 0],
};

/** Calls whose arguments are names, selectors or code. */
const NAMING =
  /^(querySelector(All)?|closest|matches|matchMedia|getContext|(add|remove)EventListener|(set|get|remove)(Property|Attribute|PropertyValue)|createElement(NS)?|add|remove|toggle|contains|RegExp|startsWith|endsWith|includes|split|join|indexOf|uniqueId|has|get|part|load|postMessage|Worker|fetch|uint|DOMException)$/;

/** Attributes of an element, also where a function passes them on. */
const MAKING = ["h", "svg", "label", "labelBefore", "stroke", "curveLine"];

const calleeOf = ({ expression }) => (expression.name ?? expression).text ?? "";
const nameOf = (property) => property.name.text ?? "";

/** What a literal is part of, outward through a choice (a ? b : c, a ?? b), brackets, a sum, the result of a function. @returns {any[]} */
function placeOf(node) {
  let [inner, outer] = [node, node.parent];
  const passes = () =>
    ast.isParenthesizedExpression(outer) ||
    (ast.isConditionalExpression(outer) && outer.condition !== inner) ||
    (ast.isArrowFunction(outer) && outer.body === inner) ||
    (ast.isBinaryExpression(outer) &&
      [K.QuestionQuestionToken, K.BarBarToken, K.AmpersandAmpersandToken, K.PlusToken].includes(outer.operatorToken.kind));
  while (passes()) [inner, outer] = [outer, outer.parent];
  return [inner, outer];
}

/** Whether a literal stands where the reader sees it; undefined: its place does not tell. @param {any} node */
function isSeen(node) {
  /** @type {any[]} */
  const [inner, outer] = placeOf(node);
  const isName = outer.name === inner || ast.isElementAccessExpression(outer) || ast.isCaseClause(outer);
  if (isName || ast.isImportDeclaration(outer) || ast.isExportDeclaration(outer)) return false;
  if (ast.isTaggedTemplateExpression(outer)) return false;
  if (ast.isBinaryExpression(outer)) return outer.operatorToken.kind === K.EqualsToken ? isSeenIn(outer.left) : false;
  if (ast.isPropertyAssignment(outer)) {
    const call = outer.parent.parent;
    const name = nameOf(outer);
    if (ast.isCallExpression(call) && MAKING.includes(calleeOf(call))) return SPOKEN.includes(name);
    if (/^(class|style|font|css|type|role|id)$/.test(name)) return false;
    return SEEN.includes(name) || undefined;
  }
  if (!ast.isCallExpression(outer) && !ast.isNewExpression(outer)) return undefined;
  const callee = calleeOf(outer);
  const index = outer.arguments.indexOf(inner);
  if (callee === "setAttribute") return index === 1 && SPOKEN.includes(keyOf(outer.arguments[0]));
  if (NAMING.test(callee)) return false;
  const [from, to] = Object.hasOwn(SHOWN, callee) ? SHOWN[callee] : [];
  return from === undefined ? undefined : index >= from && index <= to;
}

/** The same of what a literal is assigned to. @param {any} left */
function isSeenIn(left) {
  const name = (left.name ?? left).text ?? "";
  if (/^(className|cssText|font|fillStyle|strokeStyle|type|src|href|id|background|left|top|width)$/.test(name)) return false;
  return /^(textContent|title|innerText|ariaLabel)$/.test(name) || undefined;
}

/** What looks like text and is none: names of files and classes, style, code. By file. */
const NO_TEXT = {
  "host/own-data.js": [":scope > script[type='application/x-snnlab']"],
  "language.js": ["{0}{{1}}{2}"],
  "paint/paint.js": ['encoder("{0}", num_steps={1})', 'encoder("{0}"{1})', ", num_steps={0}", "yours {0}"],
  "paint/rule.js": [
    "fire when t == floor((1 - x) * T)",
    "fire when t > (1 - x) * T",
    "fire when t < x * T",
    "fire when x >= 0.5",
  ],
  "play/training.js": ["training {0}"],
  "theme/scheme.js": ["(prefers-color-scheme: dark)"],
  "view/along/npz.js": ["{'descr': '{0}', 'fortran_order': False, 'shape': ({1}), }"],
  "view/along/picture.js": [/^\.lab :is/, "13px {0}", "image-rendering: pixelated"],
  "view/charts/accuracy-curve.js": ["curve-label strong", "fill: {0}"],
  "view/charts/clean-robust.js": ["curve-label strong", "fill: {0}"],
  "view/controls/slider.js": ["field slider stopped", "field slider"],
  "view/explorers/base.js": [/^an explorer /],
  "view/explorers/results.js": ["card found"],
  "view/panels/votes.js": ["fill: {0}", "label strong"],
  "view/text/python.js": [/./],
};

const isNoText = (name, key) => NO_TEXT[name]?.some((none) => (typeof none === "string" ? none === key : none.test(key)));

/** Literals that a reader sees, or that look so, without a mark, as "file:line  text". @param {(name: string) => boolean} within */
export function unmarked(files = sources(), within = () => true) {
  return files.flatMap(({ name, tree }) => {
    const found = [];
    if (within(name)) {
      walk(tree, (node) => {
        if (!isLiteral(node)) return;
        const key = keyOf(node);
        const words = key.replace(/\{\d+\}/g, "·");
        const seen = isSeen(node);
        if (seen === false || !WORD.test(words) || !(seen || WORDS.test(words)) || isNoText(name, key)) return;
        const line = tree.text.slice(0, ast.getTokenPosOfNode(node, tree)).split("\n").length;
        found.push(`${name}:${line}  ${key}`);
      });
    }
    return found;
  });
}
