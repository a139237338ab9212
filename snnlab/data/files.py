"""Files that people have: one table of readers, by the ending of the name or by the first bytes.

=========================== ==========================================================================================
``.npz`` ``.pt`` ``.pkl``   arrays by name: ``images`` and ``labels``, ``x_train`` and ``y_train`` (Keras), ``test_images``
                            and ``test_labels`` (MedMNIST), ``data`` and ``targets``, or a pair without names
``.npy``                    images, with labels in an ``.npy`` beside them (CIFAR-10-C)
``.csv``                    one image a row, label first or last (Kaggle, OpenML)
``.parquet``                encoded images with labels (Hugging Face); needs ``pyarrow``
IDX                         MNIST and its kin, raw or gzipped
CIFAR-10                    the Python and the binary version, packed or unpacked
folders                     one folder a class, in ``train`` and ``test`` or not; one file a part, as ``train.csv`` and
                            ``test.csv``
frames of events            ``[T, N, 2, H, W]`` in a file of arrays; one folder a class of SpikingJelly's ``.npz`` or of
                            N-MNIST's ``.bin``
=========================== ==========================================================================================

No reader runs code that a file contains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from snnlab.data import arrays, cifar10, mnist, pictures, tables
from snnlab.data.arrays import Arrays, pairs_of, part_of
from snnlab.data.pixels import Parts
from snnlab.data.split import BadFile

__all__ = ["READERS", "parts_in"]

Reader = Callable[[Path, list[str]], Arrays]

#: by the ending of the name, ``.gz`` left out
READERS: dict[str, Reader] = {
    ".npz": arrays.read_npz,
    ".npy": arrays.read_npy,
    ".pt": arrays.read_torch,
    ".pth": arrays.read_torch,
    ".pkl": arrays.read_pickle,
    ".pickle": arrays.read_pickle,
    ".csv": tables.read_csv,
    ".tsv": tables.read_csv,
    ".parquet": tables.read_parquet,
    ".tar": cifar10.read_batches,
    ".tgz": cifar10.read_batches,
    "ubyte": mnist.read_pair,
}
#: by the first bytes, for a file whose name says nothing
FIRST_BYTES = {b"PK": ".npz", b"\x93NUMPY": ".npy", b"\0\0\x08": "ubyte", b"\x80": ".pkl", b"PAR1": ".parquet"}
KINDS = ".npz, .npy, .pt, .pkl, .csv, .parquet, MNIST's IDX files, CIFAR-10's batches, or a folder with one folder a class"


def parts_in(path: Path, remarks: list[str]) -> Parts:
    """Return images and labels by part, as they are stored in a file or folder.

    Raises:
        BadFile: nothing that can be read; the message says what there is.
    """
    if not path.exists():
        raise BadFile(f"there is no file {str(path)!r}; name a file or folder: {KINDS}")
    with _in_words(path):
        return pairs_of(_folder(path, remarks) if path.is_dir() else _file(path, remarks), path.name, remarks)


def _reader(path: Path) -> Reader | None:
    name = path.name.lower().removesuffix(".gz")
    if ending := next((ending for ending in READERS if name.endswith(ending)), None):
        return READERS[ending]
    with path.open("rb") as file:
        first = file.read(8)
    return next((READERS[ending] for magic, ending in FIRST_BYTES.items() if first.startswith(magic)), None)


def _file(path: Path, remarks: list[str]) -> Arrays:
    reader = _reader(path)
    if reader is None:
        raise BadFile(f"{path.name} is none of the kinds that can be read: {KINDS}")
    with _in_words(path):
        return reader(path, remarks)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Raise ``BadFile`` with the name of the file, whatever a library raises for a damaged one."""
    try:
        yield
    except BadFile:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
        kind = "a folder of readable files" if path.is_dir() else f"a {''.join(path.suffixes[-2:]) or 'readable'} file"
        raise BadFile(f"{path.name} is truncated or not {kind} ({reason})") from None


def _folder(folder: Path, remarks: list[str]) -> Arrays:
    """Return what a folder holds: batches, IDX files, a file a part, or a folder a class."""
    if cifar10.cifar10_in(folder):
        return cifar10.read_batches(folder, remarks)
    if (idx := mnist.idx_in(folder)) is not None:
        return idx
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and not file.name.startswith(".")]
    data = [file for file in files if any(file.name.lower().removesuffix(".gz").endswith(ending) for ending in READERS)]
    if data:
        return _by_part(data, remarks)
    inside = [sub for sub in sorted(folder.iterdir()) if sub.is_dir() and not sub.name.startswith((".", "_"))]
    if classes := pictures.class_folders(folder):
        return pictures.read_classes(folder, classes, remarks)
    if len(inside) == 1:
        return _folder(inside[0], remarks)
    names = [f"{sub.name}/" for sub in inside] + [file.name for file in files]
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    raise BadFile(f"the folder {folder.name} has {shown or 'nothing'}; expected {KINDS}")


def _by_part(files: list[Path], remarks: list[str]) -> Arrays:
    """Return the arrays of one file a part, or of several (``train-00000-of-00002.parquet``), one behind the other."""
    if {file.suffix for file in files} == {".npy"}:
        return {file.stem: np.load(file, mmap_mode="r", allow_pickle=False) for file in files}
    if len(files) == 1:
        return _file(files[0], remarks)
    if unnamed := [file.name for file in files if not part_of(file.name)]:
        names = ", ".join(file.name for file in files[:8])
        raise BadFile(f"{files[0].parent.name} has {names}: name one of them (no part train or test in {unnamed[0]})")
    read: dict[str, list[np.ndarray]] = {}
    for file in files:
        pair, *others = pairs_of(_file(file, remarks), file.name, remarks).values()
        if others:
            raise BadFile(f"{files[0].parent.name} has several files, and {file.name} has several parts; name this file")
        for role, array in zip(arrays.ROLES, pair, strict=True):
            read.setdefault(f"{part_of(file.name)}_{role}", []).append(array)
    return {key: np.concatenate(pieces) for key, pieces in read.items()}
