/** The reader's camera as an event camera: the law of camera.js on its pictures, in a window of time that ends now. */
import { say } from "../language.js";
import { Webcam } from "../view/along/open-picture.js";
import { h } from "../view/dom/elements.js";
import { Sensor } from "./camera.js";

/** Pictures that are brighter than this on average are ink on paper, and are inverted. */
const LIGHT = 0.5;

/** Intensities of a picture's middle square, [side²] in [0, 1]. */
class Eye {
  constructor(side) {
    this.side = side;
    this.context = h("canvas", { width: side, height: side }).getContext("2d", { willReadFrequently: true });
    this.context.imageSmoothingQuality = "high";
  }

  /** @param {HTMLVideoElement} video @returns {Float64Array} */
  look(video) {
    const { side, context } = this;
    const { videoWidth: width, videoHeight: height } = video;
    const size = Math.min(width, height);
    context.drawImage(video, (width - size) / 2, (height - size) / 2, size, size, 0, 0, side, side);
    const { data } = context.getImageData(0, 0, side, side);
    const grey = (p) => (0.299 * data[4 * p] + 0.587 * data[4 * p + 1] + 0.114 * data[4 * p + 2]) / 255;
    return Float64Array.from({ length: side * side }, (_, p) => grey(p));
  }
}

/** Events of a stream of images, of which the last `camera.duration` microseconds are remembered. */
export class Recorder {
  #events = /** @type {import("./camera.js").Event[]} */ ([]);
  /** The time of the last image, whole microseconds. @type {number|null} */
  #now = null;

  /** @param {import("./camera.js").Camera} camera  @param {number} side of the sensor */
  constructor(camera, side) {
    this.camera = camera;
    this.side = side;
    this.sensor = new Sensor(camera);
  }

  /** An image that is not later than the one before is left out. @param {ArrayLike<number>} image intensities [side²]  @param {number} now in whole microseconds */
  see(image, now) {
    const before = this.#now ?? now;
    if (this.#now !== null && now <= this.#now) return;
    const from = now - this.camera.duration;
    const fresh = this.sensor.see(image).map(({ pixel, p, share }) => ({
      x: pixel % this.side,
      y: Math.floor(pixel / this.side),
      // An event at the end of an interval belongs to it.
      t: Math.max(before, Math.ceil(before + share * (now - before)) - 1),
      p,
    }));
    fresh.sort((a, b) => a.t - b.t);
    this.#events = [...this.#events, ...fresh].filter(({ t }) => t >= from);
    this.#now = now;
  }

  /** The events of the window, sorted, their times from 0 on. @returns {import("./camera.js").Event[]} */
  get events() {
    const from = (this.#now ?? 0) - this.camera.duration;
    return this.#events.map((event) => ({ ...event, t: event.t - from }));
  }
}

/** The camera, and what an event camera in its place would send. Pictures are forgotten when the next one is there. */
export class LiveCamera extends Webcam {
  /** @type {Recorder|null} null: the camera is off */
  recorder = null;
  /** @type {Float64Array|null} the intensities that were seen last */
  image = null;
  isInverted = false;

  /** @param {any} camera  @param {number} side  @param {{onPicture: () => void, onFail: (error: Error) => void, onClose: () => void}} hooks */
  constructor(camera, side, { onPicture, onFail, onClose }) {
    super(onFail, say`choose a digit or draw one`);
    this.camera = camera;
    this.eye = new Eye(side);
    this.onPicture = onPicture;
    this.onClose = onClose;
  }

  async open() {
    if (!(await super.open())) return false;
    const first = this.eye.look(this.video);
    this.invert(first.reduce((a, b) => a + b, 0) / first.length > LIGHT);
    this.#next();
    return true;
  }

  /** Dark ink on light paper becomes light on dark, as the digits are; the recording begins anew. */
  invert(isInverted) {
    this.isInverted = isInverted;
    this.recorder = new Recorder(this.camera, this.eye.side);
  }

  /** Ask for the next picture: browsers that do not announce them are asked at each frame of the display. */
  #next() {
    const { video } = this;
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback((now) => this.#look(now));
    else requestAnimationFrame((now) => this.#look(now));
  }

  #look(now) {
    if (!this.recorder) return;
    const seen = this.eye.look(this.video);
    this.image = this.isInverted ? seen.map((v) => 1 - v) : seen;
    this.recorder.see(this.image, Math.round(1000 * now));
    this.onPicture();
    this.#next();
  }

  close() {
    const wasOn = this.recorder !== null;
    super.close();
    this.recorder = null;
    this.image = null;
    if (wasOn) this.onClose();
  }
}
