/**
 * Answers the tests of layers (tests/parity/test_chain_in_page.py), a line of JSON each: a network and its code, an image, a sequence
 * and a label in; spikes, potential, votes and gradients out.
 */
import { createInterface } from "node:readline";
import { encode, inputGradient, mulberry32 } from "../src/engine/index.js";
import { chain, layered } from "../src/layers/network.js";

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = await answered(JSON.parse(line));
  } catch (error) {
    answer = { error: error.stack };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

async function answered({ model, network: payload, image: pixels, sequence, label, exits }) {
  const network = layered(model, chain(payload, "network/0"), 1);
  const image = Float32Array.from(pixels);
  const input = sequence ? Float32Array.from(sequence) : image;
  const { output, votes, predictions, hidden } = network.respond(image, input);
  const gradients = [];
  for (const attacker of network.encoder ? ["naive", "informed"] : ["naive"]) {
    for (const exitStep of exits) {
      const aim = { label, exitStep, attacker, random: mulberry32(0), draws: 1 };
      gradients.push(Array.from(await inputGradient(asSampled(network, input), image, aim)));
    }
  }
  const encoded = network.encoder && !network.encoder.stochastic ? encode(network.encoder, image, mulberry32(0)) : null;
  return {
    input: encoded && Array.from(encoded),
    hidden: hidden && Array.from(hidden.spikes),
    output: output && Array.from(output.spikes),
    membrane: output && Array.from(output.membrane),
    votes: Array.from(votes),
    predictions: Array.from(predictions),
    gradients,
  };
}

/** The network that meets one sequence, whatever its code draws. */
function asSampled(network, input) {
  const same = Object.create(network);
  same.classes = network.classes;
  same.eot = 1;
  same.forward = (image) => network.respond(image, input);
  same.backward = (...given) => network.backward(...given);
  return same;
}
