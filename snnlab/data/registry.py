"""Data sets by name; a new one is one ``register``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from snnlab.data.split import Dataset, Split

__all__ = ["DATASETS", "DatasetInfo", "cut", "describe", "held_out", "register", "split_of"]

Loader = Callable[[Path | None, bool], Dataset | None]
EVENTS = "dvs_gesture"


@dataclass(frozen=True)
class DatasetInfo:
    """Description of a data set.

    Args:
        name: as ``load`` takes it.
        load: takes the folder of its official files (``None``: the cache) and whether to show a progress bar; returns ``None``
            for a folder without them, which is then read as ``snnlab.data.files`` reads any.
        shape: of an image, ``(C, H, W)``.
        classes: number of classes.
        title: name in tables and captions.
        noun: what an image shows, in sentences.
        eps_unit: ε is written as a multiple of ``1 / eps_unit``.
        budget: how a budget is written.
        validation: number of training images to hold out (``held_out``).
        notes: remarks on copies of the data, by their SHA-256.
    """

    name: str
    load: Loader
    shape: tuple[int, int, int]
    classes: int = 10
    title: str = ""
    noun: str = "image"
    eps_unit: int = 1
    budget: str = "ε = {}"
    validation: int = 5000
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


def held_out(name: str, parts: Mapping[str, Split], digest: str, remarks: tuple[str, ...] = ()) -> Dataset:
    """Return a registered data set from its official parts "train" and "test".

    The last training images, ``validation`` of its description or at most a tenth, are held out.

    Raises:
        ValueError: images of another shape, or a part that does not hold all classes.
    """
    info = describe(name)
    for part in ("train", "test"):
        if (shape := tuple(parts[part].images.shape[1:])) != info.shape:
            raise ValueError(f"the {part} part of {name} holds images {list(shape)}, expected {list(info.shape)}")
        if (present := len(set(parts[part].labels.tolist()))) < info.classes:
            raise ValueError(f"the {part} part of {name} holds {present} classes, expected {info.classes}")
    train, validation = cut(parts["train"], min(info.validation, len(parts["train"]) // 10))
    return Dataset(name, train, validation, parts["test"], digest, remarks)


def cut(split: Split, num: int) -> tuple[Split, Split]:
    """Return a split without its last ``num`` images, and these."""
    return split[: len(split) - num], split[len(split) - num :]


def split_of(images: NDArray[Any], labels: NDArray[Any], classes: int = 10) -> Split:
    """Return bytes as images in [0, 1], with their labels."""
    return Split(torch.from_numpy(images).float().div_(255), torch.from_numpy(labels.astype(np.int64)), classes)
