/**
 * This engine against PyTorch, on golden vectors that Python wrote (tests/golden.py). Runs in Node and, as it is, in a
 * page: it uses nothing but the engine it is given.
 *
 * @param {object} engine  exports of src/engine/index.js
 * @param {object} golden
 * @returns {Promise<{report: object, failures: string[]}>} what was measured per model, and every law that was broken
 */
export async function compare(engine, golden) {
  const images = Float32Array.from(unpack(Uint8Array, golden.images), (v) => v / 255);
  const pixels = images.length / golden.labels.length;
  const imageAt = (n) => images.slice(n * pixels, (n + 1) * pixels);
  const payloads = async (key) => (key === "zoo" ? golden.zoo : golden.models[key.slice("model/".length)].payload);
  const lab = new engine.BrowserEngine(payloads);
  const report = {};
  const failures = [];
  for (const [name, expected] of Object.entries(golden.models)) {
    const network = engine.network(expected.payload, golden.num_steps);
    const labels = golden.labels.slice(0, expected.count);
    const task = { engine, network, expected, labels, imageAt };
    const found = { spikes: 0, input: 0, marginal: 0, logits: 0, potential: 0, predictions: 0, exits: 0 };
    if (expected.poisson) await comparePoisson(task, found);
    else compareForward(task, found);
    await compareGradients(task, found);
    await compareAttack(task, found);
    await compareTrajectories(task, found);
    await compareTrains(task, found);
    found.frames = await compareFrames(lab, name, task);
    report[name] = found;
    failures.push(...laws(found, expected).map((law) => `${name}: ${law}`));
  }
  return { report, failures };
}

const CERTAIN = 5; // a margin of logits

/** The laws that hold between engines, as sentences where broken. */
function laws(found, expected) {
  const { count } = expected;
  const broken = [];
  const hold = (law, holds) => holds || broken.push(law);
  hold(`${found.input} spikes of the code differ`, found.input === 0);
  hold(`${found.spikes} spikes of the network differ`, found.spikes === 0);
  hold(`logits differ by ${found.logits}`, found.logits <= 1e-4);
  hold(`potentials differ by ${found.potential}`, found.potential <= 1e-4);
  hold(`${found.predictions} predictions differ`, found.predictions === 0);
  hold(`${found.exits} dynamic exits differ`, found.exits === 0);
  hold(`${found.marginal} of ${count} images lie on a threshold`, found.marginal <= (expected.exact ? 0 : 0.1 * count));
  hold(`gradient differs by ${found.gradient}`, found.gradient <= 1e-4);
  hold(`gradient differs by ${found.gradientRelative} of its maximum`, found.gradientRelative <= 1e-4);
  const { other, attacked } = found.fgsm ?? { other: 0, attacked: 1 };
  hold("no image is left to compare FGSM on", attacked > 0);
  hold(`FGSM ends in another prediction on ${other} of ${attacked} images`, other <= Math.max(2, 0.03 * attacked));
  broken.push(...found.frames);
  for (const [method, trajectory] of Object.entries(found.trajectories)) {
    hold(`${method}: no step is left to compare`, trajectory.steps > 0);
    // Adaptive sharpness divides by a potential's distance from threshold, and with it by the rounding of analog sums.
    // Gains are relative to the gradient's own size, however small that is where the network is certain.
    const sharp = (method === "assg" && !expected.exact) || method === "spike_train";
    hold(
      `${method}: gradient differs by ${trajectory.gradient} of its maximum`,
      trajectory.gradient <= (sharp ? 2e-2 : 3e-4),
    );
    // Where terms cancel, rounding decides whether exactly zero is left.
    hold(`${method}: share of zero gradients differs by ${trajectory.zero}`, trajectory.zero <= 0.005);
    hold(`${method}: the next image differs by ${trajectory.next}`, trajectory.next <= 2e-6);
    hold(`${method}: margin differs by ${trajectory.margin}`, trajectory.margin <= 1e-4);
    hold(`${method}: ${trajectory.predictions} predictions differ`, trajectory.predictions === 0);
    // Alone, one spike that falls otherwise changes all that follows: only exact sums are sure to stay together.
    hold(`${method}: alone, it ends ${trajectory.apart} steps away`, trajectory.apart <= (expected.exact ? 1 : 3));
    // Of hundreds of trains two are often equally good, but for rounding.
    const other = method === "spike_train" ? 0.2 : 0.05;
    hold(
      `${method}: alone, it moves ${trajectory.moved} of the pixels otherwise`,
      trajectory.moved <= (expected.exact ? other : 1),
    );
  }
  if (found.trains) {
    const { missing = 0, table, value, gradient, bins, values, broken: apart, outside } = found.trains;
    hold("one engine finds spike trains to search among, the other none", missing === 0);
    hold(`trains: ${table} entries of the table differ`, table === 0);
    hold(`trains: loss differs by ${value}`, value <= 1e-4);
    hold(`trains: gradient differs by ${gradient} of its maximum`, gradient <= (expected.exact ? 1e-4 : 2e-2));
    hold(`trains: ${bins} pixels move to other trains`, bins <= 2);
    hold(`trains: intensities differ by ${values}`, values <= (bins === 0 ? 0 : 1));
    hold(`trains: a whole search breaks ${apart} images more, or fewer`, apart <= 3);
    hold(`trains: ${outside} pixels leave the budget`, outside === 0);
  }
  if (found.poisson) {
    for (const [what, z] of Object.entries(found.poisson)) hold(`${what} is off by ${z} standard errors`, z < 5);
  }
  return broken;
}

