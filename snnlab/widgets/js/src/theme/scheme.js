/** The colour scheme of the page: light or dark, as the book, JupyterLab, VS Code or the system says; print is light. */

const DARK_SYSTEM = "(prefers-color-scheme: dark)";

/** @returns {"light"|"dark"} */
function currentScheme() {
  const { documentElement: html, body } = document;
  const book = html.dataset.theme;
  if (book === "light" || book === "dark") return book;
  const lab = body?.dataset.jpThemeLight;
  if (lab) return lab === "true" ? "light" : "dark";
  const code = body?.dataset.vscodeThemeKind;
  if (code) return code.includes("dark") ? "dark" : "light";
  return matchMedia(DARK_SYSTEM).matches ? "dark" : "light";
}

/** Call a listener with the scheme, now and when it or the page's colours may have changed. @returns {() => void} stops */
export function watchScheme(listener) {
  let printing = false;
  const tell = () => listener(printing ? "light" : currentScheme());
  const print = ({ type }) => {
    printing = type === "beforeprint";
    tell();
  };
  const observer = new MutationObserver(tell);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  if (document.body) {
    observer.observe(document.body, { attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"] });
  }
  const ending = new AbortController();
  const { signal } = ending;
  matchMedia(DARK_SYSTEM).addEventListener("change", tell, { signal });
  for (const event of ["beforeprint", "afterprint"]) addEventListener(event, print, { signal });
  tell();
  return () => {
    observer.disconnect();
    ending.abort();
  };
}

/**
 * The page's own background behind an element, so that an explorer has the background of its page; null if there is none of
 * that scheme (colours are chosen for white and for near black).
 * @param {"light"|"dark"} scheme  @returns {string|null} a CSS colour
 */
export function backgroundBehind(element, scheme) {
  for (let node = element; node; node = node.parentElement ?? /** @type {any} */ (node.getRootNode()).host) {
    const numbers = Array.from(getComputedStyle(node).backgroundColor.matchAll(/[\d.]+/g), Number);
    const [red, green, blue, alpha = 1] = numbers;
    if (numbers.length < 3 || alpha === 0) continue;
    const values = [red, green, blue];
    const fits = scheme === "dark" ? Math.max(...values) <= 40 : Math.min(...values) >= 247;
    return alpha === 1 && fits ? `rgb(${values.join(", ")})` : null;
  }
  return null;
}
