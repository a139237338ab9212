r"""A deterministic pixel code as a table: which intensities give which spike train.

A code that treats every pixel alike and by itself, and that is a step function of its intensity, is a list of *bins*: on bin
``b`` all intensities of the closed interval ``[lower_b, upper_b]`` give the same train ``s_b``, and neighbouring bins give
different ones:

.. math:: x \in [\mathrm{lower}_b, \mathrm{upper}_b] \;\Rightarrow\; s(x) = s_b, \qquad b = 0 … B-1

So an L∞ budget ε leaves a pixel finitely many trains: those of the bins that meet ``[x - ε, x + ε] ∩ [0, 1]``. Attacks that
search among trains (``snnlab.attack.spike_train_attack``, ``lattice_attack``) read them here.

The table is found by asking the code itself, so that a reader's own code has one too: a grid of intensities shows where its
train changes, and bisection finds each change to the last bit of float32. A bin narrower than the grid (1/4096) may be missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from snnlab.encoding import Encoder

__all__ = ["CodeTable", "code_table"]

GRID = 4096
MOST_BINS = 1024  # a code with more distinct trains than this is taken for an analog one


@dataclass(frozen=True, eq=False)
class CodeTable:
    """The bins of a code, dark to bright.

    Args:
        lower, upper: ends of each bin, ``[B]``; both belong to it.
        trains: the train of each bin, ``[B, T, C']``, with ``C'`` channels for one of the image.
    """

    lower: Tensor
    upper: Tensor
    trains: Tensor

    def __len__(self) -> int:
        return len(self.lower)

    def bins(self, images: Tensor) -> Tensor:
        """The bin of every pixel: integers of the shape of ``images``."""
        return torch.searchsorted(self.lower, images.contiguous(), right=True).sub_(1).clamp_(min=0)

    def reachable(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """First and last bin that meets ``[low, high]``, for every pixel; all bins between them do too."""
        first = torch.searchsorted(self.upper, low.contiguous())
        return first, self.bins(high)


@lru_cache(maxsize=64)
def code_table(code: Encoder) -> CodeTable | None:
    """The table of a code, or ``None`` if it has none: it is random, analog, or mixes pixels.

    Args:
        code: any encoder.

    >>> from snnlab import encoder
    >>> table = code_table(encoder("latency", num_steps=2))
    >>> [(round(float(a), 3), round(float(b), 3)) for a, b in zip(table.lower, table.upper)]
    [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0)]
    >>> table.trains.squeeze(-1)
    tensor([[0., 0.],
            [0., 1.],
            [1., 0.]])
    >>> code_table(encoder("direct")) is None
    True
    """
    if code.stochastic:
        return None
    grid = torch.arange(GRID + 1) / GRID
    trains = _trains(code, grid)
    changes = torch.nonzero((trains[1:] != trains[:-1]).flatten(1).any(1)).flatten()
    if len(changes) + 1 > MOST_BINS or not _by_pixel(code, grid, trains):
        return None
    below, above = _bisected(code, grid[changes], grid[changes + 1], trains[changes])
    lower = torch.cat([torch.zeros(1), above])
    return CodeTable(lower, torch.cat([below, torch.ones(1)]), _trains(code, lower))


@torch.no_grad()
def _trains(code: Encoder, values: Tensor) -> Tensor:
    """The train of every intensity, ``[V] → [V, T, C']``."""
    return code(values.view(-1, 1, 1, 1)).flatten(2).transpose(0, 1).contiguous()


def _by_pixel(code: Encoder, values: Tensor, trains: Tensor) -> bool:
    """Whether pixels side by side in one image are encoded as each would be alone."""
    together = code(values.view(1, 1, 1, -1))
    return bool(together.shape[-1] == len(values) and torch.equal(together.flatten(0, 3).T.reshape(trains.shape), trains))


def _bisected(code: Encoder, below: Tensor, above: Tensor, train: Tensor) -> tuple[Tensor, Tensor]:
    """The last intensity that gives ``train`` and the first that does not, between ``below`` and ``above``."""
    while True:
        middle = (below + above) / 2
        between = (middle > below) & (middle < above)
        if not between.any():
            return below, above
        same = (_trains(code, middle) == train).flatten(1).all(1)
        below, above = torch.where(between & same, middle, below), torch.where(between & ~same, middle, above)
