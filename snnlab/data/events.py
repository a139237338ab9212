"""Recordings of event cameras as frames: DVS Gesture (Amir et al. 2017) by ``tonic``, and files of others.

The events of each recording are added up in ``num_steps`` equal time bins, by polarity, and pooled to ``size`` pixels:
frames ``[T, N, 2, H, W]``, counts of events. They are a sequence already. To attack them, their steps become channels of one
image ``[N, 2T, H, W]`` in [0, 1] (``EventSplit.as_images``), and the code ``frames`` (``EventSplit.code``) turns that image into
the same frames again: attacks, suites and reports then work as on images, and ε is a share of the largest count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm.auto import tqdm

from snnlab.data.downloads import OfficialFile, fetch, folder_of
from snnlab.data.split import BadFile, Split, described

__all__ = ["EVENT", "EventDataset", "EventSplit", "channels_of", "dvs_gesture", "frames_of", "recordings_in"]

#: an event as ``tonic`` has it: column, row, time in microseconds, polarity (1: brighter)
EVENT = np.dtype([("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", np.int8)])

# The addresses in tonic 1.7 (figshare.com/ndownloader) answer programs with an empty page; figshare's API has the same files.
FIGSHARE = "https://api.figshare.com/v2/file/download"
DVS_GESTURE = {
    "train": OfficialFile(f"{FIGSHARE}/38022171", "3a8f0d4120a166bac7591f77409cb105", "ibmGestureTrain.tar.gz"),
    "test": OfficialFile(f"{FIGSHARE}/38020584", "56070e45dadaa85fff82e0fbfbc06de5", "ibmGestureTest.tar.gz"),
}


@dataclass(frozen=True, repr=False)
class EventSplit:
    """Frames float32 ``[T, N, 2, H, W]``, counts of events, and labels int64 ``[N]``.

    Raises:
        ValueError: shapes that do not belong together.

    >>> events = EventSplit(torch.tensor([0.0, 4.0]).view(2, 1, 1, 1, 1).expand(2, 1, 2, 3, 3), torch.tensor([0]))
    >>> events.code, events.as_images()
    ('frames(scale=4)', Split of 1 images 4 x 3 x 3, 11 classes)
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

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.frames.shape[2:]))
        return f"EventSplit of {len(self):,} recordings of {self.num_steps} frames {shape}, {self.num_classes} classes"

    def __getitem__(self, rows: slice) -> EventSplit:
        return replace(self, frames=self.frames[:, rows], labels=self.labels[rows])

    @property
    def num_steps(self) -> int:
        """``T``."""
        return len(self.frames)

    @property
    def scale(self) -> float:
        """The largest count, which ``as_images`` turns into 1."""
        return max(1.0, float(self.frames.max())) if len(self) else 1.0

    @property
    def code(self) -> str:
        """Name of the code that turns ``as_images`` into these frames again, for ``encoder(code, num_steps=num_steps)``."""
        return f"frames(scale={self.scale:.9g})"

    def as_images(self) -> Split:
        """Return the steps as channels: images ``[N, 2T, H, W]`` in [0, 1], counts divided by ``scale``."""
        return Split(self.frames.movedim(1, 0).flatten(1, 2) / self.scale, self.labels, self.num_classes)

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield frames ``[T, n, 2, H, W]`` and labels in order, at most ``size`` recordings at a time."""
        return zip(torch.split(self.frames, size, dim=1), torch.split(self.labels, size), strict=True)


@dataclass(frozen=True, repr=False)
class EventDataset:
    """Recordings of an event camera; ``None`` for a part that the files do not have."""

    name: str
    train: EventSplit | None
    test: EventSplit | None
    validation: EventSplit | None = None
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return described(self)


def frames_of(
    events: Any, *, num_steps: int = 8, size: int = 32, sensor: int = 128, span: int | None = None, empty: bool = False
) -> Tensor:
    """Return one recording as frames ``[T, 2, size, size]``, counts of events.

    Args:
        events: structured array with the fields ``x, y, p, t`` (column, row, polarity, time), as ``tonic`` returns it, sorted in
            time.
        num_steps: ``T`` equal bins.
        size: pixels a side; must divide ``sensor``, those of the camera.
        span: the bins go from time 0 to this one; ``None``: from the first event to the last.
        empty: whether frames without events may be returned.

    Raises:
        ValueError: a size that does not divide the sensor's, fewer than one step, no events, a frame without events, events off
            the sensor or outside the span, times that are not sorted, fields that are missing or not whole numbers.

    >>> recorded = np.array([(0, 1, 10, 1), (1, 1, 15, 0)], EVENT)
    >>> frames_of(recorded, num_steps=2, size=2, sensor=2).nonzero().tolist()  # step, polarity, row, column
    [[0, 1, 1, 0], [1, 0, 1, 1]]
    """
    if num_steps < 1 or size < 1 or sensor % size:
        raise ValueError(f"num_steps must be at least 1 and size divide {sensor}, got {num_steps!r} and {size!r}")
    column, row, polarity, time = _fields(events, "xypt")
    cells, pooled = (polarity, row // (sensor // size), column // (sensor // size)), (2, size, size)
    where = f"a sensor of {sensor} x {sensor} pixels and 2 polarities"
    return _binned(time, cells, (num_steps, *pooled), span, empty, where)


def channels_of(
    events: Any, *, num_steps: int = 100, size: int = 140, sensor: int = 700, span: int | None = None, empty: bool = False
) -> Tensor:
    """Return one recording of a row of channels, such as a cochlea's, as frames ``[T, 1, 1, size]``, counts of events.

    Args:
        events: structured array with the fields ``x, t`` (channel, time), sorted in time.
        num_steps, span, empty: as in ``frames_of``.
        size: channels; must divide ``sensor``, those that were recorded.
        sensor: channels of the recording.

    Raises:
        ValueError: as ``frames_of``.

    >>> recorded = np.array([(0, 0, 10, 1), (7, 0, 15, 1)], EVENT)
    >>> channels_of(recorded, num_steps=2, size=2, sensor=8).flatten(1).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if num_steps < 1 or size < 1 or sensor % size:
        raise ValueError(f"num_steps must be at least 1 and size divide {sensor}, got {num_steps!r} and {size!r}")
    unit, time = _fields(events, "xt")
    channel = unit // (sensor // size)
    none = np.zeros_like(channel)
    where = f"a sensor of {sensor} channels"
    return _binned(time, (none, none, channel), (num_steps, 1, 1, size), span, empty, where)


