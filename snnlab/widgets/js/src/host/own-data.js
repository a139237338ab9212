/**
 * Data that an element brings along, so that it needs no file: <script type="application/x-snnlab">, a block that no browser
 * runs, holds base64 of gzipped JSON: payloads by key, and in a page of one file `scripts`, texts of further scripts by name.
 */
import { loadScript, runScript } from "./data-scripts.js";

const BLOCK = ":scope > script[type='application/x-snnlab']";

/** How the engine of an element gets its data; null: from the page, as all others. @param {Element} host */
export function ownData(host) {
  const block = host.querySelector(BLOCK);
  if (!block) return null;
  const content = unpacked(block.textContent ?? "");
  content.catch(() => {}); // who asks for a key hears of it
  /** @param {string} key @returns {Promise<any>} */
  return async (key) => {
    const { scripts = {}, ...payloads } = await content;
    if (payloads[key] !== undefined) return payloads[key];
    return scripts[key] === undefined ? loadScript(key) : runScript(key, scripts[key]);
  };
}

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}
