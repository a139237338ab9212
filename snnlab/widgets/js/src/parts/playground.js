/** The playground, in which a network learns in the page. */
export { PlaygroundExplorer as Explorer } from "../play/playground.js";
