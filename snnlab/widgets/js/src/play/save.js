/** A trained network as a file that the reader takes to Python. */
import { say } from "../language.js";
import { h } from "../view/dom/elements.js";
import { safetensors } from "./safetensors.js";

/** @param {import("./training.js").Training} training @returns {string} what to do with the file */
export function save({ recipe, weights, tests }) {
  const file = safetensors(recipe, weights, { tests });
  const url = URL.createObjectURL(new Blob([/** @type {any} */ (file)], { type: "application/octet-stream" }));
  const name = `${recipe.code.startsWith("table(") ? "painted" : recipe.code}.safetensors`;
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
  return say`Saved as ${name}. In Python: snnlab.load("${name}") is the classifier, with its code.`;
}
