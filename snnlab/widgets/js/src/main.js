/** The script of the book, where it defines <snn-lab>, and of JupyterLab, where anywidget takes `widget` from it. */
import { defineElement } from "./host/element.js";

export * as engine from "./engine/index.js";
export { widget } from "./host/widget.js";

defineElement();
