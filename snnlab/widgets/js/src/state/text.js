/**
 * The settings of explorers as text: what the reader has changed, as written in an address.
 *
 *   #exit?eps=0.15&exit_step=6/robustness?encoding=onset
 *
 * An explorer is called by its kind, the second of a kind on a page "exit-2". The sign "?" tells settings from the anchor of
 * a heading, which never has one. Nothing here knows a page.
 */

/** As many decimals as any control has; more would not be read. */
const DECIMALS = 4;

/** A value as text; a drawing stays a list of grey levels. */
export const asText = (value) => (typeof value === "number" ? String(Number(value.toFixed(DECIMALS))) : value);

/** Return the value of a text, of the same type as `like`; NaN where a number is expected and the text is none. */
export function asValue(text, like) {
  if (typeof like !== "number") return text;
  return String(text).trim() === "" ? Number.NaN : Number(text);
}

/** What differs from the page's own settings, as text. A drawing counts only while it is shown. */
export function differing(names, state, initial) {
  const counts = (name) => name !== "drawing" || state.image === -1;
  const changed = names.filter((name) => counts(name) && asText(state[name]) !== asText(initial[name]));
  return Object.fromEntries(changed.map((name) => [name, asText(state[name])]));
}

/** The page's own settings with the valid changes: valid alone, and together with those taken before. */
export function accepted(initial, changes, settings, fits) {
  return Object.keys(settings).reduce((state, name) => {
    if (!Object.hasOwn(changes, name)) return state;
    const next = { ...state, [name]: asValue(changes[name], initial[name]) };
    return settings[name](next[name]) && fits(next) ? next : state;
  }, initial);
}

/** What of an explorer's changes goes into an address: all but a digit that the reader drew, which is 784 numbers long. */
export function linkable({ drawing, ...changes }) {
  if (drawing) delete changes.image;
  return changes;
}

/** The settings of one explorer in an address. */
export const link = (name, changes) => `${name}?${new URLSearchParams(linkable(changes))}`;

/** The settings of several, those without any left out. @param {Object<string, any>} all changes by explorer */
export function writeSettings(all) {
  const pieces = Object.entries(all).filter(([, changes]) => Object.keys(linkable(changes)).length > 0);
  return pieces.map(([name, changes]) => link(name, changes)).join("/");
}

/** The settings in an address, by explorer; none if it holds something else. @param {string[]} names of the explorers */
export function readSettings(fragment, names) {
  const result = {};
  for (const piece of fragment.split("/")) {
    const [, name, query] = /^([^?]*)\?(.*)$/s.exec(piece) ?? [];
    if (names.includes(name)) result[name] = Object.fromEntries(new URLSearchParams(query));
  }
  return result;
}
