"""Fused coding: several codes of the same image as channels side by side (Ding et al. 2025: mix)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from snnlab.encoding.base import Backward, Encoder
from snnlab.encoding.table import CodeTable, side_by_side


@dataclass(frozen=True)
class Fusion(Encoder):
    """Several codes of the same image as channels side by side, part ``k`` times its gate, ``g_k s_k``; gradients add up.

    Args:
        parts: at least two encoders with the same ``num_steps``.
        gate: a weight of at least 0 for every part (0 silences it); default 1 each. Powers of two keep sums of spikes exact.

    Raises:
        ValueError: fewer than two parts, parts of other numbers of steps, a gate that is not one weight for each part.

    >>> from snnlab import encoder
    >>> encoder("fusion(0.125*direct, latency)", num_steps=2)(torch.tensor([[[[1.0]]]])).flatten(1)
    tensor([[0.1250, 1.0000],
            [0.1250, 0.0000]])
    """

    parts: tuple[Encoder, ...] = ()
    gate: tuple[float, ...] = ()

    name: ClassVar[str] = "fusion"

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.parts) < 2:
            raise ValueError(f"fusion needs at least two parts, got {len(self.parts)}; e.g. 'fusion(direct, latency)'")
        steps = [part.num_steps for part in self.parts]
        if any(n != self.num_steps for n in steps):
            raise ValueError(f"all parts of a fusion need num_steps={self.num_steps}, got {steps}")
        gate = tuple(float(g) for g in self.gate) or (1.0,) * len(self.parts)
        if len(gate) != len(self.parts) or not all(0 <= g < float("inf") for g in gate):
            raise ValueError(f"gate needs a weight of at least 0 for each of {len(self.parts)} parts, got {list(self.gate)}")
        object.__setattr__(self, "gate", gate)  # frozen; the default depends on the number of parts

    @property
    def stochastic(self) -> bool:  # type: ignore[override]
        """Whether any part is."""
        return any(part.stochastic for part in self.parts)

    @property
    def title(self) -> str:
        """The name of the code, with the gates that are not 1."""
        parts = (part.title if g == 1 else f"{g:.12g}*{part.title}" for g, part in zip(self.gate, self.parts, strict=True))
        return f"fusion({', '.join(parts)})"

    @property
    def channel_factor(self) -> int:
        """Channels of the sequence for each of the image."""
        return sum(part.channel_factor for part in self.parts)

    @property
    def table(self) -> CodeTable | None:
        """The trains of all parts side by side; ``None`` if a part has no table."""
        tables = [table for part in self.parts if (table := part.table) is not None]
        return side_by_side(tables, self.gate) if len(tables) == len(self.parts) else None

    def levels(self) -> Tensor:
        """Return the intensities at which a spike train of any part begins or ends, rising."""
        values: Tensor = torch.unique(torch.cat([part.levels() for part in self.parts]))
        return values

    def leaves(self, gate: float = 1.0) -> list[tuple[float, Encoder]]:
        """Return the parts that are no fusion, those of nested fusions too, in the order of their channels, with gates."""
        return [leaf for g, part in zip(self.gate, self.parts, strict=True) for leaf in part.leaves(gate * g)]

    def payload(self) -> dict[str, Any]:
        """Return parts and gate as plain JSON values."""
        parts = [part.payload() for part in self.parts]
        return {"name": self.name, "num_steps": self.num_steps, "parts": parts, "gate": list(self.gate)}

    def negative(self) -> Fusion:
        """Return the fusion of the negatives of its parts."""
        return replace(self, parts=tuple(part.negative() for part in self.parts))

    def shuffled(self, order: tuple[int, ...]) -> Fusion:
        """Return the fusion of its parts with shuffled steps."""
        return replace(self, parts=tuple(part.shuffled(order) for part in self.parts))

    def with_backward(self, rule: Backward, slope: float | None = None) -> Encoder:
        """Return the same code with another backward rule for all its parts."""
        parts = tuple(part.with_backward(rule, slope) for part in self.parts)
        return replace(self, parts=parts, backward=rule, slope=self.slope if slope is None else slope)

    def with_gate(self, gate: Sequence[float]) -> Fusion:
        """Return the same parts behind another gate; ``ValueError`` unless it is one weight of at least 0 a part."""
        return replace(self, gate=tuple(gate))

    def _encode(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return self._fuse(part._encode(images, generator) for part in self.parts)

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return self._encode(images.detach(), generator)

    def _derivative(self, images: Tensor) -> Tensor:
        return self._fuse(part._derivative(images) for part in self.parts)

    def _fuse(self, sequences: Iterable[Tensor]) -> Tensor:
        return torch.cat([s if g == 1 else g * s for g, s in zip(self.gate, sequences, strict=True)], dim=2)
