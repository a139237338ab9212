"""Ten colour pictures of 32 x 32 pixels, drawn by this module: one for each class of CIFAR-10, and none of them from it.

Each is a list of shapes on a background, painted four times as large, shaded, and averaged down to whole grey levels. They show
what a network does with a picture where the data set itself may not be shown; they measure nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab.data.cifar10 import CLASSES
from snnlab.data.split import Split

__all__ = ["drawings"]

SIZE, FINER = 32, 4
Colour = tuple[float, float, float]
Shape = tuple[Tensor, Colour]

BLACK, WHITE, RUBBER, GLASS = (0.06, 0.06, 0.07), (0.93, 0.93, 0.92), (0.1, 0.1, 0.11), (0.3, 0.42, 0.52)
GRASS, SKY, ROAD, WATER = (0.36, 0.5, 0.24), (0.58, 0.74, 0.9), (0.45, 0.45, 0.46), (0.2, 0.38, 0.52)


def _grid() -> tuple[Tensor, Tensor]:
    """Return x and y of every fine pixel, in pixels of the picture."""
    at = (torch.arange(SIZE * FINER) + 0.5) / FINER
    y, x = torch.meshgrid(at, at, indexing="ij")
    return x, y


def _ellipse(across: float, down: float, wide: float, high: float, turn: float = 0.0) -> Tensor:
    """Return the pixels of an ellipse by its middle and half axes, turned by an angle in radians."""
    x, y = _grid()
    cos, sin = torch.cos(torch.tensor(turn)), torch.sin(torch.tensor(turn))
    dx, dy = x - across, y - down
    return ((dx * cos + dy * sin) / wide) ** 2 + ((dy * cos - dx * sin) / high) ** 2 < 1


def _polygon(*corners: tuple[float, float]) -> Tensor:
    """Return the pixels inside a polygon, by the even-odd rule."""
    x, y = _grid()
    inside = torch.zeros_like(x, dtype=torch.bool)
    for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return inside


def _box(left: float, top: float, right: float, bottom: float) -> Tensor:
    return _polygon((left, top), (right, top), (right, bottom), (left, bottom))


def _wheel(across: float, down: float, radius: float) -> list[Shape]:
    return [
        (_ellipse(across, down, radius, radius), RUBBER),
        (_ellipse(across, down, 0.5 * radius, 0.5 * radius), (0.6, 0.6, 0.62)),
    ]


def _eye(across: float, down: float, radius: float) -> list[Shape]:
    light = (across - 0.3 * radius, down - 0.3 * radius, 0.35 * radius, 0.35 * radius)
    return [(_ellipse(across, down, radius, radius), BLACK), (_ellipse(*light), WHITE)]


def _legs(places: Sequence[float], top: float, bottom: float, colour: Colour, wide: float = 1.7) -> list[Shape]:
    return [(_box(left, top, left + wide, bottom), colour) for left in places]


def _airplane() -> tuple[Colour, list[Shape]]:
    body, shadow = (0.86, 0.88, 0.9), (0.62, 0.66, 0.7)
    return SKY, [
        (_polygon((13, 15), (19, 15), (27, 25), (23, 25.5)), shadow),
        (_polygon((4, 9), (8, 9), (11, 15), (5, 15)), (0.75, 0.2, 0.2)),
        (_polygon((13, 15), (18, 14.5), (10, 6.5), (8, 7)), shadow),
        (_ellipse(16, 15.5, 13, 2.9), body),
        (_polygon((4, 14), (7, 13), (10, 16), (3, 16)), body),
        *[(_ellipse(x, 14.6, 0.55, 0.55), GLASS) for x in (11, 13.2, 15.4, 17.6, 19.8, 22)],
        (_polygon((26, 14), (28.3, 15), (25.4, 15.2)), GLASS),
    ]


def _automobile() -> tuple[Colour, list[Shape]]:
    red, dark = (0.75, 0.1, 0.1), (0.52, 0.06, 0.07)
    return (0.66, 0.7, 0.72), [
        (_box(0, 21, 32, 32), ROAD),
        (_ellipse(16, 26, 13, 1.6), (0.2, 0.2, 0.21)),
        (_polygon((8, 15), (11.5, 9), (21, 9), (25, 15)), dark),
        (_polygon((9.6, 15), (12.3, 10.2), (15.6, 10.2), (15.6, 15)), GLASS),
        (_polygon((16.6, 15), (16.6, 10.2), (20.5, 10.2), (23.4, 15)), GLASS),
        (_polygon((2, 24), (2, 17), (5, 14.6), (27, 14.6), (30, 18), (30, 24)), red),
        (_box(2, 21.5, 30, 24), dark),
        *_wheel(8.5, 24, 3.3),
        *_wheel(23.5, 24, 3.3),
        (_box(28.4, 17.6, 30, 19.3), (0.96, 0.9, 0.6)),
    ]


def _bird() -> tuple[Colour, list[Shape]]:
    back, breast = (0.42, 0.3, 0.2), (0.8, 0.55, 0.32)
    return (0.58, 0.68, 0.5), [
        (_polygon((0, 25), (32, 22), (32, 24.5), (0, 27.5)), (0.33, 0.24, 0.16)),
        (_polygon((3, 24), (5, 20), (12, 17), (12, 21)), back),
        (_ellipse(15.5, 17, 7.5, 5.2, -0.35), back),
        (_ellipse(17.5, 18.6, 5.6, 3.9, -0.3), breast),
        (_ellipse(22, 11, 4, 3.8), back),
        (_polygon((25.3, 10), (29.5, 11.4), (25.3, 12.4)), (0.75, 0.6, 0.2)),
        *_eye(23.2, 10.4, 0.85),
        *_legs((15.3, 18.2), 21, 25, (0.25, 0.18, 0.12), 0.8),
    ]


def _cat() -> tuple[Colour, list[Shape]]:
    fur, dark, pale = (0.55, 0.45, 0.36), (0.36, 0.28, 0.22), (0.82, 0.76, 0.7)
    return (0.63, 0.56, 0.5), [
        (_ellipse(16, 30, 11, 9), fur),
        (_polygon((6, 13), (7, 2), (14, 8)), dark),
        (_polygon((26, 13), (25, 2), (18, 8)), dark),
        (_ellipse(16, 14.5, 9.8, 8.6), fur),
        (_polygon((7.8, 9), (8.3, 5), (11.4, 8)), (0.75, 0.55, 0.5)),
        (_polygon((24.2, 9), (23.7, 5), (20.6, 8)), (0.75, 0.55, 0.5)),
        *[(_box(x, 6.4, x + 1.2, 10), dark) for x in (13, 15.4, 17.8)],
        (_ellipse(16, 19.2, 5, 3.4), pale),
        (_ellipse(11.8, 13.6, 2.2, 1.9), (0.72, 0.72, 0.3)),
        (_ellipse(20.2, 13.6, 2.2, 1.9), (0.72, 0.72, 0.3)),
        *_eye(11.8, 13.6, 1.0),
        *_eye(20.2, 13.6, 1.0),
        (_polygon((14.8, 17), (17.2, 17), (16, 18.7)), (0.6, 0.33, 0.33)),
        (_ellipse(16, 28, 5, 5), pale),
    ]


def _deer() -> tuple[Colour, list[Shape]]:
    coat, antler = (0.58, 0.39, 0.22), (0.35, 0.25, 0.17)
    return GRASS, [
        (_box(0, 0, 32, 11), (0.24, 0.36, 0.2)),
        *_legs((8, 11, 17.5, 20.3), 18, 29, (0.47, 0.31, 0.18)),
        (_ellipse(14.5, 17.5, 8.3, 4.3), coat),
        (_polygon((19, 17), (21, 8), (24.5, 8), (23, 19)), coat),
        (_ellipse(24.3, 8.6, 3.6, 2, 0.35), coat),
        (_ellipse(6.6, 15.6, 1.3, 1.9), WHITE),
        (_polygon((21.6, 6.8), (19.7, 1), (20.6, 0.9), (22.6, 6.6)), antler),
        (_polygon((23.4, 6.6), (25.8, 0.8), (26.7, 1.2), (24.5, 6.9)), antler),
        (_polygon((20.6, 4), (17.9, 2.6), (18.2, 1.9), (20.9, 3.2)), antler),
        (_polygon((25, 3.6), (28, 2.4), (28.2, 3.1), (25, 4.4)), antler),
        *_eye(24.4, 8, 0.6),
        (_ellipse(27.5, 9.9, 0.8, 0.7), BLACK),
    ]


def _dog() -> tuple[Colour, list[Shape]]:
    coat, ear, muzzle = (0.74, 0.57, 0.36), (0.42, 0.28, 0.17), (0.88, 0.8, 0.68)
    return (0.42, 0.5, 0.42), [
        (_ellipse(16, 31, 12, 9), coat),
        (_ellipse(16, 29, 5, 7), muzzle),
        (_ellipse(16, 13, 8.6, 8.6), coat),
        (_ellipse(7.4, 13.5, 2.8, 6.6, 0.2), ear),
        (_ellipse(24.6, 13.5, 2.8, 6.6, -0.2), ear),
        (_ellipse(16, 18, 5.2, 4.6), muzzle),
        *_eye(12.6, 11.6, 1.3),
        *_eye(19.4, 11.6, 1.3),
        (_ellipse(16, 16, 1.9, 1.4), BLACK),
        (_box(15.7, 17, 16.3, 19.6), BLACK),
        (_ellipse(16, 21, 1.5, 1.8), (0.8, 0.42, 0.42)),
    ]


def _frog() -> tuple[Colour, list[Shape]]:
    skin, light = (0.36, 0.6, 0.2), (0.4, 0.65, 0.25)
    return (0.45, 0.35, 0.25), [
        (_ellipse(5.5, 25, 4.5, 3), (0.3, 0.52, 0.18)),
        (_ellipse(26.5, 25, 4.5, 3), (0.3, 0.52, 0.18)),
        (_ellipse(16, 20, 11, 8), skin),
        (_ellipse(10, 11, 4, 4) | _ellipse(22, 11, 4, 4), light),
        *_eye(10, 11, 1.9),
        *_eye(22, 11, 1.9),
        (_ellipse(16, 23.5, 6.5, 3.5), (0.72, 0.76, 0.5)),
        (_box(7.5, 20.6, 24.5, 21.3), (0.2, 0.3, 0.1)),
    ]


def _horse() -> tuple[Colour, list[Shape]]:
    coat, mane = (0.45, 0.25, 0.14), (0.14, 0.09, 0.06)
    return (0.62, 0.72, 0.8), [
        (_box(0, 19, 32, 32), GRASS),
        (_polygon((5, 13), (2.5, 16), (3, 25), (5, 24), (7, 15)), mane),
        *_legs((7, 10.4, 18, 21.3), 17, 29.5, (0.36, 0.2, 0.11), 2),
        (_ellipse(14.5, 16, 9.5, 5), coat),
        (_polygon((18.5, 17), (20.5, 6), (25, 6), (24, 18)), coat),
        (_polygon((18.5, 13), (19.3, 5), (22.5, 4.6), (21.3, 9)), mane),
        (_ellipse(26, 8.3, 4.7, 2.4, 0.5), coat),
        (_polygon((22, 6), (22.7, 2.6), (24, 5.8)), coat),
        *_eye(25, 7.3, 0.7),
        (_ellipse(29.2, 10.6, 0.7, 0.6), BLACK),
    ]


def _ship() -> tuple[Colour, list[Shape]]:
    hull = (0.15, 0.2, 0.32)
    return (0.7, 0.8, 0.88), [
        (_box(0, 20, 32, 32), WATER),
        (_box(9, 12, 24, 18), WHITE),
        (_box(11.5, 8.5, 21, 12.5), (0.85, 0.86, 0.87)),
        (_box(13, 3.5, 16.4, 9), (0.75, 0.22, 0.15)),
        (_box(13, 3.5, 16.4, 5), BLACK),
        *[(_box(x, 14, x + 1.4, 15.4), GLASS) for x in (10.5, 13.2, 15.9, 18.6, 21.3)],
        (_polygon((1.5, 17), (30.5, 17), (26.5, 24), (5.5, 24)), hull),
        (_polygon((3.8, 21.2), (28.2, 21.2), (26.5, 24), (5.5, 24)), (0.55, 0.14, 0.12)),
        *[(_box(x, y, x + 5, y + 0.5), (0.42, 0.58, 0.7)) for x, y in ((2, 26), (12, 28), (22, 26.4), (7, 30), (24, 30))],
    ]


def _truck() -> tuple[Colour, list[Shape]]:
    cab, load = (0.15, 0.35, 0.62), (0.86, 0.85, 0.82)
    return (0.72, 0.76, 0.8), [
        (_box(0, 24, 32, 32), ROAD),
        (_ellipse(16, 27.6, 14, 1.3), (0.22, 0.22, 0.23)),
        (_box(1.5, 5.5, 20, 22.5), load),
        (_box(1.5, 19.4, 20, 20.6), (0.7, 0.2, 0.18)),
        *[(_box(x, 6.5, x + 0.5, 19.2), (0.74, 0.73, 0.71)) for x in (6, 10.5, 15)],
        (_polygon((20.6, 23), (20.6, 10), (26, 10), (29.6, 16), (30.6, 17), (30.6, 23)), cab),
        (_polygon((22.3, 16), (22.3, 11.5), (25.5, 11.5), (28, 16)), GLASS),
        (_box(1.5, 22.4, 30.6, 24), (0.2, 0.2, 0.21)),
        *_wheel(6, 25, 2.9),
        *_wheel(12.6, 25, 2.9),
        *_wheel(25.5, 25, 2.9),
    ]


PAINTERS = (_airplane, _automobile, _bird, _cat, _deer, _dog, _frog, _horse, _ship, _truck)


@cache
def drawings() -> Split:
    """Return ten pictures ``[10, 3, 32, 32]`` in whole grey levels, one a class of CIFAR-10, in the order of its classes.

    They are drawings of our own, not from the data set.

    >>> drawings()
    Split of 10 images 3 x 32 x 32, 10 classes
    """
    images = torch.stack([_painted(*paint()) for paint in PAINTERS])
    return Split(images, torch.arange(len(CLASSES)), len(CLASSES))


def _painted(background: Colour, shapes: Sequence[Shape]) -> Tensor:
    x, y = _grid()
    picture = torch.tensor(background)[:, None, None].expand(3, *x.shape)
    picture = picture + 0.1 * (0.5 - y / SIZE)  # light from above
    for pixels, colour in shapes:
        rows = y[pixels]
        fall = 0.14 * (0.5 - (y - rows.min()) / (rows.max() - rows.min() + 1 / FINER))
        picture = torch.where(pixels, torch.tensor(colour)[:, None, None] + fall, picture)
    # Grain, so that no area is flat; waves, because a generator of random numbers may change with its library.
    grain = torch.sin(1.3 * x + 2.1 * y) + torch.sin(2.9 * x - 1.7 * y) + torch.sin(0.7 * x * y / SIZE)
    small = F.avg_pool2d((picture + 0.018 * grain)[None], FINER)[0]
    return (255 * small).round().clamp(0, 255) / 255
