"""The zoo: trained models as small files, each with its card and its records.

``models/<name>/weights.safetensors.xz`` (see ``storage``) and ``card.json`` (recipe, data, versions, hashes) of the first seed;
the same files with ``-<seed>`` in their names of the others. Weights of all seeds are kept, for a network that is trained again
on another machine differs in its last bits. ``recipes/`` says how each is made; ``snnlab zoo build`` remakes them.

``results.json`` and ``results-<seed>.json`` are the records (``snnlab.evaluation``): every model and seed by one suite, on the
same digits and ε. ``first_edition.json`` keeps the worst cases that the first edition printed, by suites that lacked the search
among spike trains.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from snnlab.encoding import encoder
from snnlab.network import MLP, Classifier, SpikingMLP
from snnlab.neuron import Surrogate
from snnlab.tsslbp import TsslMLP
from snnlab.zoo.storage import read_weights

__all__ = ["ModelRecipe", "card", "classifier_for", "load", "names", "recipes", "repeats", "results", "seeds"]

FOLDER = Path(__file__).parent
MODELS = FOLDER / "models"
PIXELS, CLASSES = 784, 10
RULES: tuple[str, ...] = ("bptt", "tsslbp", "conversion", "fgsm", "pgd", "trades")

#: settings that say how a model is shown and measured, not what its weights are
NOT_WEIGHTS = frozenset({"code", "group", "exits"})


@dataclass(frozen=True)
class ModelRecipe:
    """One model's entry in a recipe file at one seed, defaults filled in."""

    name: str
    settings: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.settings[key]

    @property
    def start(self) -> ModelRecipe | None:
        """The recipe, at the same seed, of the model whose weights this one starts from."""
        name = self.settings["start"]
        return recipes()[name].at_seed(self.settings["seed"]) if name else None

    @property
    def every_exit(self) -> bool:
        """Whether it is attacked and read at every exit step, or at the last one alone."""
        exits = self.settings["exits"]
        return bool(exits == "all" or (exits == "first" and self.settings["seed"] == seeds()[0]))

    def at_seed(self, seed: int) -> ModelRecipe:
        """The same recipe with another seed."""
        return ModelRecipe(self.name, {**self.settings, "seed": seed})

    @property
    def sha256(self) -> str:
        """Hash of everything that decides the weights, with the recipe of the model that it starts from."""
        start = self.start
        deciding = {key: value for key, value in self.settings.items() if key not in NOT_WEIGHTS}
        deciding["start"] = start.sha256 if start else ""
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


@lru_cache
def _recipe_file() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "recipes" / "mnist5k.toml").read_text())


@lru_cache
def recipes() -> Mapping[str, ModelRecipe]:
    """All recipes by model name, at the first seed, in the order of the recipe file."""
    text = _recipe_file()
    found = {}
    for name, own in text["models"].items():
        settings = text["defaults"] | own | {"seed": seeds()[0]}
        if settings["rule"] not in RULES:
            raise ValueError(f"unknown rule {settings['rule']!r} of {name!r}; choose one of {', '.join(RULES)}")
        if settings["rule"] in ("fgsm", "pgd", "trades"):
            settings["adversarial"] = text["adversarial"]
        found[name] = ModelRecipe(name, settings)
    return found


def seeds() -> list[int]:
    """The seeds that every model is trained and measured with."""
    return list(evaluation_settings()["seeds"])


def evaluation_settings() -> dict[str, Any]:
    """How results are made: seeds, ε, exit rules, the source of transferred attacks."""
    settings: dict[str, Any] = _recipe_file()["evaluation"]
    return settings


def names(*groups: str) -> list[str]:
    """The models of the zoo, or of some of its groups, in the order of the recipe file.

    Raises:
        ValueError: unknown group.

    >>> names("fusion")[0]
    'fusion-32nd'
    """
    known = recipes()
    valid = list(dict.fromkeys(recipe["group"] for recipe in known.values()))
    for group in groups:
        if group not in valid:
            raise ValueError(f"unknown group {group!r}; choose one of {', '.join(valid)}")
    return [name for name, recipe in known.items() if not groups or recipe["group"] in groups]


def classifier_for(recipe: ModelRecipe, encoding: str | None = None) -> Classifier:
    """An untrained classifier with the architecture of a recipe.

    Args:
        recipe: the recipe.
        encoding: the code where it is not the recipe's, as after its gate was learned.
    """
    sizes = [PIXELS, *recipe["hidden"], CLASSES]
    if recipe["encoding"] == "none":
        return Classifier(MLP(sizes))
    code = encoder(encoding or recipe["encoding"], num_steps=recipe["num_steps"])
    sizes[0] *= code.channel_factor
    constants = {key: recipe[key] for key in ("beta", "threshold", "reset")}
    if recipe["rule"] == "tsslbp":
        return Classifier(TsslMLP(sizes, **constants), code, recipe["decoder"])
    if recipe["rule"] == "conversion":
        constants["beta"] = 1.0  # integrate-and-fire: the ANN's activation is a rate, and no charge may leak
    network = SpikingMLP(sizes, surrogate=Surrogate(**recipe["surrogate"]), **constants)
    return Classifier(network, code, recipe["decoder"])


