/** The explorer of results, which only some pages have. */
export { ResultsExplorer as Explorer } from "../view/explorers/results.js";
