/** Codes, attacks, decoders, exit rules and training rules, with titles and looks: snnlab/vocabulary.toml, as Python has it. */
import vocabulary from "../../../vocabulary.toml";
import { translated } from "./language.js";

export const VOCABULARY = translated(vocabulary);

/** A table as options of a control: pairs of name and title, in the order of the file. @returns {string[][]} */
export const options = (terms) => Object.entries(terms).map(([name, { title }]) => [name, title]);
