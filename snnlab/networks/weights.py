"""Trained classifiers as safetensors files with code, read-out and exit in the header.

Of the architecture, files from the book's playground alone store the sizes (``SpikingMLP``), beside the recipe of the training.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import nn

from snnlab.encoding import encoder
from snnlab.files import atomic_write
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.surrogate import Surrogate

__all__ = ["load", "save"]

HEADER = "snnlab"


def save(classifier: Classifier, path: str | Path) -> Path:
    """Write parameters, buffers and settings of a classifier into one file (suffix ``.safetensors``), and return its path."""
    code = classifier.encoder
    settings = {
        "code": code and {"name": code.title, "num_steps": code.num_steps, "backward": code.backward, "slope": code.slope},
        "decoder": classifier.decoder,
        "options": {"exit_step": classifier.exit_step, "eot": classifier.eot, "levels": classifier.levels},
    }
    tensors = {name: value.detach().cpu().clone().contiguous() for name, value in classifier.network.state_dict().items()}
    atomic_write(Path(path), to_bytes(tensors, {HEADER: json.dumps(settings)}))
    return Path(path)


def load(path: str | Path, network: nn.Module | None = None) -> Classifier:
    """Return the classifier that ``save`` or the playground of the book wrote, in evaluation mode.

    Args:
        path: of the file.
        network: an untrained network of the same architecture, whose weights are replaced; a file of the playground needs none.

    Raises:
        ValueError: a file that is missing or that ``save`` did not write; no network, or one of other layers; a code that is not
            registered (``snnlab.encoding.register_code``).

    >>> from snnlab import MLP, Classifier
    >>> from tempfile import mkdtemp
    >>> path = save(Classifier(MLP((784, 10))), Path(mkdtemp()) / "ann.safetensors")
    >>> load(path, MLP((784, 10))).num_steps
    1
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            settings = json.loads((file.metadata() or {})[HEADER])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no dictionary
    except (OSError, SafetensorError, KeyError) as error:
        raise ValueError(
            f"cannot read a classifier from {str(path)!r} ({error}); write one with snnlab.networks.save"
        ) from None
    if network is None:
        network = _architecture(path, settings)
        tensors = network.state_dict() | tensors  # the constants of its neurons are in the header
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(f"{str(path)!r} has the weights of another network than the one given: {error}") from None
    code = settings["code"] and encoder(settings["code"].pop("name"), **settings["code"])
    return Classifier(network, code, settings["decoder"], **settings["options"]).eval()


def _architecture(path: str | Path, settings: dict[str, Any]) -> SpikingMLP:
    """Return an untrained network of the sizes in the header."""
    if "mlp" not in settings:
        raise ValueError(
            f"{str(path)!r} does not say what network it belongs to; give an untrained one: load(path, network)"
        )
    about = settings["mlp"]
    return SpikingMLP(tuple(about["sizes"]), beta=about["beta"], surrogate=Surrogate(**about["surrogate"]))