def load(name: str, seed: int | None = None, folder: Path = MODELS) -> Classifier:
    """A trained model of the zoo, in evaluation mode.

    A network trained by TSSL-BP comes back with surrogate gradients: its own rule shows an attacker no gradient between
    spikes, and would hide the network rather than defend it.

    Args:
        name: the model.
        seed: of its training; default the first.
        folder: where the models are.

    Raises:
        ValueError: unknown name or seed (the message lists the valid ones); weights that are missing, truncated or altered.

    >>> load("onset").encoder.title
    'onset'
    """
    recipe, seed = _recipe(name), _seed(seed)
    blob, described = weights(name, seed, folder), card(name, seed, folder)
    found, expected = hashlib.sha256(blob).hexdigest(), described["weights_sha256"]
    if found != expected:
        raise ValueError(
            f"weights of {name!r} were altered or truncated: {len(blob)} bytes with SHA-256 {found[:12]}…, "
            f"its card says {expected[:12]}…; restore the file or run 'snnlab zoo build {name}'"
        )
    return restored(recipe, blob, described["encoding"])


def weights(name: str, seed: int | None = None, folder: Path = MODELS) -> bytes:
    """The weights of a model as the content of a safetensors file.

    Raises:
        ValueError: unknown name or seed; a file that is missing or damaged.
    """
    path = folder / _recipe(name).name / file_name("weights.safetensors.xz", _seed(seed))
    try:
        return lzma.decompress(_read(path))
    except lzma.LZMAError as error:
        raise ValueError(
            f"weights of {name!r} were altered or truncated ({error}); restore the file or run 'snnlab zoo build {name}'"
        ) from None


def restored(recipe: ModelRecipe, weights: bytes, encoding: str) -> Classifier:
    """The classifier of a recipe with the weights of a file, in evaluation mode."""
    classifier = classifier_for(recipe, encoding)
    read_weights(classifier.network, weights, recipe.name)
    if isinstance(classifier.network, TsslMLP):
        classifier.network.gradient = "surrogate"
    return classifier.eval()


def card(name: str, seed: int | None = None, folder: Path = MODELS) -> dict[str, Any]:
    """The model card: recipe, seed, data, versions, accuracy before and after storage, hash of the weights."""
    path = folder / _recipe(name).name / file_name("card.json", _seed(seed))
    return _json(name, path, {"recipe", "encoding", "weights_sha256", "accuracy"})


def results(name: str, seed: int | None = None, folder: Path = MODELS) -> dict[str, Any]:
    """The record of a model at one seed (``snnlab.evaluation``).

    Args:
        name: the model.
        seed: default the first.
        folder: where the models are.

    Raises:
        ValueError: unknown seed; missing, truncated or altered file, or one that belongs to other weights.
    """
    seed = _seed(seed)
    record = _json(
        name,
        folder / _recipe(name).name / file_name("results.json", seed),
        {"correct", "eps", "exits", "n", "weights_sha256"},
    )
    if record["weights_sha256"] != card(name, seed, folder)["weights_sha256"]:
        raise ValueError(f"results of {name!r} were measured on other weights; run 'snnlab zoo build {name}'")
    for attack, counts in record["correct"].items():
        shape = (len(counts), {len(row) for row in counts})
        expected = (len(record["exits"]), {len(record["eps"])})
        if shape != expected or any(not 0 <= c <= record["n"] for r in counts for c in r):
            raise ValueError(f"results of {name!r} are altered: counts of {attack!r} are not [{expected[0]}][ε]")
    return record


def repeats(name: str, folder: Path = MODELS) -> list[dict[str, Any]]:
    """The records of a model at every seed, for ``snnlab.records.over_seeds``."""
    return [results(name, seed, folder) for seed in seeds()]


def file_name(name: str, seed: int) -> str:
    """The name of a model's file at a seed: ``results.json`` at the first, ``results-1.json`` at the next."""
    stem, dot, suffix = name.partition(".")
    return name if seed == seeds()[0] else f"{stem}-{seed}{dot}{suffix}"


def _seed(seed: int | None) -> int:
    seed = seeds()[0] if seed is None else seed
    if seed not in seeds():
        raise ValueError(f"unknown seed {seed!r}; choose one of {', '.join(map(str, seeds()))}")
    return seed


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
