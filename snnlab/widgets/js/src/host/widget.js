/** An explorer in JupyterLab, as anywidget wants it: the kernel answers. */
import { TraitStore } from "../state/store.js";
import { mount } from "../view/index.js";
import { KernelEngine } from "./kernel.js";

export const widget = {
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

function channelOf(model) {
  return {
    send: (message) => model.send(message),
    listen(listener) {
      model.on("msg:custom", listener);
      return () => model.off("msg:custom", listener);
    },
  };
}
