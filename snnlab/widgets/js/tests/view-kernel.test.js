/** The engine behind a kernel, with a kernel played by the test. */
import assert from "node:assert/strict";
import test from "node:test";
import { KernelEngine, unpackFrame } from "../src/host/kernel.js";
import { modelPayload, request, zooPayload } from "./helpers.js";

const PATIENCE = { silent: 40, working: 200 };

/** A kernel that answers with `answer(message)`, or not at all if that is null. */
function kernel(answer) {
  const sent = [];
  let listener = () => {};
  const channel = {
    send(message) {
      sent.push(message);
      const reply = answer(message);
      if (reply) queueMicrotask(() => listener({ ...reply, id: reply.id ?? message.id }, reply.attached ?? []));
    },
    listen(added) {
      listener = added;
      return () => (listener = () => {});
    },
  };
  const engine = new KernelEngine(channel, PATIENCE);
  return { engine, sent, say: (message) => listener(message, []) };
}

const frameOf = ({ request: asked }) => ({
  type: "frame",
  frame: {
    encoding: asked.encoding,
    exit_step: asked.exit_step,
    computed_by: "kernel",
    clean: {},
    attacked: null,
    order: {},
    buffers: [],
  },
});

function zooKernel({ custom = false, dead = () => false } = {}) {
  return kernel((message) => {
    if (dead()) return null;
    if (message.type === "hello") return { type: "hello", custom };
    if (message.type === "run") return frameOf(message);
    const payload = message.key === "zoo" ? zooPayload() : modelPayload(message.key.slice("model/".length));
    return { type: "data", payload: custom ? { ...payload, results: null } : payload };
  });
}

const until = async (condition) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
};

test("a frame's buffers find their places, wherever in memory they begin", () => {
  const bytes = new ArrayBuffer(17);
  new DataView(bytes).setFloat32(1, 0.5, true);
  new DataView(bytes).setInt8(9, -1);
  const names = [
    ["clean.image", "float32"],
    ["clean.predictions", "int8"],
  ];
  const frame = unpackFrame({ clean: {}, attacked: null, order: {}, buffers: names }, [
    new DataView(bytes, 1, 4),
    new DataView(bytes, 9, 1),
  ]);
  assert.deepEqual(frame.clean.image, Float32Array.of(0.5));
  assert.deepEqual(frame.clean.predictions, Int8Array.of(-1));
  assert.equal(frame.clean.hidden, null);
  assert.equal(frame.attacked, null);
});

test("the kernel answers, and of several requests that wait only the newest is asked", async () => {
  const { engine, sent } = zooKernel();
  await engine.zoo();
  const answers = await Promise.allSettled([1, 2, 3, 4].map((exit) => engine.run(request({ exit_step: exit }))));
  assert.deepEqual(
    answers.map(({ status }) => status),
    ["fulfilled", "rejected", "rejected", "fulfilled"],
  );
  assert.equal(answers[1].reason.name, "AbortError");
  assert.equal(answers[3].value.exit_step, 4);
  assert.deepEqual(
    sent.filter(({ type }) => type === "run").map((m) => m.request.exit_step),
    [1, 4],
  );
  assert.equal(engine.kind, "kernel");
  engine.dispose();
});

test("images travel as plain numbers and the signal stays here", async () => {
  const { engine, sent } = zooKernel();
  await engine.run(request({ signal: new AbortController().signal }));
  const [{ request: asked }] = sent.filter(({ type }) => type === "run");
  assert.ok(Array.isArray(asked.image));
  assert.equal("signal" in asked, false);
  engine.dispose();
});

test("an exception of the kernel becomes a message", async () => {
  const { engine } = kernel(({ type }) =>
    type === "hello" ? { type, custom: true } : { type: "error", message: "no such code" },
  );
  await assert.rejects(engine.run(request()), /no such code/);
  engine.dispose();
});

