"""Table of the chapter *Honest evaluation*, and one query of the Square attack."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor

from snnlab.statistics import Change, Record, change_over_seeds, seed_summary
from snnlab.statistics.records import Repeats

__all__ = ["gap", "square_query", "table"]

COLUMNS = (
    ("clean", "worst", 0.0),
    ("noise, ε = 0.1", "noise", 0.1),
    ("FGSM naive, 0.1", "fgsm.naive", 0.1),
    ("FGSM informed, 0.1", "fgsm.informed", 0.1),
    ("worst case, 0.1", "worst", 0.1),
    ("worst case, 0.2", "worst", 0.2),
)


def table(repeats: Repeats) -> pd.DataFrame:
    """Return the accuracy under increasingly strong attacks: means over seeds with 95 % intervals."""
    return seed_summary(repeats, COLUMNS)


def gap(records: Sequence[Record], eps: float) -> Change:
    """Return the accuracy under naive FGSM minus the worst case, over seeds."""
    naive, worst = ([r.accuracy(attack, eps=eps) for r in records] for attack in ("fgsm.naive", "worst"))
    return change_over_seeds(naive, worst)


def square_query(images: Tensor, side: int, eps: float, generator: torch.Generator) -> Tensor:
    """Return the images with one square of pixels changed by +ε or by -ε, at a random place, as the Square attack queries.

    Shapes: ``[N, C, H, W]`` → ``[N, C, H, W]``, in [0, 1].

    Raises:
        ValueError: a square that does not fit into the images.
    """
    height, width = images.shape[-2:]
    if not 1 <= side <= min(height, width):
        raise ValueError(f"expected a side from 1 to {min(height, width)} pixels, got {side!r}")
    top, left = (int(torch.randint(length - side + 1, (1,), generator=generator)) for length in (height, width))
    sign = 1 - 2 * int(torch.randint(2, (1,), generator=generator))
    query = images.clone()
    query[..., top : top + side, left : left + side] += sign * eps
    return query.clamp(0, 1)
