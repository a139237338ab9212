/**
 * What all explorers do alike: show the state in the controls, ask the engine, keep its last answer, and paint it, again
 * whenever colours or sizes change.
 */
import { StateLink } from "./link.js";
import { Runner } from "./runner.js";

/**
 * @param {{stage: object, store: object, engine: object}} context
 * @param {object} view
 * @param {Object<string, (value: unknown) => boolean>} view.settings what the reader can set, and what each setting may be
 * @param {(state: object) => void} view.changed the controls follow the state at once
 * @param {(state: object) => {request: object, topic: string}} view.ask throws if the state does not exist
 * @param {(request: object) => Promise<object>} view.run
 * @param {(answer: object, request: object, colours: object) => void} view.paint what was answered; the reader may have gone
 *   on since
 * @param {() => void} [view.revealed] once, when the first answer is to be seen
 * @param {(answer: object, request: object) => void} [view.answered] after each new answer has been painted
 * @returns {{repaint: () => void, ask: () => void}}
 */
export function converse({ stage, store, engine }, view) {
  let last = null;
  const repaint = () => last && view.paint(last.answer, last.request, stage.colours);
  const runner = new Runner({
    ask: () => view.ask(store.all()),
    run: (request) => view.run(request).then((answer) => ({ answer, request })),
    show(next) {
      last = next;
      stage.succeed();
      if (stage.reveal()) {
        view.revealed?.();
        kept?.revealed();
      }
      repaint();
      view.answered?.(next.answer, next.request);
    },
    fail: (error) => stage.fail(error),
    busy: (isBusy) => stage.busy(isBusy),
  });
  const changed = () => {
    view.changed(store.all());
    runner.request();
  };
  const kept = store.keep(view.settings, (state) => fits(view, state));
  if (kept) addLink(stage, kept);
  stage.onDispose(() => runner.dispose());
  stage.onDispose(store.subscribe(changed));
  // A kernel that is back may know better than what is shown.
  const stop = engine.onStatus?.((status) => status === null && runner.request());
  if (stop) stage.onDispose(stop);
  stage.onRepaint(repaint);
  changed();
  return { repaint, ask: () => runner.request() };
}

/** Whether there is a state like this. */
function fits(view, state) {
  try {
    view.ask(state);
    return true;
  } catch {
    return false;
  }
}

/** In the caption, where one reads what is shown, stands how to refer to it. */
function addLink(stage, { link, complete, leave }) {
  const control = new StateLink({ address: link, complete, speak: (sentence) => stage.speak(sentence) });
  stage.app.querySelector(".caption").prepend(control.element);
  stage.onDispose(() => control.dispose());
  stage.onDispose(leave);
}
