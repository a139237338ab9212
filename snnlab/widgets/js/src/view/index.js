/** The explorers by name, and how one comes to life in a page. */
import { say, translated } from "../language.js";
import { AttackExplorer } from "./explorers/attack.js";
import { EarlyExitExplorer } from "./explorers/early-exit.js";
import { EncodingExplorer } from "./explorers/encoding.js";
import { EnergyExplorer } from "./explorers/energy.js";
import { FusionExplorer } from "./explorers/fusion.js";
import { NeuronExplorer } from "./explorers/neuron.js";
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
  NeuronExplorer,
];

/** The explorers by the names that pages and widgets call them. @type {Object<string, any>} */
const EXPLORERS = Object.fromEntries(ALL.map((Explorer) => [Explorer.kind, Explorer]));

/** Those of which each has a script of its own (src/parts). */
const APART = ["results", "playground", "event", "paint", "picture", "fault", "retiming"];

/** Bring an explorer to life. @param {Engine} engine  @returns {() => void} takes it down again */
export function mount(host, store, engine) {
  const stage = new Stage(host);
  stage.onDispose(engine.onStatus?.((status) => stage.say(status)));
  open(store.get("explorer"), stage, store, engine).catch((error) => stage.fail(error));
  return () => stage.dispose();
}

/** An explorer starts when its script and data are there, unless it has been taken down meanwhile. */
async function open(name, stage, store, engine) {
  const Explorer = APART.includes(name) ? (await engine.part(name)).Explorer : EXPLORERS[name];
  if (!Explorer) {
    throw new Error(say`unknown explorer "${name}"; choose one of ${[...Object.keys(EXPLORERS), ...APART].join(", ")}`);
  }
  const data = translated(await Explorer.load(engine));
  if (stage.disposed) return;
  stage.wear(Explorer.sheet);
  new Explorer(stage, store, engine, data).start();
}
