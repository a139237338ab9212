"""DVS Gesture: recordings of an event camera, as frames (Amir et al. 2017), read by ``tonic``.

The events of each recording are added up in ``num_steps`` equal time bins, by polarity, and pooled to ``size`` pixels:
frames ``[T, N, 2, H, W]``, counts of events. They are a sequence already and pass the code by:
``Classifier(net, encoder("direct", num_steps=T)).respond(frames)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

__all__ = ["EventDataset", "EventSplit", "dvs_gesture", "frames_of"]


@dataclass(frozen=True)
class EventSplit:
    """Frames float32 ``[T, N, 2, H, W]``, counts of events, and labels int64 ``[N]``.

    Raises:
        ValueError: shapes that do not belong together.
    """

    frames: Tensor
    labels: Tensor
    num_classes: int = 11

    def __post_init__(self) -> None:
        if self.frames.dim() != 5 or self.frames.shape[2] != 2 or self.labels.shape != self.frames.shape[1:2]:
            got = f"{list(self.frames.shape)} and {list(self.labels.shape)}"
            raise ValueError(f"expected frames [T, N, 2, H, W] and labels [N], got {got}")

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield frames ``[T, n, 2, H, W]`` and labels in order, at most ``size`` recordings at a time."""
        return zip(torch.split(self.frames, size, dim=1), torch.split(self.labels, size), strict=True)


@dataclass(frozen=True)
class EventDataset:
    """Recordings of an event camera: its authors name no validation part."""

    name: str
    train: EventSplit
    test: EventSplit


def frames_of(events: Any, *, num_steps: int = 8, size: int = 32, sensor: int = 128) -> Tensor:
    """Return one recording as frames ``[T, 2, size, size]``.

    Args:
        events: structured array with the fields ``x, y, p, t`` (column, row, polarity, time), as ``tonic`` returns it.
        num_steps: ``T`` equal bins from the first event to the last.
        size: pixels a side; must divide ``sensor``, those of the camera.

    Raises:
        ValueError: a size that does not divide the sensor's, fewer than one step, no events, events off the sensor.
    """
    if num_steps < 1 or size < 1 or sensor % size:
        raise ValueError(f"num_steps must be at least 1 and size divide {sensor}, got {num_steps!r} and {size!r}")
    if len(events) == 0:
        raise ValueError("a recording without events has no frames")
    column, row, polarity, time = (np.asarray(events[field]).astype(np.int64) for field in "xypt")
    # Not by tonic's ToFrame, which leaves out the events of the last moment.
    step = (time - time.min()) * num_steps // (time.max() - time.min() + 1)
    shape, pooled = (num_steps, 2, size, size), sensor // size
    try:
        cell = np.ravel_multi_index((step, polarity, row // pooled, column // pooled), shape)
    except ValueError:
        raise ValueError(
            f"a recording holds events that are not on a sensor of {sensor} x {sensor} pixels and 2 polarities"
        ) from None
    counts = np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape)
    return torch.from_numpy(counts.astype(np.float32))


def dvs_gesture(root: Path, *, num_steps: int = 8, size: int = 32, progress: bool = True) -> EventDataset:
    """Return 1,077 recordings for training and 264 for tests; ``tonic`` fetches and verifies what is not in ``root``."""
    try:
        from tonic import datasets
    except ImportError:
        raise ValueError("event cameras' data need the package tonic; pip install 'snnlab[events]'") from None
    splits = {}
    for part in ("train", "test"):
        try:
            recordings = datasets.DVSGesture(save_to=str(root), train=part == "train")
        except (OSError, RuntimeError) as error:  # of the network, the disk, or a sum that is another
            raise ValueError(
                f"dvs_gesture is not in {root} and could not be fetched ({type(error).__name__}: {error}); put its archives there"
            ) from error
        pairs = [recordings[k] for k in tqdm(range(len(recordings)), desc=f"dvs_gesture, {part}", disable=not progress)]
        frames = torch.stack([frames_of(events, num_steps=num_steps, size=size) for events, _ in pairs], dim=1)
        splits[part] = EventSplit(frames, torch.tensor([int(label) for _, label in pairs]))
    return EventDataset("dvs_gesture", **splits)
