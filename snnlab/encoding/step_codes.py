"""Step codes: every deterministic code of single pixels, each a list of edges and a name.

========== ========================================== ==========================================
code       sequence                                   reads as
========== ========================================== ==========================================
onset      ``s_t = 1[t/T > 1 - x]`` (post)            bright pixels start sooner, then keep firing
offset     ``s_t = 1[t/T < x]`` (pre)                 all lit pixels start at once, bright ones last
latency    ``s_t = 1[t = floor((1 - x) T)]`` (TTFS)   bright pixels fire sooner, once; black never
phase      bit ``t mod K`` of x, worth 2^-(1+t mod K) phase coding, most significant bit first
binary     ``s_t = 1[x ≥ 1/2]``                       a threshold without a code: a control
table      row ``ceil(Lx)`` of L + 1 rows             whatever one has painted
========== ========================================== ==========================================

(Ding et al. 2025; their name in brackets.) ``onset`` and ``offset`` have a *rounding* of a fraction of a spike: ``"down"`` gives
``ceil(Tx) - 1`` spikes, ``"up"`` gives ``ceil(Tx)``. Two changes of a code are controls: ``negative(code)``, ``s_t(1 - x)``, in
which dark pixels fire first, and ``shuffled(code, order=…)``, ``s_{order[t]}(x)``, which changes only the order of its steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from snnlab.encoding.base import Encoder
from snnlab.encoding.edges import Edge, Edges, first_intensity
from snnlab.encoding.table import CodeTable

MOST_BITS = 8  # of phase: 8-bit pixels survive eight steps unchanged
NO_LONGER_BLACK = 2.0**-24  # of table: the least intensity above black; differences near 1 are lost below it


@dataclass(frozen=True, kw_only=True)
class StepCode(Encoder):
    """A code made of edges; ``encoder`` makes one by name.

    Args:
        label: its title, e.g. ``"onset(rounding=up)"``.
        edges: of each step.
        inverted: whether ``negative`` made it.

    Raises:
        ValueError: edges of another number of steps.

    >>> code = StepCode(num_steps=2, label="bright", edges=Edges(2, (Edge(0.5, 0), Edge(0.5, 1))))
    >>> code(torch.tensor([[[[0.2, 0.9]]]])).flatten(1)
    tensor([[0., 1.],
            [0., 1.]])
    """

    label: str
    edges: Edges
    inverted: bool = False  # type: ignore[misc]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.edges.num_steps != self.num_steps:
            raise ValueError(f"{self.label} has edges for {self.edges.num_steps} steps, got num_steps={self.num_steps}")

    @property
    def name(self) -> str:  # type: ignore[override]
        """Return the title without its arguments in brackets."""
        return self.label.partition("(")[0]

    @property
    def title(self) -> str:
        """The code as it is written, e.g. ``shuffled(latency, order=1 0)``."""
        return self.label

    @property
    def table(self) -> CodeTable:
        """Its spike trains by intensity."""
        return self.edges.table

    def payload(self) -> dict[str, Any]:
        """Return the edges as plain JSON values."""
        values = {"name": self.title, "num_steps": self.num_steps, "slope": self.slope, **self.edges.payload()}
        return values | ({"inverted": True} if self.inverted else {})

    def negative(self) -> StepCode:
        """Return ``s_t(1 - x)``, whose straight-through gradient is ``-s_t``."""
        return replace(self, label=f"negative({self.label})", edges=self.edges.negative(), inverted=not self.inverted)

    def shuffled(self, order: tuple[int, ...]) -> StepCode:
        """Return ``s_{order[t]}(x)``; ``ValueError`` for an order that is no permutation of the steps, or moves none."""
        steps = list(range(self.num_steps))
        if sorted(order) != steps or list(order) == steps:
            raise ValueError(
                f"order must be a permutation of the steps 0 … {self.num_steps - 1} that moves some, as in "
                f"'shuffled(latency, order=1 0)' for two steps, got {list(order)}"
            )
        label = f"shuffled({self.label}, order={' '.join(map(str, order))})"
        return replace(self, label=label, edges=self.edges.shuffled(order))

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return self.edges.spikes(images)

    def _derivative(self, images: Tensor) -> Tensor:
        return self.edges.derivative(images, float(self.slope))


def onset(num_steps: int, rounding: str = "down") -> Edges:
    """Return the edges of ``s_t = 1[t/T > 1 - x]``: a run of spikes at the end; ``"up"``: ``1[(t+1)/T > 1 - x]``."""
    t = _steps(num_steps, rounding, later="up")
    return _rising(1 - t / num_steps, lambda x: t.float() / num_steps > 1 - x)


def offset(num_steps: int, rounding: str = "up") -> Edges:
    """Return the edges of ``s_t = 1[t/T < x]``: a run of spikes at the start; ``"down"``: ``1[(t+1)/T < x]``."""
    t = _steps(num_steps, rounding, later="down")
    return _rising(t / num_steps, lambda x: t.float() / num_steps < x)


def latency(num_steps: int) -> Edges:
    """Return the edges of ``s_t = 1[t = floor((1 - x) T)]``, time to first spike; black never fires.

    The window ``t ≤ (1 - x) T < t + 1`` is the difference of two steps in ``x``.
    """
    t = torch.arange(num_steps + 1, dtype=torch.float64)
    ends = _rising(1 - t / num_steps, lambda x: torch.floor((1 - x) * num_steps) < t.float()).edges
    begins = (edge._replace(step=edge.step - 1) for edge in ends[1:])
    return Edges(num_steps, (*begins, *(edge._replace(weight=-1.0) for edge in ends[:-1])))


def phase(num_steps: int) -> Edges:
    """Return the edges of bit ``k = t mod K`` of the K-bit intensity ``min(floor(2^K x), 2^K - 1)``, worth ``2^-(1+k)``.

    The number of bits ``K`` is the number of steps up to 8.
    """
    bits = min(num_steps, MOST_BITS)
    k = torch.arange(num_steps) % bits
    levels = torch.arange(2**bits)[:, None]
    return Edges.of_table((levels >> (bits - 1 - k) & 1) * torch.exp2(-(1.0 + k)))


def binary(num_steps: int) -> Edges:
    """Return the edges of ``s_t = 1[x ≥ 1/2]`` at every step: pixels that are only black or white."""
    return Edges(num_steps, tuple(Edge(0.5, t) for t in range(num_steps)))


def table(num_steps: int, rows: str = "") -> Edges:
    """Return the edges of a code that is written as its table, dark to bright: ``rows="00 01 10"``.

    The first row is the train of black, ``x = 0``. The other L share the remaining intensities alike: row ``l`` is the train
    of ``(l - 1) / L < x ≤ l / L``. A row has a ``1`` for a spike and a ``0`` for none at each step.

    >>> table(2, "00 01 10").table.trains.squeeze(-1)
    tensor([[0., 0.],
            [0., 1.],
            [1., 0.]])
    """
    trains = [[int(sign) for sign in row] for row in rows.split()] if set(rows) <= set("01 ") else []
    if len(trains) < 2 or any(len(train) != num_steps for train in trains):
        raise ValueError(
            f"a table has two or more rows of num_steps = {num_steps} signs each, 0 or 1, dark to bright from the row of black "
            f"on, as in 'table(rows=00 01 10)' for two steps, got rows={rows!r}"
        )
    levels = len(trains) - 1
    begins = torch.arange(levels, dtype=torch.float64) / levels
    firsts = torch.nextafter(begins.float(), torch.tensor(2.0)).clamp(min=NO_LONGER_BLACK).tolist()
    edges = (
        Edge(begins[row].item(), step, float(after - before), firsts[row])
        for row, (train, next_train) in enumerate(pairwise(trains))
        for step, (before, after) in enumerate(zip(train, next_train, strict=True))
        if after != before
    )
    return Edges(num_steps, tuple(edges), tuple(map(float, trains[0])))


def _rising(intensities: Tensor, fires: Callable[[Tensor], Tensor]) -> Edges:
    """One rising edge a step, at these intensities; ``fires`` decides what float32 intensities lie beyond."""
    firsts = first_intensity(fires, len(intensities)).tolist()
    rows = enumerate(zip(intensities.tolist(), firsts, strict=True))
    return Edges(len(firsts), tuple(Edge(intensity, t, 1.0, first) for t, (intensity, first) in rows))


def _steps(num_steps: int, rounding: str, later: str) -> Tensor:
    if rounding not in ("down", "up"):
        raise ValueError(f"unknown rounding {rounding!r}; choose 'down' or 'up'")
    return torch.arange(num_steps, dtype=torch.float64) + (rounding == later)
