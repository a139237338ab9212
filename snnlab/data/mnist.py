"""MNIST and its kin: 5,000 digits that are shipped, and the full sets from their official IDX files."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snnlab.data.arrays import Arrays
from snnlab.data.downloads import OfficialFile, fetch
from snnlab.data.registry import DatasetInfo, held_out, register, split_of
from snnlab.data.split import BadFile, Dataset

__all__ = ["MNIST5K", "idx_in", "read_idx", "read_pair"]

MNIST5K = Path(__file__).with_name("mnist5k.npz")
MNIST5K_SHA256 = "a37623ad219bd154a6a9e1b7c41c10c4913ec0e59b6b421147b4063d2d8b0115"
SHAPE = (1, 28, 28)
FILES = {
    "train_images": "train-images-idx3-ubyte.gz",
    "train_labels": "train-labels-idx1-ubyte.gz",
    "test_images": "t10k-images-idx3-ubyte.gz",
    "test_labels": "t10k-labels-idx1-ubyte.gz",
}
#: where torchvision puts them
TORCHVISION = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}
MNIST_URLS = ("https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist")
#: MD5 sums in the order of ``FILES``
MNIST_MD5 = (
    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "d53e105ee54ea40749a09fcbcd1e9432",
    "9fb629c4189551a2d022fa330f9573f3",
    "ec29112dd5afa0611ce80d1b7f02629c",
)
FASHION_MNIST_URLS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
)
FASHION_MNIST_MD5 = (
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "25c81989df183df01b3e8a0aad5dffbe",
    "bef4ecab320f06d8554ea6380940ec79",
    "bb300cfdad3c16e7a12a480ee83cd310",
)


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the array in an IDX file of unsigned bytes, gzipped or not (LeCun et al. 1998), or raise ``ValueError``.

    The header is two zero bytes, the type (8), the number of axes, then the size of each axis as a big-endian 32-bit integer.
    """
    try:
        blob = path.read_bytes()
        blob = gzip.decompress(blob) if blob[:2] == b"\x1f\x8b" else blob
        if blob[:3] == b"\0\0\x08":
            shape = np.frombuffer(blob, ">u4", blob[3], offset=4).astype(int)
            return np.frombuffer(blob, np.uint8, offset=4 + 4 * blob[3]).reshape(shape).copy()  # may be written
    except (OSError, EOFError, zlib.error, IndexError, ValueError) as error:
        raise BadFile(f"{path.name} is truncated or damaged ({error}); fetch it again") from None
    raise BadFile(f"{path.name} is no IDX file of unsigned bytes: it starts with {blob[:4]!r}")


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
        parts = {
            part: split_of(arrays[f"{part}_images"], arrays[f"{part}_labels"]) for part in ("train", "validation", "test")
        }
    return Dataset("mnist5k", parts["train"], parts["validation"], parts["test"], digest)


def idx_paths(folder: Path, name: str = "") -> dict[str, Path] | None:
    """Return the four files of MNIST or its kin, raw or gzipped, in ``folder`` or where torchvision puts them; else ``None``.

    Raises:
        BadFile: some of the four are missing; several data sets in one folder and no ``name``.
    """
    kin = [TORCHVISION[name]] if name else [*TORCHVISION.values(), "KMNIST", "QMNIST"]
    places = [place for place in (folder, folder / "raw", *(folder / each / "raw" for each in kin)) if place.is_dir()]
    by_place = {place: {role: path for role, file in FILES.items() if (path := _existing(place, file))} for place in places}
    by_place = {place: paths for place, paths in by_place.items() if paths}
    if len(by_place) > 1:
        raise BadFile(f"{folder} has several data sets: {', '.join(map(str, by_place))}; name one of these folders")
    for place, paths in by_place.items():
        if missing := [file for role, file in FILES.items() if role not in paths]:
            raise BadFile(
                f"{', '.join(missing)} is missing from {place}; expected {', '.join(FILES.values())}, raw or gzipped"
            )
        return paths
    return None


def _existing(folder: Path, file: str) -> Path | None:
    raw = file.removesuffix(".gz")
    names = (file, raw, raw.replace("-idx", ".idx"))
    return next((folder / name for name in names if (folder / name).is_file()), None)


def idx_in(folder: Path) -> Arrays | None:
    """Return the arrays of MNIST's four files in a folder, ``None`` if there are none."""
    paths = idx_paths(folder)
    return paths and {role: read_idx(path) for role, path in paths.items()}


def read_pair(path: Path, remarks: list[str]) -> Arrays:
    """Return the images of an IDX file and the labels of the file beside it, by the file of either."""
    other = {"images": "labels", "labels": "images", "idx3": "idx1", "idx1": "idx3"}
    name = re.sub("images|labels|idx3|idx1", lambda word: other[word[0]], path.name)
    files = [path, path.with_name(name)]
    images, labels = sorted(files, key=lambda file: "labels" in file.name)
    if name == path.name or not files[1].is_file():
        raise BadFile(f"{path.name} needs {name if name != path.name else 'a file of labels'} beside it")
    return {"images": read_idx(images), "labels": read_idx(labels)}


def _load_idx(
    name: str, addresses: tuple[str, ...], sums: tuple[str, ...], root: Path | None, progress: bool
) -> Dataset | None:
    files = {}
    for (role, file), md5 in zip(FILES.items(), sums, strict=True):
        address, *mirrors = (f"{address}/{file}" for address in addresses)
        files[role] = OfficialFile(address, md5, mirrors=tuple(mirrors))
    paths = idx_paths(root, name) if root else fetch(files, name, progress=progress)
    if paths is None:
        return None
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths.values())).hexdigest()
    parts = {}
    for part in ("train", "test"):
        images, labels = (read_idx(paths[f"{part}_{what}"]) for what in ("images", "labels"))
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            shapes = f"{list(images.shape)} and {list(labels.shape)}"
            raise BadFile(f"{name}: the {part} files hold {shapes}, expected [N, H, W] and [N]")
        parts[part] = split_of(images[:, None], labels)
    return held_out(name, parts, digest)


_load_mnist = partial(_load_idx, "mnist", MNIST_URLS, MNIST_MD5)
_load_fashion_mnist = partial(_load_idx, "fashion_mnist", FASHION_MNIST_URLS, FASHION_MNIST_MD5)
register(DatasetInfo("mnist5k", _load_mnist5k, SHAPE, noun="digit"))
register(DatasetInfo("mnist", _load_mnist, SHAPE, title="MNIST", noun="digit"))
register(DatasetInfo("fashion_mnist", _load_fashion_mnist, SHAPE, title="Fashion-MNIST"))
