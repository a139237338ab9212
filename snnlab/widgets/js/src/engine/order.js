/** Orders of rows in a raster, from the clean image and the weights alone: rows stay while the reader changes the rest. */

/**
 * Pixels, brightest first, part by part of the code; equals keep their order.
 * @param {Float32Array} image clean, length C·H·W  @param {number} parts how many channel blocks the code makes of one image
 * @returns {Int32Array} a permutation of 0 … parts·C·H·W - 1
 */
export function inputOrder(image, parts) {
  const pixels = Array.from(image.keys()).sort((a, b) => image[b] - image[a] || a - b);
  const size = image.length;
  return Int32Array.from({ length: parts * size }, (_, k) => k - (k % size) + pixels[k % size]);
}

/**
 * Hidden neurons by the class they vote for (the largest outgoing weight), then by number.
 * @param {Float32Array} columns outgoing weights, [hidden, classes]
 * @returns {{hidden: Int32Array, preferred: Int8Array}} a permutation of 0 … hidden - 1, and the class of each of its entries
 */
export function hiddenOrder(columns, classes) {
  const favourite = Array.from({ length: columns.length / classes }, (_, i) => {
    const outgoing = columns.subarray(i * classes, (i + 1) * classes);
    return outgoing.indexOf(Math.max(...outgoing));
  });
  const hidden = Int32Array.from([...favourite.keys()].sort((a, b) => favourite[a] - favourite[b] || a - b));
  return { hidden, preferred: Int8Array.from(hidden, (i) => favourite[i]) };
}
