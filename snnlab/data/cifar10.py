"""CIFAR-10: 60,000 colour images of 32 x 32 pixels (Krizhevsky 2009), in pickled batches.

A pickle can run code; the unpickler here accepts only arrays, bytes and numbers.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlab.data.downloads import OfficialFile, fetch
from snnlab.data.registry import DatasetInfo, held_out, register
from snnlab.data.split import Dataset

__all__ = ["cifar10_in", "read_batch"]

ARCHIVE = OfficialFile("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a")
BATCHES = {"train": [f"data_batch_{k}" for k in range(1, 6)], "test": ["test_batch"]}
SHAPE = (3, 32, 32)
VALIDATION = 2000
#: of the batches that the shipped models were trained on
COPIES = "e98c89568c5f0854f6a4ed50d9cd1098054001f3b48e43051e6aca2b6ed63e74"
COPIED = "from JPEG copies of all 60,000 pictures: pixels differ slightly from the official files"


def cifar10_in(root: Path) -> Path | None:
    """Return the folder of the batches of CIFAR-10 in ``root``, or its archive there; ``None`` if there is neither."""
    for folder in (root / "cifar-10-batches-py", root):
        if (folder / "data_batch_1").is_file():
            return folder
    return archive if (archive := root / ARCHIVE.name).is_file() else None


def read_batch(blob: bytes, name: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images ``[N, 3, 32, 32]`` and labels ``[N]`` of one pickled batch.

    Raises:
        ValueError: no pickle of a batch, or one that holds more than arrays, bytes and numbers.
    """
    try:
        batch = _Unpickler(io.BytesIO(blob), encoding="bytes").load()
        labels = np.asarray(batch[b"labels"], dtype=np.int64)
        images = np.asarray(batch[b"data"]).reshape(len(labels), *SHAPE)
    except Exception as error:  # a damaged pickle may ask for anything
        raise ValueError(f"{name} is truncated or no batch of CIFAR-10 ({error}); fetch it again") from None
    if images.dtype != np.uint8 or labels.ndim != 1:
        got = f"{images.dtype} {list(images.shape)} and labels {list(labels.shape)}"
        raise ValueError(f"{name} holds {got}, expected uint8 images and labels [N]; fetch it again")
    return images, labels


class _Unpickler(pickle.Unpickler):
    """Know how a NumPy array is put together, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if name in ("_reconstruct", "ndarray", "dtype", "encode") and module.split(".")[0] in ("numpy", "_codecs"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch needs")


def _contents(path: Path) -> dict[str, bytes]:
    """Return the files of a folder or of an archive; nothing is unpacked to disk."""
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()}
    try:
        with tarfile.open(path) as archive:
            members = {Path(member.name).name: archive.extractfile(member) for member in archive if member.isfile()}
            return {name: file.read() for name, file in members.items() if file is not None}
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path.name} is truncated or no archive ({error}); fetch it again") from None


def _load(root: Path | None, progress: bool) -> Dataset:
    path = fetch({"archive": ARCHIVE}, "cifar10", progress=progress)["archive"] if root is None else cifar10_in(root)
    if path is None:
        raise ValueError(f"no CIFAR-10 in {root}: expected the folder cifar-10-batches-py or the file {ARCHIVE.name}")
    contents, digest, parts = _contents(path), hashlib.sha256(), {}
    for part, names in BATCHES.items():
        if missing := [name for name in names if name not in contents]:
            raise ValueError(f"{', '.join(missing)} is missing from {path}; {ARCHIVE.name} holds all batches")
        for name in names:
            digest.update(contents[name])
        images, labels = zip(*(read_batch(contents[name], name) for name in names), strict=True)
        parts[part] = np.concatenate(images), np.concatenate(labels)
    return held_out("cifar10", parts, VALIDATION, digest.hexdigest())


register(DatasetInfo("cifar10", _load, SHAPE, title="CIFAR-10", noun="picture", eps_unit=255, notes={COPIES: COPIED}))