/** Spikes, potentials, logits and predictions of every image, at every exit. */
function compareForward({ engine, network, expected, labels, imageAt }, found) {
  const input = expected.input && unpack(Float32Array, expected.input);
  const hidden = expected.hidden && unpack(Uint8Array, expected.hidden);
  const votes = unpack(Float32Array, expected.votes);
  const membrane = expected.membrane && unpack(Float32Array, expected.membrane);
  const predicted = unpack(Int8Array, expected.predictions);
  labels.forEach((_, n) => {
    const trace = network.forward(imageAt(n));
    if (input && n < expected.detailed) found.input += differing(trace.input, row(input, trace.input.length, n));
    found.predictions += differing(trace.predictions, row(predicted, network.numSteps, n));
    // Analog input sums to what the order of additions makes of it, so where PyTorch's own potential lies within 1e-5 of
    // the threshold a spike may fall either way, and everything after it differs.
    if (expected.marginal?.[n]) {
      found.marginal += 1;
      return;
    }
    if (hidden) found.spikes += differing(trace.hidden.spikes, row(hidden, trace.hidden.spikes.length, n));
    found.logits = Math.max(found.logits, distance(trace.votes, row(votes, trace.votes.length, n)));
    for (const { rule, threshold, steps } of expected.exits ?? []) {
      const left = engine.exitStep(trace.votes, network.numSteps, network.classes, rule, threshold && Number(threshold));
      found.exits += left === steps[n] ? 0 : 1;
    }
    if (!membrane) return;
    found.potential = Math.max(found.potential, distance(trace.output.membrane, row(membrane, trace.votes.length, n)));
  });
}

/** PyTorch's own spike trains through this network; then this engine's own, in distribution. */
async function comparePoisson({ engine, network, expected, labels, imageAt }, found) {
  const input = unpack(Float32Array, expected.input);
  const hidden = unpack(Uint8Array, expected.hidden);
  const votes = unpack(Float32Array, expected.votes);
  const size = input.length / expected.detailed;
  for (let n = 0; n < expected.detailed; n++) {
    const trace = network.respond(imageAt(n), row(input, size, n));
    found.spikes += differing(trace.hidden.spikes, row(hidden, trace.hidden.spikes.length, n));
    found.logits = Math.max(found.logits, distance(trace.votes, row(votes, trace.votes.length, n)));
  }
  found.poisson = sample(engine, network, expected.poisson, labels, imageAt);
}

