"""Arrays as people store them → images ``[N, C, H, W]`` in [0, 1] and classes; every change is noted in ``remarks``."""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from snnlab.data.events import EventSplit
from snnlab.data.split import BadFile, Split

__all__ = ["Parts", "splits_of"]

#: images and labels as they were read, of each part "train", "validation", "test", or "" without a name
Parts = Mapping[str, tuple[NDArray[Any], NDArray[Any]]]
ROUNDING = 1e-6  # how far outside [0, 1] an intensity may lie
MOST_CLASSES = 100_000  # more are numbers of something else


def splits_of(parts: Parts, remarks: list[str]) -> dict[str, Split | EventSplit]:
    """Return splits by part, with one scale of intensities and one list of classes for all parts.

    Raises:
        BadFile: shapes, intensities or labels that cannot be read as images and classes.
    """
    # Keras and MedMNIST store labels as a column.
    stored = [labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels for _, labels in parts.values()]
    if len({labels.shape[1:] for labels in stored}) > 1:
        raise BadFile(f"labels of the parts have several shapes: {', '.join(str(list(labels.shape)) for labels in stored)}")
    labels, num_classes = _classes(np.concatenate(stored), remarks)
    classes = dict(zip(parts, np.split(labels, np.cumsum([len(each) for each in stored])[:-1]), strict=True))
    images = {part: _channels_first(images, len(classes[part]), remarks) for part, (images, _) in parts.items()}
    if len({array.shape[2 if array.ndim == 5 else 1 :] for array in images.values()}) > 1:
        raise BadFile(f"images of the parts have several shapes: {', '.join(str(list(a.shape)) for a in images.values())}")
    if any(array.ndim == 5 for array in images.values()):
        made = {part: torch.from_numpy(np.ascontiguousarray(array, np.float32)) for part, array in images.items()}
        return {part: EventSplit(made[part], torch.from_numpy(classes[part]), num_classes) for part in parts}
    scale = _scale([*images.values()], remarks)
    return {
        part: Split(
            torch.from_numpy(np.ascontiguousarray(images[part], np.float32)).div(scale).clamp(0, 1),
            torch.from_numpy(classes[part]),
            num_classes,
        )
        for part in parts
    }


def _classes(labels: NDArray[Any], remarks: list[str]) -> tuple[NDArray[np.int64], int]:
    """Return classes int64 ``[N]`` and their number."""
    if labels.ndim == 2 and labels.dtype.kind in "buif" and np.isin(labels, (0, 1)).all() and (labels.sum(1) == 1).all():
        remarks.append(f"one-hot labels of {labels.shape[1]} classes turned into numbers")
        return labels.argmax(1).astype(np.int64), labels.shape[1]
    if labels.ndim != 1 or not len(labels):
        raise BadFile(f"labels must be one class an image, [N] with N at least 1, got shape {list(labels.shape)}")
    if labels.dtype.kind in "OUS":
        names, numbers = np.unique(labels.astype(str), return_inverse=True)  # in the order of torchvision's ImageFolder
        shown = ", ".join(f"{k} = {name}" for k, name in enumerate(names[:12])) + (", …" if len(names) > 12 else "")
        remarks.append(f"classes numbered in the alphabetical order of their names: {shown}")
        return numbers.astype(np.int64), len(names)
    if labels.dtype == bool:
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "uif" or not (labels == np.floor(labels)).all() or labels.min() < 0:
        raise BadFile(f"labels must be whole numbers from 0 or names of classes, got {labels.dtype} such as {labels[0]}")
    if float(labels.max()) >= MOST_CLASSES:  # which float16 cannot hold
        raise BadFile(f"labels go up to {labels.max():g}, too many for classes; number the classes from 0")
    if labels.min() > 0:
        remarks.append(f"the smallest label is {labels.min():g}: no image is of class 0")
    return labels.astype(np.int64), int(labels.max()) + 1


def _channels_first(images: NDArray[Any], num: int, remarks: list[str]) -> NDArray[Any]:
    """Return images ``[N, C, H, W]``, or frames of events ``[T, N, 2, H, W]``."""
    if images.dtype.kind not in "buif":
        raise BadFile(f"images must be numbers, got {images.dtype}")
    if images.ndim == 5:
        return _time_first(images, num, remarks)
    if images.ndim in (3, 4) and len(images) != num == images.shape[-1]:
        remarks.append(f"images {list(images.shape)} have their number in the last axis: turned")
        images = np.moveaxis(images, -1, 0)
    if images.ndim == 2 and len(images) == num:
        images = _unflattened(images, remarks)
    elif images.ndim == 3:
        images = images[:, None]
    if images.ndim != 4 or len(images) != num or not images.size:
        raise BadFile(f"expected images [N, C, H, W] and labels [N], got {list(images.shape)} and [{num}]")
    _, first, height, last = images.shape
    if last in (1, 3, 4) and (first not in (1, 3, 4) or first == height != last):
        remarks.append(f"channels last {list(images.shape)}: turned to [N, C, H, W]")
        return np.moveaxis(images, -1, 1)
    if first in (1, 3, 4) and last in (1, 3, 4):
        remarks.append(f"{list(images.shape)} was read as [N, C, H, W], though the last axis may be channels, too")
    return images


def _unflattened(images: NDArray[Any], remarks: list[str]) -> NDArray[Any]:
    values = images.shape[1]
    for channels in (1, 3):
        side = isqrt(values // channels)
        if channels * side * side == values:
            order = "" if channels == 1 else ", one colour after the other"
            remarks.append(f"{values} values an image: read as {channels} x {side} x {side}{order}")
            return images.reshape(-1, channels, side, side)
    return images


def _time_first(frames: NDArray[Any], num: int, remarks: list[str]) -> NDArray[Any]:
    shape = list(frames.shape)
    if shape[0] == shape[1] == num:
        raise BadFile(f"frames {shape} have as many steps as recordings: time cannot be told apart; leave out a recording")
    if (
        shape[1] != num != shape[0]
        or shape[2] != 2
        or not frames.size
        or not (np.isfinite(frames).all() and frames.min() >= 0)
    ):
        raise BadFile(
            f"expected counts of events [T, N, 2, H, W] or [N, T, 2, H, W] and labels [N], got {shape} and [{num}]"
        )
    if shape[0] == num:
        remarks.append(f"frames {shape} have time in the second axis: turned to [T, N, 2, H, W]")
        return np.moveaxis(frames, 0, 1)
    return frames


def _scale(images: list[NDArray[Any]], remarks: list[str]) -> float:
    """Return the intensity of white: by it all images are divided."""
    low, high = float(min(array.min() for array in images)), float(max(array.max() for array in images))
    kind = images[0].dtype
    if kind == np.uint8 and high <= 1:
        remarks.append("bytes that are 0 or 1 only: read as black and white, not as 0–255")
    elif low >= 0 and (kind == np.uint8 or 127 < high <= 255):
        remarks.append("intensities 0–255: divided by 255")
        return 255
    elif kind == np.uint16 and high > 255:
        remarks.append("intensities of 16 bits: divided by 65,535")
        return 65_535
    elif not (low >= -ROUNDING and high <= 1 + ROUNDING):  # NaN fails this too
        hint = "divide them by the intensity of white"
        if low < 0:
            hint = (
                "they look normalised: save images in [0, 1] and put the normalisation into the network, as its first layer"
            )
        raise BadFile(f"images must lie in [0, 1] or be 0–255, got {low:.7g} to {high:.7g}; {hint}")
    return 1
