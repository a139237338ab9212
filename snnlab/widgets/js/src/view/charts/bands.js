/** Bands of the votes: between them lies whatever an attacker inside ε does. Above, what that proves at every exit. */
import { say } from "../../language.js";
import { svg } from "../dom/elements.js";
import { answer, shownSide } from "../text/frame.js";
import { label } from "./frame.js";

const SIGNS = { proved: "✓", broken: "✗", open: "?" };

/** What bands and signs mean. */
export const LEGEND = say`Bands: all that an attacker inside ε can do. Signs of the exits: ✓ proved, ✗ broken, ? open.`;

/**
 * What is known of an exit under every attacker inside ε.
 * @param {Frame} frame with its `bounds`  @param {number} exit  @returns {"proved"|"broken"|"open"}
 */
export function known(frame, exit) {
  if (frame.bounds.proved[Math.min(exit, frame.bounds.proved.length) - 1]) return "proved";
  const wrong = [frame.clean, shownSide(frame)].some((side) => answer(side, exit) !== frame.target);
  return wrong ? "broken" : "open";
}

/** One sentence about the exit that is read. @param {Frame} frame  @param {number} exit */
export function boundText(frame, exit) {
  const timed = frame.clean.input ? say` at exit ${exit}` : "";
  return {
    proved: say`Proved${timed}: no attacker inside this ε can change the answer.`,
    broken: say`Broken${timed}: the answer is wrong.`,
    open: say`Open${timed}: not broken by this attack, and the bounds are too wide for a proof.`,
  }[known(frame, exit)];
}

/** Bands of the true class and of its strongest rival at the exit, and a sign at every exit; nothing without bounds. */
export function bands(frame, { x, y, exit, colours }) {
  if (!frame.bounds) return [];
  const { votes, differences } = frame.bounds;
  const steps = frame.num_steps;
  const classes = votes.low.length / steps;
  const apart = (k) => differences[(exit - 1) * classes + k];
  const others = Array.from({ length: classes }, (_, k) => k).filter((k) => k !== frame.target);
  const rival = others.reduce((best, k) => (apart(k) > apart(best) ? k : best), others[0]);
  const [bottom, top] = y.range();
  const place = (value) => Math.min(bottom, Math.max(top, y(value)));
  const band = (k, fill) => {
    const edge = (ends) => Array.from({ length: steps }, (_, t) => [t, place(ends[t * classes + k])]);
    const above = edge(votes.high).flatMap(([t, v]) => [`${x(t)},${v}`, `${x(t + 1)},${v}`]);
    const below = edge(votes.low).flatMap(([t, v]) => [`${x(t)},${v}`, `${x(t + 1)},${v}`]);
    return svg("path", { d: `M${[...above, ...below.reverse()].join("L")}Z`, fill, opacity: 0.16, class: "band" });
  };
  const signs = Array.from({ length: steps }, (_, t) => {
    const state = known(frame, t + 1);
    const fill = { proved: colours.right, broken: colours.attack, open: colours.quiet }[state];
    const middle = { "text-anchor": "middle", style: `fill: ${fill}`, "data-known": state };
    return label(x(t + 0.5), top - 11, SIGNS[state], "known", middle);
  });
  return [band(rival, colours.attack), band(frame.target, colours.right), ...signs];
}
