"""Frames of an event camera: a sequence that is stored as one image, its steps as channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from snnlab.encoding.base import Encoder

__all__ = ["Frames"]


@dataclass(frozen=True)
class Frames(Encoder):
    """``s_t = scale · x_t``, where the channels of the image are those of step 0, then of step 1, and so on.

    Args:
        scale: the value in the sequence of intensity 1, e.g. the largest count of events.

    Shapes: images ``[N, T C, H, W]`` → ``[T, N, C, H, W]``. The gradient is exact under either rule.

    >>> Frames(2, scale=5)(torch.tensor([0.2, 1.0]).view(1, 2, 1, 1)).flatten()
    tensor([1., 5.])
    """

    scale: float = 1.0

    name: ClassVar[str] = "frames"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.scale, (int, float)) or not self.scale > 0:
            raise ValueError(f"scale must be a positive number, got {self.scale!r}")

    @property
    def title(self) -> str:
        """The code as it is written, e.g. ``frames(scale=13)``."""
        return self.name if self.scale == 1 else f"frames(scale={self.scale:.9g})"

    def channels(self, of_image: int) -> int:
        """Return ``C'``: the channels of an image are those of all steps."""
        return of_image // self.num_steps

    @property
    def table(self) -> None:
        """None: every intensity is another sequence."""
        return None

    def _encode(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        if images.shape[1] % self.num_steps:
            raise ValueError(
                f"frames of {self.num_steps} steps need images [N, {self.num_steps} C, H, W], got {list(images.shape)}; "
                "EventSplit.as_images makes them"
            )
        steps = images.reshape(len(images), self.num_steps, -1, *images.shape[2:])
        return steps.movedim(1, 0) * self.scale

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return self._encode(images, generator)

    def _derivative(self, images: Tensor) -> Tensor:
        raise NotImplementedError("autograd differentiates frames")
