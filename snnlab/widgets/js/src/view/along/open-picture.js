/** A picture of the reader's: from a file, dropped, pasted, or from the camera. It stays on this machine. */
import { say } from "../../language.js";
import { h } from "../dom/elements.js";

/** A picture is read at no more than this many pixels along its longer side. */
const MOST = 320;

/** @param {Blob|HTMLVideoElement} source @returns {Promise<ImageData>} */
export async function pixelsOf(source) {
  let picture;
  try {
    picture = await createImageBitmap(source);
  } catch {
    throw new Error(say`this file is not a picture that the browser reads; use PNG, JPEG or WebP`);
  }
  const scale = Math.min(1, MOST / Math.max(picture.width, picture.height));
  const [width, height] = [picture.width, picture.height].map((size) => Math.max(1, Math.round(size * scale)));
  const context = h("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  picture.close();
  return context.getImageData(0, 0, width, height);
}

/** The first picture among what was dropped or pasted. @param {DataTransfer|null} transfer @returns {File|undefined} */
export const pictureIn = (transfer) => Array.from(transfer?.files ?? []).find(({ type }) => type.startsWith("image/"));

/** Why a browser gives no camera, by the name of its error. */
const REFUSALS = {
  NotAllowedError: say`the camera is not allowed for this page`,
  NotReadableError: say`the camera is used by another program`,
};

/** What the camera sees, in a video, until it is closed or taken away. */
export class Webcam {
  #stream = null;

  /** @param {(error: Error) => void} onFail  @param {string} instead what the reader can do without a camera */
  constructor(onFail, instead) {
    this.onFail = onFail;
    this.instead = instead;
    this.video = h("video", { playsinline: true, muted: true, "aria-label": say`what the camera sees` });
  }

  /** @returns {Promise<boolean>} whether it is on */
  async open() {
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch ({ name }) {
      this.onFail(new Error(`${REFUSALS[name] ?? say`no camera is there for this page`}; ${this.instead}`));
      return false;
    }
    for (const track of this.#stream.getTracks()) track.addEventListener("ended", () => this.close());
    this.video.srcObject = this.#stream;
    await this.video.play();
    return true;
  }

  close() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.video.srcObject = null;
  }
}

/** The camera, with a button that takes the picture; without one, whatever the device offers for a file. */
export class Camera extends Webcam {
  /** @param {{onPicture: (video: HTMLVideoElement) => void, onFail: (error: Error) => void}} hooks */
  constructor({ onPicture, onFail }) {
    super(onFail, say`choose a file`);
    const button = (text, onclick) => h("button", { type: "button", onclick }, text);
    this.take = button(say`take the picture`, () => onPicture(this.video));
    const buttons = h(
      "div",
      { class: "row" },
      this.take,
      button(say`close the camera`, () => this.close()),
    );
    this.element = h("div", { class: "camera", hidden: true }, this.video, buttons);
  }

  async open() {
    const isOn = await super.open();
    this.element.hidden = !isOn;
    if (isOn) this.take.focus();
    return isOn;
  }

  close() {
    super.close();
    this.element.hidden = true;
  }
}
