/**
 * Data that an element brings along, so that it needs no file: <script type="application/x-snnlab">, a block that no browser
 * runs, holds base64 of gzipped JSON, {payloads by key, and under `script` the text of the layers of a reader's network}.
 */

const BLOCK = ":scope > script[type='application/x-snnlab']";

/**
 * How the engine of an element gets its data, and the script of its layers; null: from the page, as all others.
 * @param {Element} host  @returns {{load: (key: string) => Promise<any>, part: () => Promise<any>}|null}
 */
export function ownData(host) {
  const block = host.querySelector(BLOCK);
  if (!block) return null;
  const content = unpacked(block.textContent ?? "");
  content.catch(() => {}); // who asks for a key hears of it
  return {
    async load(key) {
      const payload = (await content)[key];
      if (payload === undefined) throw new Error(`${key} is not in this page; save the page again`);
      return payload;
    },
    part: async () => layers((await content).script),
  };
}

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

/** The exports of the script of layers: a classic script, since a page from disk can load no module. */
function layers(text) {
  if (!globalThis.snnlabLayers) {
    const script = document.createElement("script");
    script.textContent = text;
    document.head.append(script);
    script.remove();
  }
  return globalThis.snnlabLayers;
}
