/** Pure parts of the view: the drawn digit, accuracies, labels, rasters, state. */
import assert from "node:assert/strict";
import test from "node:test";
import { ATTACK_VARIANTS, ATTACKERS, ATTACKS, wilson } from "../src/engine/index.js";
import { ElementStore, TraitStore } from "../src/state/store.js";
import { packed, palette, rgb } from "../src/theme/palette.js";
import { placeAround, placeOnCurves, spread } from "../src/view/charts/label-placement.js";
import { MARKERS } from "../src/view/charts/paths.js";
import { blockRows, drawable, inputBlocks, isAnalog } from "../src/view/dom/canvas-raster.js";
import { accuracyCurve, bestCurve, measuredExits, readCurve, seedsCurve } from "../src/view/model/accuracy.js";
import { centreDigit } from "../src/view/model/centred-drawing.js";
import { lowerText } from "../src/view/text/frame.js";
import { VOCABULARY } from "../src/vocabulary.js";

function drawn(width, height, ...boxes) {
  const ink = new Uint8Array(width * height);
  for (const [left, top, right, bottom] of boxes) {
    for (let y = top; y < bottom; y++) ink.fill(255, y * width + left, y * width + right);
  }
  return ink;
}

function centreOfMass(image) {
  const sum = image.reduce((a, b) => a + b, 0);
  const mean = (coordinate) => image.reduce((a, v, p) => a + v * (coordinate(p) + 0.5), 0) / sum;
  return [mean((p) => p % 28), mean((p) => Math.floor(p / 28))];
}

test("a drawing fills a box of 20 pixels, wherever and however large it was drawn", () => {
  const small = centreDigit(drawn(100, 100, [5, 5, 15, 25]), 100);
  const large = centreDigit(drawn(300, 200, [200, 10, 290, 190]), 300);
  assert.deepEqual(small, large);
  const rows = Array.from({ length: 28 }, (_, y) => small.subarray(y * 28, (y + 1) * 28).some((v) => v > 0));
  assert.equal(rows.filter(Boolean).length, 20);
  assert.equal(Math.max(...small), 255);
});

test("a drawing's centre of mass lies in the middle of the field", () => {
  // An L: its centre of mass is not that of its box.
  const image = centreDigit(drawn(200, 200, [20, 20, 50, 180], [50, 150, 110, 180]), 200);
  for (const coordinate of centreOfMass(image)) assert.ok(Math.abs(coordinate - 14) <= 0.5, `${coordinate}`);
});

test("grey levels of a drawing are means over areas", () => {
  // 25 pixels shrink to 20: ink of 24 of them leaves the last one part grey.
  const image = centreDigit(drawn(40, 40, [0, 0, 25, 1], [0, 1, 24, 25]), 40);
  const levels = new Set(image);
  assert.ok([...levels].some((v) => v > 0 && v < 255));
});

test("an empty field is no digit, and a dot is one", () => {
  assert.equal(centreDigit(new Uint8Array(100), 10), null);
  assert.ok(centreDigit(drawn(10, 10, [3, 3, 4, 4]), 10).some((v) => v === 255));
});

const RESULTS = {
  eps: [0, 0.1, 0.2],
  n: 100,
  exits: { onset: [1, 2], latency: [2], ann: [1] },
  repeats: { latency: { eps: [0, 0.1], exits: [2], worst: { mean: [[0.9, 0.6]], low: [[0.8, 0.5]], high: [[1, 0.7]] } } },
  correct: {
    latency: { worst: [[92, 61, 11]] },
    onset: {
      worst: [
        [90, 50, 10],
        [95, 70, 20],
      ],
    },
    ann: { worst: [[80, 40, 0]] },
  },
};

test("a curve is the zoo's counts at this exit, with Wilson's interval", () => {
  const curve = accuracyCurve(RESULTS, "onset", "worst", 2);
  assert.deepEqual(curve[1], { eps: 0.1, ...wilson(70, 100), proved: null });
  assert.equal(accuracyCurve(RESULTS, "onset", "noise", 2), null);
});

test("an ANN answers alike at every exit, and an exit that was not measured has no curve", () => {
  assert.deepEqual(accuracyCurve(RESULTS, "ann", "worst", 2)[0], { eps: 0, ...wilson(80, 100) });
  assert.equal(accuracyCurve(RESULTS, "latency", "worst", 1), null);
  assert.deepEqual(measuredExits(RESULTS, "ann", 3), [1, 2, 3]);
  assert.deepEqual(measuredExits(RESULTS, "latency", 3), [2]);
  assert.deepEqual(measuredExits(RESULTS, "unknown", 3), []);
});

