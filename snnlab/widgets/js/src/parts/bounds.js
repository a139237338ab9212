/** What no attacker can change: bounds of the votes, and how they are shown. Needed as soon as ε is not zero. */
export { certificate } from "../engine/bounds.js";
export { bands, boundText, LEGEND } from "../view/charts/bands.js";