def _fields(events: Any, names: str) -> list[NDArray[np.int64]]:
    """Return fields of events as whole numbers."""
    known = getattr(getattr(events, "dtype", None), "names", None) or ()
    if missing := [name for name in names if name not in known]:
        fields = f"the fields {', '.join(known)}" if known else f"no fields ({type(events).__name__})"
        raise ValueError(
            f"expected a structured array with the fields {', '.join(names)}, got {fields}; {missing[0]} is missing"
        )
    columns = [np.asarray(events[name]) for name in names]
    for name, column in zip(names, columns, strict=True):
        if column.dtype.kind == "f" and not bool((column == np.floor(column)).all() and np.isfinite(column).all()):
            raise ValueError(f"the field {name} holds values that are not whole; pixels are counted, times are microseconds")
    return [column.astype(np.int64) for column in columns]


def _binned(
    time: NDArray[np.int64],
    cells: tuple[NDArray[Any], ...],
    shape: tuple[int, ...],
    span: int | None,
    empty: bool,
    where: str,
) -> Tensor:
    """Count events by step and cell; ``where`` names what all cells lie on."""
    num_steps = shape[0]
    if len(time) == 0:
        raise ValueError("a recording without events has no frames")
    if len(back := np.flatnonzero(np.diff(time) < 0)):
        raise ValueError(
            f"times must rise: event {back[0] + 1} is at {time[back[0] + 1]}, the one before it at {time[back[0]]}; "
            "sort the recording by its times"
        )
    first, last = (time[0], time[-1] + 1) if span is None else (0, span)
    if time[0] < first or time[-1] >= last:
        raise ValueError(f"events lie at {time[0]} to {time[-1]}, outside the span from 0 to {span}")
    # Not by tonic's ToFrame, which leaves out the events of the last moment.
    step = (time - first) * num_steps // (last - first)
    try:
        cell = np.ravel_multi_index((step, *cells), shape)
    except ValueError:
        raise ValueError(f"a recording holds events that are not on {where}") from None
    counts = np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape)
    if not empty and (silent := np.flatnonzero(counts.sum((1, 2, 3)) == 0)).size:
        raise ValueError(
            f"{len(silent)} of {num_steps} frames hold no event, the first is step {silent[0]}; take fewer steps, or "
            "empty=True where silence is meant"
        )
    return torch.from_numpy(counts.astype(np.float32))