test("means over training runs go before one run, which fills in where they were not measured", () => {
  assert.deepEqual(seedsCurve(RESULTS, "latency", "worst", 2)[1], {
    eps: 0.1,
    share: 0.6,
    low: 0.5,
    high: 0.7,
    proved: null,
  });
  assert.equal(seedsCurve(RESULTS, "onset", "worst", 2), null);
  assert.deepEqual(bestCurve(RESULTS, "latency", "worst", 2)[2], { eps: 0.2, ...wilson(11, 100), proved: null });
  assert.deepEqual(bestCurve(RESULTS, "onset", "worst", 2), accuracyCurve(RESULTS, "onset", "worst", 2));
  assert.equal(bestCurve(RESULTS, "latency", "worst", 1), null);
});

test("between measured ε a curve is an estimate, beyond them it is nothing", () => {
  const curve = accuracyCurve(RESULTS, "onset", "worst", 1);
  assert.deepEqual(readCurve(curve, 0.1), { ...wilson(50, 100), measured: true, proved: null });
  const between = readCurve(curve, 0.15);
  assert.equal(between.measured, false);
  assert.ok(Math.abs(between.share - 0.3) < 1e-12);
  assert.equal(readCurve(curve, 0.25), null);
});

test("a worst case has its lower end, between two ε what is proved at the larger; a single attack and clean digits have none", () => {
  const proved = {
    onset: {
      exits: [1, 2],
      eps: [0.1, 0.2],
      share: [
        [0.3, 0.1],
        [0.4, 0],
      ],
    },
  };
  const curve = accuracyCurve({ ...RESULTS, proved }, "onset", "worst", 2);
  assert.deepEqual(
    curve.map((point) => point.proved),
    [undefined, 0.4, 0],
  );
  assert.equal(readCurve(curve, 0.05).proved, 0.4);
  assert.equal(lowerText(readCurve(curve, 0.05)), "proved ≥ 40\u202f%");
  assert.equal(lowerText(readCurve(curve, 0)), "");
  assert.equal(lowerText(readCurve(accuracyCurve({ ...RESULTS, proved }, "latency", "worst", 2), 0.1)), "no bound known");
});

test("labels are moved apart as little as needed, and stay inside", () => {
  assert.deepEqual(spread([50, 10], 15, 0, 100), [50, 10]);
  assert.deepEqual(spread([10, 12, 14], 10, 5, 100), [10, 20, 30]);
  assert.deepEqual(spread([98, 99], 10, 0, 100), [90, 100]);
});

test("labels on curves do not cover each other, and the first is served first", () => {
  const curve = (name, height) => ({ name, width: 40, y: () => height });
  const field = { left: 0, right: 300, top: 0, bottom: 200 };
  const places = placeOnCurves([curve("a", 100), curve("b", 100), curve("c", 30)], field, 13);
  const boxes = [...places.values()];
  assert.ok(places.has("a") && places.has("c"));
  for (const [i, one] of boxes.entries()) {
    for (const other of boxes.slice(i + 1)) assert.ok(Math.abs(one.x - other.x) >= 40 || Math.abs(one.y - other.y) >= 13);
  }
});

test("labels around points cover neither each other nor a point, and stay inside", () => {
  const field = { left: 0, right: 200, top: 0, bottom: 100 };
  const points = [
    { x: 20, y: 50, width: 40 },
    { x: 60, y: 50, width: 40 },
    { x: 190, y: 50, width: 40 },
  ];
  const places = placeAround(points, field, 13, 10);
  assert.ok(places.every(Boolean));
  assert.ok(places[2].x < 190);
  for (const [i, one] of places.entries()) {
    for (const other of places.slice(i + 1)) assert.ok(Math.abs(one.x - other.x) >= 40 || Math.abs(one.y - other.y) >= 13);
  }
  assert.deepEqual(placeAround([{ x: 5, y: 5, width: 400 }], field, 13, 10), [null]);
});

