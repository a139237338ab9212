/**
 * Orders of pixels and neurons in a raster. They depend on the clean image and the weights alone, so a row
 * stays where it is while the reader changes everything else, and change is visible as change.
 */

/**
 * Pixels, brightest first, part by part of the code; equals keep their order.
 *
 * @param {Float32Array} image clean, length C·H·W
 * @param {number} parts how many channel blocks the code makes of one image
 * @returns {Int32Array} a permutation of 0 … parts·C·H·W - 1
 */
export function inputOrder(image, parts) {
  const pixels = Array.from(image.keys()).sort((a, b) => image[b] - image[a] || a - b);
  const order = new Int32Array(parts * image.length);
  for (let part = 0; part < parts; part++) {
    for (let k = 0; k < pixels.length; k++) order[part * image.length + k] = part * image.length + pixels[k];
  }
  return order;
}

/**
 * Hidden neurons by the class they speak for (the largest outgoing weight), then by number.
 *
 * @param {Float32Array} columns outgoing weights, [hidden, classes]
 * @param {number} classes
 * @returns {{order: Int32Array, preferred: Int8Array}} a permutation of 0 … hidden - 1, and the class of each of its entries
 */
export function hiddenOrder(columns, classes) {
  const favourite = Array.from({ length: columns.length / classes }, (_, i) => {
    const outgoing = columns.subarray(i * classes, (i + 1) * classes);
    return outgoing.indexOf(Math.max(...outgoing));
  });
  const order = Int32Array.from([...favourite.keys()].sort((a, b) => favourite[a] - favourite[b] || a - b));
  return { order, preferred: Int8Array.from(order, (i) => favourite[i]) };
}
