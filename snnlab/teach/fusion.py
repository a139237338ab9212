"""Checks of the chapter *Fusion*."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from snnlab import data, zoo
from snnlab.encoding import Fusion, encoder
from snnlab.networks.classifier import Classifier
from snnlab.teach.exercises import Function, expect, expect_shape


def _currents(answer: Any) -> None:
    """fusion.1: the current at t = 0 … 3 of a pixel 0.6 in ``fusion(0.25*direct, latency)`` behind the weights 2 and -1."""
    listed = isinstance(answer, Sequence) and len(answer) == 4
    expect(listed, "give a list of four numbers, the current at t = 0, 1, 2, 3")
    sequence = encoder("fusion(0.25*direct, latency)", num_steps=4)(torch.full((1, 1, 1, 1), 0.6)).flatten(1)
    for t, expected in enumerate((sequence @ torch.tensor([2.0, -1.0])).tolist()):
        expect(
            abs(answer[t] - expected) <= 1e-6,
            f"the current at t = {t} is another; add what each part brings: "
            "gate × weight × intensity at every step for direct, gate × weight at the step of its one spike for latency",
        )


def _through(answer: Function) -> None:
    """fusion.2: a function ``through(parts, gate, k)``: the whole fusion, with a gradient through part k alone."""
    gate, names = (0.5, 2.0, 1.0), ("direct", "latency", "onset")
    leaf = torch.rand(2, 1, 2, 2, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    parts = [encoder(name, num_steps=4, backward="relaxed")(leaf) for name in names]
    whole = torch.cat([g * part for g, part in zip(gate, parts, strict=True)], dim=2)
    for k, part in enumerate(parts):
        result = answer(parts, gate, k)
        expect_shape(result, whole.shape)
        gated = torch.allclose(result, whole)
        expect(gated, "in the forward pass every part should be there, gated: only the gradient is cut")
        expect(result.requires_grad, f"with k = {k} there is no gradient at all")
        (got,) = torch.autograd.grad(result.sum(), leaf, retain_graph=True)
        (expected,) = torch.autograd.grad(gate[k] * part.sum(), leaf, retain_graph=True)
        alone = torch.allclose(got, expected, atol=1e-5)
        expect(alone, f"with k = {k} the gradient is not that of part {k} alone, scaled by its gate")


def _ungate(answer: Function) -> None:
    """fusion.3: a function ``ungate(model)``: a classifier that answers as ``model`` does, with a gate of 1 for every part."""
    model, images = zoo.load("fusion-8th"), data.load("mnist5k").validation.images[:8]
    before = [p.clone() for p in model.network.parameters()]
    result = answer(model)
    fused = isinstance(result, Classifier) and isinstance(result.encoder, Fusion)
    expect(fused, f"the result should be a Classifier with a fused code, got {type(result).__name__}")
    expect(set(result.encoder.gate) == {1.0}, f"its gate should be 1 for every part, got {result.encoder.gate}")
    same = all(torch.equal(a, b) for a, b in zip(before, model.network.parameters(), strict=True))
    expect(same, "the weights of the model itself have changed: work on a copy of its network")
    with torch.no_grad():
        agrees = torch.allclose(result.read(images)[1], model.read(images)[1], atol=1e-4)
    expect(
        agrees, "it does not answer as the model does; the gate has to go into the weights behind the part, pixel by pixel"
    )


CHECKS = {"fusion.1": _currents, "fusion.2": _through, "fusion.3": _ungate}
