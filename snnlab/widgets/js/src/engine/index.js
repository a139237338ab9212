/** The browser engine: the parts that the view, the tests and the benchmarks use. */
export { ATTACKS, PGD_STEPS, attack, inputGradient } from "./attack.js";
export { CLIMBERS, DRAWS, STEPS, climb, pgd, saPgd, slope } from "./climb.js";
export { field } from "./check.js";
export { SILENT } from "./decode.js";
export { ENCODINGS, encode, encoder } from "./encode.js";
export { BrowserEngine, DISTURBANCES } from "./engine.js";
export { PJ_PER_MAC, PJ_PER_SYNOP } from "./energy.js";
export { EXIT_RULES, exitStep } from "./exit.js";
export { lif, neuron } from "./lif.js";
export { ATTACKERS, network, SPIKE_TRAIN } from "./network.js";
export { mulberry32 } from "./random.js";
export { AdaptiveSharpness } from "./sharpness.js";
export { binOf, codeTable, firstBin } from "./codetable.js";
export { gathered, shareAt, spikeTrainAttack, TrainSearch } from "./spiketrain.js";
export { wilson } from "./wilson.js";
export { unpackZoo } from "./zoo.js";
