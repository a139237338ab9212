/** A picture of the reader's for networks of colour pictures: opened, dropped, pasted or taken, and cropped to its middle square. */
import { say } from "../language.js";
import { fitPicture } from "../view/along/fit.js";
import { Camera, pictureIn, pixelsOf } from "../view/along/open-picture.js";
import { h, setText } from "../view/dom/elements.js";

/** The middle square of a picture. @param {{data: ArrayLike<number>, width: number, height: number}} picture */
export function cropped({ data, width, height }) {
  const size = Math.min(width, height);
  const [left, top] = [Math.floor((width - size) / 2), Math.floor((height - size) / 2)];
  const out = new Uint8ClampedArray(4 * size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < 4 * size; x++) out[4 * size * y + x] = data[4 * ((top + y) * width + left) + x];
  }
  return { data: out, width: size, height: size };
}

/** What was done to a picture, in words. */
export const doneText = ({ width, height }, steps) =>
  [...(width === height ? [] : [say`cropped to its middle square`]), ...steps].join(", ");

export class Opener {
  /** @param {any} stage  @param {number[]} shape [C, H, W]  @param {(levels: number[]) => void} onPicture */
  constructor(stage, shape, onPicture) {
    this.stage = stage;
    this.shape = shape;
    this.onPicture = onPicture;
    const onchange = () => {
      this.#open(file.files[0], say`the file`);
      file.value = "";
    };
    const file = h("input", { type: "file", accept: "image/*", hidden: true, "aria-label": say`picture`, onchange });
    this.camera = new Camera({
      onPicture: (video) => this.#open(video, say`the camera`).then((done) => done && this.camera.close()),
      onFail: (error) => this.#say(`⚠ ${error.message}.`),
    });
    const button = (text, onclick) => h("button", { type: "button", onclick }, text);
    this.said = h("p", { class: "said", role: "status" }, say`Or drop one here, or paste one. It stays on this computer.`);
    const take = button(say`use the camera`, () => this.camera.open());
    const row = h(
      "div",
      { class: "row" },
      button(say`open a picture`, () => file.click()),
      take,
      file,
    );
    this.element = h(
      "div",
      { class: "opener", role: "group", "aria-label": say`your picture` },
      row,
      this.said,
      this.camera.element,
    );
    this.#listen();
  }

  /** Pictures are dropped on the explorer; one that is pasted belongs to the explorer that the reader touched last. */
  #listen() {
    const { host, app } = this.stage;
    const over = (isOver) => (event) => {
      event.preventDefault();
      app.classList.toggle("over", isOver);
    };
    const dropped = (event) => {
      over(false)(event);
      this.#open(pictureIn(event.dataTransfer), say`what was dropped`);
    };
    let inside = false;
    const touched = (event) => {
      inside = event.composedPath().includes(host);
    };
    const pasted = (event) => {
      const picture = pictureIn(event.clipboardData);
      if (picture && (inside || document.activeElement === host)) this.#open(picture, say`what was pasted`);
    };
    const heard = /** @type {[EventTarget, string, (event: any) => void][]} */ ([
      [host, "dragover", over(true)],
      [host, "dragleave", over(false)],
      [host, "drop", dropped],
      [document, "pointerdown", touched],
      [document, "paste", pasted],
    ]);
    for (const [target, name, listener] of heard) target.addEventListener(name, listener);
    this.stage.onDispose(() => {
      for (const [target, name, listener] of heard) target.removeEventListener(name, listener);
      this.camera.close();
    });
  }

  #say(sentence) {
    setText(this.said, sentence);
  }

  /** @param {Blob|HTMLVideoElement|undefined} source  @param {string} where @returns {Promise<boolean>} whether it went well */
  async #open(source, where) {
    try {
      if (!source) throw new Error(say`${where} is not a picture`);
      const picture = await pixelsOf(source);
      const { levels, steps } = fitPicture(cropped(picture), this.shape, { isDigit: false });
      this.onPicture(levels);
      this.#say(say`Your picture is shown, ${doneText(picture, steps)}. It stays on this computer.`);
      return true;
    } catch (error) {
      this.#say(`⚠ ${error.message.replace(/[^.!?]$/, "$&.")}`);
      return false;
    }
  }
}
