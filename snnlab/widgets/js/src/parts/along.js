/** What a reader takes along from an explorer, or brings: the menu below it, loaded when it is first opened. */
export { toggle } from "../view/along/menu.js";
