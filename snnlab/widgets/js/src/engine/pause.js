/**
 * Giving way to the event loop in the middle of a long computation, so that the page never freezes.
 */

/**
 * Let other work run, then go on, unless the computation has been called off.
 *
 * @param {AbortSignal} [signal]
 * @throws {DOMException} named "AbortError"
 */
export async function pause(signal) {
  throwIfAborted(signal);
  await nextTask();
  throwIfAborted(signal);
}

/** @param {AbortSignal} [signal] */
export function throwIfAborted(signal) {
  if (signal?.aborted) throw new DOMException("called off: a newer request came in", "AbortError");
}

function nextTask() {
  if (globalThis.scheduler?.yield) return globalThis.scheduler.yield();
  if (typeof MessageChannel === "undefined") return new Promise((resolve) => setTimeout(resolve, 0));
  // A message comes back at once; nested timers would wait 4 ms each.
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
