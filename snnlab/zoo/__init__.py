"""The zoo: trained models as small files, each with its card and its results.

``models/<name>/weights.safetensors`` (see ``storage``), ``card.json`` (recipe, data, versions, hashes) and ``results.json``
(see ``snnlab.evaluation``) of the first seed; ``results-<seed>.json`` of the others, whose weights are remade rather than
kept. ``standard.json`` and ``standard-<seed>.json`` are records of the longer suite, of those models that it was run on.
``recipes/`` says how each is made; ``snnlab zoo build`` remakes them.
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
from snnlab.tsslbp import TsslMLP
from snnlab.zoo.storage import read_weights

__all__ = ["ModelRecipe", "card", "classifier_for", "load", "names", "recipes", "repeats", "results", "seeds", "strongest"]

FOLDER = Path(__file__).parent
MODELS = FOLDER / "models"
PIXELS, CLASSES = 784, 10
RULES: tuple[str, ...] = ("bptt", "tsslbp", "conversion", "fgsm", "pgd", "trades")

#: the files in which the zoo keeps the records of a suite
RECORDS = {"quick": "results", "standard": "standard"}

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
    """The seeds that every model is trained and measured with; weights are kept of the first."""
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


def load(name: str, folder: Path = MODELS) -> Classifier:
    """A trained model of the zoo, in evaluation mode.

    A network trained by TSSL-BP comes back with surrogate gradients: its own rule shows an attacker no gradient between
    spikes, and would hide the network rather than defend it.

    Raises:
        ValueError: unknown name (the message lists the valid ones); weights that are missing, truncated or altered.

    >>> load("onset").encoder.title
    'onset'
    """
    recipe = _recipe(name)
    blob, told = _read(folder / name / "weights.safetensors"), card(name, folder)
    found, expected = hashlib.sha256(blob).hexdigest(), told["weights_sha256"]
    if found != expected:
        raise ValueError(
            f"weights of {name!r} were altered or truncated: {len(blob)} bytes with SHA-256 {found[:12]}…, "
            f"its card says {expected[:12]}…; restore the file or run 'snnlab zoo build {name}'"
        )
    return restored(recipe, blob, told["encoding"])


def restored(recipe: ModelRecipe, weights: bytes, encoding: str) -> Classifier:
    """The classifier of a recipe with the weights of a file, in evaluation mode."""
    classifier = classifier_for(recipe, encoding)
    read_weights(classifier.network, weights, recipe.name)
    if isinstance(classifier.network, TsslMLP):
        classifier.network.gradient = "surrogate"
    return classifier.eval()


def card(name: str, folder: Path = MODELS) -> dict[str, Any]:
    """The model card: recipe, seed, data, versions, accuracy before and after storage, hash of the weights."""
    path = folder / _recipe(name).name / "card.json"
    return _json(name, path, {"recipe", "encoding", "weights_sha256", "accuracy"})


def results(name: str, seed: int | None = None, folder: Path = MODELS, *, suite: str = "quick") -> dict[str, Any]:
    """The record of ``snnlab.evaluation`` for a model at one seed, with what it was measured on.

    Args:
        name: the model.
        seed: default the first, whose weights are kept.
        folder: where the models are.
        suite: ``"quick"``, at all ε and exits of the recipe file; or ``"standard"``.

    Raises:
        ValueError: unknown seed or suite; missing, truncated or altered file, or one that belongs to other weights.
    """
    seed = seeds()[0] if seed is None else seed
    if seed not in seeds():
        raise ValueError(f"unknown seed {seed!r}; choose one of {', '.join(map(str, seeds()))}")
    path = folder / _recipe(name).name / results_file(seed, suite)
    record = _json(name, path, {"correct", "eps", "exits", "n", "weights_sha256"}, suite)
    if seed == seeds()[0] and record["weights_sha256"] != card(name, folder)["weights_sha256"]:
        raise ValueError(f"results of {name!r} were measured on other weights; run '{_command(name, suite)}'")
    for attack, counts in record["correct"].items():
        shape = (len(counts), {len(row) for row in counts})
        expected = (len(record["exits"]), {len(record["eps"])})
        if shape != expected or any(not 0 <= c <= record["n"] for r in counts for c in r):
            raise ValueError(f"results of {name!r} are altered: counts of {attack!r} are not [{expected[0]}][ε]")
    return record


def repeats(name: str, folder: Path = MODELS, *, suite: str = "quick") -> list[dict[str, Any]]:
    """The records of a model at every seed, for ``snnlab.records.over_seeds``."""
    return [results(name, seed, folder, suite=suite) for seed in seeds()]


def strongest(name: str, folder: Path = MODELS) -> list[dict[str, Any]]:
    """The records of a model at every seed by the longest suite that it was measured with."""
    measured = all((folder / _recipe(name).name / results_file(seed, "standard")).exists() for seed in seeds())
    return repeats(name, folder, suite="standard" if measured else "quick")


def results_file(seed: int, suite: str = "quick") -> str:
    """The name of the file with the results of a seed.

    Raises:
        ValueError: unknown suite.
    """
    if suite not in RECORDS:
        raise ValueError(f"unknown suite {suite!r}; the zoo has records of {', '.join(RECORDS)}")
    return f"{RECORDS[suite]}.json" if seed == seeds()[0] else f"{RECORDS[suite]}-{seed}.json"


def standard_settings() -> dict[str, Any]:
    """Samples and ε of the suite "standard"."""
    settings: dict[str, Any] = _recipe_file()["standard"]
    return settings


def _command(name: str, suite: str) -> str:
    return f"snnlab zoo build {name}" + (f" --suite {suite}" if suite != "quick" else "")


def _recipe(name: str) -> ModelRecipe:
    known = recipes()
    if name not in known:
        raise ValueError(f"unknown model {name!r}; choose one of {', '.join(known)}")
    return known[name]


def _read(path: Path, suite: str = "quick") -> bytes:
    if not path.exists():
        raise ValueError(f"{path.parent.name}/{path.name} is missing; run '{_command(path.parent.name, suite)}'")
    return path.read_bytes()


def _json(name: str, path: Path, required: set[str], suite: str = "quick") -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(_read(path, suite))
        missing = required - set(content)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path.name} of {name!r} is not valid JSON ({error}); restore it or rebuild the model") from None
    if missing:
        raise ValueError(f"{path.name} of {name!r} lacks {sorted(missing)}; restore it or rebuild the model")
    return content
