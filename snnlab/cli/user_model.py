"""Load a user's model and data for ``snnlab evaluate``.

A model is named ``file.py:name`` (the file is run) or ``zoo:name``. It is a ``Classifier``; a module with spiking neurons that
takes a sequence ``[T, N, …]``, which is put behind a code (default ``direct``); or a module from images ``[N, C, H, W]`` to
logits ``[N, K]``.
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
from snnlab.encoding import encoder
from snnlab.networks.classifier import Classifier

__all__ = ["checked", "describe", "load_classifier", "load_data"]


def _object(spec: str) -> Any:
    """Return the object that ``file.py:name`` stands for; ValueError if there is none, or its file cannot be run."""
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


def load_classifier(spec: str, encoding: str | None = None, num_steps: int = 8, decoder: str = "rate") -> Classifier:
    """Return the classifier that a name stands for (module docstring).

    Args:
        spec: ``file.py:name`` or ``zoo:name``.
        encoding: code in front; ``"none"`` for a network that takes images, ``None`` to decide by its neurons.
        num_steps, decoder: ``T`` of the code; a rule of ``snnlab.networks.decoding``.

    Raises:
        ValueError: no such file or name; an object that is not a network; an unknown code or decoder.
    """
    loaded = _object(spec)
    if isinstance(loaded, type) and issubclass(loaded, nn.Module):
        raise ValueError(f"{spec} is a class, not a network; give an instance, as in net = {loaded.__name__}()")
    if not isinstance(loaded, nn.Module):
        raise ValueError(f"{spec} must be a network (torch.nn.Module or snnlab.Classifier), got {type(loaded).__name__}")
    if isinstance(loaded, Classifier):
        if encoding not in (None, loaded.encoder and loaded.encoder.title):
            raise ValueError(f"{spec} is a Classifier and brings its code ({describe(loaded)}); leave out --encoding")
        return loaded
    spiking = any(hasattr(module, "spike_grad") or hasattr(module, "surrogate") for module in loaded.modules())
    chosen = encoding or ("direct" if spiking else "none")
    if chosen == "none":
        return Classifier(loaded)
    return Classifier(loaded, encoder(chosen, num_steps=num_steps), decoder)


def describe(classifier: Classifier) -> str:
    """Return code, steps and read-out in words.

    >>> describe(zoo.load("onset"))
    'code onset, 8 steps, read-out rate'
    """
    if classifier.encoder is None:
        return "takes images, one step"
    return f"code {classifier.encoder.title}, {classifier.num_steps} steps, read-out {classifier.decoder}"


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


def checked(classifier: Classifier, split: Split, spec: str) -> Split:
    """Return the data with the network's number of classes; ValueError if it does not take these images or labels."""
    first = split.images[:2]
    try:
        with torch.no_grad():
            logits: Tensor = classifier(first)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        takes = "images" if classifier.encoder is None else f"a sequence [{classifier.num_steps}, N, …]"
        hint = "name a code with --encoding" if classifier.encoder is None else "use --encoding none if it takes images"
        raise ValueError(
            f"{spec} was given {takes} made of images {list(first.shape)} and failed: {str(error).splitlines()[0]}; {hint}"
        ) from None
    if logits.shape[-1] <= int(split.labels.max()):
        raise ValueError(f"{spec} answers with {logits.shape[-1]} classes, the labels go up to {int(split.labels.max())}")
    return Split(split.images, split.labels, logits.shape[-1])
