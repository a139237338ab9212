r"""The base of all codes: images to sequences of spikes, and their derivative in the backward pass.

Most codes are step functions of the intensity ``x``, whose true derivative is zero almost everywhere. The gradient of an attacker
is the *backward rule* of the encoder:

``straight_through``
    ``∂s_t/∂x := s_t`` (Ding et al. 2025). A silent pixel has gradient zero: this hides the code and does not defend it.
``relaxed``
    every step of the code is replaced by a sigmoid of slope ``k`` at the same intensity (BPDA, Athalye et al. 2018).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from snnlab.encoding.table import CodeTable, probed_table

Backward = Literal["straight_through", "relaxed"]
#: what an attacker sees of a code
BACKWARD_RULES: tuple[Backward, ...] = ("straight_through", "relaxed")
CHUNK = 16  # images whose derivatives are computed together, so that they stay in the processor's cache
STEEP = 40  # slopes above leave float32 in the short form of the derivative


@dataclass(frozen=True)
class Encoder(ABC):
    """A neural code; call it on images. A subclass defines ``_spikes`` and ``_derivative``.

    Args:
        num_steps: length ``T`` of the sequence, in steps, at least 1.
        backward: rule for ``∂s/∂x``, ``"straight_through"`` or ``"relaxed"``.
        slope: slope ``k`` of the relaxed step, in 1/intensity; larger is closer to the true step.

    Shapes: images ``[N, C, H, W]`` in [0, 1], floating point → spikes ``[T, N, C', H, W]``, same dtype.

    Raises:
        ValueError: wrong shape or dtype, empty batch, values outside [0, 1], unknown rule.

    >>> from snnlab import encoder
    >>> encoder("onset", num_steps=4)(torch.tensor([[[[1.0, 0.5]]]])).squeeze().T
    tensor([[0., 1., 1., 1.],
            [0., 0., 0., 1.]])
    """

    num_steps: int = 8
    backward: Backward = "straight_through"
    slope: float = 10.0

    name: ClassVar[str] = ""
    #: whether the sequence is drawn at random
    stochastic: ClassVar[bool] = False
    #: whether the code was made by ``negative``: the straight-through gradient is then ``-s_t``
    inverted: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_steps(self.num_steps)
        if self.backward not in BACKWARD_RULES:
            raise ValueError(f"unknown backward rule {self.backward!r}; choose one of {BACKWARD_RULES}")
        if not self.slope > 0:
            raise ValueError(f"slope must be positive, got {self.slope!r}")

    def __call__(self, images: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """Encode ``images``; ``generator`` is used by stochastic codes only."""
        check_images(images)
        return self._encode(images, generator)

    @property
    def title(self) -> str:
        """The code as it is written, e.g. ``fusion(direct, latency)``."""
        return self.name

    @property
    def channel_factor(self) -> int:
        """``C'/C``: how many channels the code makes of one."""
        return 1

    def channels(self, of_image: int) -> int:
        """Return ``C'``, the channels of the sequence of an image with so many."""
        return of_image * self.channel_factor

    @property
    def table(self) -> CodeTable | None:
        """Its spike trains by intensity; ``None`` where it is analog, random, or mixes pixels."""
        return None if self.stochastic else probed_table(self)

    @property
    def is_analog(self) -> bool:
        """Whether a network multiplies by its values instead of adding up weights (``snnlab.networks.energy``)."""
        return not self.stochastic and self.table is None

    def levels(self) -> Tensor:
        """Return the intensities at which a spike train begins or ends, rising; empty where there is no table."""
        table = self.table
        return torch.empty(0) if table is None else torch.unique(torch.cat([table.lower, table.upper]))

    def leaves(self, gate: float = 1.0) -> list[tuple[float, Encoder]]:
        """Return the parts that are no fusion, in the order of their channels, each with its gate."""
        return [(gate, self)]

    def payload(self) -> dict[str, Any]:
        """Return the code as plain JSON values, from which a page computes it; ``ValueError`` where it cannot."""
        raise ValueError(
            f"a page cannot compute the code {self.title!r}; it computes direct, poisson, fusion, and codes made of edges or of "
            "a table (snnlab.encoding.register_code)"
        )

    def negative(self) -> Encoder:
        """Return the code of the negative image, ``s_t(1 - x)``; ``ValueError`` for a class of your own."""
        raise ValueError(
            f"no negative of {self.title!r}: expected a code made of edges or a table, direct, poisson or a fusion"
        )

    def shuffled(self, order: tuple[int, ...]) -> Encoder:
        """Return the code with its steps in another order, ``s_{order[t]}(x)``; ``ValueError`` without edges."""
        raise ValueError(f"cannot shuffle {self.title!r}: expected a code made of edges or a table, or a fusion of such")

    def with_backward(self, rule: Backward, slope: float | None = None) -> Encoder:
        """Return the same code with another backward rule (and slope)."""
        return replace(self, backward=rule, slope=self.slope if slope is None else slope)

    def _encode(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        spikes = self._spikes(images.detach(), generator)
        if not images.requires_grad:
            return spikes
        sequence: Tensor = _Encoded.apply(images, spikes, self)  # type: ignore[no-untyped-call]
        return sequence

    @abstractmethod
    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        """``s``, ``[T, N, C, H, W]``."""

    @abstractmethod
    def _derivative(self, images: Tensor) -> Tensor:
        """``∂s_t/∂x`` of the relaxed code, ``[T, N, C, H, W]``."""


def check_steps(num_steps: object) -> None:
    """Raise ``ValueError`` unless ``num_steps`` is an integer of at least 1."""
    if not isinstance(num_steps, int) or num_steps < 1:
        raise ValueError(f"num_steps must be an integer of at least 1, got {num_steps!r}")


def step_derivative(images: Tensor, shifts: Tensor, slope: float) -> Tensor:
    """Return ``d/dx σ(k (x + shift))`` at images ``[…]`` for shifts ``[S]``, ``[S, …]``.

    It is ``k z / (1 + z)²`` with ``z = exp(-k x) exp(-k shift)``: one exponential a pixel serves all shifts.
    """
    columns = shifts.view(-1, *[1] * images.dim())
    if slope > STEEP:
        s = torch.sigmoid(slope * (images + columns))
        return slope * s * (1 - s)
    z = torch.exp(-slope * images) * torch.exp(-slope * columns)
    return z.mul(slope).div_(z.add_(1).square_())


class _Encoded(torch.autograd.Function):
    """A sequence in the forward pass; in the backward pass the encoder's rule for ``∂s/∂x``, computed only then."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, spikes: Tensor, code: Encoder) -> Tensor:
        ctx.save_for_backward(images, spikes)
        ctx.code = code
        return spikes

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        images, spikes = ctx.saved_tensors
        straight = ctx.code.backward == "straight_through"
        gradient = torch.empty_like(images)
        for first in range(0, len(images), CHUNK):
            part = slice(first, first + CHUNK)
            derivative = spikes[:, part] if straight else ctx.code._derivative(images[part])
            gradient[part] = (derivative * grads[0][:, part]).sum(0)
        return (gradient.neg_() if straight and ctx.code.inverted else gradient), None, None


def check_images(images: Tensor) -> None:
    """Raise ``ValueError`` unless ``images`` is a non-empty floating ``[N, C, H, W]`` batch in [0, 1]."""
    if not isinstance(images, Tensor):
        raise ValueError(f"images must be a torch.Tensor [N, C, H, W], got {type(images).__name__}")
    if not images.is_floating_point():
        raise ValueError(f"images must be floating point in [0, 1], got {images.dtype}; divide 8-bit images by 255")
    if images.dim() != 4:
        raise ValueError(f"images must have shape [N, C, H, W], got {list(images.shape)}; unsqueeze a single image")
    if images.shape[3] in (1, 3) and min(images.shape[1:3]) > 4 and images.shape[1] == images.shape[2]:
        raise ValueError(f"images {list(images.shape)} have their channels last; give images.permute(0, 3, 1, 2)")
    if images.shape[0] == 0:
        raise ValueError(f"images is an empty batch, shape {list(images.shape)}; give at least one image")
    low, high = images.detach().aminmax()
    if not (low >= 0 and high <= 1):  # NaN fails this too
        raise ValueError(
            f"images must lie in [0, 1], got values from {low.item():g} to {high.item():g}; put a normalisation into the network"
        )
