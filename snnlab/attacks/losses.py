"""Losses that an attack raises, per sample.

Beside the cross-entropy, whose gradient vanishes where a spike count is confident, the margin and DLR (Croce & Hein 2020).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch.nn.functional as F
from torch import Tensor

__all__ = ["LOSSES", "Loss", "find_loss", "margin"]


#: ``(logits [N, K], labels [N]) -> [N]``
Loss = Callable[[Tensor, Tensor], Tensor]


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """``max_{k≠y} z_k - z_y`` per sample: above 0 where the answer is wrong."""
    true = logits.gather(1, labels[:, None]).squeeze(1)
    others = logits.scatter(1, labels[:, None], float("-inf"))
    return others.amax(1) - true


def _dlr(logits: Tensor, labels: Tensor) -> Tensor:
    ranked = logits.sort(dim=1, descending=True).values
    # Integer logits tie; without the constant the ratio would be 0/0 there.
    return margin(logits, labels) / (ranked[:, 0] - ranked[:, min(2, logits.shape[1] - 1)] + 1e-6)


#: per-sample losses that an attack raises:
#: cross-entropy; margin ``max_{k≠y} z_k - z_y``; DLR, the margin over ``z_(1) - z_(3)`` (scale-free)
LOSSES: dict[str, Loss] = {
    "cross_entropy": partial(F.cross_entropy, reduction="none"),
    "margin": margin,
    "dlr": _dlr,
}


def find_loss(name: str) -> Loss:
    """Return a loss by its name, or raise ``ValueError``."""
    if name not in LOSSES:
        raise ValueError(f"unknown loss {name!r}; choose one of {', '.join(LOSSES)}")
    return LOSSES[name]
