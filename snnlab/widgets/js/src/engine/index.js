/** The browser engine: the parts that the view, the tests and the benchmarks use. */
export { ANY, ATTACKS, attack, inputGradient } from "./attack.js";
export { field, integerBetween, need } from "./check.js";
export { binOf, firstBin, sideBySide } from "./codetable.js";
export { SILENT } from "./decode.js";
export { derivative, ENCODINGS, encode, encoder } from "./encode.js";
export { energyOf, PJ_PER_MAC, PJ_PER_SYNOP } from "./energy.js";
export { BrowserEngine } from "./engine.js";
export { EXIT_RULES, exitStep } from "./exit.js";
export { gated, parse, partsOf } from "./grammar.js";
export { lif, neuron } from "./lif.js";
export { ATTACKERS, network, SPIKE_TRAIN } from "./network.js";
export { inputOrder } from "./order.js";
export { mulberry32 } from "./random.js";
export { AdaptiveSharpness } from "./sharpness.js";
export { gathered, shareAt, spikeTrainAttack, TrainSearch } from "./spiketrain.js";
export { ATTACK_VARIANTS, attackSlice, attackTrajectory, perLevel, pgd, STEPS, saPgd, slope } from "./trajectory.js";
export { wilson } from "./wilson.js";
export { unpackZoo } from "./zoo.js";
