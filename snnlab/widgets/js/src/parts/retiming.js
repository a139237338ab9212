/** The explorer of retiming: a budget on time beside ε. */
export { RetimingExplorer as Explorer } from "../retiming/explorer.js";
