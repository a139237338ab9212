/**
 * Threads that compute, and how a page comes by them. From disk only a worker from a Blob starts, under the policy of a careful
 * server only one from a file of that server; where neither does, the page itself does the work, in slices between frames.
 *
 * @typedef {{kind: "file"|"blob"|"page", post: (message: any) => void, onMessage: (message: any) => void,
 *   onDeath: () => void, close: () => void}} Port
 */

import { serve } from "../engine/serve.js";
import { say } from "../language.js";

/** How long a worker may take until it is ready, in ms. */
const PATIENCE = 5000;

/** A slice on the page ends after this time, in ms. */
const SLICE = 8;

/**
 * What starts a thread, in the order to try.
 * @param {{url: string|null, text: () => Promise<string>}} source `url` of the script where a server has it; `text` of the same
 * @param {Object<string, any>} [tasks] of the page itself; those of engine/serve.js if not given
 * @returns {(() => Promise<Port>)[]}
 */
export function ways({ url, text }, tasks) {
  const blob = async () => {
    const address = URL.createObjectURL(new Blob([await text()], { type: "text/javascript" }));
    try {
      return await started("blob", () => new Worker(address));
    } finally {
      URL.revokeObjectURL(address);
    }
  };
  return [
    ...(url ? [() => started("file", () => new Worker(url))] : []),
    blob,
    async () => onPage(undefined, undefined, tasks),
  ];
}

/** @returns {Promise<Port>} once the worker is ready; rejects if it does not start */
function started(kind, make) {
  return new Promise((resolve, reject) => {
    const worker = make();
    /** @type {Port} */
    const port = {
      kind,
      post: (message) => worker.postMessage(message),
      onMessage: () => {},
      onDeath: () => {},
      close: () => worker.terminate(),
    };
    const fail = (reason) => {
      worker.terminate();
      reject(new Error(say`a worker of kind "${kind}" did not start: ${reason}`));
    };
    const timer = setTimeout(() => fail(say`no answer`), PATIENCE);
    worker.onerror = (event) => {
      event.preventDefault?.();
      clearTimeout(timer);
      fail(event.message ?? "refused");
    };
    worker.onmessage = () => {
      clearTimeout(timer);
      worker.onmessage = ({ data }) => port.onMessage(data);
      worker.onerror = (event) => {
        event.preventDefault?.();
        worker.terminate();
        port.onDeath();
      };
      resolve(port);
    };
  });
}

/** The page itself: it gives way to frames and events after each slice. @returns {Port} */
export function onPage(schedule = (done) => setTimeout(done, 0), clock = () => performance.now(), tasks = undefined) {
  let began = clock();
  let open = true;
  const giveWay = async () => {
    if (clock() - began < SLICE) return;
    await new Promise((resolve) => schedule(resolve));
    began = clock();
  };
  /** @type {Port} */
  const port = { kind: "page", post: () => {}, onMessage: () => {}, onDeath: () => {}, close: () => {} };
  const take = serve((message) => open && port.onMessage(message), giveWay, tasks);
  port.post = (message) => schedule(() => open && take(message));
  port.close = () => {
    open = false;
  };
  return port;
}
