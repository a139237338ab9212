/** How a script becomes a worker: it takes tasks (serve.js) from the page, and nothing but that. */
import { nextMessage } from "./pause.js";
import { serve } from "./serve.js";

/** @param {Object<string, any>} [tasks] those of serve.js if not given */
export function work(tasks) {
  const scope = /** @type {any} */ (globalThis);
  const take = serve((message) => scope.postMessage(message), nextMessage, tasks);
  scope.onmessage = ({ data }) => take(data);
  scope.postMessage({ type: "ready" });
}
