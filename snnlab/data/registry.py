"""Data sets by name; a new one is one ``register``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray

from snnlab.data.events import EventDataset, dvs_gesture
from snnlab.data.split import Dataset, Split

__all__ = ["DATASETS", "DatasetInfo", "describe", "held_out", "load", "register", "split_of"]

Loader = Callable[[Path | None, bool], Dataset]
EVENTS = "dvs_gesture"


@dataclass(frozen=True)
class DatasetInfo:
    """Description of a data set.

    Args:
        name: as ``load`` takes it.
        load: takes the folder of its official files (``None``: the cache) and whether to show a progress bar.
        shape: of an image, ``(C, H, W)``.
        classes: number of classes.
        title: name in tables and captions.
        noun: what an image shows, in sentences.
        eps_unit: ε is written as a multiple of ``1 / eps_unit``.
        notes: remarks on copies of the data, by their SHA-256.
    """

    name: str
    load: Loader
    shape: tuple[int, int, int]
    classes: int = 10
    title: str = ""
    noun: str = "image"
    eps_unit: int = 1
    notes: Mapping[str, str] = field(default_factory=dict)


#: the data sets of images; event cameras' recordings (``dvs_gesture``) are no images
DATASETS: dict[str, DatasetInfo] = {}


def register(info: DatasetInfo) -> None:
    """Make a data set known to ``load``, to the zoo and to the commands."""
    DATASETS[info.name] = info


def describe(name: str) -> DatasetInfo:
    """Return what is known of a data set of images.

    Raises:
        ValueError: unknown name.

    >>> describe("cifar10").shape
    (3, 32, 32)
    """
    if name not in DATASETS:
        raise ValueError(f"unknown data set {name!r}; choose one of {', '.join([*DATASETS, EVENTS])}")
    return DATASETS[name]


@overload
def load(name: Literal["dvs_gesture"], root: str | Path, **options: Any) -> EventDataset: ...  # type: ignore[overload-overlap]
@overload
def load(name: str = ..., root: str | Path | None = ..., *, progress: bool = ...) -> Dataset: ...
def load(
    name: str = "mnist5k", root: str | Path | None = None, *, progress: bool = True, **options: Any
) -> Dataset | EventDataset:
    """Load a data set by name (table in ``snnlab.data``).

    Args:
        name: of the data set.
        root: folder with its official files, packed or (CIFAR-10) unpacked; their form is checked, not their sums.
        progress: whether to show progress bars.
        options: of ``dvs_gesture``: ``num_steps`` and ``size`` (``snnlab.data.events``).

    Raises:
        ValueError: unknown name or option; no such ``root``; a file that is missing, truncated or not the published one; no
            network where something has to be fetched.

    >>> len(load("mnist5k").test)
    1000
    """
    known = ("num_steps", "size") if name == EVENTS else ()
    if strange := sorted(set(options) - set(known)):
        raise ValueError(f"unknown options {', '.join(strange)}; {name} has {' and '.join(known) or 'none'}")
    folder = None if root is None else Path(root).expanduser()
    if folder is not None and not folder.is_dir():
        raise ValueError(f"root={str(root)!r} is no folder; name the one that holds the official files of {name}")
    if name != EVENTS:
        return describe(name).load(folder, progress)
    if folder is None:
        raise ValueError("dvs_gesture needs a root: the folder that holds its recordings, or where to put them (3 GB)")
    return dvs_gesture(folder, progress=progress, **options)


def held_out(
    name: str, parts: Mapping[str, tuple[NDArray[Any], NDArray[Any]]], validation: int, digest: str, classes: int = 10
) -> Dataset:
    """Return a data set from bytes ``[N, C, H, W]`` and labels ``[N]`` of its official parts "train" and "test".

    The last training images, ``validation`` or at most a tenth, are held out; every part must hold all classes.
    """
    for part, (_, labels) in parts.items():
        if (present := len(np.unique(labels))) < classes:
            raise ValueError(f"the {part} part of {name} holds {present} classes, expected {classes}")
    images, labels = parts["train"]
    cut = len(labels) - min(validation, len(labels) // 10)
    train, rest = split_of(images[:cut], labels[:cut], classes), split_of(images[cut:], labels[cut:], classes)
    return Dataset(name, train, rest, split_of(*parts["test"], classes), digest)


def split_of(images: NDArray[Any], labels: NDArray[Any], classes: int = 10) -> Split:
    """Return bytes as images in [0, 1], with their labels."""
    return Split(torch.from_numpy(images).float().div_(255), torch.from_numpy(labels.astype(np.int64)), classes)
