"""The chapter *Encoding*: what its table says, and the checks of its exercises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from snnlab.encoding import encoder
from snnlab.records import accuracy_of, change_over_seeds, over_seeds

__all__ = ["CHECKS", "finding"]

#: codes that put the important information first, as the paper asks
EARLY = ("onset", "latency", "phase")


def finding(repeats: Mapping[str, Sequence[Mapping[str, Any]]], radii: Sequence[float] = (0.1, 0.2)) -> str:
    """Return what naive FGSM hid, and which codes are clearly more robust than ``direct`` at which ε, as Markdown.

    Args:
        repeats: the records of all seeds by code.
        radii: ε of the worst cases.
    """
    naive, worst = (over_seeds(repeats["offset"], attack, None, radii[0]).mean for attack in ("fgsm.naive", "worst"))
    told = [
        f"**Finding.** Naive FGSM at ε = {radii[0]:g} leaves `offset` at {naive:.0%}; the worst case is {worst:.0%}. The "
        "apparent robustness of `offset` was the attacker's blindness."
    ]
    for eps in radii:
        kept = {name: over_seeds(records, "worst", None, eps).mean for name, records in repeats.items()}
        listed = ", ".join(f"`{name}` {kept[name]:.0%}" for name in sorted(kept, key=lambda name: -kept[name]))
        clear = [name for name in EARLY if _over_direct(repeats, name, eps)]
        others = [name for name in EARLY if name not in clear]
        told.append(
            f"The worst case at ε = {eps:g} leaves {listed}. Of the codes with the important part first, "
            f"{_named(clear) or 'none'} {'is' if len(clear) < 2 else 'are'} clearly more robust than `direct`"
            + (f", {_named(others)} not." if others else ".")
        )
    return "\n\n".join(told)


def _over_direct(repeats: Mapping[str, Sequence[Mapping[str, Any]]], name: str, eps: float) -> bool:
    own, direct = ([accuracy_of(record, "worst", None, eps) for record in repeats[code]] for code in (name, "direct"))
    return change_over_seeds(own, direct).direction == "higher"


def _named(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _first_steps(answer: Any) -> str | None:
    """encoding.1: ``{code: step}`` of the first spike that ε = 0.2 makes on a black pixel, T = 10."""
    codes = ("onset", "offset", "latency")
    if not isinstance(answer, Mapping) or set(answer) != set(codes):
        return f"give a dictionary with a step for each of {', '.join(codes)}"
    pixel = torch.full((1, 1, 1, 1), 0.2)
    for code in codes:
        first = int(encoder(code, num_steps=10)(pixel).flatten().argmax())
        if answer[code] != first:
            side = "late" if answer[code] > first else "early"
            return f"your step for {code} is too {side}; write out s_t for t = 0, 1, … and count from 0"
    return None


def _dark_first(answer: Any) -> str | None:
    """encoding.2: a function ``dark_first(x, T)`` for a latency code in which *dark* pixels fire first."""
    if not callable(answer):
        return "give the function itself, without calling it"
    x = torch.tensor([0.0, 0.1, 0.3, 0.55, 0.9, 1.0])
    spikes = answer(x, 8)
    if not isinstance(spikes, Tensor) or spikes.shape != (8, 6):
        return f"for six pixels and T = 8 the result should be a tensor [8, 6], got {getattr(spikes, 'shape', type(spikes))}"
    spikes = spikes.to(torch.float32)  # booleans are spikes as well
    if not bool(((spikes == 0) | (spikes == 1)).all()):
        return "spikes should be 0 or 1"
    if spikes[:, 5].any():
        return "white (x = 1) takes the part that black has in latency: it should never fire"
    if (spikes[:, :5].sum(0) != 1).any():
        return "every pixel below 1 should fire exactly once"
    if not torch.equal(spikes[:, :5].argmax(0), torch.tensor([0, 0, 2, 4, 7])):
        return "each pixel fires once, but not at floor(x T)"
    return None


def _binarised(answer: Any) -> str | None:
    """encoding.3: a function from images to images that are 1 where x ≥ 0.5, with a gradient an attacker can use."""
    if not callable(answer):
        return "give the function itself, without calling it"
    x = torch.tensor([[0.0, 0.2, 0.49, 0.5, 0.51, 0.8, 1.0]], requires_grad=True)
    y = answer(x)
    if not isinstance(y, Tensor) or y.shape != x.shape:
        return f"the result should be images of the same shape, {list(x.shape)}, got {getattr(y, 'shape', type(y).__name__)}"
    y = y.to(x.dtype) if y.dtype == torch.bool else y
    if torch.allclose(y.detach(), (x.detach() > 0.5).float(), atol=1e-5):
        return "x = 0.5 should become 1: the text asks for x ≥ 0.5, not x > 0.5"
    if not torch.allclose(y.detach(), (x.detach() >= 0.5).float(), atol=1e-5):
        return "in the forward pass the result should be exactly 1 where x ≥ 0.5 and 0 elsewhere"
    if not y.requires_grad:
        return "the result has no gradient: an attacker would be blind, and you would be fooled"
    (gradient,) = torch.autograd.grad(y.sum(), x)
    if not (gradient > 0).all():
        return "some pixels have gradient zero: that is how a blind attacker is made, replace the step in the backward pass"
    return None


CHECKS = {"encoding.1": _first_steps, "encoding.2": _dark_first, "encoding.3": _binarised}
