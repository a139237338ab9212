/**
 * Asks the engine whenever the state has changed, once a display frame at most. What is shown stays until the new frame
 * is ready, and the newest request wins.
 */

/** An attack may finish although a newer request waits, if it began within this time (ms). */
const GRACE = 150;

export class Runner {
  #hooks;
  #scheduled = null;
  #running = null;
  #again = false;
  #disposed = false;

  /** @param {any} hooks ask → {request, topic} (those of a topic resemble each other), run, show, fail, busy */
  constructor(hooks) {
    this.#hooks = hooks;
  }

  request() {
    if (this.#disposed) return;
    this.#scheduled ??= requestAnimationFrame(() => {
      this.#scheduled = null;
      this.#start();
    });
  }

  #start() {
    let asked;
    try {
      asked = this.#hooks.ask();
    } catch (error) {
      this.#hooks.fail(error);
      return;
    }
    const { request, topic } = asked;
    if (this.#running) {
      const { began, topic: other } = this.#running;
      if (topic === other && performance.now() - began < GRACE) {
        this.#again = true;
        return;
      }
      this.#running.controller.abort();
    }
    this.#run(request, topic);
  }

  async #run(request, topic) {
    const running = { controller: new AbortController(), began: performance.now(), topic };
    this.#running = running;
    this.#again = false;
    this.#hooks.busy(true);
    const isNewest = () => !this.#disposed && this.#running === running;
    try {
      const frame = await this.#hooks.run({ ...request, signal: running.controller.signal });
      if (isNewest()) this.#hooks.show(frame);
    } catch (error) {
      if (isNewest() && error.name !== "AbortError") this.#hooks.fail(error);
    }
    if (!isNewest()) return;
    this.#running = null;
    if (this.#again) this.#start();
    else this.#hooks.busy(false);
  }

  dispose() {
    this.#disposed = true;
    if (this.#scheduled !== null) cancelAnimationFrame(this.#scheduled);
    this.#running?.controller.abort();
  }
}
