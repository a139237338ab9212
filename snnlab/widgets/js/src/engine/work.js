/** How a script becomes a worker: it takes tasks (serve.js) from the page, and nothing but that. */
import { serve } from "./serve.js";

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

/** @param {Object<string, any>} [tasks] those of serve.js if not given */
export function work(tasks) {
  const scope = /** @type {any} */ (globalThis);
  const take = serve((message) => scope.postMessage(message), nextMessage, tasks);
  scope.onmessage = ({ data }) => take(data);
  scope.postMessage({ type: "ready" });
}
