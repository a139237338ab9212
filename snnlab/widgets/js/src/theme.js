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
 * Tell a listener the scheme, now and whenever it changes, also for the time of printing.
 *
 * @param {(scheme: "light"|"dark") => void} listener
 * @returns {() => void} stops telling
 */
export function watchScheme(listener) {
  let printing = false;
  let last = null;
  const tell = () => {
    const scheme = printing ? "light" : currentScheme();
    if (scheme === last) return;
    last = scheme;
    listener(scheme);
  };
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
