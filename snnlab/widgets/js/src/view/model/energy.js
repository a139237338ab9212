/** The price of an answer from its operations, as in the chapter Energy: E(x) = (4.6 + x) MACs + (0.9 + x) SynOps. */
import { PJ_PER_MAC, PJ_PER_SYNOP } from "../../engine/index.js";

/** Operations of a network up to an exit; an ANN has one. @param {Float32Array} operations [3, T] */
export function countedAt(operations, exit, skipsZeros) {
  const steps = operations.length / 3;
  const at = (row) => operations[row * steps + Math.min(exit, steps) - 1];
  return { macs: at(skipsZeros ? 1 : 0), synops: at(2) };
}

/** Energy in pJ at a price of x pJ for reading a weight: of the arithmetic, of the reading, and their sum. */
export function priced({ macs, synops }, x) {
  const [arithmetic, reading] = [PJ_PER_MAC * macs + PJ_PER_SYNOP * synops, x * (macs + synops)];
  return { arithmetic, reading, total: arithmetic + reading };
}

/** The price of a weight from which on a network needs as much as the ANN; 0: at every price, Infinity: at none. */
export function breakEven(ann, counted) {
  const saved = priced(ann, 0).total - priced(counted, 0).total;
  const moreReads = counted.macs + counted.synops - ann.macs - ann.synops;
  if (saved <= 0) return 0;
  return moreReads > 0 ? saved / moreReads : Number.POSITIVE_INFINITY;
}
