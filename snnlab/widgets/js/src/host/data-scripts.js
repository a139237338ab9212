/** Data and further code of a page: classic scripts that call `snnlabData(key, payload)`. Modules and fetch fail on file://. */
import { say } from "../language.js";

const waiting = new Map();
const loading = new Map();

// The page may contain this script twice; the first one answers.
globalThis.snnlabData ??= (key, payload) => waiting.get(key)?.(payload);

// Known only while the script itself runs, and only to a classic one.
const script = /** @type {HTMLScriptElement|null|undefined} */ (globalThis.document?.currentScript);
const ownFolder = script?.src.replace(/[^/]*$/, "") ?? "";

/** Load the data behind a key, once: from the page itself, where it is a single file, or from beside it. @param {string} key "zoo", "model/<name>", a part @returns {Promise<any>} */
export function loadScript(key) {
  const inside = document.querySelector(`script[data-snnlab="${key}"]`);
  if (inside) return runScript(key, inside.textContent);
  if (!loading.has(key)) loading.set(key, inject(key));
  return loading.get(key);
}

/** Run a script that is here as a text, once, and return what it hands over. @param {string} key @param {string} text */
export function runScript(key, text) {
  if (!loading.has(key)) {
    loading.set(key, new Promise((resolve) => waiting.set(key, resolve)));
    const script = document.createElement("script");
    script.textContent = text;
    document.head.append(script);
    script.remove();
    waiting.delete(key);
  }
  return loading.get(key);
}

function inject(key) {
  const file = `snnlab-${key.replace("/", "-")}.js`;
  return new Promise((resolve, reject) => {
    const failed = (what) => {
      loading.delete(key);
      reject(new Error(say`${file} ${what}; reload the page, or build the book again`));
    };
    const script = document.createElement("script");
    script.src = dataFolder() + file;
    waiting.set(key, (payload) => {
      waiting.delete(key);
      resolve(payload);
    });
    script.onerror = () => failed(say`did not load`);
    script.onload = () => {
      script.remove();
      if (waiting.delete(key)) failed(say`holds no data`);
    };
    document.head.append(script);
  });
}

/** Where the scripts of this page are; empty: it has none, their text came otherwise. @returns {string} */
export function dataFolder() {
  const root = document.documentElement.dataset.content_root;
  return root === undefined ? ownFolder : `${root}_static/`;
}
