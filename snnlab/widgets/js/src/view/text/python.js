/** The present state as lines of Python that make the same explorer. */
import { asText } from "../../state/text.js";

/** Explorers that return what they show as arrays. */
const WITHOUT_RESULT = ["encoder"];

/** What a network of the reader is called: the arguments before the state. */
const OWN = { training: "models, images, labels" };

/**
 * @param {string} kind  @param {Object<string, any>} state the settings of this kind, in order
 * @param {boolean} isOwn whether the networks are the reader's
 */
export function asPython(kind, { drawing = [], ...state }, isOwn = false) {
  const name = `${kind[0].toUpperCase()}${kind.slice(1)}Explorer`;
  const settings = Object.entries(state).map(([key, value]) => `${key}=${written(value)}`);
  if (state.image === -1) settings.push(`drawing=[${drawing.join(", ")}]`);
  const given = isOwn ? [OWN[kind] ?? "net, images, labels"] : [];
  const lines = [...given, ...settings].map((line) => `    ${line},`);
  const call = [`explorer = ${name}(`, ...lines, ")"];
  const shown = WITHOUT_RESULT.includes(kind)
    ? "explorer"
    : "explorer.result()  # what is shown, as arrays; explorer shows it";
  return [`from snnlab.widgets import ${name}`, "", ...call, shown, ""].join("\n");
}

const written = (value) => (typeof value === "number" ? asText(value) : JSON.stringify(value));
