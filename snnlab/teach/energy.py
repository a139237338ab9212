"""The chapter *Energy*: what a fair comparison gives, and the checks of its exercises."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isclose
from typing import Any

import torch
from torch import Tensor

from snnlab.encoding import encoder
from snnlab.energy import PJ_PER_MAC, PJ_PER_SYNOP, energy, energy_of_trace
from snnlab.network import MLP, Classifier, SpikingMLP

__all__ = ["CHECKS", "fair_finding"]


def fair_finding(counted: Mapping[str, tuple[float, float]], ann_macs: float) -> str:
    """Return which codes need less energy than an ANN that skips zeros, and by how much, as Markdown.

    Args:
        counted: MACs and SynOps of an answer by code, where black pixels are skipped by MACs too.
        ann_macs: MACs of an ANN that skips zeros.
    """
    ann = PJ_PER_MAC * ann_macs
    ratio = {name: (PJ_PER_MAC * macs + PJ_PER_SYNOP * synops) / ann for name, (macs, synops) in counted.items()}
    less, more = (
        sorted((n for n in ratio if (ratio[n] < 1) is cheaper), key=ratio.__getitem__) for cheaper in (True, False)
    )
    cheaper_than, others = (
        ", ".join(f"`{name}` ({ratio[name]:.2f} times)" for name in names) or "none" for names in (less, more)
    )
    return (
        f"If both skip zeros, the ANN needs {ann / 1000:.1f} nJ. Codes that need less: {cheaper_than}. Codes that need as much "
        f"or more: {others}."
    )


def _picojoules(answer: Any) -> str | None:
    """energy.1: ``{"ann": pJ, "latency": pJ, "direct": pJ}`` for 6 pixels, two of them black, 4 hidden and 3 output neurons."""
    image, hidden = torch.tensor([[[[1.0, 0.8, 0.6, 0.4, 0.0, 0.0]]]]), torch.zeros(8, 1, 4)
    hidden[3:8, 0, 0] = 1
    expected = {"ann": float(energy(Classifier(MLP((6, 4, 3))), image).picojoules)}
    for name in ("latency", "direct"):
        code = encoder(name, num_steps=8)
        expected[name] = float(energy_of_trace(SpikingMLP((6, 4, 3)), code, (code(image), hidden)).picojoules[-1])
    if not isinstance(answer, Mapping) or set(answer) != set(expected):
        return f"give a dictionary with pJ for each of {', '.join(expected)}"
    for name, right in expected.items():
        if not isclose(answer[name], right, abs_tol=0.05):
            side = "much" if answer[name] > right else "little"
            hint = {
                "ann": "every weight once, zeros too",
                "latency": "each spike reaches every neuron of the next layer, and output spikes reach none",
                "direct": "the input is the same at every step, so its product is needed once; hidden spikes are as before",
            }[name]
            return f"too {side} for {name}: {hint}"
    return None


def _skipped(answer: Any) -> str | None:
    """energy.2: a function ``macs_without_zeros(network, images)``: the MACs ``[N]`` of an ANN that skips zeros."""
    if not callable(answer):
        return "give the function itself, without calling it"
    generator = torch.Generator().manual_seed(0)
    network = MLP((9, 7, 5, 3))
    for parameter in network.parameters():
        parameter.data.normal_(generator=generator)
    images = torch.rand(6, 1, 3, 3, generator=generator) * (torch.rand(6, 1, 3, 3, generator=generator) < 0.5)
    images[0] = 0
    with torch.no_grad():
        found = answer(network, images)
        activity, layers = images.flatten(1), []
        for layer, targets in zip(network.layers, network.sizes[1:], strict=True):
            layers.append((activity != 0).sum(1) * targets)
            activity = layer(activity).relu()
    if not isinstance(found, Tensor) or found.shape != (6,):
        return f"for six images the result should be a tensor [6], got {getattr(found, 'shape', type(found))}"
    if torch.equal(found.long(), sum(layers, torch.zeros(6, dtype=torch.long))):
        return None
    if torch.equal(found.long(), layers[0]):
        return "the first layer is right; the others multiply too"
    if bool(found[0] >= network.sizes[0] * network.sizes[1]):
        return "image 0 is black, and its pixels were multiplied all the same"
    return "a layer is charged for its non-zero inputs times its outputs; a hidden input is what the ReLU lets through"


def _break_even(answer: Any) -> str | None:
    """energy.3: a function ``break_even(ann_macs, macs, synops)``: the price of a weight from which on spikes save nothing."""
    if not callable(answer):
        return "give the function itself, without calling it"
    mac, synop = PJ_PER_MAC, PJ_PER_SYNOP
    for ann_macs, macs, synops in ((40, 0, 190), (100, 30, 90), (100, 0, 50), (40, 0, 250), (40, 0, 40)):
        ahead, more = mac * (ann_macs - macs) - synop * synops, synops + macs - ann_macs
        right = 0.0 if ahead <= 0 else ahead / more if more > 0 else inf
        found = answer(ann_macs, macs, synops)
        if not isclose(found, right, rel_tol=1e-6, abs_tol=1e-9):
            case = f"an ANN of {ann_macs} MACs against {macs} MACs and {synops} SynOps"
            if right == 0.0:
                return f"{case}: spikes cost more even if reading a weight is free, so the answer is 0.0"
            if right == inf:
                return f"{case}: spikes read no more weights than the ANN does, so they stay cheaper: the answer is inf"
            return f"{case}: not {found:g}; at your price the two sums differ. Each MAC and each SynOp reads one weight"
    return None


CHECKS = {"energy.1": _picojoules, "energy.2": _skipped, "energy.3": _break_even}