test("a kernel that falls silent is replaced by the browser, which says so, until it speaks again", async () => {
  let dead = false;
  const { engine, sent, say } = zooKernel({ dead: () => dead });
  const said = [];
  engine.onStatus((status) => said.push(status));
  engine.foresee(["onset", "latency"]);
  await engine.run(request());
  await until(() => sent.filter(({ type }) => type === "data").length === 3);
  await new Promise((resolve) => setTimeout(resolve, 5));
  dead = true;
  const frame = await engine.run(request({ attack: "fgsm" }));
  assert.equal(frame.computed_by, "browser");
  assert.equal(engine.kind, "browser");
  assert.match(said[0], /does not answer/);
  const trajectory = await engine.trajectory(request({ method: "naive" }));
  assert.equal(trajectory.computed_by, "browser");
  dead = false;
  say({ type: "hello" });
  assert.equal(said[1], null);
  assert.equal((await engine.run(request())).computed_by, "kernel");
  engine.dispose();
});

test("a network of one's own has no substitute: the message says so, and a late answer is shown", async () => {
  let dead = false;
  const { engine, sent, say } = zooKernel({ custom: true, dead: () => dead });
  assert.equal((await engine.zoo()).results, null);
  dead = true;
  const answer = engine.run(request());
  await until(() => engine.status);
  assert.match(engine.status, /only it has your network/);
  const late = sent.at(-1);
  say({ ...frameOf(late), id: late.id });
  assert.equal((await answer).computed_by, "kernel");
  assert.equal(engine.status, null);
  engine.dispose();
});

test("a kernel at work has more time than a silent one", async () => {
  const slow = kernel((message) => {
    if (message.type === "hello") return { type: "hello", custom: true };
    setTimeout(() => slow.say({ type: "frame", id: message.id, frame: frameOf(message).frame }), 3 * PATIENCE.silent);
    return { type: "working" };
  });
  assert.equal((await slow.engine.run(request())).computed_by, "kernel");
  slow.engine.dispose();
});

test("answers that nobody waits for are dropped", async () => {
  const { engine, say } = zooKernel();
  say({ type: "frame", id: 999, frame: {} });
  say({ type: "error", id: 1000, message: "late" });
  assert.equal((await engine.run(request())).computed_by, "kernel");
  engine.dispose();
});

test("a kernel that is busy at first is waited for, and the reader is told", async () => {
  let busy = true;
  const { engine, sent, say } = zooKernel({ dead: () => busy });
  const zoo = engine.zoo();
  await until(() => engine.status);
  assert.match(engine.status, /No kernel answers/);
  busy = false;
  say({ type: "hello", custom: false, id: sent[0].id });
  assert.equal((await zoo).custom, false);
  assert.equal(engine.status, null);
  engine.dispose();
});

test("without the data of a network the browser cannot take over, and says what to do", async () => {
  let dead = false;
  const { engine } = zooKernel({ dead: () => dead });
  await engine.zoo();
  dead = true;
  await assert.rejects(engine.run(request()), /before it had sent model\/onset; wait until it is free/);
  engine.dispose();
});

test("two views of one widget hear all answers, and take their own", async () => {
  const listeners = [];
  const asked = [];
  const channel = {
    send: (message) => asked.push(message),
    listen(listener) {
      listeners.push(listener);
      return () => {};
    },
  };
  const [first, second] = [new KernelEngine(channel, PATIENCE), new KernelEngine(channel, PATIENCE)];
  const answers = Promise.all([first.record("zoo"), second.record("cifar10")]);
  const answer = (message) => {
    const { type, key, id } = message;
    const reply = type === "hello" ? { type, custom: false, id } : { type, payload: `data of ${key}`, id };
    for (const listener of listeners) listener(reply, []);
  };
  while (asked.length) answer(asked.shift());
  await new Promise((resolve) => setTimeout(resolve, 5));
  while (asked.length) answer(asked.shift());
  assert.deepEqual(await answers, ["data of zoo", "data of cifar10"]);
  first.dispose();
  second.dispose();
});
