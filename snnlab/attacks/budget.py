r"""Budgets: how far an attack may change an image.

With ``δ = x' - x`` of one image, ``x'`` in [0, 1]:

====== ============================================== =======================================================
norm   holds                                          the step of size ``α`` along a gradient ``g``
====== ============================================== =======================================================
Linf   ``max |δ| ≤ ε``                                ``α sign g``
L2     ``√Σ δ² ≤ ε``                                  ``α g / ‖g‖₂``
L1     ``Σ |δ| ≤ ε``                                  ``α sign g / k`` on the ``k`` largest entries (5 % of them)
L0     at most ``ε`` pixels differ                    ``sign g`` on the ``ε`` largest entries
====== ============================================== =======================================================

A pixel of L0 is one entry of ``[C, H, W]``. Sources: Madry et al. 2018 (L∞, L2), Tramèr and Boneh 2019 (the sparse step of
L1), Duchi et al. 2008 (projection on the L1 ball).
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor

__all__ = ["NORMS", "Budget"]

#: how the norms are written
NORMS: dict[str, str] = {"Linf": "L∞", "L2": "L2", "L1": "L1", "L0": "L0"}
SPARSE = 0.05  # fraction of the entries that a step in L1 moves


@dataclass(frozen=True, init=False)
class Budget:
    """Limit how far an attack may change an image (table in the module docstring).

    Args:
        eps: radius ``ε``, in pixel units (the range of a pixel is 1), at most 1 in L∞; in L0 a whole number of pixels. Or a
            text such as ``"8/255"`` or ``"L2 1.5"``.
        norm: a key of ``NORMS``.

    Raises:
        ValueError: an unknown norm, a radius out of range, a text that is not a radius.
        TypeError: a radius that is not a number.

    >>> print(Budget(0.1))
    L∞ 0.1 on [0, 1]
    >>> Budget("Linf 8/255") == Budget(8 / 255)
    True
    """

    eps: float
    norm: str = "Linf"

    tolerance = 1e-6

    def __init__(self, eps: float | str, norm: str = "Linf") -> None:
        if isinstance(eps, str):
            eps, norm = _parsed(eps, norm)
        object.__setattr__(self, "eps", eps)
        object.__setattr__(self, "norm", norm)
        if norm not in NORMS:
            raise ValueError(f"unknown norm {norm!r}; choose one of {', '.join(NORMS)}")
        radius: object = eps  # notebooks are not type-checked
        if not isinstance(radius, Real):
            raise TypeError(f"eps must be a number (pixel units) or a text such as '8/255', got {radius!r}")
        if norm == "Linf" and not 0 <= eps <= 1:  # NaN fails this too
            raise ValueError(f"eps must lie in [0, 1] (pixel units), got {eps!r}")
        if not 0 <= eps < float("inf"):
            raise ValueError(f"eps must lie in [0, ∞) (pixel units), got {eps!r}")
        if norm == "L0" and eps != int(eps):
            raise ValueError(f"eps of L0 must be a whole number of pixels, got {eps!r}")

    def __str__(self) -> str:
        return f"{NORMS[self.norm]} {self.eps:g} on [0, 1]"

    def project(self, images: Tensor, reference: Tensor) -> Tensor:
        """Return the nearest images inside the budget; for L2 and L1 the nearest of the ball, clipped to [0, 1]."""
        if self.norm == "Linf":
            return torch.clamp(torch.clamp(images, reference - self.eps, reference + self.eps), 0, 1)
        delta = images.clamp(0, 1) - reference if self.norm == "L0" else images - reference
        flat = delta.flatten(1)
        if self.norm == "L2":
            flat = flat * (self.eps / flat.norm(dim=1, keepdim=True).clamp(min=1e-12)).clamp(max=1)
        elif self.norm == "L1":
            flat = flat.sign() * (flat.abs() - _excess(flat.abs(), self.eps)).clamp(min=0)
        else:
            flat = torch.where(_largest(flat.abs(), int(self.eps)), flat, torch.zeros_like(flat))
        # The reference lies in [0, 1], so clipping only brings an image nearer to it.
        return torch.clamp(reference + flat.view_as(delta), 0, 1)

    def step(self, gradient: Tensor, size: float) -> Tensor:
        """Return the steepest step of this size along a gradient ``[N, …]`` (table in the module docstring)."""
        if self.norm == "Linf":
            return size * gradient.sign()
        flat = gradient.flatten(1)
        if self.norm == "L2":
            along: Tensor = size * flat / flat.norm(dim=1, keepdim=True).clamp(min=1e-12)
            return along.view_as(gradient)
        count = int(self.eps) if self.norm == "L0" else max(1, round(SPARSE * flat.shape[1]))
        length = 1.0 if self.norm == "L0" else size / count
        move: Tensor = length * flat.sign() * _largest(flat.abs(), count)
        return move.view_as(gradient)

    def distance(self, images: Tensor, reference: Tensor) -> Tensor:
        """Return ``‖x' - x‖`` of every image, ``[N]``."""
        delta = (images - reference).flatten(1).abs()
        if self.norm == "Linf":
            return delta.amax(1)
        if self.norm == "L0":
            return (delta > 0).sum(1).to(delta.dtype)
        length: Tensor = delta.norm(p=1 if self.norm == "L1" else 2, dim=1)
        return length

    def verify(self, images: Tensor, reference: Tensor) -> None:
        """Raise ``ValueError`` unless ``images`` lie inside the budget (to 1e-6; rounding of long sums included)."""
        if images.shape != reference.shape:
            raise ValueError(f"attacked images have shape {list(images.shape)}, the clean ones {list(reference.shape)}")
        distance = float(self.distance(images, reference).max())
        low, high = (float(v) for v in images.aminmax())
        if not distance <= self.eps * (1 + 1e-6) + self.tolerance:
            moved = "a pixel" if self.norm == "Linf" else "an image"
            raise ValueError(f"attack left its budget {self}: moved {moved} by {distance:.6g}")
        if not (low >= -self.tolerance and high <= 1 + self.tolerance):
            raise ValueError(f"attack left [0, 1]: values from {low:.6g} to {high:.6g}")


def _parsed(text: str, norm: str) -> tuple[float, str]:
    """Return radius and norm of a text such as ``"8/255"`` or ``"L2 1.5"``; ``norm`` where it names none."""
    *named, radius = text.split() or [""]
    numerator, slash, denominator = radius.partition("/")
    try:
        if len(named) > 1:
            raise ValueError
        eps = float(numerator) / (float(denominator) if slash else 1)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"expected a budget such as '8/255', 'Linf 0.1' or 'L2 1.5', got {text!r}") from None
    return eps, named[0].replace("∞", "inf") if named else norm


def _largest(values: Tensor, count: int) -> Tensor:
    """Return which ``count`` entries of each row are largest, ``[N, D]``."""
    chosen = torch.zeros_like(values, dtype=torch.bool)
    return chosen.scatter(1, values.topk(min(count, values.shape[1]), dim=1).indices, value=True)


def _excess(lengths: Tensor, radius: float) -> Tensor:
    """Return what to subtract from every length to sum to ``radius``, 0 for rows inside (Duchi et al. 2008), ``[N, 1]``."""
    ranked = lengths.sort(dim=1, descending=True).values
    ranks = torch.arange(1, ranked.shape[1] + 1, dtype=ranked.dtype, device=ranked.device)
    over = (ranked.cumsum(1) - radius) / ranks
    rank = (ranked > over).sum(1, keepdim=True).clamp(min=1)
    return over.gather(1, rank - 1).clamp(min=0)
