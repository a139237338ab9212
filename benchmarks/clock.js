/**
 * Runs in every page that is measured: from an input event to the end of the rendering that shows its answer.
 *
 * A page paints at the end of the task in which its animation callbacks run, so a message posted by such a callback
 * arrives when the paint is done. What changes the page outside of such a task is painted in the next one.
 */
(() => {
  const { port1, port2 } = new MessageChannel();
  const waiting = [];
  port1.onmessage = () => waiting.shift()();
  const afterThisTask = (then) => {
    waiting.push(then);
    port2.postMessage(null);
  };

  let isRendering = false;
  let frames = 0;
  function eachFrame() {
    frames = requestAnimationFrame(eachFrame);
    isRendering = true;
    afterThisTask(() => (isRendering = false));
  }

  const painted = () =>
    new Promise((done) => {
      const finish = () => afterThisTask(() => done(performance.now()));
      if (isRendering) finish();
      else requestAnimationFrame(finish);
    });

  const tasks = [];
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
    type: "longtask",
  });

  globalThis.bench = {
    /** Durations of the tasks over 50 ms since the last call: Chromium lists no shorter ones. */
    longTasks: () => tasks.splice(0),

    /**
     * Time the next event. After it `answer` is a promise of `[ms to paint, ms until the first display frame]`.
     *
     * @param {string} event
     * @param {Node} place  where the answer shows
     * @param {() => any} mark  something that differs with every answer; a picture's is waited for until it can be painted
     */
    arm(event, place, mark) {
      this.answer = new Promise((resolve) => {
        const started = ({ timeStamp }) => {
          const before = mark();
          let wait = null;
          requestAnimationFrame(() => (wait = performance.now() - timeStamp));
          eachFrame();
          const observer = new MutationObserver(async () => {
            const now = mark();
            if (!now || now === before) return; // an output may be empty for a moment
            observer.disconnect();
            const picture = place.querySelector("img");
            if (picture) await picture.decode();
            const end = await painted();
            cancelAnimationFrame(frames);
            resolve([end - timeStamp, wait]);
          });
          observer.observe(place, { childList: true, subtree: true, attributes: true, attributeFilter: ["src"] });
        };
        addEventListener(event, started, { capture: true, once: true });
      });
    },

    /** From the start of the navigation to the paint in which `isThere` holds. */
    first: (isThere) =>
      new Promise((resolve) => {
        const look = () => {
          if (isThere()) afterThisTask(() => resolve(performance.now()));
          else requestAnimationFrame(look);
        };
        look();
      }),
  };
})();