def dvs_gesture(root: Path | None, *, num_steps: int = 8, size: int = 32, progress: bool = True) -> EventDataset:
    """Return 1,077 recordings for training and 264 for tests; what is not in ``root`` (``None``: the cache) is fetched, 3 GB."""
    datasets = tonic().datasets
    folder, splits = folder_of("dvs_gesture") if root is None else root, {}
    for part, file in DVS_GESTURE.items():
        if not (folder / "DVSGesture" / file.name).is_file():  # tonic verifies and unpacks the archive that it finds there
            fetch({part: file}, "dvs_gesture", progress=progress, folder=folder / "DVSGesture")
        try:
            recordings = datasets.DVSGesture(save_to=str(folder), train=part == "train")
        except (OSError, RuntimeError) as error:  # of the disk, or a sum that is another
            reason = f"{type(error).__name__}: {error}"
            archive = folder / "DVSGesture" / file.name
            raise BadFile(f"{archive} could not be read ({reason}); remove it to fetch it again") from error
        pairs = [recordings[k] for k in tqdm(range(len(recordings)), desc=f"dvs_gesture, {part}", disable=not progress)]
        steps = [frames_of(events, num_steps=num_steps, size=size, empty=True) for events, _ in pairs]  # a hand may rest
        frames = torch.stack(steps, dim=1)
        splits[part] = EventSplit(frames, torch.tensor([int(label) for _, label in pairs]))
    return EventDataset("dvs_gesture", splits["train"], splits["test"])


def recordings_in(files: Sequence[Path], remarks: list[str]) -> NDArray[np.float32]:
    """Return frames ``[T, N, 2, H, W]`` of one recording a file: SpikingJelly's ``.npz`` of frames, or N-MNIST's ``.bin``.

    Raises:
        BadFile: several kinds or shapes of files, no frames in one, ``tonic`` missing for N-MNIST.
    """
    suffixes = sorted({file.suffix for file in files})
    if suffixes == [".npz"]:
        recordings = [_frames_in(file) for file in files]
    elif suffixes == [".bin"]:
        read, num_steps = tonic().io.read_mnist_file, 8
        dtype = np.dtype([("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", bool)])  # as tonic.datasets.NMNIST
        streams = (read(str(file), dtype) for file in files)
        recordings = [frames_of(s, num_steps=num_steps, size=34, sensor=34, empty=True).numpy() for s in streams]
        remarks.append(f"events of N-MNIST added up in {num_steps} frames a recording")
    else:
        raise BadFile(
            f"{files[0].parent} holds {' and '.join(suffixes)}, expected pictures, or one .npz or .bin a recording"
        )
    if len(shapes := {array.shape for array in recordings}) > 1:
        raise BadFile(f"recordings have several shapes {sorted(shapes)[:3]}, expected one [T, 2, H, W]")
    return np.stack(recordings, axis=1).astype(np.float32)


def _frames_in(file: Path) -> NDArray[Any]:
    with np.load(file, allow_pickle=False) as arrays:
        if "frames" in arrays and arrays["frames"].ndim == 4:
            frames: NDArray[Any] = arrays["frames"]
            return frames
        raise BadFile(f"{file.name} has {', '.join(arrays) or 'nothing'}, expected frames [T, 2, H, W]")


def tonic() -> Any:
    """Return the package ``tonic``, or raise ``BadFile``."""
    try:
        import tonic
    except ImportError:
        raise BadFile("event cameras' data need the package tonic; pip install 'snnlab[events]'") from None
    return tonic
