"""Load a user's model and data for ``snnlab evaluate``.

A model is named ``file.py:name`` (the file is run), ``file.nir`` or ``zoo:name``. It is a ``Classifier``, or a module of any form
that ``snnlab.networks.adapters`` recognises.
"""

from __future__ import annotations

import runpy
import sys
import traceback
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor, nn

from snnlab import data, zoo
from snnlab.data import DATASETS, Split
from snnlab.networks.adapters import classifier_of, describe
from snnlab.networks.classifier import Classifier
from snnlab.networks.nir import read_nir

__all__ = ["checked", "describe", "load_classifier", "load_data", "load_network"]


def _object(spec: str) -> Any:
    """Return the object that ``file.py:name`` stands for; ValueError if there is none, or its file cannot be run."""
    if spec.endswith(".nir"):
        return read_nir(spec)
    file, _, name = spec.rpartition(":")
    if not file or not name:
        raise ValueError(f"a model is named file.py:name, as in my_model.py:net, got {spec!r}")
    if file == "zoo":
        return zoo.load(name)
    path = Path(file)
    if not path.is_file():
        raise ValueError(f"there is no file {file!r}; name the Python file that holds your network")
    sys.path.insert(0, str(path.resolve().parent))  # what it imports from beside itself
    try:
        names = runpy.run_path(str(path), run_name=path.stem)
    except Exception as error:
        lines = [step.lineno for step in traceback.extract_tb(error.__traceback__) if Path(step.filename).name == path.name]
        where = f" (line {lines[-1]})" if lines else ""
        raise ValueError(f"{file} could not be run: {type(error).__name__}: {error}{where}") from error
    finally:
        sys.path.pop(0)
    if name not in names:
        there = [key for key, value in names.items() if isinstance(value, nn.Module)]
        raise ValueError(f"{file} has no {name!r}; its networks: {', '.join(there) or 'none'}")
    return names[name]


def load_network(spec: str) -> nn.Module:
    """Return the network that a name stands for (module docstring).

    Raises:
        ValueError: no such file or name; an object that is not a network.
    """
    loaded = _object(spec)
    if isinstance(loaded, type) and issubclass(loaded, nn.Module):
        raise ValueError(f"{spec} is a class, not a network; give an instance, as in net = {loaded.__name__}()")
    if not isinstance(loaded, nn.Module):
        raise ValueError(f"{spec} must be a network (torch.nn.Module or snnlab.Classifier), got {type(loaded).__name__}")
    return loaded


def load_classifier(
    spec: str,
    images: Tensor,
    encoding: str | None = None,
    num_steps: int | None = None,
    decoder: str | None = None,
    population: int = 1,
) -> Classifier:
    """Return the classifier that a name stands for, of images of this size.

    Args:
        spec: ``file.py:name``, ``file.nir`` or ``zoo:name``.
        images: ``[N, C, H, W]``.
        encoding, num_steps, decoder, population: as ``code`` … of ``snnlab.networks.adapters.classifier_of``.

    Raises:
        ValueError: no such file or name; an object that is not a network; a network of no known form; an unknown code or decoder.
    """
    network = load_network(spec)
    options = {"code": encoding, "num_steps": num_steps, "decoder": decoder}
    if isinstance(network, Classifier):
        if named := [f"--{name.replace('code', 'encoding').replace('_', '-')}" for name, value in options.items() if value]:
            raise ValueError(
                f"{spec} is a Classifier and brings its code ({describe(network)}); leave out {', '.join(named)}"
            )
        return network
    try:
        return classifier_of(network, images, population=population, **options)  # type: ignore[arg-type]
    except ValueError as error:
        raise ValueError(f"{spec}: {error}") from None


def load_data(name: str, n: int | None = None) -> Split:
    """Return test images by the name of a data set, or the ``images`` and ``labels`` of an ``.npz`` file.

    Args:
        name: one of ``snnlab.data.DATASETS``, or a path. Images ``[N, C, H, W]`` or ``[N, H, W]``, in [0, 1] or as bytes.
        n: how many, from the first; ``None`` for all.

    Raises:
        ValueError: unknown name, missing file or array, wrong shapes or values.
    """
    if name in DATASETS:
        split = data.load(name).test
    elif name.endswith(".npz"):
        split = _from_file(Path(name))
    else:
        raise ValueError(f"unknown data {name!r}; choose one of {', '.join(DATASETS)}, or a file.npz with images and labels")
    if n is not None and not 1 <= n <= len(split):
        raise ValueError(f"n must lie in 1 … {len(split)}, the number of images in {name!r}, got {n}")
    return split[slice(n)]


def _from_file(path: Path) -> Split:
    if not path.is_file():
        raise ValueError(f"there is no file {str(path)!r}; name an .npz with the arrays images and labels")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in ("images", "labels") if key in file}
    except (BadZipFile, OSError, ValueError) as error:
        raise ValueError(f"{path.name} is not an .npz file of plain arrays ({error}); write one with numpy.savez") from None
    if len(arrays) < 2:
        raise ValueError(f"{path.name} needs the arrays images and labels, it has {', '.join(arrays) or 'neither'}")
    images, labels = arrays["images"], arrays["labels"]
    if images.ndim == 3:
        images = images[:, None]
    if not np.issubdtype(labels.dtype, np.integer) or not len(labels) or labels.min() < 0:
        raise ValueError(f"{path.name}: labels must be whole numbers from 0, at least one, got {labels.dtype}")
    scaled = images.astype(np.float32) / (255 if images.dtype == np.uint8 else 1)
    if not (np.isfinite(scaled).all() and scaled.min() >= 0 and scaled.max() <= 1):
        raise ValueError(f"{path.name}: images must lie in [0, 1] (or be bytes), got {scaled.min():g} to {scaled.max():g}")
    return Split(torch.from_numpy(scaled), torch.from_numpy(labels.astype(np.int64)), int(labels.max()) + 1)


def checked(classifier: Classifier, split: Split, spec: str, classes_known: bool = False) -> Split:
    """Return the data with their number of classes; ValueError if a network does not take the images or has too few outputs.

    A file shows its largest label alone. So the number of outputs counts, unless it is twice as large and images are many.
    """
    first = split.images[:2]
    try:
        with torch.no_grad():
            logits: Tensor = classifier(first)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise ValueError(
            f"{spec} ({describe(classifier)}) failed on images {list(first.shape)}: {str(error).splitlines()[0]}"
        ) from None
    if logits.shape[-1] <= int(split.labels.max()):
        raise ValueError(f"{spec} answers with {logits.shape[-1]} classes, the labels go up to {int(split.labels.max())}")
    outputs = logits.shape[-1]
    if classes_known or (len(split) >= 10 and outputs >= 2 * split.num_classes):
        return split
    return Split(split.images, split.labels, outputs)
