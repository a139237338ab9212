/** A button behind which the page measures accuracy itself; the script for that is loaded when it is pressed. */
import { say } from "../../language.js";
import { h } from "../dom/elements.js";

/** @param {any} explorer @returns {Element|null} null where there is no network in the page */
export function bench(explorer) {
  if (!explorer.zoo.results) return null;
  const open = async () => {
    button.disabled = true;
    try {
      const { Live } = await explorer.engine.part("live");
      explorer.live = new Live(explorer, element);
      explorer.live.start();
    } catch (error) {
      button.disabled = false;
      explorer.stage.fail(error);
    }
  };
  const button = h("button", { type: "button", onclick: open }, say`Measure it here`);
  const element = h("div", { class: "bench" }, button);
  return element;
}
