"""Splits: images with their labels, and a data set in three of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, overload

import torch
from torch import Tensor

__all__ = ["BadFile", "Dataset", "Split", "check_labels"]


class BadFile(ValueError):
    """Raised for a file or array that cannot be read as images with labels; the message says why and what to do."""


@dataclass(frozen=True, repr=False)
class Split:
    """Images float32 ``[N, C, H, W]`` in [0, 1] with labels int64 ``[N]`` in ``0 … num_classes-1``, else ``ValueError``.

    It is a sequence: ``split[3]``, ``split[:20]``, ``for image, label in split``.

    >>> Split(torch.zeros(3, 1, 2, 2), torch.tensor([0, 1, 1]), 2)
    Split of 3 images 1 x 2 x 2, 2 classes
    """

    images: Tensor
    labels: Tensor
    num_classes: int = 10

    def __post_init__(self) -> None:
        if self.images.dim() != 4 or self.labels.shape != self.images.shape[:1]:
            got = f"{list(self.images.shape)} and {list(self.labels.shape)}"
            raise ValueError(f"expected images [N, C, H, W] and labels [N], got {got}")
        check_labels(self.labels, self.num_classes)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Split of {len(self):,} images {' x '.join(map(str, self.images.shape[1:]))}, {self.num_classes} classes"

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield images and labels in order, at most ``size`` at a time."""
        return zip(torch.split(self.images, size), torch.split(self.labels, size), strict=True)

    def to(self, device: torch.device) -> Split:
        """Return the same on another device."""
        return Split(self.images.to(device), self.labels.to(device), self.num_classes)

    @overload
    def __getitem__(self, rows: slice | Tensor) -> Split: ...
    @overload
    def __getitem__(self, rows: int) -> tuple[Tensor, int]: ...
    def __getitem__(self, rows: int | slice | Tensor) -> Split | tuple[Tensor, int]:
        if isinstance(rows, int):
            return self.images[rows], int(self.labels[rows])
        return Split(self.images[rows], self.labels[rows], self.num_classes)

    def __iter__(self) -> Iterator[tuple[Tensor, int]]:
        return (self[index] for index in range(len(self)))


@dataclass(frozen=True, repr=False)
class Dataset:
    """A data set in three disjoint splits, with the hash of what it was read from, and what was changed in reading it.

    A part that the files do not have is empty.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    sha256: str
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return described(self)


def described(dataset: Any) -> str:
    """Return name and parts of a data set, and the remarks on it, as lines."""
    parts = ((part, getattr(dataset, part)) for part in ("train", "validation", "test"))
    sizes = "; ".join(f"{part}: {split!r}" for part, split in parts if split is not None and len(split))
    return "\n  ".join([f"{dataset.name}: {sizes}", *dataset.remarks])


def check_labels(labels: Tensor, num_classes: int) -> None:
    """Raise ``ValueError`` unless all labels are integers in ``0 … num_classes-1``."""
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise ValueError(f"labels must be integers, got {labels.dtype}")
    if len(labels) and not (labels.min() >= 0 and labels.max() < num_classes):
        low, high = int(labels.min()), int(labels.max())
        raise ValueError(f"labels must lie in 0 … {num_classes - 1}, got values from {low} to {high}")
