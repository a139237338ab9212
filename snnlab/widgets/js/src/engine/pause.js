/** Giving way to the event loop in the middle of a long computation, so that the page never freezes. */

/**
 * Let other work run, then go on, unless the computation has been called off.
 * @param {AbortSignal} [signal]  @throws {DOMException} named "AbortError"
 */
export async function pause(signal) {
  signal?.throwIfAborted();
  await (globalThis.scheduler?.yield?.() ?? nextMessage());
  signal?.throwIfAborted();
}

/** @returns {Promise<void>} resolved behind the messages that wait already: at once; nested timers would wait 4 ms each. */
export function nextMessage() {
  return new Promise((/** @type {() => void} */ resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
