/** Digits as they reach a page in a script of their own: bytes of all images, deflated (zlib), as base64. */
import { field, sound } from "./check.js";

/**
 * Unpack the payload "digits/<split>".
 * @param {any} payload {split, shape, labels, pixels}
 * @returns {Promise<{pixels: Uint8Array, labels: number[], size: number}>} `pixels`: [n, C·H·W], 0 … 255
 */
export async function unpackSplit(payload) {
  const name = `digits/${payload?.split ?? "?"}`;
  const size = field(payload, "shape", name).reduce((a, b) => a * b, 1);
  const labels = field(payload, "labels", name);
  const packed = Uint8Array.from(atob(field(payload, "pixels", name)), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const pixels = new Uint8Array(await new Response(stream).arrayBuffer());
  const expected = `${labels.length * size} pixels for ${labels.length} digits`;
  sound(pixels.length === labels.length * size, `${name}: expected ${expected}, got ${pixels.length}`);
  return { pixels, labels, size };
}

/** One image as every engine takes it: float32 in [0, 1]. @param {Uint8Array} pixels */
export const asImage = (pixels) => Float32Array.from(pixels, (v) => v / 255);