test("lit and black pixels are drawn apart, part by part, and every neuron once", () => {
  const blocks = inputBlocks(new Float32Array([1, 0.5, 0, 0, 0]), 2);
  assert.deepEqual(
    blocks.map(({ first, neurons, name }) => [first, neurons, name]),
    [
      [0, 2, "lit"],
      [2, 3, "black"],
      [5, 2, "lit"],
      [7, 3, "black"],
    ],
  );
  assert.ok(Math.abs(blocks.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-12);
  assert.equal(inputBlocks(new Float32Array([1, 1]), 1).length, 1);
  const rows = blockRows({ blocks, order: { length: 10 } }, 212, 1);
  assert.equal(rows[0].top, 0);
  assert.equal(rows.at(-1).bottom, 212);
  rows.slice(1).forEach((row, k) => assert.ok(row.top > rows[k].bottom));
});

test("currents are told from spikes, and faint spikes are drawn so that they are seen", () => {
  assert.equal(isAnalog(new Float32Array([1, 0, 1, 1]), 2), false);
  assert.equal(isAnalog(new Float32Array([0.2, 0.9, 0.2, 0.9]), 2), true);
  const phase = drawable(new Float32Array([0.5, 0, 0.25, 0]), 2);
  assert.ok(phase[0] === 1 && phase[1] === 0 && phase[2] > 0.5 && phase[2] < 1);
});

function contrast(a, b) {
  const luminance = (hex) => {
    const [r, g, bl] = rgb(hex).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * bl;
  };
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

test("every colour of a code stands out from its background, and text more so", () => {
  for (const scheme of ["light", "dark"]) {
    const colours = palette(scheme);
    for (const name of Object.keys(VOCABULARY.codes))
      assert.ok(contrast(colours.code(name).colour, colours.background) >= 3, `${scheme} ${name}`);
    for (const name of ["attack", "right", "control", "focus"]) {
      assert.ok(contrast(colours[name], colours.background) >= 3, `${scheme} ${name}`);
    }
    for (const name of ["ink", "quiet", "attack", "right"]) {
      assert.ok(contrast(colours[name], colours.background) >= 4.5, `${scheme} ${name}`);
    }
  }
});

test("the engine computes the attacks of the vocabulary, and every marker of a code or a rule can be drawn", () => {
  assert.deepEqual(ATTACKS, Object.keys(VOCABULARY.attacks));
  assert.deepEqual(ATTACKERS, Object.keys(VOCABULARY.attackers));
  assert.deepEqual(Object.keys(ATTACK_VARIANTS), Object.keys(VOCABULARY.attack_variants));
  const { codes, training_rules } = VOCABULARY;
  for (const { marker } of [...Object.values(codes), ...Object.values(training_rules)]) {
    assert.ok(marker === undefined || marker in MARKERS, marker);
  }
});

test("a fusion has the fusion's colour, and an unknown code the colour of text", () => {
  const colours = palette("light");
  assert.deepEqual(colours.code("fusion(direct, latency)"), colours.code("fusion"));
  assert.equal(colours.code("mine").colour, colours.ink);
  assert.equal(packed(rgb("#010203")), 0xff030201);
});

test("a training rule keeps its code's colour, and has a dash and a marker of its own", () => {
  const colours = palette("light");
  const marks = Object.keys(VOCABULARY.training_rules).map((rule) => colours.mark({ code: "latency", rule, kind: "snn" }));
  assert.equal(new Set(marks.map(({ colour }) => colour)).size, 1);
  assert.equal(new Set(marks.map(({ dash }) => dash.join())).size, marks.length);
  assert.equal(new Set(marks.map(({ marker }) => marker)).size, marks.length);
  assert.equal(colours.mark({ code: "none", rule: "fgsm", kind: "ann" }).colour, colours.code("ann").colour);
  assert.deepEqual(colours.mark({ title: "onset", name: "onset" }), colours.code("onset"));
});

class FakeElement {
  attributes = new Map();
  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }
  setAttribute(name, value) {
    this.attributes.set(name, value);
  }
}

class FakeModel {
  values = { image: 3, eps: 0.2, encoding: "latency" };
  listeners = new Map();
  saved = 0;
  get = (name) => this.values[name];
  set(name, value) {
    this.values[name] = value;
    this.listeners.get(`change:${name}`)?.();
  }
  save_changes = () => (this.saved += 1);
  on = (name, listener) => this.listeners.set(name, listener);
  off = (name) => this.listeners.delete(name);
}

test("both homes of the state have one interface", () => {
  const model = new FakeModel();
  for (const store of [new ElementStore(new FakeElement()), new TraitStore(model)]) {
    let heard = 0;
    const stop = store.subscribe(() => (heard += 1));
    store.set({ eps: 0.05, encoding: "offset" });
    assert.equal(store.get("eps"), 0.05);
    assert.equal(store.all().encoding, "offset");
    assert.equal(store.get("exit_step"), 8);
    assert.ok(heard > 0);
    stop();
    const before = heard;
    store.set({ eps: 0.1 });
    assert.equal(heard, before);
  }
  assert.equal(model.saved, 2);
});

test("an attribute that is no number stays visible as none", () => {
  const element = new FakeElement();
  element.setAttribute("eps", "much");
  element.setAttribute("image", "");
  const store = new ElementStore(element);
  assert.ok(Number.isNaN(store.get("eps")));
  assert.ok(Number.isNaN(store.get("image")));
});

test("settings that are changed together are heard once", () => {
  class Reporting extends FakeElement {
    setAttribute(name, value) {
      super.setAttribute(name, value);
      this.store.changed(); // as the element in a page does
    }
  }
  const element = new Reporting();
  const store = new ElementStore(element);
  element.store = store;
  let heard = 0;
  store.subscribe(() => (heard += 1));
  store.set({ eps: 0.05, encoding: "offset", exit_step: 3 });
  assert.equal(heard, 1);
  element.setAttribute("eps", "0.2");
  assert.equal(heard, 2);
});
