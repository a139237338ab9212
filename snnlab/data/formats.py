"""Parsers of the data sets' official files: IDX (MNIST, Fashion-MNIST) and the pickled batches of CIFAR-10.

Every parser checks what it reads and says which file is wrong. CIFAR-10 comes as Python pickles, which can run code; these
are read by an unpickler that knows arrays, bytes and numbers and refuses everything else.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["cifar_archive", "cifar_batch", "cifar_folder", "idx"]

Bytes = NDArray[np.uint8]

CIFAR_TRAIN = tuple(f"data_batch_{k}" for k in range(1, 6))
CIFAR_TEST = "test_batch"
CIFAR_VALUES = 3 * 32 * 32


def idx(path: Path) -> Bytes:
    """An array from a gzipped IDX file of unsigned bytes.

    The header is two zero bytes, the type (8: unsigned byte), the number of axes, then the size of each axis as a
    big-endian 32-bit integer (LeCun et al. 1998).

    Raises:
        ValueError: a file that is truncated, is no gzip or no IDX file of unsigned bytes.
    """
    try:
        blob = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path.name} is truncated or no gzip file ({error}); fetch it again") from None
    if len(blob) < 4 or blob[:3] != b"\0\0\x08":
        raise ValueError(f"{path.name} is no IDX file of unsigned bytes: it starts with {blob[:4]!r}")
    axes = blob[3]
    if len(blob) < 4 + 4 * axes:
        raise ValueError(f"{path.name} is truncated: it ends in its header; fetch it again")
    shape = np.frombuffer(blob[4 : 4 + 4 * axes], ">u4").astype(int)
    values = np.frombuffer(blob, np.uint8, offset=4 + 4 * axes)
    if values.size != int(np.prod(shape)):
        raise ValueError(f"{path.name} is truncated: it promises {shape.tolist()} bytes and holds {values.size}")
    return values.reshape(shape).copy()  # its own memory, which may be written


def cifar_batch(blob: bytes, name: str) -> tuple[Bytes, NDArray[np.int64]]:
    """Images ``[N, 3, 32, 32]`` and labels ``[N]`` of one pickled batch (Krizhevsky 2009).

    Raises:
        ValueError: no pickle of a batch, or one that holds more than arrays, bytes and numbers.
    """
    try:
        batch = _Unpickler(io.BytesIO(blob), encoding="bytes").load()
    except Exception as error:  # a damaged pickle may ask for anything
        raise ValueError(f"{name} is truncated or no batch of CIFAR-10 ({error}); fetch it again") from None
    if not isinstance(batch, dict) or not {b"data", b"labels"} <= set(batch):
        raise ValueError(f"{name} is no batch of CIFAR-10: expected a dictionary with b'data' and b'labels'")
    try:
        images, labels = np.asarray(batch[b"data"]), np.asarray(batch[b"labels"], dtype=np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} holds no table of images and labels ({error}); fetch it again") from None
    if labels.ndim != 1:
        raise ValueError(f"{name} holds labels {list(labels.shape)}, expected [N]; fetch it again")
    if images.dtype != np.uint8 or images.shape != (len(labels), CIFAR_VALUES):
        raise ValueError(f"{name} holds {images.dtype} {list(images.shape)}, expected uint8 [{len(labels)}, {CIFAR_VALUES}]")
    return images.reshape(-1, 3, 32, 32), labels


def cifar_folder(folder: Path) -> tuple[Mapping[str, tuple[Bytes, NDArray[np.int64]]], str]:
    """The parts ``"train"`` and ``"test"`` from a folder ``cifar-10-batches-py``, and a hash of all files."""

    def read(name: str) -> bytes:
        path = folder / name
        if not path.is_file():
            raise ValueError(f"{name} is missing from {folder}; unpack cifar-10-python.tar.gz there, whole")
        return path.read_bytes()

    return _cifar_parts(read)


def cifar_archive(path: Path) -> tuple[Mapping[str, tuple[Bytes, NDArray[np.int64]]], str]:
    """As ``cifar_folder``, from ``cifar-10-python.tar.gz`` itself; nothing is unpacked to disk.

    Raises:
        ValueError: an archive that is truncated, or lacks a batch.
    """
    try:
        with tarfile.open(path) as archive:
            members = {Path(member.name).name: archive.extractfile(member) for member in archive if member.isfile()}
            blobs = {name: file.read() for name, file in members.items() if file is not None}
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path.name} is truncated or no archive ({error}); fetch it again") from None

    def read(name: str) -> bytes:
        if name not in blobs:
            raise ValueError(f"{path.name} holds no {name}; it is not the Python version of CIFAR-10")
        return blobs[name]

    return _cifar_parts(read)


def _cifar_parts(read: Callable[[str], bytes]) -> tuple[Mapping[str, tuple[Bytes, NDArray[np.int64]]], str]:
    digest = hashlib.sha256()
    found = {}
    for part, names in (("train", CIFAR_TRAIN), ("test", (CIFAR_TEST,))):
        batches = []
        for name in names:
            blob = read(name)
            digest.update(blob)
            batches.append(cifar_batch(blob, name))
        found[part] = (np.concatenate([x for x, _ in batches]), np.concatenate([y for _, y in batches]))
    return found, digest.hexdigest()


class _Unpickler(pickle.Unpickler):
    """Knows how a NumPy array is put together, and nothing else."""

    ALLOWED = frozenset({"_reconstruct", "ndarray", "dtype", "encode"})

    def find_class(self, module: str, name: str) -> Any:
        if name in self.ALLOWED and module.split(".")[0] in ("numpy", "_codecs"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch needs")
