r"""The table of a code: which intensities give which spike train.

A code that is a step function of each pixel alone has *bins*: all intensities of the closed interval ``[lower_b, upper_b]``
give the same train ``s_b``, and neighbouring bins give different ones,

.. math:: x \in [\mathrm{lower}_b, \mathrm{upper}_b] \;\Rightarrow\; s(x) = s_b, \qquad b = 0 … B-1

An L∞ budget ε leaves a pixel the trains of the bins that meet ``[x - ε, x + ε] ∩ [0, 1]`` (``snnlab.attacks.spike_train``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

GRID = 4096
MOST_BINS = 1024  # a code with more trains than this is taken for an analog one


@dataclass(frozen=True, eq=False)
class CodeTable:
    """The bins of a code, dark to bright.

    Args:
        lower, upper: ends of each bin, ``[B]``; both belong to it.
        trains: the train of each bin, ``[B, T, C']``, with ``C'`` channels for one of the image.

    >>> from snnlab import encoder
    >>> table = encoder("latency", num_steps=2).table
    >>> [(round(float(a), 3), round(float(b), 3)) for a, b in zip(table.lower, table.upper)]
    [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0)]
    >>> table.trains.squeeze(-1)
    tensor([[0., 0.],
            [0., 1.],
            [1., 0.]])
    """

    lower: Tensor
    upper: Tensor
    trains: Tensor

    @classmethod
    def of(cls, lower: Tensor, trains: Tensor) -> CodeTable:
        """Make the table of intervals that begin at ``lower`` ``[B]``, rising from 0; equal neighbours become one bin."""
        begins = torch.ones(len(lower), dtype=torch.bool, device=lower.device)
        begins[1:] = (trains[1:] != trains[:-1]).flatten(1).any(1)
        lower, trains = lower[begins], trains[begins]
        upper = torch.cat([torch.nextafter(lower[1:], lower.new_zeros(())), lower.new_ones(1)])
        return cls(lower, upper, trains)

    def __len__(self) -> int:
        return len(self.lower)

    def to(self, device: torch.device) -> CodeTable:
        """Return the table on another device."""
        return CodeTable(self.lower.to(device), self.upper.to(device), self.trains.to(device))

    def bins(self, images: Tensor) -> Tensor:
        """Return the bin of every pixel: integers of the shape of ``images``."""
        return torch.searchsorted(self.lower, images.contiguous(), right=True).sub_(1).clamp_(min=0)

    def reachable(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """Return first and last bin that meets ``[low, high]``, for every pixel; all bins between them do too."""
        first = torch.searchsorted(self.upper, low.contiguous())
        return first, self.bins(high)


def side_by_side(tables: Sequence[CodeTable], gates: Sequence[float]) -> CodeTable:
    """Return the table of codes as channels side by side, behind gates: one bin for every combination of their trains."""
    lower = torch.unique(torch.cat([table.lower for table in tables]))
    trains = [gate * table.trains[table.bins(lower)] for gate, table in zip(gates, tables, strict=True)]
    return CodeTable.of(lower, torch.cat(trains, dim=2))


@lru_cache(maxsize=64)
def probed_table(code: Callable[[Tensor], Tensor]) -> CodeTable | None:
    """Return the table of any deterministic code, or ``None`` if it is analog or mixes pixels.

    A grid of intensities shows where the train changes, bisection the change to the last bit of float32. A bin narrower than
    the grid (1/4096) may be missed.

    >>> from snnlab import encoder
    >>> probed_table(encoder("direct")) is None
    True
    """
    grid = torch.arange(GRID + 1) / GRID
    trains = _trains(code, grid)
    changes = torch.nonzero((trains[1:] != trains[:-1]).flatten(1).any(1)).flatten()
    together = code(grid.view(1, 1, 1, -1))  # pixels side by side must be encoded as each would be alone
    if together.shape[-1] != len(grid) or not torch.equal(together.flatten(0, 3).T.reshape(trains.shape), trains):
        return None
    if len(changes) + 1 > MOST_BINS:
        return None
    lower = torch.cat([torch.zeros(1), _bisected(code, grid[changes], grid[changes + 1], trains[changes])])
    return CodeTable.of(lower, _trains(code, lower))


@torch.no_grad()
def _trains(code: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    return code(values.view(-1, 1, 1, 1)).flatten(2).transpose(0, 1).contiguous()


def _bisected(code: Callable[[Tensor], Tensor], below: Tensor, above: Tensor, train: Tensor) -> Tensor:
    """The first intensity that does not give ``train``, between ``below`` and ``above``."""
    while True:
        middle = (below + above) / 2
        between = (middle > below) & (middle < above)
        if not between.any():
            return above
        same = (_trains(code, middle) == train).flatten(1).all(1)
        below, above = torch.where(between & same, middle, below), torch.where(between & ~same, middle, above)
