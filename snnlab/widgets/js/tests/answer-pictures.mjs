/**
 * Answers tests/parity/test_pictures_in_page.py: a network of pictures and pictures in; votes and answers out, gradients and attacked
 * pictures of the first few.
 */
import { readFileSync } from "node:fs";
import { attack } from "../src/engine/attack.js";
import { inputGradient, mulberry32 } from "../src/engine/index.js";
import { chain, layered } from "../src/layers/network.js";

const { payload, pixels, labels, exit, detailed, eps } = JSON.parse(readFileSync(0, "utf8"));
const network = layered(payload.model, chain(payload.network, "picture"), exit);
const all = new Float32Array(Uint8Array.from(atob(pixels), (c) => c.charCodeAt(0)).buffer);
const out = { votes: [], predictions: [], gradients: [], attacked: [] };
for (let k = 0; k < labels.length; k++) {
  const image = all.slice(k * network.numPixels, (k + 1) * network.numPixels);
  const { votes, predictions } = network.forward(image, mulberry32(0));
  out.votes.push(Array.from(votes));
  out.predictions.push(Array.from(predictions));
  if (k >= detailed) continue;
  for (const attacker of ["naive", "informed"]) {
    const aim = { label: labels[k], exitStep: exit, attacker, random: mulberry32(0) };
    out.gradients.push(Array.from(await inputGradient(network, image, aim)));
    out.attacked.push(Array.from((await attack("fgsm", network, image, eps, aim)).image));
  }
}
process.stdout.write(JSON.stringify(out));
