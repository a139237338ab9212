"""MNIST and its kin: 5,000 digits that are shipped, and the full sets from their official IDX files."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snnlab.data.downloads import OfficialFile, fetch
from snnlab.data.registry import DatasetInfo, held_out, register, split_of
from snnlab.data.split import Dataset

__all__ = ["MNIST5K", "read_idx"]

MNIST5K = Path(__file__).with_name("mnist5k.npz")
MNIST5K_SHA256 = "a37623ad219bd154a6a9e1b7c41c10c4913ec0e59b6b421147b4063d2d8b0115"
SHAPE = (1, 28, 28)
VALIDATION = 5000
FILES = {
    "train_images": "train-images-idx3-ubyte.gz",
    "train_labels": "train-labels-idx1-ubyte.gz",
    "test_images": "t10k-images-idx3-ubyte.gz",
    "test_labels": "t10k-labels-idx1-ubyte.gz",
}
MNIST_URL = "https://ossci-datasets.s3.amazonaws.com/mnist"
#: MD5 sums in the order of ``FILES``
MNIST_MD5 = (
    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "d53e105ee54ea40749a09fcbcd1e9432",
    "9fb629c4189551a2d022fa330f9573f3",
    "ec29112dd5afa0611ce80d1b7f02629c",
)
FASHION_MNIST_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
FASHION_MNIST_MD5 = (
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "25c81989df183df01b3e8a0aad5dffbe",
    "bef4ecab320f06d8554ea6380940ec79",
    "bb300cfdad3c16e7a12a480ee83cd310",
)


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the array in a gzipped IDX file of unsigned bytes (LeCun et al. 1998), or raise ``ValueError``.

    The header is two zero bytes, the type (8), the number of axes, then the size of each axis as a big-endian 32-bit integer.
    """
    try:
        blob = gzip.decompress(path.read_bytes())
        if blob[:3] == b"\0\0\x08":
            shape = np.frombuffer(blob, ">u4", blob[3], offset=4).astype(int)
            return np.frombuffer(blob, np.uint8, offset=4 + 4 * blob[3]).reshape(shape).copy()  # may be written
    except (OSError, EOFError, zlib.error, IndexError, ValueError) as error:
        raise ValueError(f"{path.name} is truncated or no gzip file ({error}); fetch it again") from None
    raise ValueError(f"{path.name} is no IDX file of unsigned bytes: it starts with {blob[:4]!r}")


def _load_mnist5k(root: Path | None, progress: bool) -> Dataset:
    if not MNIST5K.exists():
        raise ValueError(f"{MNIST5K.name} is missing from {MNIST5K.parent}; reinstall snnlab or restore the file")
    blob = MNIST5K.read_bytes()
    if (digest := hashlib.sha256(blob).hexdigest()) != MNIST5K_SHA256:
        raise ValueError(
            f"{MNIST5K.name} was altered or truncated: {len(blob)} bytes with SHA-256 {digest[:12]}…, "
            f"expected {MNIST5K_SHA256[:12]}…; restore the file from the repository"
        )
    with np.load(io.BytesIO(blob), allow_pickle=False) as arrays:
        splits = {
            part: split_of(arrays[f"{part}_images"], arrays[f"{part}_labels"]) for part in ("train", "validation", "test")
        }
    return Dataset("mnist5k", **splits, sha256=digest)


def _load_idx(name: str, address: str, sums: tuple[str, ...], root: Path | None, progress: bool) -> Dataset:
    files = {role: OfficialFile(f"{address}/{file}", md5) for (role, file), md5 in zip(FILES.items(), sums, strict=True)}
    paths = {role: root / file for role, file in FILES.items()} if root else fetch(files, name, progress=progress)
    for path in paths.values():
        if not path.is_file():
            raise ValueError(f"{path.name} is missing from {path.parent}; {name} needs {', '.join(FILES.values())}")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths.values())).hexdigest()
    parts = {}
    for part in ("train", "test"):
        images, labels = (read_idx(paths[f"{part}_{what}"]) for what in ("images", "labels"))
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            shapes = f"{list(images.shape)} and {list(labels.shape)}"
            raise ValueError(f"{name}: the {part} files hold {shapes}, expected [N, H, W] and [N]")
        parts[part] = images[:, None], labels
    return held_out(name, parts, VALIDATION, digest)


_load_mnist = partial(_load_idx, "mnist", MNIST_URL, MNIST_MD5)
_load_fashion_mnist = partial(_load_idx, "fashion_mnist", FASHION_MNIST_URL, FASHION_MNIST_MD5)
register(DatasetInfo("mnist5k", _load_mnist5k, SHAPE, noun="digit"))
register(DatasetInfo("mnist", _load_mnist, SHAPE, title="MNIST", noun="digit"))
register(DatasetInfo("fashion_mnist", _load_fashion_mnist, SHAPE, title="Fashion-MNIST"))
