/** The events of a recording in space and time: time runs to the right, the sensor stands across it; drag to turn. */
import { say } from "../language.js";
import { inside } from "../view/dom/drag.js";
import { h } from "../view/dom/elements.js";
import { fit } from "../view/dom/sizes.js";

const LENGTH = 2.6; // of the time axis, in sides of the sensor
const START = { yaw: -0.42, pitch: 0.26 };
const TURN = 0.12;

export class EventCloud {
  #view = { ...START };
  #shown = null;

  constructor() {
    this.canvas = h("canvas", {
      role: "img",
      tabindex: "0",
      "aria-label": say`events in space and time; arrow keys turn the cloud`,
      onpointerdown: (event) => this.#drag(event),
      onkeydown: (event) => this.#key(event),
      ondblclick: () => this.#turn(START),
    });
    this.element = h("div", { class: "cloud" }, this.canvas);
  }

  /**
   * `changes`: entries that an attack made or took away, at the middle of their step; `until`: the share of time that is read.
   * @param {{events: import("./camera.js").Event[], changes: {x: number, y: number, t: number, made: boolean}[], side: number,
   *   duration: number, until: number, steps: number}} shown
   */
  show(shown, colours) {
    this.#shown = { ...shown, colours };
    this.#paint();
  }

  #turn({ yaw, pitch }) {
    this.#view = { yaw, pitch: Math.max(-1.4, Math.min(1.4, pitch)) };
    this.#paint();
  }

  #drag(event) {
    if (event.button !== 0) return;
    const { canvas } = this;
    const from = { ...inside(event, canvas), ...this.#view };
    const move = (now) => {
      const { x, y } = inside(now, canvas);
      this.#turn({ yaw: from.yaw + (x - from.x) / 140, pitch: from.pitch + (y - from.y) / 140 });
    };
    canvas.setPointerCapture(event.pointerId);
    canvas.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, () => canvas.removeEventListener("pointermove", move), { once: true });
    }
  }

  #key(event) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#turn({ yaw: this.#view.yaw + TURN * by[0], pitch: this.#view.pitch + TURN * by[1] });
  }

  #paint() {
    const target = this.#shown && fit(this.canvas);
    if (!target) return;
    const { context: ink, width, height, ratio } = target;
    const { events, changes, side, duration, until, steps, colours } = this.#shown;
    const scale = Math.min(width / 2.95, height / 1.9);
    const { yaw, pitch } = this.#view;
    const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
    /** Time, column and row (in shares) to place and depth. */
    const place = (t, x, y) => {
      const [a, b, c] = [(t - 0.5) * LENGTH, y - 0.5, x - 0.5];
      const [right, deep] = [a * cy - c * sy, a * sy + c * cy];
      const [down, depth] = [b * cp + deep * sp, deep * cp - b * sp];
      const near = 4.5 / (4.5 + depth);
      return { left: width / 2 + right * scale * near, top: height / 2 + down * scale * near, depth, near };
    };
    ink.clearRect(0, 0, width, height);
    ink.lineWidth = ratio;
    const frame = (t, colour, alpha, fill = false) => {
      const corners = [place(t, 0, 0), place(t, 1, 0), place(t, 1, 1), place(t, 0, 1)];
      ink.globalAlpha = alpha;
      ink.strokeStyle = ink.fillStyle = colour;
      ink.beginPath();
      for (const [k, { left, top }] of corners.entries()) k ? ink.lineTo(left, top) : ink.moveTo(left, top);
      ink.closePath();
      if (fill) ink.fill();
      else ink.stroke();
    };
    for (let k = 0; k <= steps; k++) frame(k / steps, colours.line, k % (steps / 3) === 0 ? 0.9 : 0.3);
    for (const [x, y] of [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ]) {
      const [from, to] = [place(0, x, y), place(1, x, y)];
      ink.globalAlpha = 0.8;
      ink.strokeStyle = colours.line;
      ink.beginPath();
      ink.moveTo(from.left, from.top);
      ink.lineTo(to.left, to.top);
      ink.stroke();
    }
    const centre = (v) => (v + 0.5) / side;
    const points = events.map(({ x, y, t, p }) => ({
      ...place(t / duration, centre(x), centre(y)),
      colour: p ? colours.code("latency").colour : colours.darker,
      read: t / duration < until,
    }));
    points.sort((a, b) => b.depth - a.depth);
    for (const { left, top, near, colour, read } of points) {
      const size = Math.max(1, 1.9 * ratio * near);
      ink.globalAlpha = read ? 0.8 : 0.14;
      ink.fillStyle = colour;
      ink.fillRect(left - size / 2, top - size / 2, size, size);
    }
    for (const { x, y, t, made } of changes) {
      const { left, top, near } = place(t / duration, centre(x), centre(y));
      const size = 3.1 * ratio * near;
      ink.globalAlpha = t / duration < until ? 1 : 0.3;
      ink.fillStyle = ink.strokeStyle = colours.attack;
      ink.lineWidth = 1.4 * ratio;
      ink.beginPath();
      ink.arc(left, top, size, 0, 2 * Math.PI);
      if (made) ink.fill();
      else ink.stroke();
    }
    if (until < 1) frame(until, colours.ink, 0.07, true);
    if (until < 1) frame(until, colours.ink, 0.9);
    ink.globalAlpha = 1;
    ink.fillStyle = colours.quiet;
    ink.font = `${12 * ratio}px system-ui, sans-serif`;
    ink.textAlign = "center";
    const [start, end] = [place(0, 0.5, 1.12), place(1, 0.5, 1.12)];
    ink.fillText(say`0 ms`, start.left, start.top);
    ink.fillText(say`${duration / 1000} ms`, end.left, end.top);
  }
}
