/** One LIF neuron as a reader turns it: state in, numbers and sentences out. */

import { lif, need, neuron } from "../../engine/index.js";
import { fixed, plural, say } from "../../language.js";

/** The largest current that the slider offers. */
export const MAX_DRIVE = 1.5;

const DRIVES = 76;

/** Inputs to begin with, 24 steps each. */
export const PATTERNS = {
  constant: "1".repeat(24),
  pulse: `${"0".repeat(4)}1${"0".repeat(19)}`,
  bursts: `00${"1".repeat(6)}${"0".repeat(7)}${"1".repeat(6)}000`,
  beats: "100".repeat(8),
};

/**
 * The neuron over all steps of a pattern.
 * @param {{beta: number, theta: number, reset: string, drive: number, pattern: string}} state
 * @returns {{current: Float32Array, membrane: Float32Array, spikes: Uint8Array, carried: Float32Array, taken: Float32Array}}
 *   U[t] = carried[t] + current[t] - taken[t]
 */
export function run({ beta, theta, reset, drive, pattern }) {
  need(/^[01]{2,64}$/.test(pattern), say`pattern must be 2 to 64 signs 0 or 1, got "${pattern}"`);
  need(drive >= 0 && drive <= 10, say`drive must lie in [0, 10], got ${drive}`);
  const constants = neuron({ beta, threshold: theta, reset });
  const current = Float32Array.from(pattern, (on) => Number(on) * drive);
  const { membrane, spikes } = lif(current, current.length, constants);
  const carried = Float32Array.from(membrane, (_, t) => (t ? constants.beta * membrane[t - 1] : 0));
  const lost = (t) => (reset === "zero" ? carried[t] : constants.threshold);
  const taken = Float32Array.from(membrane, (_, t) => (t > 0 && spikes[t - 1] ? lost(t) : 0));
  return { current, membrane, spikes, carried, taken };
}

/** Spikes in as many steps as the pattern has, for every constant current. @returns {{drive: number, rate: number}[]} */
export function rates({ beta, theta, reset, pattern }) {
  const steps = pattern.length;
  const constants = neuron({ beta, threshold: theta, reset });
  return Array.from({ length: DRIVES }, (_, k) => {
    const drive = (MAX_DRIVE * k) / (DRIVES - 1);
    const { spikes } = lif(new Float32Array(steps).fill(drive), steps, constants);
    return { drive, rate: spikes.reduce((a, b) => a + b, 0) / steps };
  });
}

/** The smallest constant current that ever makes it fire: U settles at I / (1 - β). */
export const rheobase = ({ beta, theta }) => theta * (1 - beta);

const number = (v) => (Math.abs(v) < 0.005 ? "0" : fixed(v, 2));

/** The equation of a step. */
export const equation = (reset) =>
  reset === "zero" ? "U[t] = β (1 − S[t−1]) U[t−1] + I[t]" : "U[t] = β U[t−1] + I[t] − θ S[t−1]";

/** The same with the numbers of one step, which is counted from 0 here and from 1 in what it says. */
export function sum(state, activity, t) {
  const { membrane, spikes, current, taken } = activity;
  const before = t ? membrane[t - 1] : 0;
  const remaining = taken[t] > 0 && state.reset === "zero" ? "0" : `${number(state.beta)} · ${number(before)}`;
  const lost = taken[t] > 0 && state.reset === "subtract" ? ` − ${number(state.theta)}` : "";
  const sign = spikes[t] ? ">" : "≤";
  return `U[${t + 1}] = ${remaining} + ${number(current[t])}${lost} = ${number(membrane[t])} ${sign} ${number(state.theta)}`;
}

/** What happens in one step, in words. */
export function happens({ spikes, taken }, t) {
  const after = taken[t] > 0 ? say`It fired one step ago, and pays for it now` : say`Nothing is taken`;
  return `${after}; ${spikes[t] ? say`the potential is above threshold: it fires.` : say`it stays silent.`}`;
}

/** When it fires. */
export function summary({ spikes }) {
  const times = [...spikes.keys()].filter((t) => spikes[t]);
  if (times.length === 0) return say`It never fires.`;
  const [gap, ...others] = new Set(times.slice(1).map((t, k) => t - times[k]));
  const every = plural(gap)`, in every step|, every ${gap} steps`;
  const rhythm = times.length > 2 && others.length === 0 ? every : "";
  return say`It fires ${plural(times.length)`once|${times.length} times`}${rhythm}, first in step ${times[0] + 1}.`;
}

/** Whether a constant current of this size could ever make it fire. */
export function reach(state) {
  const [least, drive] = [number(rheobase(state)), number(state.drive)];
  if (state.beta === 1 && state.drive > 0) return say`Without a leak every constant current fires it sooner or later.`;
  if (state.drive <= rheobase(state)) {
    return say`A constant current of ${drive} never fires it: U settles at I/(1 − β), and that exceeds θ only if I > θ(1 − β) = ${least}.`;
  }
  const on = state.pattern.replaceAll("0", "").length;
  const part = say`${drive} would make it fire again and again if it stayed on; here it is on in ${on} of ${state.pattern.length} steps only`;
  return say`A constant current fires it if it exceeds θ(1 − β) = ${least}; ${on < state.pattern.length ? part : say`this one does`}.`;
}
