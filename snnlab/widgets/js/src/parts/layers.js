/** Networks of a reader's own: layers beyond those of the zoo. Needed where a page has one. */
export { chain, layered } from "../layers/network.js";
