/** What fires in the blocks of a convolutional network: one raster for all, block below block, map below map. */
import { say } from "../language.js";
import { blockRows, paintRaster } from "../view/dom/canvas-raster.js";
import { setText } from "../view/dom/elements.js";
import { labelRows, RasterPanel } from "../view/panels/panel.js";

export class BlocksPanel extends RasterPanel {
  constructor() {
    super("blocks", say`spikes in the blocks`);
  }

  /** @param {any} frame with `maps`, the shape [C, H, W] of each block  @param {import("../view/panels/panel.js").Context} context */
  show(frame, { margins, colours }) {
    const { clean, attacked, maps, num_steps: steps } = frame;
    const timeless = !clean.input;
    const blocks = blocksOf(maps);
    const most = timeless ? maxima(clean.blocks, blocks) : null;
    const values = (side) => side && (most ? scaled(side.blocks, blocks, most) : side.blocks);
    const sequence = {
      clean: values(clean),
      attacked: values(attacked),
      order: orderOf(clean.blocks, maps, timeless ? 1 : steps),
      steps: timeless ? 1 : steps,
      blocks,
    };
    paintRaster(this.canvas, sequence, margins, colours);
    const places = blockRows({ blocks, order: [] }, this.height, 1);
    labelRows(
      this.rows,
      places.map(({ top, bottom }, k) => [say`block ${k + 1}`, (top + bottom) / 2]),
      this.height,
    );
    setText(this.title, timeless ? say`activity in the blocks` : say`spikes in the blocks`);
    setText(this.note, say`${mapsText(maps)}, the most active on top`);
  }
}

/** Neurons of each block, all drawn equally high. @param {number[][]} maps */
function blocksOf(maps) {
  let first = 0;
  return maps.map(([channels, height, width]) => {
    const neurons = channels * height * width;
    first += neurons;
    return { first: first - neurons, neurons, share: 1 / maps.length };
  });
}

/** Map after map of each block, the one that is most active in the clean picture on top. */
function orderOf(values, maps, steps) {
  const width = values.length / steps;
  const order = new Int32Array(width);
  let first = 0;
  for (const [channels, height, across] of maps) {
    const size = height * across;
    const total = new Float64Array(channels);
    for (let t = 0; t < steps; t++) {
      for (let i = 0; i < channels * size; i++) total[Math.floor(i / size)] += values[t * width + first + i];
    }
    const sorted = [...total.keys()].sort((a, b) => total[b] - total[a]);
    for (const [row, channel] of sorted.entries()) {
      for (let i = 0; i < size; i++) order[first + row * size + i] = first + channel * size + i;
    }
    first += channels * size;
  }
  return order;
}

/** "32 maps of 16×16, 64 of 8×8 …" */
export const mapsText = (maps) =>
  maps.map(([channels, height, width], k) => say`${channels}${k ? "" : say` maps`} of ${height}×${width}`).join(", ");

const maxima = (values, blocks) =>
  blocks.map(({ first, neurons }) => values.subarray(first, first + neurons).reduce((most, v) => Math.max(most, v), 1e-9));

function scaled(values, blocks, most) {
  const out = new Float32Array(values.length);
  for (const [k, { first, neurons }] of blocks.entries()) {
    for (let i = first; i < first + neurons; i++) out[i] = Math.min(1, values[i] / most[k]);
  }
  return out;
}
