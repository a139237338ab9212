"""Files of arrays: ``.npz``, ``.npy``, ``.pt`` and pickles, read without running code; their keys name part and role.

A pickle can call any function while it is read. NumPy reads none here (``allow_pickle=False``), PyTorch only tensors
(``weights_only``), and ``unpickled`` puts together arrays, bytes and numbers and nothing else.
"""

from __future__ import annotations

import gzip
import io
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from snnlab.data.split import BadFile

__all__ = ["Arrays", "pairs_of", "part_of", "read_npy", "read_npz", "read_pickle", "read_torch", "unpickled"]

#: what a file holds, by name
Arrays = Mapping[str, Any]
ROLES = {
    "images": ("images", "image", "img", "imgs", "x", "data", "features", "inputs", "pixels", "samples", "frames"),
    "labels": ("labels", "label", "y", "targets", "target", "class", "classes"),
}
PARTS = {"train": ("train", "training"), "validation": ("val", "valid", "validation"), "test": ("test", "testing", "t10k")}
#: all that a pickled NumPy array asks for
HARMLESS = {
    *((f"numpy._core.{module}", name) for module, name in (("multiarray", "_reconstruct"), ("multiarray", "scalar"))),
    ("numpy._core.numeric", "_frombuffer"),
    *(("numpy", name) for name in ("ndarray", "dtype")),
    ("_codecs", "encode"),
}


def part_of(name: str) -> str:
    """Return the part that a name of an array, file or folder speaks of, ``""`` if none.

    >>> part_of("mnist_test"), part_of("x_train"), part_of("digits")
    ('test', 'train', '')
    """
    words = re.findall(r"[a-z]+\d*k?", name.lower())
    return next((part for part, names in PARTS.items() if any(word in names for word in words)), "")


def pairs_of(arrays: Arrays, source: str, remarks: list[str]) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    """Return images and labels by part, known by their names as in ``x_train``, ``test_labels``, ``images`` or ``y``.

    Raises:
        BadFile: no images with labels; the message lists what there is.
    """
    pairs: dict[str, dict[str, str]] = {}
    for key in arrays:
        words = re.findall(r"[a-z]+\d*k?", key.lower())
        role = next((role for role, names in ROLES.items() if any(word in names for word in words)), None)
        if role and all(part_of(word) or word in ROLES[role] for word in words):
            pairs.setdefault(part_of(key), {}).setdefault(role, key)
    if list(arrays) == ["arr_0", "arr_1"]:  # numpy.savez without names
        pairs = {"": {"images": "arr_0", "labels": "arr_1"}}
    whole = {part: (pair["images"], pair["labels"]) for part, pair in pairs.items() if len(pair) == 2}
    if not whole:
        raise BadFile(
            f"{source} has no images with labels; it has {_listed(arrays)}; expected names such as images and labels, "
            "x_train and y_train, or test_images and test_labels"
        )
    if rest := [key for key in arrays if all(key not in pair for pair in whole.values())]:
        remarks.append(f"not read: {', '.join(rest[:8])}")
    return {part: (_plain(arrays, x, source), _plain(arrays, y, source)) for part, (x, y) in whole.items()}


def _plain(arrays: Arrays, key: str, source: str) -> NDArray[Any]:
    value = arrays[key]
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    try:
        array = np.asarray(value)
    except ValueError:
        raise BadFile(f"{source}: {key} is a list of unequal lengths, expected an array") from None
    if array.ndim == 0 or (array.dtype.kind == "O" and not all(isinstance(each, str) for each in array.flat)):
        raise BadFile(f"{source}: {key} is {type(value).__name__} of {array.dtype}, expected an array of numbers")
    return array


def _listed(arrays: Arrays) -> str:
    def shape(value: Any) -> str:
        return f" {list(value.shape)}" if hasattr(value, "shape") else f" ({type(value).__name__})"

    names = [f"{key}{shape(value)}" for key, value in arrays.items()]
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "") or "nothing"


