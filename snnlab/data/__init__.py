"""Data sets: ``load("mnist5k")`` gives training, validation and test images, hash-checked.

============= ============================================= ============================= ==========================
name          what                                          train, validation, test       from
============= ============================================= ============================= ==========================
mnist5k       digits ``[N, 1, 28, 28]``                     3,500 / 500 / 1,000           this package
mnist         digits ``[N, 1, 28, 28]``                     55,000 / 5,000 / 10,000       LeCun et al. 1998
fashion_mnist clothes ``[N, 1, 28, 28]``                    55,000 / 5,000 / 10,000       Xiao et al. 2017
cifar10       colour pictures ``[N, 3, 32, 32]``            48,000 / 2,000 / 10,000       Krizhevsky 2009
dvs_gesture   event frames ``[T, N, 2, H, W]``              1,077 / none / 264 recordings Amir et al. 2017 (``tonic``)
============= ============================================= ============================= ==========================

All but the first are fetched from their authors' servers once, verified and cached; or read from ``root``, where their
official files are. The last training images are held out for validation.

Choices (epochs, slopes, thresholds) are made on validation; numbers that are reported come from test.
Origin and licence of the shipped digits: ``snnlab/data/README.md``.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snnlab.data import events, formats
from snnlab.data.downloads import OfficialFile, fetch
from snnlab.data.events import EventSplit

__all__ = ["DATASETS", "Dataset", "EventDataset", "EventSplit", "Split", "cifar10_in", "load"]

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

    def to(self, device: torch.device) -> Split:
        """The same on another device."""
        return Split(self.images.to(device), self.labels.to(device), self.num_classes)

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


@dataclass(frozen=True)
class EventDataset:
    """Recordings of an event camera: its authors name no validation part."""

    name: str
    train: EventSplit
    test: EventSplit


@overload
def load(name: Literal["dvs_gesture"], root: str | Path, **options: Any) -> EventDataset: ...  # type: ignore[overload-overlap]
@overload
def load(name: str = ..., root: str | Path | None = ..., *, progress: bool = ...) -> Dataset: ...
def load(
    name: str = "mnist5k", root: str | Path | None = None, *, progress: bool = True, **options: Any
) -> Dataset | EventDataset:
    """Load a data set by name (table in the module docstring).

    Args:
        name: of the data set.
        root: folder with its official files, if they are on this machine already. The CIFAR-10 batches may lie there
            unpacked, or the archive; files from ``root`` are checked for form, not for their published sums.
        progress: whether to show progress bars.
        options: of ``dvs_gesture``: ``num_steps`` and ``size`` (``snnlab.data.events``).

    Raises:
        ValueError: unknown name or option; no such ``root``; a file that is missing, truncated or not the published one; no
            network, or too little disk, where something has to be fetched.

    >>> len(load("mnist5k").test)
    1000
    """
    if name != "dvs_gesture" and name not in DATASETS:
        raise ValueError(f"unknown data set {name!r}; choose one of {', '.join([*DATASETS, 'dvs_gesture'])}")
    folder = None if root is None else Path(root).expanduser()
    if folder is not None and not folder.is_dir():
        raise ValueError(f"root={str(root)!r} is no folder; name the one that holds the official files of {name}")
    if name == "dvs_gesture":
        if folder is None:
            raise ValueError("dvs_gesture needs a root: the folder that holds its recordings, or where to put them (3 GB)")
        if strange := set(options) - {"num_steps", "size"}:
            raise ValueError(f"dvs_gesture knows the options num_steps and size, got {', '.join(sorted(strange))}")
        return EventDataset(name, **events.dvs_gesture(folder, progress=progress, **options))
    if options:
        raise ValueError(f"{name} knows no options, got {', '.join(options)}")
    return DATASETS[name](folder, progress)


def _load_mnist5k(root: Path | None, progress: bool) -> Dataset:
    blob = verified(MNIST5K, MNIST5K_SHA256)
    with np.load(io.BytesIO(blob), allow_pickle=False) as arrays:
        splits = {
            part: _split(arrays[f"{part}_images"], arrays[f"{part}_labels"]) for part in ("train", "validation", "test")
        }
    return Dataset("mnist5k", **splits, sha256=MNIST5K_SHA256)


def _load_idx(name: str, address: str, sums: dict[str, str], root: Path | None, progress: bool) -> Dataset:
    """MNIST and its kin: four gzipped IDX files."""
    files = {role: OfficialFile(f"{address}/{IDX_FILES[role]}", md5) for role, md5 in sums.items()}
    paths = {r: root / f.name for r, f in files.items()} if root else fetch(files, name, progress=progress)
    for path in paths.values():
        if not path.is_file():
            raise ValueError(f"{path.name} is missing from {path.parent}; {name} needs {', '.join(IDX_FILES.values())}")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths.values())).hexdigest()
    arrays = {role: formats.idx(path) for role, path in paths.items()}
    for part in ("train", "test"):
        if arrays[f"{part}_images"].ndim != 3 or len(arrays[f"{part}_images"]) != arrays[f"{part}_labels"].size:
            shapes = [list(arrays[f"{part}_{what}"].shape) for what in ("images", "labels")]
            raise ValueError(f"{name}: the {part} files hold {shapes[0]} and {shapes[1]}, expected [N, H, W] and [N]")
    parts = {part: (arrays[f"{part}_images"][:, None], arrays[f"{part}_labels"]) for part in ("train", "test")}
    return _held_out(name, parts, IDX_VALIDATION, digest)


def cifar10_in(root: Path) -> Path | None:
    """What a folder holds of CIFAR-10: the folder of its batches, or its archive; ``None`` if neither."""
    batches = root / "cifar-10-batches-py"
    if batches.is_dir():
        return batches
    if (root / "data_batch_1").is_file():
        return root
    return archive if (archive := root / CIFAR10.name).is_file() else None


def _load_cifar10(root: Path | None, progress: bool) -> Dataset:
    found = fetch({"archive": CIFAR10}, "cifar10", progress=progress)["archive"] if root is None else cifar10_in(root)
    if found is None:
        raise ValueError(f"no CIFAR-10 in {root}: expected the folder cifar-10-batches-py or the file {CIFAR10.name}")
    parts, digest = formats.cifar_folder(found) if found.is_dir() else formats.cifar_archive(found)
    return _held_out("cifar10", dict(parts), CIFAR10_VALIDATION, digest)


def _held_out(name: str, parts: dict[str, tuple[NDArray[Any], NDArray[Any]]], validation: int, digest: str) -> Dataset:
    """The official training part without its last ``validation`` images (at most a tenth), which come to validation."""
    images, labels = parts["train"]
    for part, (_, found) in parts.items():
        if len(set(found.tolist())) < CLASSES:
            raise ValueError(f"the {part} part of {name} holds {len(set(found.tolist()))} classes, expected {CLASSES}")
    last = min(validation, len(labels) // 10)
    cut = len(labels) - last
    held_out, test = _split(images[cut:], labels[cut:]), _split(*parts["test"])
    return Dataset(name, _split(images[:cut], labels[:cut]), held_out, test, digest)


def _split(images: NDArray[Any], labels: NDArray[Any]) -> Split:
    """Bytes as images in [0, 1]."""
    return Split(torch.from_numpy(images).float().div_(255), torch.from_numpy(labels.astype(np.int64)))


CLASSES = 10
IDX_VALIDATION, CIFAR10_VALIDATION = 5000, 2000
IDX_FILES = {
    "train_images": "train-images-idx3-ubyte.gz",
    "train_labels": "train-labels-idx1-ubyte.gz",
    "test_images": "t10k-images-idx3-ubyte.gz",
    "test_labels": "t10k-labels-idx1-ubyte.gz",
}
MNIST_MD5 = {
    "train_images": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train_labels": "d53e105ee54ea40749a09fcbcd1e9432",
    "test_images": "9fb629c4189551a2d022fa330f9573f3",
    "test_labels": "ec29112dd5afa0611ce80d1b7f02629c",
}
FASHION_MNIST_MD5 = {
    "train_images": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train_labels": "25c81989df183df01b3e8a0aad5dffbe",
    "test_images": "bef4ecab320f06d8554ea6380940ec79",
    "test_labels": "bb300cfdad3c16e7a12a480ee83cd310",
}
CIFAR10 = OfficialFile("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a")

#: what reads each data set
DATASETS: dict[str, Callable[[Path | None, bool], Dataset]] = {
    "mnist5k": _load_mnist5k,
    "mnist": partial(_load_idx, "mnist", "https://ossci-datasets.s3.amazonaws.com/mnist", MNIST_MD5),
    "fashion_mnist": partial(
        _load_idx, "fashion_mnist", "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com", FASHION_MNIST_MD5
    ),
    "cifar10": _load_cifar10,
}


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
