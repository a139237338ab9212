r"""Everyday noise: corruptions of images that nobody chose to do harm, in five severities.

=================== ================================================ ===============================================
corruption          severity 1 … 5                                   of
=================== ================================================ ===============================================
``gaussian_noise``  normal noise of σ .08, .12, .18, .26, .38        every pixel
``shot_noise``      Poisson noise of 60, 25, 12, 5, 3 photons        every pixel, by its intensity
``impulse_noise``   3, 6, 9, 17, 27 % of the pixels black or white   random pixels
``blur``            Gaussian of σ .6, .9, 1.2, 1.6, 2 pixels         the image
``contrast``        times .75, .5, .4, .3, .15 about the mean        the image
``brightness``      plus .1, .2, .3, .4, .5                          the image
``shift``           1, 2, 3, 4, 5 pixels, in a random direction      the image; black comes in
``rotation``        6, 12, 18, 24, 30 degrees, to a random side      the image; black comes in
``occlusion``       a grey square of 4, 6, 8, 10, 12 pixels          at a random place
=================== ================================================ ===============================================

Noise, contrast and brightness have the constants of ImageNet-C (Hendrycks & Dietterich 2019); the others are ours, in pixels
of a small image. MNIST-C (Mu & Gilmer 2019) has further kinds, as files. Results are clipped to [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["CORRUPTIONS", "SEVERITIES", "corrupted"]

SEVERITIES = (1, 2, 3, 4, 5)

#: ``(images, amount, generator) -> images``
_Corruption = Callable[[Tensor, float, torch.Generator], Tensor]


def corrupted(images: Tensor, corruption: str, severity: int, generator: torch.Generator | None = None) -> Tensor:
    """Return images with a corruption (module docstring), each drawn by itself.

    Args:
        images: ``[N, C, H, W]`` in [0, 1].
        corruption: a key of ``CORRUPTIONS``.
        severity: 1 … 5; 0 returns the images.
        generator: of all that is random; ``None``: the global one.

    Raises:
        ValueError: an unknown corruption, another severity, bad images.

    >>> corrupted(torch.full((1, 1, 2, 2), 0.3), "brightness", 2)
    tensor([[[[0.5000, 0.5000],
              [0.5000, 0.5000]]]])
    """
    if corruption not in CORRUPTIONS:
        raise ValueError(f"unknown corruption {corruption!r}; choose one of {', '.join(CORRUPTIONS)}")
    if severity not in (0, *SEVERITIES):
        raise ValueError(f"the severity of a corruption is a whole number from 1 to 5 (0: none), got {severity!r}")
    if images.dim() != 4 or not images.is_floating_point() or not 0 <= images.min() <= images.max() <= 1:
        raise ValueError(
            f"images must be floating point, [N, C, H, W], and lie in [0, 1], got {list(images.shape)} {images.dtype}"
        )
    if severity == 0:
        return images
    change, amounts = CORRUPTIONS[corruption]
    source = generator or torch.Generator().manual_seed(int(torch.randint(2**31 - 1, (1,))))
    return change(images.cpu(), amounts[severity - 1], source).clamp(0, 1).to(images)


def _impulse(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    drawn = torch.rand(images.shape, generator=generator)
    white = torch.where(drawn < share / 2, 1.0, images)
    return torch.where(drawn > 1 - share / 2, 0.0, white)


def _blur(images: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    reach = int(3 * sigma + 0.5)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1).float() ** 2) / (2 * sigma**2))
    kernel, channels = kernel / kernel.sum(), images.shape[1]
    padded = F.pad(images, [reach] * 4, mode="replicate")
    across = F.conv2d(padded, kernel.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)
    return F.conv2d(across, kernel.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)


def _moved(images: Tensor, transforms: Tensor) -> Tensor:
    """Return images through affine maps ``[N, 2, 3]`` of the square [-1, 1]²; what comes in is black."""
    grid = F.affine_grid(transforms, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def _shift(images: Tensor, pixels: float, generator: torch.Generator) -> Tensor:
    angles = 2 * pi * torch.rand(len(images), generator=generator)
    height, width = images.shape[-2:]
    transforms = torch.eye(2, 3).repeat(len(images), 1, 1)
    transforms[:, 0, 2], transforms[:, 1, 2] = 2 * pixels * angles.cos() / width, 2 * pixels * angles.sin() / height
    return _moved(images, transforms)


def _rotation(images: Tensor, degrees: float, generator: torch.Generator) -> Tensor:
    across, up = cos(degrees * pi / 180), sin(degrees * pi / 180)
    height, width = images.shape[-2:]
    side = 2.0 * torch.randint(2, (len(images),), generator=generator) - 1
    transforms = torch.zeros(len(images), 2, 3)
    transforms[:, 0, 0] = transforms[:, 1, 1] = across
    transforms[:, 0, 1], transforms[:, 1, 0] = -side * up * height / width, side * up * width / height
    return _moved(images, transforms)


def _occlusion(images: Tensor, pixels: float, generator: torch.Generator) -> Tensor:
    side, (height, width) = int(pixels), images.shape[-2:]
    top, left = (
        (torch.rand(len(images), 1, 1, 1, generator=generator) * max(1, size - side + 1)).long() for size in (height, width)
    )
    rows, columns = torch.arange(height).view(1, 1, -1, 1), torch.arange(width).view(1, 1, 1, -1)
    covered = (rows >= top) & (rows < top + side) & (columns >= left) & (columns < left + side)
    return torch.where(covered, 0.5, images)


#: by name, the change and its amount at severity 1 … 5
CORRUPTIONS: dict[str, tuple[_Corruption, tuple[float, ...]]] = {
    "gaussian_noise": (lambda x, sigma, g: x + sigma * torch.randn(x.shape, generator=g), (0.08, 0.12, 0.18, 0.26, 0.38)),
    "shot_noise": (lambda x, photons, g: torch.poisson(x * photons, generator=g) / photons, (60, 25, 12, 5, 3)),
    "impulse_noise": (_impulse, (0.03, 0.06, 0.09, 0.17, 0.27)),
    "blur": (_blur, (0.6, 0.9, 1.2, 1.6, 2.0)),
    "contrast": (
        lambda x, factor, _: (mean := x.mean((1, 2, 3), keepdim=True)) + factor * (x - mean),
        (0.75, 0.5, 0.4, 0.3, 0.15),
    ),
    "brightness": (lambda x, added, _: x + added, (0.1, 0.2, 0.3, 0.4, 0.5)),
    "shift": (_shift, (1, 2, 3, 4, 5)),
    "rotation": (_rotation, (6, 12, 18, 24, 30)),
    "occlusion": (_occlusion, (4, 6, 8, 10, 12)),
}
