"""The files of the zoo: weights, cards and records.

``models/<data set>/<model>/`` holds ``weights.safetensors.xz`` (see ``quantised``), ``card.json`` and ``results.json`` of the
first seed, and the same with ``-<seed>`` in their names of the others; of controls, records alone.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from snnlab.evaluation.result import Evaluation
from snnlab.files import atomic_write, write_json
from snnlab.networks.classifier import Classifier
from snnlab.networks.conv import ConvNet, SpikingConvNet, fold
from snnlab.statistics import Record
from snnlab.training.tssl_bp import TsslMLP
from snnlab.zoo.networks import classifier_for
from snnlab.zoo.quantised import read_weights
from snnlab.zoo.registry import DATASET, FOLDER, ModelRecipe, recipe

__all__ = ["MODELS", "Trained", "card", "load", "measured", "repeats", "restored", "results"]

MODELS = FOLDER / "models"
WEIGHTS, CARD, RESULTS, PROVED = "weights.safetensors.xz", "card.json", "results.json", "proofs.json"


@dataclass(frozen=True)
class Trained:
    """A model as it is stored: the bytes of its weights, and its card."""

    weights: bytes
    card: Mapping[str, Any]

    def classifier(self, recipe: ModelRecipe) -> Classifier:
        """Return the network of ``recipe`` with these weights."""
        return restored(recipe.varied(self.card.get("chosen", {})), self.weights, self.card.get("encoding"))


def load(name: str, seed: int | None = None, folder: Path = MODELS) -> Classifier:
    """Return a trained model of the zoo, in evaluation mode.

    A network trained by TSSL-BP gets surrogate gradients: its rule has no gradient between spikes, which would hide it from
    an attacker rather than defend it.

    Args:
        name: the model, as ``"onset"`` or ``"cifar10/onset"``.
        seed: of its training; default the first.
        folder: where the models are.

    Raises:
        ValueError: unknown name or seed; weights that are missing, truncated or altered.

    >>> load("onset").encoder.title
    'onset'
    """
    of = _at_seed(name, seed)
    return stored(of, folder).classifier(of)


def card(name: str, seed: int | None = None, folder: Path = MODELS) -> dict[str, Any]:
    """Return the model card: recipe, data, versions, accuracy before and after storage, hashes. Arguments as ``load``."""
    return _card(_at_seed(name, seed), folder)


def results(name: str, seed: int | None = None, folder: Path = MODELS, *, decoder: str | None = None) -> Evaluation:
    """Return the record of a model at one seed, with what is proved of the same weights in its ``proofs``.

    Args:
        name, seed, folder: as in ``load``.
        decoder: of a model that was measured with several; default the first.

    Raises:
        ValueError: unknown seed or decoder; a file that is missing, altered, or of another recipe or other weights.
    """
    of = _at_seed(name, seed)
    record = record_of(of, folder)
    decoders = [key for key in of.evaluation.get("decoders", ()) if key in record.decodings]
    if decoder is not None and decoder not in decoders:
        known = ", ".join(decoders) or None
        raise ValueError(f"{name!r} was not measured with the decoder {decoder!r}; choose one of {known}")
    if decoders:
        record = record.read_by(decoder or decoders[0])
    try:
        return replace(record.checked(), **of.labels, proofs=_proofs(of, record.weights_sha256, folder))
    except (TypeError, ValueError) as error:
        raise _unusable(of, f"results are altered: {error}") from None


def repeats(name: str, folder: Path = MODELS, *, decoder: str | None = None) -> list[Evaluation]:
    """Return the records of a model at every seed, for ``snnlab.statistics.over_seeds``; arguments as ``results``."""
    return [results(name, seed, folder, decoder=decoder) for seed in recipe(name).evaluation["seeds"]]


def measured(name: str, folder: Path = MODELS) -> list[int]:
    """Return the seeds at which a model has a record."""
    of = recipe(name)
    return [seed for seed in of.evaluation["seeds"] if path_of(of.at_seed(seed), RESULTS, folder).exists()]


def path_of(of: ModelRecipe, name: str, folder: Path) -> Path:
    """Return where a file of a model is: ``results.json`` at the first seed, ``results-1.json`` at the next."""
    stem, dot, suffix = name.partition(".")
    return folder / of.path / (name if of.first else f"{stem}-{of['seed']}{dot}{suffix}")


def _proofs(of: ModelRecipe, weights_sha256: str, folder: Path) -> Record | None:
    """Return the record of what is proved of the same weights; ``None`` if there is none."""
    if not path_of(of, PROVED, folder).exists():
        return None
    content = read_json(of, PROVED, folder, {"n", "eps", "exits", "correct", "weights_sha256"})
    known = Record.of({key: content[key] for key in ("n", "eps", "exits", "num_steps", "correct", "attacks", "seed")})
    return known if content["weights_sha256"] == weights_sha256 else None


def put_trained(of: ModelRecipe, trained: Trained, folder: Path) -> None:
    """Write weights and card of a model."""
    atomic_write(path_of(of, WEIGHTS, folder), lzma.compress(trained.weights, preset=9))
    write_json(path_of(of, CARD, folder), trained.card)


def stored(of: ModelRecipe, folder: Path) -> Trained:
    """Return the weights and the card of a model; errors as ``load``."""
    content, card = _read(of, WEIGHTS, folder), _card(of, folder)
    try:
        blob = lzma.decompress(content)
    except lzma.LZMAError as error:
        raise _unusable(of, f"weights were altered or truncated ({error})") from None
    if hashlib.sha256(blob).hexdigest() != card["weights_sha256"]:
        raise _unusable(of, f"weights were altered or truncated: {len(blob)} bytes, their hash is not the card's")
    return Trained(blob, card)


def restored(of: ModelRecipe, weights: bytes, encoding: str | None = None) -> Classifier:
    """Return the classifier of a recipe with the weights of a file, batch norm folded in, in evaluation mode."""
    classifier = classifier_for(of, encoding)
    network = classifier.network
    if isinstance(network, ConvNet | SpikingConvNet):
        fold(network)
    read_weights(network, weights, of.name)
    if isinstance(network, TsslMLP):
        network.gradient = "surrogate"
    return classifier.eval()


def record_of(of: ModelRecipe, folder: Path) -> Evaluation:
    """Return the whole record of a model, with all its decodings; errors as ``results``."""
    needed = {"n", "recipe_sha256", "settings_sha256"} | ({"weights_sha256"} if of.stored else set())
    content = read_json(of, RESULTS, folder, needed)
    if content["recipe_sha256"] != of.sha256:
        raise _unusable(of, "results belong to another recipe")
    if of.stored and content["weights_sha256"] != _card(of, folder)["weights_sha256"]:
        raise _unusable(of, "results were measured on other weights")
    try:
        return Evaluation.of(content)
    except (TypeError, AttributeError, KeyError) as error:
        raise _unusable(of, f"results are altered: {error}") from None


def read_json(of: ModelRecipe, name: str, folder: Path, required: set[str]) -> dict[str, Any]:
    """Return the content of a file of a model; ValueError if it is missing, no JSON, or lacks a required key."""
    try:
        content: dict[str, Any] = json.loads(_read(of, name, folder))
    except json.JSONDecodeError as error:
        raise _unusable(of, f"{name} is not valid JSON ({error})") from None
    if missing := required - set(content):
        raise _unusable(of, f"{name} lacks {sorted(missing)}")
    return content


def _card(of: ModelRecipe, folder: Path) -> dict[str, Any]:
    return read_json(of, CARD, folder, {"recipe", "weights_sha256", "accuracy"})


def _read(of: ModelRecipe, name: str, folder: Path) -> bytes:
    path = path_of(of, name, folder)
    if not path.exists():
        raise _unusable(of, f"{path.name} is missing")
    return path.read_bytes()


def _unusable(of: ModelRecipe, why: str) -> ValueError:
    name = of.name if of["dataset"] == DATASET else of.path
    return ValueError(f"{name}, seed {of['seed']}: {why}; restore the file or run 'snnlab zoo build {name}'")


def _at_seed(name: str, seed: int | None) -> ModelRecipe:
    of = recipe(name)
    known = of.evaluation["seeds"]
    if seed is not None and seed not in known:
        raise ValueError(f"unknown seed {seed!r}; choose one of {', '.join(map(str, known))}")
    return of if seed is None else of.at_seed(seed)
