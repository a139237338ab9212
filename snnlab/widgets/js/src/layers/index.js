/** Networks of the reader's own: layers beyond those of the zoo. Loaded when a page has one. */
export { chain, layered } from "./network.js";