/** Standard errors between PyTorch and this engine, over fresh encodings of all images. */
function sample(engine, network, { repeats, correct, votes }, labels, imageAt) {
  const last = network.numSteps - 1;
  const hits = labels.map(() => 0);
  const totals = Array.from({ length: repeats }, () => new Float64Array(network.classes));
  const fired = new Float64Array(network.numPixels);
  for (let k = 0; k < repeats; k++) {
    const random = engine.mulberry32(1000 + k);
    labels.forEach((label, n) => {
      const trace = network.forward(imageAt(n), random);
      if (trace.predictions[last] === label) hits[n] += 1;
      for (let c = 0; c < network.classes; c++) totals[k][c] += trace.votes[last * network.classes + c];
      if (n === 0) trace.input.forEach((s, i) => (fired[i % network.numPixels] += s));
    });
  }
  const spread = (h) => (h * (repeats - h)) / repeats;
  const variance = hits.reduce((sum, h, n) => sum + spread(h) + spread(correct[n]), 1e-9);
  const hitsApart = Math.abs(hits.reduce((sum, h, n) => sum + h - correct[n], 0));
  const votesApart = Array.from({ length: network.classes }, (_, c) => {
    const [a, b] = [moments(totals.map((t) => t[c])), moments(votes.map((v) => v[c]))];
    return Math.abs(a.mean - b.mean) / Math.sqrt((a.variance + b.variance) / repeats + 1e-9);
  });
  const image = imageAt(0);
  const draws = repeats * network.numSteps;
  const rate = Array.from(fired, (f, p) => {
    const x = image[p];
    return Math.abs(f - x * draws) / Math.max(Math.sqrt(x * (1 - x) * draws), 1e-9);
  });
  return { accuracy: hitsApart / Math.sqrt(variance), votes: Math.max(...votesApart), "firing rate": Math.max(...rate) };
}

/** ∂L/∂x of the detailed images, for both attackers, at several exits. */
async function compareGradients({ network, expected, labels, imageAt }, found) {
  Object.assign(found, { gradient: 0, gradientRelative: 0 });
  const input = expected.poisson && unpack(Float32Array, expected.input);
  for (const { attacker, exit_step: exitStep, values } of expected.gradients) {
    const reference = unpack(Float32Array, values);
    for (let n = 0; n < expected.detailed; n++) {
      if (expected.marginal?.[n]) continue;
      const image = imageAt(n);
      const trace = input ? network.respond(image, row(input, input.length / expected.detailed, n)) : network.forward(image);
      const start = (exitStep - 1) * network.classes;
      const logits = trace.votes.subarray(start, start + network.classes);
      const grad = network.backward(trace, softmaxLess(logits, labels[n]), exitStep, attacker);
      const torch = row(reference, image.length, n);
      const apart = distance(grad, torch);
      found.gradient = Math.max(found.gradient, apart);
      // Where the network is certain, softmax - onehot cancels in PyTorch's float32, and the whole gradient is tiny.
      found.gradientRelative = Math.max(found.gradientRelative, apart / Math.max(largest(torch), 1e-2));
    }
  }
}

/** Predictions after FGSM: the sign of a gradient near zero may differ, so nearly all agree, not all. Images of whose
 * gradient PyTorch's float32 leaves only the rounding are left out. */
async function compareAttack({ engine, network, expected, labels, imageAt }, found) {
  if (!expected.fgsm) return;
  const { eps, attacker, predictions, certain } = expected.fgsm;
  found.fgsm = { other: 0, attacked: 0 };
  for (const [n, label] of labels.entries()) {
    if (certain[n]) continue;
    const aim = { label, exitStep: network.numSteps, attacker, random: engine.mulberry32(0) };
    const { image } = await engine.attack("fgsm", network, imageAt(n), eps, aim);
    found.fgsm.attacked += 1;
    if (network.forward(image).predictions[network.numSteps - 1] !== predictions[n]) found.fgsm.other += 1;
  }
}

