"""Checks of the chapter *Energy*."""

from __future__ import annotations

from math import inf, isclose
from typing import Any

import torch

from snnlab.encoding import encoder
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.networks.energy import PJ_PER_MAC, PJ_PER_SYNOP, energy, energy_of_trace
from snnlab.teach.exercises import Function, Hint, expect, expect_keys, tensor_of

HINTS = {
    "ann": "every weight once, zeros too",
    "latency": "each spike reaches every neuron of the next layer, and output spikes reach none",
    "direct": "the input is the same at every step, so its product is needed once; hidden spikes are as before",
}


def _picojoules(answer: Any) -> None:
    """energy.1: ``{"ann": pJ, "latency": pJ, "direct": pJ}`` for 6 pixels, two of them black, 4 hidden and 3 output neurons."""
    expect_keys(answer, HINTS, "pJ")
    image, hidden = torch.tensor([[[[1.0, 0.8, 0.6, 0.4, 0.0, 0.0]]]]), torch.zeros(8, 1, 4)
    hidden[3:8, 0, 0] = 1
    expected = {"ann": float(energy(Classifier(MLP((6, 4, 3))), image).picojoules)}
    for name in ("latency", "direct"):
        code = encoder(name, num_steps=8)
        expected[name] = float(energy_of_trace(SpikingMLP((6, 4, 3)), code, (code(image), hidden)).picojoules[-1])
    for name, right in expected.items():
        given = float(tensor_of(answer[name], (), f"the energy of {name}"))
        expect(not isclose(1000 * given, right, abs_tol=0.05), f"{name}: this is in nJ, and the question asks for pJ")
        near = isclose(given, right, abs_tol=0.05) or not isclose(given, right, abs_tol=0.55)
        expect(near, f"{name}: nearly right, but rounded; give it to 0.1 pJ")
        side = "much" if given > right else "little"
        expect(isclose(given, right, abs_tol=0.05), f"too {side} for {name}: {HINTS[name]}")


def _skipped(answer: Function) -> None:
    """energy.2: a function ``macs_without_zeros(network, images)``: the MACs ``[N]`` of an ANN that skips zeros."""
    generator = torch.Generator().manual_seed(0)
    network = MLP((9, 7, 5, 3))
    for parameter in network.parameters():
        parameter.data.normal_(generator=generator)
    images = torch.rand(6, 1, 3, 3, generator=generator) * (torch.rand(6, 1, 3, 3, generator=generator) < 0.5)
    images[0] = 0
    with torch.no_grad():
        result = answer(network, images)
        activity, layers = images.flatten(1), []
        for layer, targets in zip(network.layers, network.sizes[1:], strict=True):
            layers.append((activity != 0).sum(1) * targets)
            activity = layer(activity).relu()
    result = tensor_of(result, (6,), "for six images the result")
    if not torch.equal(result.long(), torch.stack(layers).sum(0)):
        expect(not torch.equal(result.long(), layers[0]), "the first layer is right; the others multiply too")
        skips = result[0] < network.sizes[0] * network.sizes[1]
        expect(skips, "image 0 is black, and its pixels were multiplied all the same")
        raise Hint(
            "a layer is charged for its non-zero inputs times its outputs; a hidden input is what the ReLU lets through"
        )


def _break_even(answer: Function) -> None:
    """energy.3: a function ``break_even(ann_macs, macs, synops)``: the price of a weight from which on spikes save nothing."""
    for ann_macs, macs, synops in ((40, 0, 190), (100, 30, 90), (100, 0, 50), (40, 0, 250), (40, 0, 40)):
        ahead, more = PJ_PER_MAC * (ann_macs - macs) - PJ_PER_SYNOP * synops, synops + macs - ann_macs
        right = 0.0 if ahead <= 0 else ahead / more if more > 0 else inf
        result = float(tensor_of(answer(ann_macs, macs, synops), (), "the price"))
        hint = {
            0.0: "spikes cost more even if reading a weight is free, so the answer is 0.0",
            inf: "spikes read no more weights than the ANN does, so they stay cheaper: the answer is inf",
        }.get(right, f"not {result}; at your price the two sums differ. Each MAC and each SynOp reads one weight")
        case = f"an ANN of {ann_macs} MACs against {macs} MACs and {synops} SynOps"
        expect(isclose(result, right, rel_tol=1e-6, abs_tol=1e-9), f"{case}: {hint}")


CHECKS = {"energy.1": _picojoules, "energy.2": _skipped, "energy.3": _break_even}
