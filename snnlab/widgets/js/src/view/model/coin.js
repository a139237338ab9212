/**
 * A coin in place of a fused network: for each image it chooses one of two networks, the first with probability λ. Each
 * accuracy is then the mean of theirs; the worst case is at least that, as one image has to fool both. Mirrors `coin` of
 * snnlab/claims/quantities.py.
 *
 * @typedef {{clean: Share|null, robust: Share|null}} Place
 */

/** Accuracies of the coin, null where one part was not measured. @param {Place[]} parts two */
export function coinAt([first, second], share) {
  const mean = (name) => share * first[name].share + (1 - share) * second[name].share;
  return first?.robust && second?.robust ? { clean: mean("clean"), robust: mean("robust") } : null;
}

/**
 * The coin with the highest clean accuracy that is as robust as a network.
 * @param {Place} network  @param {Place[]} parts two
 * @returns {{share: number, ahead: number}|null} `ahead`: clean accuracy of the network minus the coin's; null: not measured,
 *   or the network is more robust than both parts
 */
export function equalCoin(network, parts) {
  if (!network?.robust || parts.length !== 2 || !coinAt(parts, 0)) return null;
  const robust = network.robust.share;
  const ends = [0, 1].filter((share) => coinAt(parts, share).robust >= robust);
  const [first, second] = parts.map((part) => part.robust.share);
  const between = (robust - second) / (first - second);
  const shares = between > 0 && between < 1 ? [...ends, between] : ends;
  if (shares.length === 0) return null;
  const clean = (share) => coinAt(parts, share).clean;
  const share = shares.reduce((best, one) => (clean(one) > clean(best) ? one : best));
  return { share, ahead: network.clean.share - clean(share) };
}
