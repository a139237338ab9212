/**
 * An explorer in JupyterLab, as anywidget wants it. The kernel answers; what it sent before lets the browser go on alone
 * when the kernel is gone.
 */
import { KernelEngine } from "./kernel.js";
import { TraitStore } from "./store.js";
import { mount } from "./view/explorer.js";

export const widget = {
  /** @param {{model: object, el: HTMLElement}} context */
  render({ model, el }) {
    const host = document.createElement("div");
    el.append(host);
    const store = new TraitStore(model);
    const engine = new KernelEngine(channelOf(model));
    const dispose = mount(host, store, engine);
    return () => {
      dispose();
      engine.dispose();
      store.dispose();
      host.remove();
    };
  },
};

/** Custom messages of an anywidget model as a channel. */
function channelOf(model) {
  return {
    send: (message) => model.send(message),
    listen(listener) {
      model.on("msg:custom", listener);
      return () => model.off("msg:custom", listener);
    },
  };
}
