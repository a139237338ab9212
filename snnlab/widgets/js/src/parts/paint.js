/** The explorer in which a reader paints a code, trains it and attacks it. */
export { PaintExplorer as Explorer } from "../paint/paint.js";
