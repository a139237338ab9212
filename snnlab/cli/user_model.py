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

import torch
from torch import Tensor, nn

from snnlab import data, zoo
from snnlab.data import DATASETS, EventSplit, Split
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


def load_data(name: str, n: int | None = None) -> tuple[Split | EventSplit, tuple[str, ...]]:
    """Return the test images of a data set, file or folder (training images if it has no others), and remarks on them.

    Args:
        name: one of ``snnlab.data.DATASETS``, or a path that ``snnlab.data.files`` reads.
        n: how many, from the first; ``None`` for all.

    Raises:
        ValueError: unknown name, missing file or array, wrong shapes or values.
    """
    if name not in DATASETS and not Path(name).expanduser().exists():
        known = ", ".join(DATASETS)
        raise ValueError(f"there is no file or folder {name!r}, nor a data set of this name; the data sets are {known}")
    parts = data.load(name)
    split = next(part for part in (parts.test, parts.validation, parts.train) if part is not None and len(part))
    if n is not None and not 1 <= n <= len(split):
        raise ValueError(f"n must lie in 1 … {len(split)}, the number of images in {name!r}, got {n}")
    return split[:n], parts.remarks


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
