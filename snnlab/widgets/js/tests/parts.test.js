/** Further scripts behind a kernel: their text comes as a message and runs once. */
import assert from "node:assert/strict";
import test from "node:test";
import { KernelEngine } from "../src/host/kernel.js";

/** A page that runs a script when it is put into its head, as browsers do. */
function pageThatRuns() {
  const ran = [];
  const append = (script) => {
    ran.push(script.textContent);
    new Function(script.textContent)();
  };
  globalThis.document = /** @type {any} */ ({ createElement: () => ({ remove() {} }), head: { append } });
  return ran;
}

/** A kernel that knows these scripts. @param {Object<string, string>} texts */
function kernelWith(texts) {
  let listener = (_message) => {};
  const send = ({ type, key, id }) =>
    queueMicrotask(() => listener(type === "hello" ? { type, custom: true, id } : { type, payload: texts[key], id }));
  const listen = (added) => {
    listener = added;
    return () => {};
  };
  return new KernelEngine({ send, listen });
}

test("a part behind a kernel is what its script hands over, and the script runs once for all explorers", async () => {
  const ran = pageThatRuns();
  const text = 'globalThis.snnlabData("menu", { open: () => "opened" });';
  const [first, second] = [kernelWith({ menu: text }), kernelWith({ menu: text })];
  assert.equal((await first.part("menu")).open(), "opened");
  assert.equal(await second.part("menu"), await first.part("menu"));
  assert.deepEqual(ran, [text]);
  first.dispose();
  second.dispose();
});
