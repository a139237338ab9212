/** What a reader takes along: arrays for NumPy, tables, and pictures fitted to what the networks expect. */
import assert from "node:assert/strict";
import test from "node:test";
import { fitPicture } from "../src/view/along/fit.js";
import { crc32, npy } from "../src/view/along/npz.js";
import { arraysOf, csv, rowsOf } from "../src/view/along/tables.js";

const DIGIT = { isDigit: true };
const SHAPE = [1, 28, 28];

/** A picture as a canvas has it, from a function of the place. */
function picture(width, height, grey, alpha = () => 255) {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let p = 0; p < width * height; p++) {
    const [x, y] = [p % width, Math.floor(p / width)];
    data.set([grey(x, y), grey(x, y), grey(x, y), alpha(x, y)].flat().slice(0, 4), 4 * p);
  }
  return { data, width, height };
}

/** An upright stroke. */
const stroke = (width, height) => (x, y) => x > 0.4 * width && x < 0.6 * width && y > 0.2 * height && y < 0.8 * height;

test("the header of an array ends at a multiple of 64 and says type and shape", () => {
  const file = npy(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
  const length = file[8] + 256 * file[9];
  assert.equal((10 + length) % 64, 0);
  assert.equal(file.length, 10 + length + 24);
  const header = new TextDecoder().decode(file.subarray(10, 10 + length));
  assert.equal(header.trim(), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
});

test("an array that its shape does not hold is an error", () => {
  assert.throws(() => npy(Float32Array.of(1, 2, 3), [2, 2]), /3 numbers do not fill the shape \[2,2\]/);
  assert.throws(() => npy([1, 2]), /array of numbers/);
});

test("the checksum is the one of zip", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
});

test("a table has one row a line, and quotes what would end a cell", () => {
  const rows = [
    { a: 0.1 + 0.2, b: 'say "yes", or no' },
    { a: null, b: "plain", c: 3 },
  ];
  assert.equal(csv(rows), 'a,b,c\r\n0.3,"say ""yes"", or no",\r\n,plain,3\r\n');
});

/** An explorer of some kind that shows something. */
function explorer(kind, parts) {
  return { constructor: { kind }, ...parts };
}

test("the table of a curve has its points with their intervals; where nothing was measured there is none", () => {
  const points = [{ eps: 0.1, share: 0.5, low: 0.4, high: 0.6 }];
  const content = { title: "worst case", curves: [{ name: "onset", title: "Onset", points }] };
  const row = {
    network: "onset",
    title: "Onset",
    measured: "worst case",
    n: 500,
    eps: 0.1,
    accuracy: 0.5,
    accuracy_low: 0.4,
    accuracy_high: 0.6,
  };
  assert.deepEqual(rowsOf(explorer("robustness", { plot: { content }, data: { results: { n: 500 } } })), [row]);
  assert.equal(rowsOf(explorer("robustness", { plot: {} })), undefined);
});

test("images are saved before and after the attack, each network's own", () => {
  const image = Float32Array.of(0, 1);
  const frame = (encoding) => ({ shape: [1, 1, 2], encoding, clean: { image }, attacked: { image: image.slice() } });
  const picker = { pixels: () => ({ label: 7 }) };
  const names = (answer) => Object.keys(arraysOf({ last: { answer }, picker, store: { all() {} } }, "settings"));
  assert.deepEqual(names(frame("onset")), ["clean", "attacked", "label", "settings"]);
  assert.deepEqual(names([frame("a"), frame("b")]), ["clean", "attacked_a", "attacked_b", "label", "settings"]);
  assert.deepEqual(names({ ...frame("onset"), attacked: null }), ["clean", "label", "settings"]);
  assert.deepEqual(names({ ...frame("onset"), attacked: { image } }), ["clean", "label", "settings"], "a fault");
});

test("a digit on white paper is the same as on black paper", () => {
  const inside = stroke(200, 240);
  const white = fitPicture(
    picture(200, 240, (x, y) => (inside(x, y) ? 0 : 255)),
    SHAPE,
    DIGIT,
  );
  const black = fitPicture(
    picture(200, 240, (x, y) => (inside(x, y) ? 255 : 0)),
    SHAPE,
    DIGIT,
  );
  assert.deepEqual(white.levels, black.levels);
  assert.match(white.steps.join(), /inverted, because its paper is white/);
  assert.doesNotMatch(black.steps.join(), /inverted/);
  const rows = Array.from({ length: 28 }, (_, y) => white.levels.slice(28 * y, 28 * y + 28).some((v) => v > 0));
  assert.equal(rows.filter(Boolean).length, 20);
});

test("light that falls from one side, and shadows, are no ink", () => {
  const inside = stroke(200, 240);
  const under = (light) =>
    fitPicture(
      picture(200, 240, (x, y) => light(x) * (inside(x, y) ? 0.14 : 1)),
      SHAPE,
      DIGIT,
    );
  const even = under(() => 220);
  const lit = under((x) => 140 + (100 * x) / 200);
  const inked = ({ levels }) => levels.map((v) => v > 128);
  assert.deepEqual(inked(lit), inked(even));
});

test("what is transparent is white paper", () => {
  const inside = stroke(100, 100);
  const glass = fitPicture(
    picture(
      100,
      100,
      () => 0,
      (x, y) => (inside(x, y) ? 255 : 0),
    ),
    SHAPE,
    DIGIT,
  );
  const paper = fitPicture(
    picture(100, 100, (x, y) => (inside(x, y) ? 0 : 255)),
    SHAPE,
    DIGIT,
  );
  assert.deepEqual(glass.levels, paper.levels);
});

test("an image of the right size is taken pixel by pixel", () => {
  const grey = (x, y) => (x > 3 && x < 20 && y > 3 && y < 24 ? (7 * x + y) % 256 : 0);
  const { levels, steps } = fitPicture(picture(28, 28, grey), SHAPE, DIGIT);
  assert.deepEqual(
    levels,
    Array.from({ length: 784 }, (_, p) => grey(p % 28, Math.floor(p / 28))),
  );
  assert.deepEqual(steps, ["of the right size"]);
});

test("a picture that shows nothing is an error", () => {
  assert.throws(
    () =>
      fitPicture(
        picture(50, 50, () => 240),
        SHAPE,
        DIGIT,
      ),
    /all of it has the same brightness/,
  );
});

test("colours are kept where the images have colours, and pictures of other things are not cut", () => {
  const red = {
    data: Uint8ClampedArray.from({ length: 4 * 16 }, (_, k) => (k % 4 === 0 || k % 4 === 3 ? 255 : 0)),
    width: 4,
    height: 4,
  };
  const { levels } = fitPicture(red, [3, 2, 2], { isDigit: false });
  assert.deepEqual(levels, [255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
  const wide = fitPicture(
    picture(40, 20, (x) => (x < 20 ? 200 : 0)),
    [1, 4, 4],
    { isDigit: false },
  );
  assert.equal(wide.levels.length, 16);
  assert.match(wide.steps.join(), /scaled from 40×20 to 4×4/);
});
