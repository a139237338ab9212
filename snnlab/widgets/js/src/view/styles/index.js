/** The style sheet of the explorers, inside their shadow root, so that neither the page nor an explorer paints the other. */
import base from "./base.css";
import charts from "./charts.css";
import controls from "./controls.css";
import attack from "./explorers/attack.css";
import earlyExit from "./explorers/early-exit.css";
import encoding from "./explorers/encoding.css";
import energy from "./explorers/energy.css";
import fusion from "./explorers/fusion.css";
import neuron from "./explorers/neuron.css";
import robustness from "./explorers/robustness.css";
import training from "./explorers/training.css";
import layout from "./layout.css";
import media from "./media.css";
import panels from "./panels.css";

const EXPLORERS = [robustness, encoding, training, earlyExit, fusion, attack, energy, neuron];

export const STYLE = [base, controls, panels, charts, layout, ...EXPLORERS, media].join("\n");
