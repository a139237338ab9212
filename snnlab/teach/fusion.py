"""The chapter *Fusion*: which accuracy a gate moves first, and the checks of its exercises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.encoding import Fusion, encoder
from snnlab.network import Classifier, SpikingMLP
from snnlab.records import over_seeds

__all__ = ["CHECKS", "which_moves_first"]


def which_moves_first(by_gate: Mapping[str, Sequence[Mapping[str, Any]]], eps: float) -> str:
    """Return how far clean and worst-case accuracy have moved at every gate, and which of them moved first, as Markdown.

    Args:
        by_gate: records of all seeds by the gate's name, from the largest gate to the smallest.
        eps: budget of the worst case.
    """
    clean, robust = (
        {gate: over_seeds(records, eps=radius).mean for gate, records in by_gate.items()} for radius in (0.0, eps)
    )
    first, *between, last = by_gate
    way = {name: of[last] - of[first] for name, of in (("clean", clean), ("robust", robust))}
    shares = {
        gate: ((clean[gate] - clean[first]) / way["clean"], (robust[gate] - robust[first]) / way["robust"])
        for gate in between
    }
    told = "; ".join(
        f"at {gate} clean accuracy has moved {c:.0%} of its way and the worst case {r:.0%}"
        for gate, (c, r) in shares.items()
    )
    farther = "the worst case" if abs(way["robust"]) > abs(way["clean"]) else "clean accuracy"
    if all(c > r for c, r in shares.values()):
        sooner = "Clean accuracy moves first"
    elif all(r > c for c, r in shares.values()):
        sooner = "The worst case moves first"
    else:
        sooner = "Neither moves first at every gate"
    return (
        f"From the gate {first} to {last} clean accuracy changes by {way['clean']:+.3f} and the worst case at ε = {eps:g} by "
        f"{way['robust']:+.3f} (means over seeds): {told}. {sooner}; {farther} moves farther."
    )


def _currents(answer: Any) -> str | None:
    """fusion.1: the current at t = 0 … 3 of a pixel 0.6 in ``fusion(0.25*direct, latency)`` behind the weights 2 and -1."""
    if not isinstance(answer, Sequence) or len(answer) != 4:
        return "give a list of four numbers, the current at t = 0, 1, 2, 3"
    sequence = encoder("fusion(0.25*direct, latency)", num_steps=4)(torch.full((1, 1, 1, 1), 0.6)).flatten(1)
    expected = (sequence @ torch.tensor([2.0, -1.0])).tolist()
    wrong = [t for t in range(4) if abs(answer[t] - expected[t]) > 1e-6]
    if wrong:
        return (
            f"the current at t = {wrong[0]} is another; add what each part brings: "
            "gate × weight × intensity at every step for direct, gate × weight at the step of its one spike for latency"
        )
    return None


def _through(answer: Any) -> str | None:
    """fusion.2: a function ``through(parts, gate, k)``: the whole fusion, with a gradient through part k alone."""
    if not callable(answer):
        return "give the function itself, without calling it"
    gate, names = (0.5, 2.0, 1.0), ("direct", "latency", "onset")
    leaf = torch.rand(2, 1, 2, 2, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    parts = [encoder(name, num_steps=4, backward="relaxed")(leaf) for name in names]
    whole = torch.cat([g * part for g, part in zip(gate, parts, strict=True)], dim=2)
    for k, part in enumerate(parts):
        found = answer(parts, gate, k)
        if not isinstance(found, Tensor) or found.shape != whole.shape:
            return (
                f"the result should have the shape of the fusion, {list(whole.shape)}, got {getattr(found, 'shape', found)}"
            )
        if not torch.allclose(found, whole):
            return "in the forward pass every part should be there, gated: only the gradient is cut"
        if not found.requires_grad:
            return f"with k = {k} there is no gradient at all"
        (got,) = torch.autograd.grad(found.sum(), leaf, retain_graph=True)
        (own,) = torch.autograd.grad(gate[k] * part.sum(), leaf, retain_graph=True)
        if not torch.allclose(got, own, atol=1e-5):
            return f"with k = {k} the gradient is not that of part {k} alone, scaled by its gate"
    return None


def _ungate(answer: Any) -> str | None:
    """fusion.3: a function ``ungate(model)``: a classifier that answers as ``model`` does, with a gate of 1 for every part."""
    if not callable(answer):
        return "give the function itself, without calling it"
    model, images = zoo.load("fusion-8th"), data.load("mnist5k").validation.images[:8]
    kept = [p.clone() for p in model.network.parameters()]
    found = answer(model)
    if not isinstance(found, Classifier) or not isinstance(found.encoder, Fusion):
        return f"the result should be a Classifier with a fused code, got {type(found).__name__}"
    if set(found.encoder.gate) != {1.0}:
        return f"its gate should be 1 for every part, got {found.encoder.gate}"
    if any(not torch.equal(a, b) for a, b in zip(kept, model.network.parameters(), strict=True)):
        return "the weights of the model itself have changed: work on a copy of its network"
    assert isinstance(model.network, SpikingMLP)
    with torch.no_grad():
        answered, wanted = found.read(images)[1], model.read(images)[1]
    if not torch.allclose(answered, wanted, atol=1e-4):
        return "it does not answer as the model does; the gate has to go into the weights behind the part, pixel by pixel"
    return None


CHECKS = {"fusion.1": _currents, "fusion.2": _through, "fusion.3": _ungate}
