/** One palette for every picture: a code has one colour, one dash and one marker wherever it appears. */
import { VOCABULARY } from "../vocabulary.js";

/** The colours of a scheme. @param {"light"|"dark"} scheme @returns {Colours} */
export function palette(scheme) {
  const colours = Object.fromEntries(Object.entries(VOCABULARY.colours).map(([name, term]) => [name, term[scheme]]));
  // "fusion(direct, latency)" is a fusion; an unknown code is drawn in ink.
  const code = (name) => {
    const term = VOCABULARY.codes[name.toLowerCase().split("(")[0].trim()];
    const { dash, marker } = term ?? { dash: [], marker: "circle" };
    return { colour: term?.[scheme] ?? colours.ink, dash, marker };
  };
  // A training rule keeps the colour of its code; its dash and its marker belong to no code in that colour.
  const mark = (model) => {
    const { dash, marker } = VOCABULARY.training_rules[model.rule] ?? {};
    return { ...code(codeOf(model)), ...(marker ? { dash, marker } : {}) };
  };
  return { ...colours, scheme, code, mark };
}

/** The code of a model of the zoo; a network of the reader's own is known by its title. */
const codeOf = ({ kind, code, title, name }) => (kind === "ann" || code === "none" ? "ann" : (code ?? title ?? name));

/** "#RRGGBB" → [r, g, b]. */
export const rgb = (hex) => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));

/** [r, g, b] as one number, in the order of bytes that canvases have on all of today's machines. @param {number[]} colour */
export const packed = ([r, g, b]) => ((255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r)) >>> 0;

/** The diverging map from darker over neutral to brighter, as one number for a value in [-1, 1]. @param {Colours} colours */
export function divergingMap(colours) {
  const [darker, neutral, brighter] = [colours.darker, colours.neutral, colours.brighter].map(rgb);
  return (value) => packed(mixed(neutral, value < 0 ? darker : brighter, Math.abs(value)));
}

/** A colour between two. @param {number[]} from  @param {number[]} to  @param {number} share of the second */
export const mixed = (from, to, share) => from.map((v, c) => v + share * (to[c] - v));
