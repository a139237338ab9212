/**
 * A picture that the reader brings, made into an image as the networks expect it: grey or in colours, of their size.
 *
 * A written digit is treated as MNIST's were: ink is white on black paper, scaled to 20×20 pixels and centred by its mass.
 */
import { say } from "../../language.js";
import { centreDigit } from "../model/centred-drawing.js";

/** Grey levels above this are light. */
const LIGHT = 127;

/** A picture whose levels differ by less shows nothing. */
const LEAST_CONTRAST = 24;

/** A share of the ink's range below which a pixel is paper: shadows, grain, lines of ruled paper. */
const PAPER = 0.3;

/**
 * @param {{data: ArrayLike<number>, width: number, height: number}} picture as a canvas has it: four bytes a pixel
 * @param {number[]} shape [C, H, W] of the images  @param {{isDigit: boolean, darkPaper?: boolean}} about `darkPaper`: of the images
 * @returns {{levels: number[], steps: string[]}} 0 … 255 in the order [C, H, W], and what was done
 */
export function fitPicture(picture, shape, { isDigit, darkPaper = true }) {
  const [channels, height, width] = shape;
  const { width: w, height: h } = picture;
  const steps = [];
  if (channels === 3) {
    steps.push(...scaled(picture, height, width));
    const planes = [0, 1, 2].map((c) => resized(plane(picture, c), w, h, width, height));
    return { levels: planes.flat(), steps };
  }
  const { grey, isColoured } = greyOf(picture);
  if (isColoured) steps.push(say`made grey`);
  const paper = paperOf(grey, w, h);
  const ends = range(grey);
  if (ends.high - ends.low < LEAST_CONTRAST)
    throw new Error(say`the picture shows nothing: all of it has the same brightness`);
  const isLight = paper(w / 2, h / 2) > LIGHT;
  const turn = isDigit || darkPaper ? isLight : !isLight;
  if (turn) steps.push(say`inverted, because its paper is ${isLight ? say`white` : say`black`}`);
  // What has the size and the paper already is taken pixel by pixel.
  if (w === width && h === height)
    return { levels: grey.map((v) => (turn ? 255 - v : v)), steps: [...steps, say`of the right size`] };
  if (!isDigit) {
    const levels = resized(grey, w, h, width, height, turn ? 255 - paper(0, 0) : paper(0, 0), turn);
    return { levels, steps: [...steps, ...scaled(picture, height, width)] };
  }
  const image = centreDigit(inkOf(grey, paper, isLight, w), w);
  if (!image) throw new Error(say`the picture shows nothing: no ink stands out from its paper`);
  return {
    levels: [...image],
    steps: [...steps, say`its ink scaled to 20×20 pixels and centred in 28×28, as the training digits were`],
  };
}

const scaled = ({ width: w, height: h }, height, width) => [say`scaled from ${w}×${h} to ${width}×${height} pixels`];

/** One channel over white, which shows through where a picture is transparent. */
const plane = ({ data, width, height }, channel) =>
  Array.from({ length: width * height }, (_, p) => {
    const alpha = data[4 * p + 3] / 255;
    return Math.round(data[4 * p + channel] * alpha + 255 * (1 - alpha));
  });

/** Brightness (ITU-R BT.601), and whether there was colour. */
function greyOf(picture) {
  const [red, green, blue] = [0, 1, 2].map((channel) => plane(picture, channel));
  const isColoured = red.some((r, p) => Math.max(r, green[p], blue[p]) - Math.min(r, green[p], blue[p]) > 16);
  return { grey: red.map((r, p) => Math.round(0.299 * r + 0.587 * green[p] + 0.114 * blue[p])), isColoured };
}

/** The brightness of the paper at a place: medians of the four edges, and a plane through them, because light falls from a side. */
function paperOf(grey, w, h) {
  const row = (y) => median(grey.slice(y * w, (y + 1) * w));
  const column = (x) => median(Array.from({ length: h }, (_, y) => grey[y * w + x]));
  const [top, bottom, left, right] = [row(0), row(h - 1), column(0), column(w - 1)];
  const middle = (top + bottom + left + right) / 4;
  return (x, y) => middle + (right - left) * (x / w - 0.5) + (bottom - top) * (y / h - 0.5);
}

/** The ink, 0 … 255: on light paper the share of the light that it takes away, on dark paper what it adds. */
function inkOf(grey, paper, isLight, w) {
  const away = grey.map((v, p) => {
    const around = paper(p % w, Math.floor(p / w));
    return isLight ? 255 * (1 - v / Math.max(around, 1)) : v - around;
  });
  // Not the largest: a single bright pixel is no ink.
  const most = [...away].sort((a, b) => a - b)[Math.floor(0.995 * (away.length - 1))];
  const full = Math.max(most, LEAST_CONTRAST);
  return Uint8Array.from(away, (v) => (v < PAPER * full ? 0 : Math.min(255, Math.round((255 * v) / full))));
}

/** Means over areas, the whole picture inside the field, and paper around it. @returns {number[]} */
function resized(levels, w, h, width, height, paper = 0, turn = false) {
  const scale = Math.max(w / width, h / height);
  const [left, top] = [(w - scale * width) / 2, (h - scale * height) / 2];
  return Array.from({ length: width * height }, (_, p) => {
    const [x0, y0] = [left + scale * (p % width), top + scale * Math.floor(p / width)];
    let [sum, area] = [0, 0];
    for (let y = Math.max(0, Math.floor(y0)); y < Math.min(h, y0 + scale); y++) {
      const tall = Math.min(y + 1, y0 + scale) - Math.max(y, y0);
      for (let x = Math.max(0, Math.floor(x0)); x < Math.min(w, x0 + scale); x++) {
        const part = tall * (Math.min(x + 1, x0 + scale) - Math.max(x, x0));
        if (part <= 0) continue;
        const level = levels[y * w + x];
        sum += part * (turn ? 255 - level : level);
        area += part;
      }
    }
    return Math.round((sum + (scale * scale - area) * paper) / (scale * scale));
  });
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

function range(values) {
  return values.reduce(({ low, high }, v) => ({ low: Math.min(low, v), high: Math.max(high, v) }), { low: 255, high: 0 });
}
