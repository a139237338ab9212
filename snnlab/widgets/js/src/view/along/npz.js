/**
 * Arrays as NumPy reads them: `np.load("file.npz")`. An .npz is a zip of .npy files, here stored without compression.
 *
 * Reference: NumPy's NEP 1 (the format of .npy), PKWARE's APPNOTE 6.3 (zip).
 */
import { say } from "../../language.js";

/** Codes of NumPy by the kind of array; all machines of today that run a browser are little-endian. @type {[any, string][]} */
const CODES = [
  [Float32Array, "<f4"],
  [Float64Array, "<f8"],
  [Int32Array, "<i4"],
  [Uint8Array, "|u1"],
  [Int8Array, "|i1"],
];

/** The header of an .npy ends at a multiple of this. */
const ALIGNED = 64;

const text = (value) => new TextEncoder().encode(value);

/**
 * A file of the format .npy, version 1.0.
 * @param {ArrayBufferView & {length: number}|string} values a string becomes an array of no dimensions
 * @param {number[]} [shape] default: one dimension
 * @returns {Uint8Array}
 */
export function npy(values, shape) {
  if (typeof values === "string") {
    const points = Uint32Array.from(values, (sign) => sign.codePointAt(0));
    return file(`<U${points.length}`, [], points);
  }
  const code = CODES.find(([kind]) => values instanceof kind)?.[1];
  if (!code) throw new TypeError(say`an array of numbers is expected, got ${Object.prototype.toString.call(values)}`);
  const size = (shape ?? [values.length]).reduce((a, b) => a * b, 1);
  if (size !== values.length) throw new RangeError(say`${values.length} numbers do not fill the shape [${shape}]`);
  return file(code, shape ?? [values.length], values);
}

function file(code, shape, { buffer, byteOffset, byteLength }) {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '${code}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const before = 10;
  const padded = header.padEnd(Math.ceil((before + header.length + 1) / ALIGNED) * ALIGNED - before - 1);
  const out = new Uint8Array(before + padded.length + 1 + byteLength);
  out.set([0x93, ...text("NUMPY"), 1, 0]);
  new DataView(out.buffer).setUint16(8, padded.length + 1, true);
  out.set(text(`${padded}\n`), before);
  out.set(new Uint8Array(buffer, byteOffset, byteLength), out.length - byteLength);
  return out;
}

/** An .npz of named arrays. @param {Object<string, Uint8Array>} arrays each as `npy` makes it @returns {Uint8Array} */
export function npz(arrays) {
  const [bodies, directory] = [[], []];
  let at = 0;
  for (const [name, data] of Object.entries(arrays)) {
    const path = text(`${name}.npy`);
    const sum = crc32(data);
    // Version, flags, method (stored), time, date (1 January 1980), checksum, both sizes, length of the name, of extras.
    const shared = [u16(20), u16(0), u16(0), u16(0), u16(33), u32(sum), u32(data.length), u32(data.length)];
    const local = joined([u32(0x04034b50), ...shared, u16(path.length), u16(0), path, data]);
    const rest = [u16(path.length), u16(0), u16(0), u16(0), u16(0), u32(0), u32(at), path];
    directory.push(joined([u32(0x02014b50), u16(20), ...shared, ...rest]));
    bodies.push(local);
    at += local.length;
  }
  const listed = joined(directory);
  const n = u16(bodies.length);
  const end = joined([u32(0x06054b50), u16(0), u16(0), n, n, u32(listed.length), u32(at), u16(0)]);
  return joined([...bodies, listed, end]);
}

const u16 = (value) => Uint8Array.of(value, value >> 8);
const u32 = (value) => Uint8Array.of(value, value >> 8, value >> 16, value >> 24);

/** @param {Uint8Array[]} parts */
function joined(parts) {
  const out = new Uint8Array(parts.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let sum = n;
  for (let k = 0; k < 8; k++) sum = sum & 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1;
  return sum;
});

/** The checksum of zip. @param {Uint8Array} data */
export function crc32(data) {
  let sum = ~0;
  for (const byte of data) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return ~sum >>> 0;
}
