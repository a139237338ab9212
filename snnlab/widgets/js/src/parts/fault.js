/** The explorer of faults: a slider for each fault of a chip. */
export { FaultExplorer as Explorer } from "../faults/explorer.js";
