"""Data sets: ``load("mnist5k")`` gives training, validation and test images, hash-checked.

Choices (epochs, slopes, thresholds) are made on validation; numbers that are reported come from test.
Origin and licence of the shipped digits: ``snnlab/data/README.md``.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

__all__ = ["DATASETS", "Dataset", "Split", "load"]

MNIST5K = Path(__file__).with_name("mnist5k.npz")
MNIST5K_SHA256 = "a37623ad219bd154a6a9e1b7c41c10c4913ec0e59b6b421147b4063d2d8b0115"


@dataclass(frozen=True)
class Split:
    """Images float32 ``[N, C, H, W]`` in [0, 1] and labels int64 ``[N]``.

    Raises:
        ValueError: shapes that do not belong together, labels that are no class.
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

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Images and labels in order, at most ``size`` at a time."""
        return zip(torch.split(self.images, size), torch.split(self.labels, size), strict=True)

    def __getitem__(self, rows: slice) -> Split:
        return Split(self.images[rows], self.labels[rows], self.num_classes)


@dataclass(frozen=True)
class Dataset:
    """A data set in three disjoint splits, with the hash of the file it was read from."""

    name: str
    train: Split
    validation: Split
    test: Split
    sha256: str


def load(name: str = "mnist5k") -> Dataset:
    """Load a data set by name.

    Raises:
        ValueError: unknown name, or a file that is not the published one.

    >>> len(load("mnist5k").test)
    1000
    """
    if name not in DATASETS:
        raise ValueError(f"unknown data set {name!r}; choose one of {', '.join(DATASETS)}")
    return DATASETS[name]()


def _load_mnist5k() -> Dataset:
    blob = verified(MNIST5K, MNIST5K_SHA256)
    with np.load(io.BytesIO(blob), allow_pickle=False) as arrays:
        splits = {
            part: Split(
                torch.from_numpy(arrays[f"{part}_images"]).float().div(255),
                torch.from_numpy(arrays[f"{part}_labels"]).long(),
            )
            for part in ("train", "validation", "test")
        }
    return Dataset("mnist5k", **splits, sha256=MNIST5K_SHA256)


DATASETS: dict[str, Callable[[], Dataset]] = {"mnist5k": _load_mnist5k}


def check_labels(labels: Tensor, num_classes: int) -> None:
    """Raise ``ValueError`` unless all labels are integers in ``0 … num_classes-1``."""
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise ValueError(f"labels must be integers, got {labels.dtype}")
    if len(labels) and not (labels.min() >= 0 and labels.max() < num_classes):
        low, high = int(labels.min()), int(labels.max())
        raise ValueError(f"labels must lie in 0 … {num_classes - 1}, got values from {low} to {high}")


def verified(path: Path, sha256: str) -> bytes:
    """The file's bytes if they hash to ``sha256``; an altered or truncated file is refused."""
    if not path.exists():
        raise ValueError(f"{path.name} is missing from {path.parent}; reinstall snnlab or restore the file")
    blob = path.read_bytes()
    found = hashlib.sha256(blob).hexdigest()
    if found != sha256:
        raise ValueError(
            f"{path.name} was altered or truncated: {len(blob)} bytes with SHA-256 {found[:12]}…, "
            f"expected {sha256[:12]}…; restore the file from the repository"
        )
    return blob
