/** The folders of the source form layers: imports between them never lead in a circle, and the engine knows no page. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../src", import.meta.url));

/** Folders, and the files at the root by their own names, with what they import. */
function graph() {
  const nodes = new Map();
  const nodeOf = (path) => (dirname(path) === ROOT ? relative(ROOT, path) : relative(ROOT, dirname(path)));
  for (const name of readdirSync(ROOT, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".js"))) {
    const path = join(ROOT, name);
    const imports = nodes.get(nodeOf(path)) ?? new Set();
    for (const [, target] of readFileSync(path, "utf8").matchAll(/^(?:import|export)\b[^;]*?from "(\.[^"]+\.js)";/gms)) {
      imports.add(nodeOf(join(dirname(path), target)));
    }
    imports.delete(nodeOf(path));
    nodes.set(nodeOf(path), imports);
  }
  return nodes;
}

test("folders never import each other in a circle", () => {
  const nodes = graph();
  const done = new Set();
  const visit = (node, path) => {
    assert.ok(!path.includes(node), `circle: ${[...path, node].join(" → ")}`);
    if (done.has(node)) return;
    for (const next of nodes.get(node) ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of nodes.keys()) visit(node, []);
  assert.ok(nodes.size > 10);
});

test("the engine imports nothing but itself, and pure code no element", () => {
  const nodes = graph();
  assert.deepEqual([...nodes.get("engine")], []);
  for (const pure of ["view/model", "view/text"]) {
    assert.deepEqual(
      [...nodes.get(pure)].filter((node) => /dom|charts|controls|panels|theme/.test(node)),
      [],
      pure,
    );
  }
});
