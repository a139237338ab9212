"""Checks of the chapter *Fusion*."""

from __future__ import annotations

from typing import Any

import torch

from snnlab import data, zoo
from snnlab.encoding import Fusion, encoder
from snnlab.networks.classifier import Classifier
from snnlab.teach.exercises import Function, Hint, expect, expect_shape, tensor_of


def _currents(answer: Any) -> None:
    """fusion.1: the current at t = 0 … 3 of a pixel 0.6 in ``fusion(0.25*direct, latency)`` behind the weights 2 and -1."""
    given = tensor_of(answer, (4,), "the list of currents at t = 0, 1, 2, 3").double()
    right, ungated = (
        (encoder(code, num_steps=4)(torch.full((1, 1, 1, 1), 0.6)).flatten(1) @ torch.tensor([2.0, -1.0])).double()
        for code in ("fusion(0.25*direct, latency)", "fusion(direct, latency)")
    )
    if not torch.allclose(given, right, atol=1e-6):
        expect(not torch.allclose(given, ungated, atol=1e-6), "the gate scales `direct`, and is missing")
        moved = torch.allclose(given.sort().values, right.sort().values, atol=1e-6)
        expect(not moved, "these are the right currents, one of them at another step: when does `latency` fire?")
        first = int(((given - right).abs() > 1e-6).nonzero()[0])
        raise Hint(f"the current at t = {first} is another: which parts act in this step, each with which gate and weight?")


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
