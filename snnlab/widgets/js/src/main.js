/**
 * The script of the book and of the widget. In a page it defines the element <snn-lab>; in JupyterLab, anywidget takes
 * `widget` from it.
 */
import { defineElement } from "./element.js";

export * as engine from "./engine/index.js";
export { widget } from "./widget.js";

defineElement();
