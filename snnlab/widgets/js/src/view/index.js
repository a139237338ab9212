/** The explorers by name, and how one comes to life in a page. */
import { AttackExplorer } from "./explorers/attack.js";
import { EarlyExitExplorer } from "./explorers/early-exit.js";
import { EncodingExplorer } from "./explorers/encoding.js";
import { EnergyExplorer } from "./explorers/energy.js";
import { FusionExplorer } from "./explorers/fusion.js";
import { NeuronExplorer } from "./explorers/neuron.js";
import { ResultsExplorer } from "./explorers/results.js";
import { RobustnessExplorer } from "./explorers/robustness.js";
import { TrainingExplorer } from "./explorers/training.js";
import { Stage } from "./session/stage.js";

const ALL = [
  RobustnessExplorer,
  EncodingExplorer,
  TrainingExplorer,
  EarlyExitExplorer,
  FusionExplorer,
  AttackExplorer,
  EnergyExplorer,
  ResultsExplorer,
  NeuronExplorer,
];

/** The explorers by the names that pages and widgets call them. @type {Object<string, any>} */
const EXPLORERS = Object.fromEntries(ALL.map((Explorer) => [Explorer.kind, Explorer]));

/** Bring an explorer to life. @param {Engine} engine  @returns {() => void} takes it down again */
export function mount(host, store, engine) {
  const stage = new Stage(host);
  stage.onDispose(engine.onStatus?.((status) => stage.say(status)));
  const name = store.get("explorer");
  const Explorer = EXPLORERS[name];
  if (!Explorer) {
    stage.fail(new Error(`unknown explorer "${name}"; choose one of ${Object.keys(EXPLORERS).join(", ")}`));
  } else {
    open(Explorer, stage, store, engine).catch((error) => stage.fail(error));
  }
  return () => stage.dispose();
}

/** An explorer starts when its data are there, unless it has been taken down meanwhile. */
async function open(Explorer, stage, store, engine) {
  const data = await Explorer.load(engine);
  if (!stage.disposed) new Explorer(stage, store, engine, data).start();
}
