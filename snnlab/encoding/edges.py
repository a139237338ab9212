r"""The edges of a code: at which intensity which step gains or loses a spike.

Every deterministic pixel code is a step function of the intensity ``x``. With edges ``(a_e, t_e, w_e)``

.. math:: s_t(x) = d_t + \sum_{e:\,t_e = t} w_e\, 1[x ≥ a_e], \qquad
          \frac{∂s_t}{∂x} \approx \sum_{e:\,t_e = t} w_e\, k\,σ'(k(x - a_e))

``d`` is the train of black. An edge has two intensities: ``a_e``, the centre of its sigmoid, and ``first``, the first float32
intensity beyond it (``first_intensity``), so that every engine rounds alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from snnlab.encoding.base import step_derivative
from snnlab.encoding.table import CodeTable

WINDOW = 2  # edges that a step may have for its relaxed derivative to be summed at every pixel
POINTS = 1025  # intensities at which the derivative of other codes is tabulated
SEARCHED = 16  # with more bins than this, a search for a pixel's bin is faster than a comparison with each
RESIDUE = 1e-9  # sums of weights below this are zero
ONE = 0x3F800000  # the bits of 1.0 in float32; the next number stands for "never"


class Edge(NamedTuple):
    """One edge: from ``intensity`` on, ``step`` is worth ``weight`` more; ``first`` as in the module docstring."""

    intensity: float
    step: int
    weight: float = 1.0
    first: float | None = None


@dataclass(frozen=True)
class Edges:
    """All edges of a code of ``num_steps`` steps.

    Args:
        num_steps: ``T``.
        edges: in any order.
        dark: the train of black, ``T`` values; empty: silence.

    Raises:
        ValueError: a step outside ``0 … T-1``, an intensity outside [0, 1], a weight that is not finite, a wrong ``dark``.

    >>> Edges(2, (Edge(0.5, 0), Edge(0.25, 1))).table.trains.squeeze(-1)
    tensor([[0., 0.],
            [0., 1.],
            [1., 1.]])
    """

    num_steps: int
    edges: tuple[Edge, ...]
    dark: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        edges = tuple(_completed(Edge(*edge), self.num_steps) for edge in self.edges)
        dark = tuple(float(d) for d in self.dark) or (0.0,) * self.num_steps
        if len(dark) != self.num_steps:
            raise ValueError(f"dark is the train of black, {self.num_steps} values, got {len(dark)}")
        object.__setattr__(self, "edges", edges)  # frozen
        object.__setattr__(self, "dark", dark)

    @classmethod
    def of_table(cls, trains: Tensor) -> Edges:
        """Return the edges of a table ``[levels, T]``: row ``l`` is the train of the intensities from ``l / levels`` on."""
        if trains.dim() != 2 or 0 in trains.shape:
            raise ValueError(f"the table of a code has shape [levels, T], got {list(trains.shape)}")
        rows = trains.double()
        jumps = rows.diff(dim=0)
        edges = (Edge((row + 1) / len(rows), step, float(jumps[row, step])) for row, step in jumps.nonzero().tolist())
        return cls(trains.shape[1], tuple(edges), tuple(rows[0].tolist()))

    def negative(self) -> Edges:
        """Return the edges of ``s_t(1 - x)``."""
        firsts = torch.tensor([edge.first for edge in self.edges])
        beyond = first_intensity(lambda x: 1 - x < firsts, len(firsts)).tolist()
        turned = (Edge(1 - e.intensity, e.step, -e.weight, first) for e, first in zip(self.edges, beyond, strict=True))
        bright = list(self.dark)
        for edge in self.edges:
            bright[edge.step] += edge.weight
        return Edges(self.num_steps, tuple(turned), tuple(value if abs(value) >= RESIDUE else 0.0 for value in bright))

    def shuffled(self, order: tuple[int, ...]) -> Edges:
        """Return the edges of ``s_{order[t]}(x)``."""
        moved = tuple(edge._replace(step=order.index(edge.step)) for edge in self.edges)
        return replace(self, edges=moved, dark=tuple(self.dark[step] for step in order))

    @cached_property
    def table(self) -> CodeTable:
        """The spike train of every interval of intensities."""
        firsts = sorted({edge.first for edge in self.edges if edge.first is not None and 0 < edge.first <= 1})
        lower = [0.0, *firsts]
        jumps: dict[float, list[float]] = {first: [0.0] * self.num_steps for first in lower}
        for edge in self.edges:
            if edge.first in jumps:
                jumps[edge.first][edge.step] += edge.weight
        rows = torch.tensor([jumps[first] for first in lower], dtype=torch.float64)
        rows[0] += torch.tensor(self.dark, dtype=torch.float64)
        trains = rows.cumsum(0)
        trains[trains.abs() < RESIDUE] = 0
        return CodeTable.of(torch.tensor(lower), trains.float().unsqueeze(-1))

    def spikes(self, images: Tensor) -> Tensor:
        """Return the spikes of every pixel, ``[…] → [T, …]``."""
        values = images if images.dtype == torch.float64 else images.float()
        begins, trains = self._lookup
        begins = begins.to(values)
        if len(begins) > SEARCHED:
            rows = torch.searchsorted(begins, values.contiguous(), right=True, out_int32=True)
        else:
            beyond = values.new_empty(len(begins), *values.shape)
            rows = torch.ge(values, begins.view(-1, *[1] * values.dim()), out=beyond).sum(0).int()
        return trains.to(images).index_select(1, rows.flatten()).view(-1, *images.shape)

    def derivative(self, images: Tensor, slope: float) -> Tensor:
        """Return the derivative of the relaxed code, ``[…] → [T, …]``; interpolated where a step has more than two edges."""
        if self._shape == "many":
            table, position = _tabulated(self, slope).to(images), images * (POINTS - 1)
            left = position.floor().clamp(max=POINTS - 2)
            index = left.to(torch.int64)
            return torch.lerp(table[:, index], table[:, index + 1], position - left)
        intensities, weights = self._relaxed
        steps = step_derivative(images, -intensities.to(images), slope)
        if self._shape != "few":  # no product of matrices is needed
            return steps if self._shape == "one" else steps.diff(dim=0)
        return (weights.to(images) @ steps.flatten(1)).view(-1, *images.shape)

    def payload(self) -> dict[str, Any]:
        """Return plain JSON values: ``[intensity, step, weight]``, with ``first`` where it is another number; ``dark``."""
        plain = torch.tensor([edge.intensity for edge in self.edges]).tolist()
        rows = [list(e[:3]) if e.first == near else list(e) for e, near in zip(self.edges, plain, strict=True)]
        return {"edges": rows} | ({"dark": list(self.dark)} if any(self.dark) else {})

    @cached_property
    def _lookup(self) -> tuple[Tensor, Tensor]:
        """Where each bin but the first begins, and the trains of all bins, ``[T, B]``."""
        return self.table.lower[1:], self.table.trains.squeeze(-1).T.contiguous()

    @cached_property
    def _relaxed(self) -> tuple[Tensor, Tensor]:
        """The distinct intensities ``[U]``, in the order of their steps, and the weight of each at each step, ``[T, U]``."""
        in_order = sorted(self.edges, key=lambda edge: (edge.step, -edge.intensity))
        rows = {intensity: k for k, intensity in enumerate(dict.fromkeys(edge.intensity for edge in in_order))}
        weights = torch.zeros(self.num_steps, len(rows))
        for edge in self.edges:
            weights[edge.step, rows[edge.intensity]] += edge.weight
        return torch.tensor(list(rows), dtype=torch.float64), weights

    @cached_property
    def _shape(self) -> str:
        """How the edges of the steps are laid out: "one" a step, a "window" between two neighbours, "few", or "many"."""
        if max(Counter(edge.step for edge in self.edges).values(), default=0) > WINDOW:
            return "many"
        _, weights = self._relaxed
        square = torch.eye(max(weights.shape))
        if torch.equal(weights, square):
            return "one"
        return "window" if torch.equal(weights, square.diff(dim=0)) else "few"


@lru_cache(maxsize=64)
def _tabulated(code: Edges, slope: float) -> Tensor:
    """The derivative of the relaxed code on ``POINTS`` equidistant intensities, ``[T, POINTS]``."""
    intensities, weights = code._relaxed
    s = torch.sigmoid(slope * (torch.linspace(0, 1, POINTS, dtype=torch.float64) - intensities[:, None]))
    return (weights.double() @ (slope * s * (1 - s))).float()


def first_intensity(holds: Callable[[Tensor], Tensor], count: int) -> Tensor:
    """Return the first float32 intensity at which each of ``count`` rising conditions holds; just above 1 where none does.

    >>> first_intensity(lambda x: x > torch.tensor([0.25, 1.0]), 2)
    tensor([0.2500, 1.0000])
    """
    below, above = torch.full((count,), -1, dtype=torch.int32), torch.full((count,), ONE + 1, dtype=torch.int32)
    while bool((unknown := above - below > 1).any()):  # the bits of positive floats are ordered as the floats are
        middle = (below + (above - below) // 2).clamp(min=0)
        true = holds(middle.view(torch.float32))
        below, above = torch.where(unknown & ~true, middle, below), torch.where(unknown & true, middle, above)
    return above.view(torch.float32)


def _completed(edge: Edge, num_steps: int) -> Edge:
    if not 0 <= edge.intensity <= 1:
        raise ValueError(f"the intensity of an edge must lie in [0, 1], got {edge}")
    if edge.step not in range(num_steps):
        raise ValueError(f"the step of an edge must be an integer from 0 to {num_steps - 1}, got {edge}")
    if not abs(edge.weight) < float("inf"):
        raise ValueError(f"the weight of an edge must be a finite number, got {edge}")
    first = edge.intensity if edge.first is None else edge.first
    return Edge(float(edge.intensity), int(edge.step), float(edge.weight), float(torch.tensor(first)))
