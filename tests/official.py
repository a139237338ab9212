"""Small files in the data sets' official formats, made by the tests: no image of a data set is needed."""

import gzip
import io
import pickle
import struct
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def pictures(num: int, seed: int = 0) -> tuple[NDArray[np.uint8], list[int]]:
    """Random colour pictures ``[N, 3, 32, 32]`` and labels 0 … 9 in turn."""
    images = np.random.default_rng(seed).integers(0, 256, (num, 3, 32, 32), dtype=np.uint8)
    return images, [k % 10 for k in range(num)]


def write_cifar10(root: Path, per_batch: int = 40) -> Path:
    """A folder with ``cifar-10-batches-py`` as the archive unpacks to."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for k, name in enumerate([*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]):
        images, labels = pictures(per_batch, seed=k)
        batch = {b"data": images.reshape(per_batch, -1), b"labels": labels, b"batch_label": name.encode()}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    return root


def archive_of(root: Path, target: Path) -> Path:
    """The folder as ``cifar-10-python.tar.gz``."""
    with tarfile.open(target, "w:gz") as archive:
        archive.add(root / "cifar-10-batches-py", "cifar-10-batches-py")
    return target


def write_idx(path: Path, values: NDArray[np.uint8]) -> Path:
    """A gzipped IDX file of unsigned bytes."""
    header = struct.pack(">BBBB", 0, 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
    path.write_bytes(gzip.compress(header + values.tobytes()))
    return path


def write_mnist(root: Path, num: int = 60) -> Path:
    """The four files of MNIST and its kin."""
    root.mkdir(parents=True, exist_ok=True)
    for part, seed in (("train", 0), ("t10k", 1)):
        images = np.random.default_rng(seed).integers(0, 256, (num, 28, 28), dtype=np.uint8)
        write_idx(root / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(root / f"{part}-labels-idx1-ubyte.gz", np.arange(num, dtype=np.uint8) % 10)
    return root


def truncated(path: Path) -> Path:
    """The file without its last third."""
    blob = path.read_bytes()
    path.write_bytes(blob[: 2 * len(blob) // 3])
    return path


MARKER = Path(tempfile.gettempdir()) / "snnlab-unpickled"


class Evil:
    """Unpickled by a careless reader, it runs a command."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, (f"touch {MARKER}",)


def evil_batch() -> bytes:
    """A batch that asks for more than arrays."""
    buffer = io.BytesIO()
    pickle.dump({b"data": Evil(), b"labels": []}, buffer)
    return buffer.getvalue()