/**
 * Attacks step by step. At each of PyTorch's images: the gradient, the share of it that is zero, margin and answer; and from
 * PyTorch's gradient the next image. Then the whole trajectory alone, from the first image to the last.
 */
async function compareTrajectories({ engine, network, expected, imageAt }, found) {
  found.trajectories = {};
  for (const theirs of expected.trajectories) {
    const image = imageAt(theirs.index);
    const size = image.length;
    const { method, eps, label, steps, draws, margins, predictions, zero, marginal } = theirs;
    const [images, gradients] = [theirs.images, theirs.gradients].map((values) => unpack(Float32Array, values));
    const feed = (values) => {
      const numbers = values && unpack(Float32Array, values);
      let k = 0;
      return () => numbers[k++];
    };
    const worst = { steps: 0, gradient: 0, zero: 0, next: 0, margin: 0, predictions: 0, apart: 0, moved: 0 };
    const who = engine.ATTACK_VARIANTS[method];
    if (who.attacker === engine.SPIKE_TRAIN) {
      found.trajectories[method] = await compareSearch(engine, network, image, theirs, { images, gradients, feed });
      continue;
    }
    const sharpness = who.adapts ? new engine.AdaptiveSharpness() : null;
    const rise = who.adapts ? engine.saPgd(eps, steps) : engine.pgd(eps, steps);
    const aim = {
      label,
      exitStep: network.numSteps,
      attacker: who.attacker,
      random: feed(theirs.random),
      sharpness,
      loss: "margin",
    };
    for (let k = 0; k < margins.length && !marginal[k]; k++) {
      const at = row(images, size, k);
      const { votes, predictions: answers } = network.forward(at, feed(theirs.coin));
      const logits = votes.subarray(votes.length - network.classes);
      const others = logits.filter((_, c) => c !== label);
      worst.margin = Math.max(worst.margin, Math.abs(Math.max(...others) - logits[label] - margins[k]));
      worst.predictions += answers.at(-1) === predictions[k] ? 0 : 1;
      if (k === margins.length - 1) break;
      const ours = await engine.slope(who, network, at, aim, draws, sharpness);
      const torch = row(gradients, size, k);
      worst.gradient = Math.max(worst.gradient, distance(ours, torch) / Math.max(largest(torch), 1e-2));
      worst.zero = Math.max(worst.zero, Math.abs(ours.filter((g) => g === 0).length / size - zero[k]));
      const moved = rise(at, torch).map((x, p) => Math.min(Math.max(x, image[p] - eps, 0), image[p] + eps, 1));
      worst.next = Math.max(worst.next, distance(moved, row(images, size, k + 1)));
      worst.steps += 1;
    }
    if (!marginal.some(Boolean)) {
      const alone = { label, steps, draws, random: feed(theirs.random), coin: () => feed(theirs.coin) };
      const path = await engine.attackTrajectory(method, network, image, eps, alone);
      worst.apart = Math.abs(path.margins.length - margins.length);
      const last = Math.min(path.margins.length, margins.length) - 1;
      const [a, b] = [path.images, images].map((values) => row(values, size, last));
      worst.moved = a.filter((x, p) => Math.abs(x - b[p]) > 1e-3).length / size;
    }
    found.trajectories[method] = worst;
  }
}