def read_npz(path: Path, remarks: list[str]) -> Arrays:
    """Return the arrays of an ``.npz``; one that holds Python objects is listed as such and not read."""
    arrays = {}
    with np.load(path, allow_pickle=False) as file:
        for key in file:
            try:
                arrays[key] = file[key]
            except ValueError as error:
                if "allow_pickle" not in str(error):
                    raise
                arrays[key] = _Pickled()
    pickled = [key for key, value in arrays.items() if isinstance(value, _Pickled)]
    if pickled and len(pickled) + 2 > len(arrays):
        raise BadFile(
            f"{path.name}: {', '.join(pickled)} is pickled, and a pickle can run code while it is read; "
            "save plain arrays of numbers with numpy.savez"
        )
    return arrays


class _Pickled:
    """An array of Python objects, which is not read."""


def read_npy(path: Path, remarks: list[str]) -> Arrays:
    """Return the images of an ``.npy`` file with the labels from the file beside it, as ``x_test.npy`` and ``y_test.npy``."""
    try:
        images = np.load(path, allow_pickle=False)
    except ValueError as error:
        if "allow_pickle" in str(error):
            raise BadFile(
                f"{path.name} is pickled, and a pickle can run code while it is read; save a plain array"
            ) from None
        raise
    beside = [file for file in sorted(path.parent.glob("*.npy")) if file != path]
    labels = [f for f in beside if _is_labels(f.stem) and part_of(f.stem) in (part_of(path.stem), "")]
    if len(labels) != 1:
        names = ", ".join(file.name for file in beside[:8]) or "no other .npy"
        raise BadFile(f"{path.name} {list(images.shape)} needs its labels beside it, as labels.npy; its folder has {names}")
    remarks.append(f"labels from {labels[0].name}")
    return {"images": images, "labels": np.load(labels[0], allow_pickle=False)}


def _is_labels(stem: str) -> bool:
    return any(word in ROLES["labels"] for word in re.findall(r"[a-z]+", stem.lower()))


def read_torch(path: Path, remarks: list[str]) -> Arrays:
    """Return the tensors of a ``.pt`` file: a dictionary, or a pair of images and labels."""
    try:
        return _named(torch.load(path, map_location="cpu", weights_only=True))
    except pickle.UnpicklingError as error:
        asked = re.search(r"GLOBAL (\S+)", str(error))
        what = f"it asks for {asked[1]}" if asked else str(error).splitlines()[0]
        raise BadFile(
            f"{path.name} holds more than tensors ({what}), and a pickle can run code while it is read; "
            "save torch.save({'images': images, 'labels': labels}, path)"
        ) from None


def read_pickle(path: Path, remarks: list[str]) -> Arrays:
    """Return the arrays of a pickle, gzipped or not: a dictionary, or ``mnist.pkl.gz``'s three pairs."""
    blob = path.read_bytes()
    return _named(unpickled(gzip.decompress(blob) if blob[:2] == b"\x1f\x8b" else blob, path.name))


def _named(value: Any) -> Arrays:
    if isinstance(value, Mapping):
        return {key.decode("latin1") if isinstance(key, bytes) else str(key): each for key, each in value.items()}
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return {"images": value[0], "labels": value[1]}
    if (
        isinstance(value, (tuple, list))
        and len(value) == 3
        and all(isinstance(v, (tuple, list)) and len(v) == 2 for v in value)
    ):
        named = zip(("train", "validation", "test"), value, strict=True)
        return {f"{part}_{role}": each for part, pair in named for role, each in zip(ROLES, pair, strict=True)}
    return {type(value).__name__: value}


def unpickled(blob: bytes, name: str) -> Any:
    """Return what a pickle holds, or raise ``BadFile`` if it asks for more than arrays, bytes and numbers."""
    try:
        return _Unpickler(io.BytesIO(blob), encoding="bytes").load()
    except _Forbidden as error:
        raise BadFile(f"{name} was not read: {error}, and a pickle can run code while it is read") from None
    except Exception as error:  # a damaged pickle may ask for anything
        raise BadFile(f"{name} is truncated or no pickle of arrays ({error})") from None


class _Forbidden(Exception):
    """A name that no array needs."""


class _Unpickler(pickle.Unpickler):
    """Know how a NumPy array is put together, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy.core", "numpy._core")
        if (module, name) in HARMLESS:
            return super().find_class(module, name)
        raise _Forbidden(f"it asks for {module}.{name}, which no array needs")
