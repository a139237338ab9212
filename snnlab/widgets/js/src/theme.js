/**
 * Light or dark? The page says so: the book in html[data-theme], JupyterLab in body[data-jp-theme-light], others by a class;
 * a page that says nothing follows the reader's system. Printing is always on white paper.
 */

const DARK_SYSTEM = "(prefers-color-scheme: dark)";

/** @returns {"light"|"dark"} */
export function currentScheme() {
  const { documentElement: html, body } = document;
  const book = html.dataset.theme;
  if (book === "light" || book === "dark") return book;
  const lab = body?.dataset.jpThemeLight;
  if (lab) return lab === "true" ? "light" : "dark";
  const code = body?.dataset.vscodeThemeKind;
  if (code) return code.includes("dark") ? "dark" : "light";
  return matchMedia(DARK_SYSTEM).matches ? "dark" : "light";
}

/**
 * Tell a listener the scheme, now and whenever it may have changed, also for the time of printing. A page may call itself
 * "auto" at first: then the scheme stays the same afterwards, but not the page's own colours.
 *
 * @param {(scheme: "light"|"dark") => void} listener
 * @returns {() => void} stops telling
 */
export function watchScheme(listener) {
  let printing = false;
  const tell = () => listener(printing ? "light" : currentScheme());
  const print = (begins) => () => {
    printing = begins;
    tell();
  };
  const [before, after] = [print(true), print(false)];
  const observer = new MutationObserver(tell);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  if (document.body) {
    observer.observe(document.body, { attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"] });
  }
  const system = matchMedia(DARK_SYSTEM);
  system.addEventListener("change", tell);
  addEventListener("beforeprint", before);
  addEventListener("afterprint", after);
  tell();
  return () => {
    observer.disconnect();
    system.removeEventListener("change", tell);
    removeEventListener("beforeprint", before);
    removeEventListener("afterprint", after);
  };
}

/**
 * The page's own background behind an element, so that an explorer lies in the page like a figure, not on it like a card;
 * null if there is none of that scheme (colours are chosen for white and for near black).
 *
 * @param {Element} element
 * @param {"light"|"dark"} scheme
 * @returns {string|null} a CSS colour
 */
export function backgroundBehind(element, scheme) {
  for (let node = element; node; node = node.parentElement ?? node.getRootNode().host) {
    const numbers =
      getComputedStyle(node)
        .backgroundColor.match(/[\d.]+/g)
        ?.map(Number) ?? [];
    const [red, green, blue, alpha = 1] = numbers;
    if (numbers.length < 3 || alpha === 0) continue;
    const values = [red, green, blue];
    const fits = scheme === "dark" ? Math.max(...values) <= 40 : Math.min(...values) >= 247;
    return alpha === 1 && fits ? `rgb(${values.join(", ")})` : null;
  }
  return null;
}
