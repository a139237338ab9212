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

/** The camera, with a button that takes the picture; without one, whatever the device offers for a file. */
export class Camera {
  #stream = null;

  /** @param {{onPicture: (video: HTMLVideoElement) => void, onFail: (error: Error) => void}} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.video = h("video", { playsinline: true, muted: true, "aria-label": say`what the camera sees` });
    const button = (text, onclick) => h("button", { type: "button", onclick }, text);
    const take = button(say`take the picture`, () => hooks.onPicture(this.video));
    const buttons = h(
      "div",
      { class: "row" },
      take,
      button(say`close the camera`, () => this.close()),
    );
    this.element = h("div", { class: "camera", hidden: true }, this.video, buttons);
    this.take = take;
  }

  async open() {
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      return this.hooks.onFail(new Error(say`no camera is there for this page; choose a file`));
    }
    this.video.srcObject = this.#stream;
    this.element.hidden = false;
    await this.video.play();
    this.take.focus();
  }

  close() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.video.srcObject = null;
    this.element.hidden = true;
  }
}