/** The search among spike trains as it is watched: from the same random numbers, the same images and gains. */
async function compareSearch(engine, network, image, theirs, { images, gradients, feed }) {
  const { method, eps, label, steps, margins, predictions, zero, marginal } = theirs;
  const size = image.length;
  const worst = { steps: margins.length, gradient: 0, zero: 0, next: 0, margin: 0, predictions: 0, apart: 0, moved: 0 };
  if (marginal.some(Boolean)) return worst;
  const options = { label, steps, random: feed(theirs.random), coin: () => feed(theirs.coin) };
  const path = await engine.attackTrajectory(method, network, image, eps, options);
  worst.apart = Math.abs(path.margins.length - margins.length);
  const last = Math.min(path.margins.length, margins.length);
  worst.margin = Math.abs(path.margins[0] - margins[0]);
  worst.predictions = path.predictions[0] === predictions[0] ? 0 : 1;
  // Where a network is certain, the cross-entropy's gradient is what float32 leaves of 1 - p: nothing to compare.
  if (last > 1 && Math.abs(margins[0]) < CERTAIN) {
    const [ours, torch] = [path.gradients, gradients].map((values) => row(values, size, 0));
    worst.gradient = distance(ours, torch) / Math.max(largest(torch), 1e-12);
    worst.zero = Math.abs(ours.filter((g) => g === 0).length / size - zero[0]);
  }
  const [a, b] = [path.images, images].map((values) => row(values, size, last - 1));
  worst.moved = a.filter((x, p) => Math.abs(x - b[p]) > 1e-3).length / size;
  return worst;
}

/**
 * The attack on the code's spike trains: the table; at each of PyTorch's states the loss and the gradient, and from PyTorch's
 * momentum and random numbers the next trains and intensities; and how many images a whole search breaks.
 */
async function compareTrains({ engine, network, expected, labels, imageAt }, found) {
  const theirs = expected.trains;
  if (Boolean(theirs) !== Boolean(network.trains)) found.trains = { missing: 1 };
  if (!theirs || !network.trains) return;
  const { table } = network.trains;
  const worst = { table: 0, value: 0, gradient: 0, bins: 0, values: 0, broken: 0, outside: 0 };
  for (const part of ["lower", "upper", "trains"]) {
    worst.table += differing(table[part], unpack(Float32Array, theirs[part]));
  }
  const numbers = unpack(Float32Array, theirs.random);
  let k = 0;
  const image = imageAt(0);
  const aim = { label: theirs.label, exitStep: network.numSteps, random: () => numbers[k++] };
  const search = new engine.TrainSearch(network, image, theirs.eps, aim);
  const steps = expected.payload.spike_train.steps;
  for (const [step, look] of theirs.looks.entries()) {
    search.bins = unpack(Int32Array, look.bins);
    search.values = unpack(Float32Array, look.values);
    const { value, gradient } = search.look();
    const torch = unpack(Float32Array, look.gradient);
    worst.value = Math.max(worst.value, Math.abs(value - look.value));
    worst.gradient = Math.max(worst.gradient, distance(gradient, torch) / Math.max(largest(torch), 1e-12));
    search.move(Float64Array.from(unpack(Float32Array, look.momentum)), engine.shareAt(network.search.shares, step, steps));
    const next = theirs.looks[step + 1] ?? theirs;
    worst.bins += differing(search.bins, unpack(Int32Array, next.bins));
    worst.values = Math.max(worst.values, distance(search.values, unpack(Float32Array, next.values)));
  }
  for (let n = 0; n < theirs.searched; n++) {
    const random = engine.mulberry32(n, 2);
    const clean = imageAt(n);
    const aim = { label: labels[n], exitStep: network.numSteps, random };
    const attacked = await engine.spikeTrainAttack(network, clean, theirs.eps, aim);
    worst.outside += attacked.filter((x, p) => !(Math.abs(x - clean[p]) <= theirs.eps + 1e-6 && x >= 0 && x <= 1)).length;
    if (network.forward(attacked).predictions[network.numSteps - 1] !== labels[n]) worst.broken += 1;
  }
  worst.broken = Math.abs(worst.broken - theirs.broken);
  if (theirs.marginal) Object.assign(worst, { value: 0, gradient: 0 });
  found.trains = worst;
}

