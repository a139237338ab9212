/** A worker of the page: it computes what the page asks (engine/serve.js), and nothing but that. */
import { serve } from "../engine/serve.js";

/** @returns {Promise<void>} resolved behind the messages that wait already */
function nextMessage() {
  return new Promise((/** @type {() => void} */ resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

const scope = /** @type {any} */ (globalThis);
const take = serve((message) => scope.postMessage(message), nextMessage);
scope.onmessage = ({ data }) => take(data);
scope.postMessage({ type: "ready" });
