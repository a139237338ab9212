/** What an explorer shows, as an SVG: text stays text, plots stay curves, rasters are images; and as a PNG of it. */
import { say } from "../../language.js";
import { h, svg } from "../dom/elements.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const MARGIN = 16;
const LINE = 18;

/** Pixels of the PNG for each of the page. */
const SHARP = 2;

/** Controls are no part of a picture: the caption says how they stand. */
const WITHOUT =
  ".lab :is(button, input, select, textarea, .choice, .select, .slider, .digits, .drawing, .setup, .tune, .copies, .along, .unseen, .hint, u) { display: none !important; } .controls { position: static !important; border: 0 !important; } .lab *::before, .lab *::after { content: none !important; }";

/** What an SVG takes from the style sheet: properties that pass on to what is inside, and those that do not. */
const PASSED_ON = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linejoin",
  "paint-order",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
  "visibility",
];
const OWN = { display: "inline", opacity: "1", "dominant-baseline": "auto" };

/** Of what the style sheet writes. */
const COPIED = [
  "position",
  "left",
  "right",
  "top",
  "bottom",
  "width",
  "margin",
  "font-size",
  "font-weight",
  "color",
  "text-align",
  "white-space",
];

const CLEAR = "rgba(0, 0, 0, 0)";

/**
 * The picture as the text of an SVG file.
 * @param {any} stage of the explorer  @param {string} title  @param {string} caption the settings
 */
export function pictureOf({ lab, app, colours, root }, title, caption) {
  const hidden = h("style", {}, WITHOUT);
  const written = writeOut(app);
  root.append(hidden);
  try {
    const { left, top, width, height } = app.getBoundingClientRect();
    const content = svg("g", { transform: `translate(${round(MARGIN - left)} ${round(MARGIN - top)})` });
    draw(app, content, Infinity);
    const font = getComputedStyle(lab).fontFamily;
    const says = wrapped(caption, width, `13px ${font}`);
    const whole = { width: Math.ceil(width + 2 * MARGIN), height: Math.ceil(height + 2 * MARGIN + LINE * says.length) };
    const lines = says.map((line, k) =>
      svg("text", { x: MARGIN, y: round(MARGIN + height + LINE * (k + 1)), fill: colours.quiet, "font-size": 13 }, line),
    );
    const paper = svg("rect", { ...whole, fill: colours.background });
    const attributes = { xmlns: NAMESPACE, ...whole, viewBox: `0 0 ${whole.width} ${whole.height}`, "font-family": font };
    const out = svg("svg", attributes, svg("title", {}, title), svg("desc", {}, caption), paper, content, ...lines);
    return new XMLSerializer().serializeToString(out);
  } finally {
    for (const element of [hidden, ...written]) element.remove();
  }
}

/** Make what the style sheet writes before and after elements part of the page, for as long as it is drawn. */
function writeOut(app) {
  const written = [];
  for (const element of app.querySelectorAll("*")) {
    if (getComputedStyle(element).display === "none") continue;
    for (const place of ["before", "after"]) {
      const style = getComputedStyle(element, `::${place}`);
      const text = /^"(.*\S.*)"$/.exec(style.content)?.[1];
      if (!text) continue;
      const looks = COPIED.map((name) => `${name}: ${style.getPropertyValue(name)}`).join(";");
      written.push({ element, place, span: h("span", { style: looks }, text) });
    }
  }
  for (const { element, place, span } of written) {
    if (place === "before") element.prepend(span);
    else element.append(span);
  }
  return written.map(({ span }) => span);
}

/** Draw an element and what is in it. @param {Element} element  @param {Element} into  @param {number} end where text is cut off */
function draw(element, into, end) {
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  if (style.display === "none" || style.opacity === "0" || style.clipPath === "inset(50%)") return;
  const group = style.opacity === "1" ? into : svg("g", { opacity: style.opacity });
  if (group !== into) into.append(group);
  const shown = style.visibility === "visible" && box.width > 0;
  if (element instanceof SVGSVGElement) {
    if (shown && box.height > 0) group.append(plotOf(element, box));
    return;
  }
  if (shown) drawBox(group, style, box);
  if (element instanceof HTMLCanvasElement) {
    if (shown && element.width > 0) group.append(imageOf(element, style, box));
    return;
  }
  const within = style.overflowX === "visible" ? end : Math.min(end, box.right);
  for (const child of element.childNodes) {
    if (child instanceof Text && shown) drawText(child, group, style, within);
    else if (child instanceof Element) draw(child, group, within);
  }
}