/** The frames that this engine gives the view against those that come from a kernel: what differs, as sentences. */
async function compareFrames(lab, name, task) {
  const differs = [];
  for (const theirs of task.expected.frames) {
    const state = JSON.stringify(theirs.state);
    differs.push(...(await compareFrame(lab, name, theirs, task)).map((what) => `frame ${state}: ${what}`));
  }
  return differs;
}

async function compareFrame(lab, name, theirs, { expected, imageAt }) {
  const { label, shape, state } = theirs;
  const request = { image: imageAt(0), shape, label, encoding: name, ...state };
  const ours = await lab.run({ ...request, attack: "fgsm", attacker: "informed", eps: 0.1 });
  const apart = (group, part) => {
    const [dtype, base64] = theirs[group][part];
    return difference(ours[group][part], ARRAYS[dtype], base64);
  };
  const differs = [];
  for (const field of ["label", "target", "encoding", "exit_step"]) {
    if (ours[field] !== theirs[field]) differs.push(`${field} is ${ours[field]}, with a kernel ${theirs[field]}`);
  }
  // Poisson's gradient is a mean over ten draws: where it is near zero its sign, and so the move, is a matter of chance.
  const tolerance = name === "poisson" ? 0.1 : 0.01;
  for (const field of ["moved", "gradient_zero"]) {
    if (!(Math.abs(ours[field] - theirs[field]) <= tolerance)) differs.push(`${field}: ${ours[field]}, ${theirs[field]}`);
  }
  // Random numbers, and the sign of a gradient near zero, may differ; what follows from them may differ wholly. From equal
  // images everything follows exactly.
  const image = apart("attacked", "image");
  if (image > (expected.poisson ? 0.2 : 0.01)) differs.push(`attacked.image differs by ${image}`);
  const exact = (group, part) => {
    if (group === "order" || (group === "clean" && part === "image")) return true;
    return !expected.poisson && (group === "clean" || image === 0);
  };
  for (const group of ["clean", "order", "attacked"]) {
    const present = Object.keys(ours[group]).filter((part) => ours[group][part] !== null);
    if (String(present.sort()) !== String(Object.keys(theirs[group]).sort())) differs.push(`${group} holds ${present}`);
    for (const part of Object.keys(theirs[group])) {
      const share = apart(group, part);
      if (!(share <= (exact(group, part) ? 0 : 1))) differs.push(`${group}.${part} differs by ${share}`);
    }
  }
  return differs;
}

/** The fraction of entries that differ by more than 1e-4; infinite for another type or length. */
function difference(values, Type, base64) {
  const reference = unpack(Type, base64);
  if (!(values instanceof Type) || values.length % reference.length > 0) return Infinity;
  // A kernel's ANN has one exit; here its answer is repeated at every one.
  const last = values.subarray(values.length - reference.length);
  return last.filter((v, i) => Math.abs(v - reference[i]) > 1e-4).length / reference.length;
}

const ARRAYS = { float32: Float32Array, uint8: Uint8Array, int8: Int8Array, int32: Int32Array };

/** Written out here, so that the engine's own is checked and not reused. */
function softmaxLess(logits, label) {
  const exps = Array.from(logits, (z) => Math.exp(z - largest(logits)));
  const total = exps.reduce((a, b) => a + b, 0);
  return Float64Array.from(exps, (e, k) => e / total - (k === label ? 1 : 0));
}

function unpack(Type, base64) {
  return new Type(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer);
}

function row(values, size, n) {
  return values.subarray(n * size, (n + 1) * size);
}

function differing(a, b) {
  if (a.length !== b.length) return Infinity;
  return a.reduce((count, v, i) => count + (v === b[i] ? 0 : 1), 0);
}

function distance(a, b) {
  if (a.length !== b.length) return Infinity;
  return a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);
}

function largest(values) {
  return values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
}

function moments(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, variance: values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1) };
}
