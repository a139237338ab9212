"""Budgets: how far an attack may go, as an object that projects, verifies and prints itself."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Budget"]


@dataclass(frozen=True)
class Budget:
    """How far an attack may go: ``‖x' - x‖∞ ≤ eps`` with ``x'`` in [0, 1].

    Args:
        eps: radius, in pixel units (the range of a pixel is 1), in [0, 1].

    >>> print(Budget(0.1))
    L∞ 0.1 on [0, 1]
    """

    eps: float

    tolerance = 1e-6

    def __post_init__(self) -> None:
        if not 0 <= self.eps <= 1:  # NaN fails this too
            raise ValueError(f"eps must lie in [0, 1] (pixel units), got {self.eps!r}")

    def __str__(self) -> str:
        return f"L∞ {self.eps:g} on [0, 1]"

    def project(self, images: Tensor, reference: Tensor) -> Tensor:
        """The nearest images inside the budget."""
        return torch.clamp(torch.clamp(images, reference - self.eps, reference + self.eps), 0, 1)

    def verify(self, images: Tensor, reference: Tensor) -> None:
        """Raise ``ValueError`` unless ``images`` lie inside the budget (to 1e-6)."""
        if images.shape != reference.shape:
            raise ValueError(f"attacked images have shape {list(images.shape)}, the clean ones {list(reference.shape)}")
        distance = float((images - reference).abs().max())
        low, high = (float(v) for v in images.aminmax())
        if not distance <= self.eps + self.tolerance:
            raise ValueError(f"attack left its budget {self}: moved a pixel by {distance:.6g}")
        if not (low >= -self.tolerance and high <= 1 + self.tolerance):
            raise ValueError(f"attack left [0, 1]: values from {low:.6g} to {high:.6g}")
