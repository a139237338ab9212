/** What a reader takes along from an explorer, and what he brings: pictures, data, a picture of his own; and the way back. */
import { say } from "../../language.js";
import { asText } from "../../state/text.js";
import { h, setText } from "../dom/elements.js";
import style from "./along.css";
import { fitPicture } from "./fit.js";
import { npz } from "./npz.js";
import { Camera, pictureIn, pixelsOf } from "./open-picture.js";
import { pictureOf, pngOf } from "./picture.js";
import { arraysOf, csv, rowsOf } from "./tables.js";

const PLACE = say`A picture can also be dropped on this explorer or pasted while this menu is open. Nothing leaves this computer.`;

const menus = new WeakMap();

/** Open or close the menu of an explorer below the row of its button. @param {any} explorer  @param {HTMLButtonElement} button */
export function toggle(explorer, button) {
  if (!menus.has(explorer)) menus.set(explorer, new Menu(explorer, button));
  menus.get(explorer).toggle();
}

class Menu {
  /** @type {[EventTarget, string, (event: any) => void][]} */
  #heard = [];

  constructor(explorer, button) {
    this.explorer = explorer;
    this.button = button;
    this.kind = explorer.constructor.kind;
    const rows = [...(this.#opens ? this.#openers() : []), ...this.#savers(), ...this.#back()];
    this.said = h("p", { role: "status" });
    const onkeydown = (event) => event.key === "Escape" && this.toggle(false);
    const group = { class: "along", role: "group", "aria-label": say`take along`, hidden: true, onkeydown };
    this.element = h("div", group, ...rows, this.said);
    explorer.caption.element.append(this.element);
    explorer.stage.wear(style);
    explorer.stage.onDispose(() => this.toggle(false));
  }

  /** Explorers of images take a picture here, unless they have a place of their own for it. */
  get #opens() {
    return this.explorer.picker && !this.explorer.opener;
  }

  toggle(isOpen = this.element.hidden) {
    this.element.hidden = !isOpen;
    this.button.setAttribute("aria-expanded", String(isOpen));
    for (const [target, name, listener] of this.#heard.splice(0)) target.removeEventListener(name, listener);
    if (isOpen && this.#opens) this.#listen();
    if (isOpen) this.element.querySelector("button").focus({ preventScroll: true });
    else {
      this.camera?.close();
      this.button.focus({ preventScroll: true });
    }
  }

  #listen() {
    const { host } = this.explorer.stage;
    const over = (isOver) => (event) => {
      event.preventDefault();
      this.element.classList.toggle("over", isOver);
    };
    const dropped = (event) => {
      over(false)(event);
      this.#open(pictureIn(event.dataTransfer), say`what was dropped`);
    };
    const pasted = (event) => this.#open(pictureIn(event.clipboardData), say`what was pasted`);
    this.#heard = [
      [host, "dragover", over(true)],
      [host, "dragleave", over(false)],
      [host, "drop", dropped],
      [document, "paste", pasted],
    ];
    for (const [target, name, listener] of this.#heard) target.addEventListener(name, listener);
  }

  #openers() {
    const onchange = () => {
      this.#open(this.file.files[0], say`the file`);
      this.file.value = "";
    };
    this.file = h("input", { type: "file", accept: "image/*", hidden: true, "aria-label": say`picture`, onchange });
    this.camera = new Camera({
      onPicture: (video) => this.#open(video, say`the camera`).then((done) => done && this.camera.close()),
      onFail: (error) => this.#say(`⚠ ${error.message}.`),
    });
    const file = this.#button(say`choose a file`, () => this.file.click());
    const camera = this.#button(say`use the camera`, () => this.camera.open());
    return [...row(say`Open a picture`, file, camera, this.file), h("p", { class: "quiet" }, PLACE), this.camera.element];
  }

  #savers() {
    const picture = (text, run) => this.#button(text, () => this.#tried(run));
    const savers = [
      picture(say`picture, PNG`, async () => this.#save("png", await pngOf(this.#drawn()))),
      picture(say`picture, SVG`, async () => this.#save("svg", this.#drawn(), "image/svg+xml")),
      picture(say`table, CSV`, async () => this.#saveTable()),
    ];
    if (this.explorer.picker) savers.push(picture(say`images, NPZ`, async () => this.#saveImages()));
    return row(say`Save`, ...savers);
  }

  #back() {
    const { store, settings, initial } = this.explorer;
    const reset = () => {
      store.set(Object.fromEntries(Object.keys(settings).map((name) => [name, initial[name]])));
      this.#say(say`All settings are as they were at first.`);
    };
    return row(say`Go back`, this.#button(say`reset`, reset));
  }

  #button(text, onclick) {
    return h("button", { type: "button", onclick }, text);
  }

  #say(sentence) {
    setText(this.said, sentence);
  }

  /** @returns {Promise<boolean>} whether it went well; if not, the menu says why */
  async #tried(run) {
    try {
      await run();
      return true;
    } catch (error) {
      this.#say(`⚠ ${error.message.replace(/[^.!?]$/, "$&.")}`);
      return false;
    }
  }

  /** The settings in words, as they stand under a picture. */
  #settings() {
    const { store, settings } = this.explorer;
    const state = store.all();
    const names = Object.keys(settings).filter((name) => name !== "drawing");
    const said = names.map((name) => `${name} ${name === "image" && state.image === -1 ? "drawn" : asText(state[name])}`);
    return [say`snnlab, explorer "${this.kind}"`, ...said].join(" · ");
  }

  #drawn() {
    const { stage } = this.explorer;
    return pictureOf(stage, say`snnlab, explorer "${this.kind}"`, this.#settings());
  }

  #saveTable() {
    const rows = rowsOf(this.explorer);
    if (!rows) throw new Error(say`there is no table: of these networks nothing was measured`);
    this.#save("csv", csv(rows), "text/csv");
  }

  #saveImages() {
    const arrays = arraysOf(this.explorer, this.#settings());
    this.#save("npz", npz(arrays), "application/zip", say` It holds ${Object.keys(arrays).join(", ")}.`);
  }

  #save(ending, content, type = undefined, also = "") {
    const name = `snnlab-${this.kind}.${ending}`;
    const blob = content instanceof Blob ? content : new Blob([content], { type });
    const url = URL.createObjectURL(blob);
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    this.#say(say`Saved as ${name} (${Math.ceil(blob.size / 1000)} kB).${also}`);
  }

  /** @param {Blob|HTMLVideoElement|undefined} source  @param {string} where it is from */
  #open(source, where) {
    return this.#tried(async () => {
      if (!source) throw new Error(say`${where} is not a picture`);
      const { picker, store } = this.explorer;
      const { digits, results } = picker.zoo;
      const { levels, steps } = fitPicture(await pixelsOf(source), digits.shape, {
        isDigit: Boolean(results),
        darkPaper: isDark(digits.images),
      });
      store.set({ drawing: levels, image: -1 });
      this.#say(say`Your picture is shown: ${steps.join(", ") || say`taken as it is`}.`);
    });
  }
}

const row = (title, ...buttons) => [h("h4", {}, title), h("div", { class: "row" }, ...buttons)];

/** Whether most of what the images hold is dark. */
const isDark = (images) => images.reduce((a, b) => a + b, 0) < images.length / 2;
