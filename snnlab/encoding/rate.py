"""Codes whose mean over steps is the intensity: direct, Poisson, and Gaussian noise as its control."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from snnlab.encoding.base import Encoder


@dataclass(frozen=True)
class MeanCode(Encoder):
    """A code whose mean over draws is the intensity (``inverted``: of the negative image): its relaxed derivative is 1."""

    inverted: bool = False  # type: ignore[misc]

    @property
    def title(self) -> str:
        """The code as it is written, e.g. ``negative(direct)``."""
        return f"negative({self._written()})" if self.inverted else self._written()

    def negative(self) -> Encoder:
        """Return ``s_t(1 - x)``."""
        return replace(self, inverted=not self.inverted)

    def payload(self) -> dict[str, Any]:
        """Return its name and number of steps; ``ValueError`` for a negative and for noise."""
        return {"name": self.name, "num_steps": self.num_steps} if self.title == self.name else super().payload()

    def _written(self) -> str:
        return self.name

    def _encode(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        if self.inverted:
            return replace(self, inverted=False)._encode(1 - images, generator)
        return super()._encode(images, generator)

    def _derivative(self, images: Tensor) -> Tensor:
        return torch.full_like(images, -1.0 if self.inverted else 1.0).expand(self.num_steps, *images.shape)


@dataclass(frozen=True)
class Direct(MeanCode):
    """``s_t = x``: constant-current coding. The gradient is exact under either rule."""

    name: ClassVar[str] = "direct"

    @property
    def table(self) -> None:
        """None: every intensity is another sequence."""
        return None

    def _encode(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return self._spikes(1 - images if self.inverted else images, generator)

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        # A view with stride 0 in time: the network sees that all steps are one and computes them once.
        return images.expand(self.num_steps, *images.shape)


@dataclass(frozen=True)
class Poisson(MeanCode):
    """``s_t ~ Bernoulli(x)``, independent over steps: rate coding. Relaxed: the derivative of the mean, 1."""

    name: ClassVar[str] = "poisson"
    stochastic: ClassVar[bool] = True

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        shape = (self.num_steps, *images.shape)
        noise = torch.rand(shape, generator=generator, dtype=images.dtype, device=images.device)
        return torch.lt(noise, images, out=noise)


@dataclass(frozen=True)
class GaussianNoise(MeanCode):
    """``s_t = clip(x + σ n_t, 0, 1)`` with ``n_t ~ N(0, 1)``: the control of ``poisson``, noise without spikes.

    ``sigma`` is in units of intensity. The gradient is the identity under either rule; the clip is ignored.

    Raises:
        ValueError: ``sigma`` that is not positive.

    >>> from snnlab import encoder
    >>> encoder("gaussian(0.144)", num_steps=1).title
    'gaussian(0.144)'
    """

    sigma: float = 0.144

    name: ClassVar[str] = "gaussian"
    stochastic: ClassVar[bool] = True
    is_analog: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.sigma < float("inf"):
            raise ValueError(f"sigma must be positive, in units of intensity, got {self.sigma!r}")

    def _written(self) -> str:
        return f"{self.name}({self.sigma:.12g})"

    def _encode(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        seen = 1 - images if self.inverted else images
        return self._spikes(seen.detach(), generator) + (seen - seen.detach())

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        shape = (self.num_steps, *images.shape)
        noise = torch.randn(shape, generator=generator, dtype=images.dtype, device=images.device)
        return noise.mul_(self.sigma).add_(images).clamp_(0, 1)
