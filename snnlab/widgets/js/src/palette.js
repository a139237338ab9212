/**
 * One palette for every picture of the book: a code has one colour, one dash and one marker wherever it appears.
 * Every colour has a contrast of at least 3:1 on its background, and none carries meaning alone.
 */

const CODES = {
  ann: { light: "#5F6670", dark: "#A8B0BA", dash: [1, 3], marker: "times" },
  direct: { light: "#0072B2", dark: "#4BA3E3", dash: [], marker: "circle" },
  poisson: { light: "#2A8FC7", dark: "#7CC7F2", dash: [6, 4], marker: "ring" },
  onset: { light: "#00795A", dark: "#2BC49A", dash: [], marker: "up" },
  latency: { light: "#A86A00", dark: "#F0B429", dash: [], marker: "diamond" },
  phase: { light: "#B0558A", dark: "#E39BC4", dash: [8, 3, 2, 3], marker: "square" },
  offset: { light: "#C44E00", dark: "#FF8A4C", dash: [], marker: "down" },
  fusion: { light: "#4B3B9C", dark: "#A99BFF", dash: [12, 4], marker: "star" },
};

/** Names of the codes in the order in which the book lists them. */
export const CODE_NAMES = Object.keys(CODES);

/** A training rule keeps the colour of its code, and has a dash and a marker that no code has in that colour. */
const RULES = {
  tsslbp: { dash: [7, 3], marker: "square" },
  conversion: { dash: [2, 3], marker: "wye" },
  fgsm: { dash: [11, 3, 2, 3], marker: "plus" },
  pgd: { dash: [11, 3, 2, 3, 2, 3], marker: "asterisk" },
  trades: { dash: [4, 2], marker: "ring" },
};

/** Names of the training rules that are not backpropagation through time, the default. */
export const RULE_NAMES = Object.keys(RULES);

const LIGHT = {
  background: "#FFFFFF",
  panel: "#F3F5F7",
  ink: "#1F2933",
  quiet: "#5B6470",
  line: "#D5DAE0",
  control: "#858E99",
  attack: "#B3123B",
  right: "#00795A",
  focus: "#0B63CE",
  darker: "#2166AC",
  neutral: "#F7F7F7",
  brighter: "#B2182B",
};

const DARK = {
  background: "#14181F",
  panel: "#1C222B",
  ink: "#E6EAF0",
  quiet: "#A3ACB8",
  line: "#343C48",
  control: "#7A8594",
  attack: "#FF6B8B",
  right: "#2BC49A",
  focus: "#7DB7FF",
  darker: "#5AA5E8",
  neutral: "#232A34",
  brighter: "#FF6A5E",
};

/**
 * The colours of a scheme.
 *
 * @param {"light"|"dark"} scheme
 */
export function palette(scheme) {
  const dark = scheme === "dark";
  const colours = dark ? DARK : LIGHT;
  const code = (name) => style(name, dark, colours);
  return { ...colours, scheme, code, mark: (model) => ({ ...code(codeOf(model)), ...RULES[model.rule] }) };
}

/** The code of a model of the zoo; a network of the reader's own is known by its title. */
function codeOf({ kind, code, title, name }) {
  return kind === "ann" || code === "none" ? "ann" : (code ?? title ?? name);
}

/** Colour, dash and marker of a code; "fusion(direct, latency)" is a fusion; what is not in the book is drawn in ink. */
function style(name, dark, colours) {
  const known = CODES[name.toLowerCase().split("(")[0].trim()];
  if (!known) return { colour: colours.ink, dash: [], marker: "circle" };
  return { colour: dark ? known.dark : known.light, dash: known.dash, marker: known.marker };
}

/** "#RRGGBB" → [r, g, b]. */
export function rgb(hex) {
  return [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
}

/** [r, g, b] as one number, in the order of bytes that canvases have on all of today's machines. */
export function packed([r, g, b]) {
  return ((255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r)) >>> 0;
}
