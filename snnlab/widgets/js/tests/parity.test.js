import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import * as engine from "../src/engine/index.js";
import { compare } from "./parity.js";

const file = process.env.SNNLAB_GOLDEN;
const skip = file ? false : "needs golden vectors: pytest tests/test_browser_engine.py writes them and comes here";

test("the browser engine agrees with PyTorch on the zoo", { skip }, async () => {
  const { report, failures } = await compare(engine, JSON.parse(readFileSync(file, "utf8")));
  if (process.env.SNNLAB_PARITY_REPORT) writeFileSync(process.env.SNNLAB_PARITY_REPORT, JSON.stringify(report, null, 1));
  assert.deepEqual(failures, []);
});
