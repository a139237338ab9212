/** <snn-lab explorer="robustness" …>: an explorer in a page. Its content is shown until the first frame is ready. */
import { BrowserEngine } from "../engine/index.js";
import { Address } from "../state/address.js";
import { ATTRIBUTES, ElementStore } from "../state/store.js";
import { mount } from "../view/index.js";
import { loadScript } from "./data-scripts.js";
import { ownData } from "./own-data.js";
import { withYours } from "./yours.js";

/** All explorers of a page share one engine, and so the models that it has unpacked. */
let engine = null;

/** And one address, unless it belongs to what shows the page: JupyterLab, or slides, whose address says which slide it is. */
let address = null;

/** Define the element, unless the page contains this script twice. */
export function defineElement() {
  if (!globalThis.customElements || customElements.get("snn-lab")) return;
  engine = new BrowserEngine(withYours(loadScript));
  address = document.querySelector("#jupyter-config-data, .reveal") ? null : new Address(window);

  class SnnLab extends HTMLElement {
    static observedAttributes = ATTRIBUTES;
    #store = new ElementStore(this, address);
    #dispose = null;
    #engine = null;

    connectedCallback() {
      this.#dispose ??= this.#mount();
    }

    #mount() {
      const own = ownData(this);
      this.#engine ??= own ? new BrowserEngine(own) : engine;
      return mount(this, this.#store, this.#engine);
    }

    disconnectedCallback() {
      // Moving an element disconnects it for a moment; only one that stays away is cleared.
      queueMicrotask(() => {
        if (this.isConnected) return;
        this.#dispose?.();
        this.#dispose = null;
      });
    }

    attributeChangedCallback(name) {
      if (name === "explorer" && this.#dispose) {
        this.#dispose();
        this.#dispose = this.#mount();
      }
      this.#store.changed();
    }
  }
  customElements.define("snn-lab", SnnLab);
}