function drawBox(into, style, { left, top, width, height, right, bottom }) {
  // A hatched area is drawn in the first of its colours.
  const fill =
    style.backgroundColor === CLEAR
      ? /rgba?\([^)]*\)|color\([^)]*\)/.exec(style.backgroundImage)?.[0]
      : style.backgroundColor;
  const place = { x: round(left), y: round(top), width: round(width), height: round(height) };
  const rx = Math.min(Number.parseFloat(style.borderTopLeftRadius) || 0, width / 2, height / 2) || null;
  if (fill) into.append(svg("rect", { ...place, rx, fill }));
  const ends = {
    top: [left, top, right, top],
    right: [right, top, right, bottom],
    bottom: [left, bottom, right, bottom],
    left: [left, top, left, bottom],
  };
  for (const [side, at] of Object.entries(ends)) {
    const [wide, colour, kind] = ["width", "color", "style"].map((part) => style.getPropertyValue(`border-${side}-${part}`));
    const thick = kind === "none" ? 0 : Number.parseFloat(wide);
    if (thick === 0 || colour === CLEAR) continue;
    const [x1, y1, x2, y2] = at.map(round);
    const dash = kind === "dashed" ? `${3 * thick} ${2 * thick}` : null;
    into.append(svg("line", { x1, y1, x2, y2, stroke: colour, "stroke-width": thick, "stroke-dasharray": dash }));
  }
}

function imageOf(canvas, style, { left, top, width, height }) {
  const href = canvas.toDataURL();
  const rendering = style.imageRendering === "pixelated" ? "image-rendering: pixelated" : null;
  const place = { x: round(left), y: round(top), width: round(width), height: round(height) };
  return svg("image", { href, ...place, preserveAspectRatio: "none", style: rendering });
}

/** A plot with the style that the page gives it. */
function plotOf(plot, { left, top, width, height }) {
  const copy = /** @type {SVGSVGElement} */ (plot.cloneNode(true));
  dress(plot, copy, {});
  const place = { x: left, y: top, width, height };
  for (const [name, value] of Object.entries(place)) copy.setAttribute(name, String(round(value)));
  copy.setAttribute("overflow", getComputedStyle(plot).overflow);
  return copy;
}

/** @param {Element} from  @param {Element} to  @param {Object<string, string>} above what the parent passes on */
function dress(from, to, above) {
  const style = getComputedStyle(from);
  const passed = Object.fromEntries(PASSED_ON.map((name) => [name, style.getPropertyValue(name)]));
  for (const [name, value] of Object.entries(passed)) if (value !== above[name]) to.setAttribute(name, value);
  for (const [name, initial] of Object.entries(OWN)) {
    if (style.getPropertyValue(name) !== initial) to.setAttribute(name, style.getPropertyValue(name));
  }
  to.removeAttribute("class");
  to.removeAttribute("style");
  Array.from(from.children, (child, k) => dress(child, to.children[k], passed));
}

/** Text where the page has it, line by line. */
function drawText(node, into, style, end) {
  /** @type {{top: number, left: number, right: number, height: number, text: string}[]} */
  const lines = [];
  for (const { index, 0: word } of node.data.matchAll(/\S+/g)) {
    const range = document.createRange();
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const { left, right, top, height, width } = range.getBoundingClientRect();
    if (width === 0 || right > end + 1) continue;
    const line = lines.at(-1);
    if (line && Math.abs(line.top - top) < 2) Object.assign(line, { right, text: `${line.text} ${word}` });
    else lines.push({ top, left, right, height, text: word });
  }
  if (lines.length === 0) return;
  const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = measured(lines[0].text, style.font);
  for (const { top, left, height, text } of lines) {
    const y = round(top + (height * up) / (up + down));
    const looks = { fill: style.color, "font-size": style.fontSize, "font-weight": style.fontWeight };
    into.append(svg("text", { x: round(left), y, ...looks }, text));
  }
}

let ruler = null;

function measured(text, font) {
  ruler ??= document.createElement("canvas").getContext("2d");
  ruler.font = font;
  return ruler.measureText(text);
}

function wrapped(text, width, font) {
  return text.split(" ").reduce(
    (lines, word) => {
      const longer = `${lines.at(-1) ?? ""} ${word}`.trim();
      if (lines.length && measured(longer, font).width <= width) return [...lines.slice(0, -1), longer];
      return [...lines, word];
    },
    /** @type {string[]} */ ([]),
  );
}

const round = (value) => Math.round(100 * value) / 100;

/** @param {string} source of an SVG @returns {Promise<Blob>} a PNG */
export async function pngOf(source) {
  const image = new Image();
  // As text in the address: a strict page shows no picture from a blob.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), {
    width: SHARP * image.naturalWidth,
    height: SHARP * image.naturalHeight,
  });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error(say`this browser makes no picture of this size`))),
      "image/png",
    ),
  );
}
