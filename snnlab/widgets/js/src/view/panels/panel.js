/**
 * What panels are made of: a heading above something drawn. Those of a timeline share its axis, and each shows one frame.
 *
 * @typedef {{exit: number, parts: {name: string, gate: number}[], silenced?: number, decoder?: string, margins: Margins,
 *   colours: Colours, names?: string[]}} Context steps that are read, parts of the code and the silenced one, read-out, margins of
 *   the axis, names of the classes
 */
import { spread } from "../charts/label-placement.js";
import { h } from "../dom/elements.js";
import { sizeOf } from "../dom/sizes.js";

const ROW_LABEL = 11;

export class Panel {
  constructor(kind, title, ...drawn) {
    this.title = h("h4", {}, title);
    this.note = h("span", { class: "note" });
    this.body = h("div", { class: "body" }, ...drawn);
    this.header = h("header", {}, this.title, this.note);
    this.element = h("section", { class: `panel ${kind}` }, this.header, this.body);
  }
}

export class RasterPanel extends Panel {
  constructor(kind, title) {
    const canvas = h("canvas", { role: "img", "aria-label": title });
    const rows = h("div", { class: "rows", "aria-hidden": "true" });
    super(kind, title, canvas, rows, h("div", { class: "veil", "aria-hidden": "true" }));
    this.canvas = canvas;
    this.rows = rows;
  }

  get height() {
    return sizeOf(this.canvas).height;
  }
}

/** Write labels beside a raster, none over another; they are made anew only if they have changed. */
export function labelRows(element, labels, height) {
  const key = `${height} ${labels.join()}`;
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  const middles = labels.map(([, middle]) => middle);
  const places = spread(middles, ROW_LABEL, ROW_LABEL / 2, height - ROW_LABEL / 2);
  element.replaceChildren(...labels.map(([text], k) => h("span", { style: `top: ${places[k]}px` }, text)));
}

/** Number the steps below a raster; those that are read stand out. */
export function numberSteps(element, steps, read) {
  if (element.childElementCount !== steps) {
    const every = steps > 60 ? 10 : steps > 12 ? 5 : 1; // a phone has no room for more
    const label = (t) => h("span", {}, (t + 1) % every ? "" : String(t + 1));
    element.replaceChildren(...Array.from({ length: steps }, (_, t) => label(t)));
  }
  for (const [t, label] of [...element.children].entries()) label.classList.toggle("read", t < read);
}
