"""The zoo: trained models as small files, each with its card and its results.

``models/<name>/weights.safetensors`` (see ``storage``), ``card.json`` (recipe, data, versions, hashes) and
``results.json`` (see ``snnlab.evaluation``). ``recipes/`` says how each is made; ``snnlab zoo build`` remakes them.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from snnlab.encoding import encoder
from snnlab.network import MLP, Classifier, SpikingMLP
from snnlab.neuron import Surrogate
from snnlab.zoo.storage import read_weights

__all__ = ["ModelRecipe", "card", "classifier_for", "load", "names", "recipes", "results"]

FOLDER = Path(__file__).parent
MODELS = FOLDER / "models"
PIXELS, CLASSES = 784, 10


@dataclass(frozen=True)
class ModelRecipe:
    """One model's entry in a recipe file, defaults filled in."""

    name: str
    settings: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.settings[key]

    @property
    def sha256(self) -> str:
        """Hash of everything that decides the weights."""
        return hashlib.sha256(json.dumps(dict(self.settings), sort_keys=True).encode()).hexdigest()


@lru_cache
def _recipe_file() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "recipes" / "mnist5k.toml").read_text())


def recipes() -> dict[str, ModelRecipe]:
    """All recipes by model name, in the order of the recipe file."""
    text = _recipe_file()
    return {name: ModelRecipe(name, text["defaults"] | own) for name, own in text["models"].items()}


def evaluation_settings() -> dict[str, Any]:
    """How results are made: ε, seed and the source of transferred attacks."""
    settings: dict[str, Any] = _recipe_file()["evaluation"]
    return settings


def names() -> list[str]:
    """The models of the zoo, in the order of the recipe file."""
    return list(recipes())


def classifier_for(recipe: ModelRecipe) -> Classifier:
    """An untrained classifier with the architecture of a recipe."""
    sizes = [PIXELS, *recipe["hidden"], CLASSES]
    if recipe["encoding"] == "none":
        return Classifier(MLP(sizes))
    code = encoder(recipe["encoding"], num_steps=recipe["num_steps"])
    sizes[0] *= code.channel_factor
    network = SpikingMLP(
        sizes,
        beta=recipe["beta"],
        threshold=recipe["threshold"],
        reset=recipe["reset"],
        surrogate=Surrogate(**recipe["surrogate"]),
    )
    return Classifier(network, code, recipe["decoder"])


def load(name: str, folder: Path = MODELS) -> Classifier:
    """A trained model of the zoo, in evaluation mode.

    Raises:
        ValueError: unknown name (the message lists the valid ones); weights that are missing, truncated or altered.

    >>> load("onset").encoder.title
    'onset'
    """
    recipe = _recipe(name)
    classifier = classifier_for(recipe)
    blob = _read(folder / name / "weights.safetensors")
    found, expected = hashlib.sha256(blob).hexdigest(), card(name, folder)["weights_sha256"]
    if found != expected:
        raise ValueError(
            f"weights of {name!r} were altered or truncated: {len(blob)} bytes with SHA-256 {found[:12]}…, "
            f"its card says {expected[:12]}…; restore the file or run 'snnlab zoo build {name}'"
        )
    read_weights(classifier.network, blob, name)
    return classifier.eval()


def card(name: str, folder: Path = MODELS) -> dict[str, Any]:
    """The model card: recipe, seed, data, versions, accuracy before and after storage, hash of the weights."""
    return _json(name, folder / _recipe(name).name / "card.json", {"recipe", "weights_sha256", "accuracy"})


def results(name: str, folder: Path = MODELS) -> dict[str, Any]:
    """The record of ``snnlab.evaluation.evaluate`` for a model, with what it was measured on.

    Raises:
        ValueError: missing, truncated or altered file, or one that belongs to other weights.
    """
    record = _json(name, folder / _recipe(name).name / "results.json", {"correct", "eps", "n", "weights_sha256"})
    if record["weights_sha256"] != card(name, folder)["weights_sha256"]:
        raise ValueError(f"results of {name!r} were measured on other weights; run 'snnlab zoo build {name}'")
    for attack, counts in record["correct"].items():
        shape = (len(counts), {len(row) for row in counts})
        if shape != (record["num_steps"], {len(record["eps"])}) or any(not 0 <= c <= record["n"] for r in counts for c in r):
            raise ValueError(f"results of {name!r} are altered: counts of {attack!r} are not [{record['num_steps']}][ε]")
    return record


def _recipe(name: str) -> ModelRecipe:
    known = recipes()
    if name not in known:
        raise ValueError(f"unknown model {name!r}; choose one of {', '.join(known)}")
    return known[name]


def _read(path: Path) -> bytes:
    if not path.exists():
        raise ValueError(f"{path.parent.name}/{path.name} is missing; run 'snnlab zoo build {path.parent.name}'")
    return path.read_bytes()


def _json(name: str, path: Path, required: set[str]) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(_read(path))
        missing = required - set(content)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path.name} of {name!r} is not valid JSON ({error}); restore it or rebuild the model") from None
    if missing:
        raise ValueError(f"{path.name} of {name!r} lacks {sorted(missing)}; restore it or rebuild the model")
    return content
