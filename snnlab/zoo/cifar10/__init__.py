"""The CIFAR-10 zoo: convolutional networks on all codes, their ANN twins, and adversarially trained ones.

``models/<name>/weights.safetensors`` and ``card.json`` of the first seed, ``results.json`` and ``results-<seed>.json`` of
all, ``saved.json`` and ``draws.json`` of some (see the modules of these names). ``recipes.toml`` says how each is made;
``snnlab zoo cifar10 --root DIR`` remakes the small ones and their controls, DIR holding the data set's official files. No
picture of the data set is stored. Networks of the paper's size are trained by ``snnlab.train``; no weights of these are shipped.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from snnlab import convolution
from snnlab.adversarial import AdversarialTraining
from snnlab.attack import Budget
from snnlab.convolution import ConvNet, SpikingConvNet, fold
from snnlab.encoding import encoder
from snnlab.network import Classifier
from snnlab.neuron import Surrogate
from snnlab.training import Recipe
from snnlab.zoo.storage import read_weights

__all__ = [
    "card",
    "classifier_for",
    "evaluation_settings",
    "load",
    "measured",
    "names",
    "objective_for",
    "read_json",
    "recipe_for",
    "recipe_sha256",
    "repeats",
    "restored",
    "results",
    "seeds",
    "settings",
    "study_record",
    "study_settings",
]

FOLDER = Path(__file__).parent
MODELS = FOLDER / "models"
CHANNELS, LEVELS = 3, 255


@lru_cache
def _file() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "recipes.toml").read_text())


def names(size: str = "small") -> list[str]:
    """The models of a size, ``"small"``, ``"paper"`` or ``"control"``, in the order of the recipe file.

    >>> names()[:3]
    ['ann', 'ann-second', 'direct']
    """
    return [name for name in _file()["models"] if settings(name)["size"] == size]


def seeds() -> list[int]:
    """The seeds that every small model is trained and measured with; weights are kept of the first."""
    return list(evaluation_settings()["seeds"])


def evaluation_settings() -> dict[str, Any]:
    """How results are made: seeds, samples, ε, the source of transferred attacks."""
    found: dict[str, Any] = _file()["evaluation"]
    return found


def study_settings(study: str) -> dict[str, Any]:
    """What one of the studies beside the suite (``snnlab.zoo.cifar10.build.STUDIES``) measures: models, samples, ε, …"""
    found: dict[str, Any] = _file()[study]
    return found


def study_record(file: str, name: str, folder: Path, required: set[str], settings_sha256: str) -> dict[str, Any]:
    """The record that a study has of a model at the first seed.

    Raises:
        ValueError: unknown name; a file that is missing, altered, lacks a required key, or belongs to other settings.
    """
    found = read_json(folder / name / file, name, {*required, "eps", "n", "weights_sha256", "settings_sha256"})
    if found["settings_sha256"] != settings_sha256:
        raise ValueError(f"{file} of {name!r} belongs to other settings; run 'snnlab zoo cifar10 {name} --root DIR'")
    return found


def settings(name: str) -> dict[str, Any]:
    """All settings of a model, defaults filled in.

    Raises:
        ValueError: unknown name (the message lists the valid ones).
    """
    text = _file()
    if name not in text["models"]:
        raise ValueError(f"unknown model {name!r}; choose one of {', '.join(text['models'])}")
    found: dict[str, Any] = text["defaults"] | text["models"][name]
    return found | ({"adversarial": text["adversarial"]} if found["rule"] == "pgd" else {})


def classifier_for(name: str) -> Classifier:
    """An untrained classifier with the architecture of a recipe."""
    told = settings(name)
    network_class = getattr(convolution, told["network"])
    if told["encoding"] == "none":
        return Classifier(network_class(checkpointing=told.get("checkpointing", False)))
    code = encoder(told["encoding"], num_steps=told["num_steps"])
    if issubclass(network_class, ConvNet):
        coded = network_class(in_channels=CHANNELS * code.channel_factor, num_steps=code.num_steps)
        return Classifier(coded, code, told["decoder"])
    network = network_class(
        in_channels=CHANNELS * code.channel_factor,
        surrogate=Surrogate(**told["surrogate"]),
        checkpointing=told.get("checkpointing", False),
        **{key: told[key] for key in ("beta", "threshold", "reset")},
    )
    return Classifier(network, code, told["decoder"])


def recipe_for(name: str, seed: int) -> Recipe:
    """How a model is trained at one seed."""
    told = settings(name)
    keys = ("epochs", "batch_size", "learning_rate", "loss", "weight_decay", "precision", "augment")
    return Recipe(seed=seed + told.get("seed_offset", 0), **{key: told[key] for key in keys})


def objective_for(name: str) -> AdversarialTraining | None:
    """The adversarial training of a recipe, if it has one."""
    told = settings(name)
    if told["rule"] != "pgd":
        return None
    return AdversarialTraining("pgd", Budget(told["adversarial"]["eps"] / LEVELS), told["adversarial"]["steps"])


def recipe_sha256(name: str, seed: int) -> str:
    """Hash of everything that decides the weights."""
    deciding = {key: value for key, value in settings(name).items() if key != "code"} | {"seed": seed}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def load(name: str, folder: Path = MODELS) -> Classifier:
    """A trained small model, in evaluation mode.

    Raises:
        ValueError: unknown name; weights that are missing, truncated or altered.

    >>> load("latency").encoder.title
    'latency'
    """
    told, path = card(name, folder), folder / name / "weights.safetensors"
    if not path.exists():
        raise ValueError(f"{name}/{path.name} is missing; run 'snnlab zoo cifar10 {name} --root DIR'")
    blob = path.read_bytes()
    found = hashlib.sha256(blob).hexdigest()
    if found != told["weights_sha256"]:
        raise ValueError(
            f"weights of {name!r} were altered or truncated: {len(blob)} bytes with SHA-256 {found[:12]}…, its card says "
            f"{told['weights_sha256'][:12]}…; restore the file"
        )
    return restored(name, blob)


def restored(name: str, weights: bytes) -> Classifier:
    """The classifier of a recipe with the weights of a file, batch norm folded in, in evaluation mode."""
    classifier = classifier_for(name)
    fold(body(classifier))
    read_weights(classifier.network, weights, name)
    return classifier.eval()


def card(name: str, folder: Path = MODELS) -> dict[str, Any]:
    """The model card: recipe, seed, data, versions, accuracy before and after storage, time, limits."""
    settings(name)
    return read_json(folder / name / "card.json", name, {"recipe", "weights_sha256", "accuracy"})


def results_file(seed: int) -> str:
    """The name of the file with the results of a seed."""
    return "results.json" if seed == seeds()[0] else f"results-{seed}.json"


def results(name: str, seed: int | None = None, folder: Path = MODELS) -> dict[str, Any]:
    """The record of a model at one seed (default: the first): ``current`` and ``ttfs``, records of ``snnlab.evaluation``.

    Raises:
        ValueError: unknown name or seed; a file that is missing, altered, or belongs to another recipe.
    """
    seed = seeds()[0] if seed is None else seed
    if seed not in seeds():
        raise ValueError(f"unknown seed {seed!r}; choose one of {', '.join(map(str, seeds()))}")
    settings(name)
    record = read_json(folder / name / results_file(seed), name, {"current", "n", "recipe_sha256", "weights_sha256"})
    if record["recipe_sha256"] != recipe_sha256(name, seed):
        raise ValueError(f"results of {name!r} belong to another recipe; run 'snnlab zoo cifar10 {name} --root DIR'")
    return record


def measured(name: str, folder: Path = MODELS) -> list[int]:
    """The seeds of which a model has results."""
    return [seed for seed in seeds() if (folder / name / results_file(seed)).exists()]


def repeats(name: str, folder: Path = MODELS, *, decoder: str = "current") -> list[dict[str, Any]]:
    """The records of a model's decoding at every seed that was measured, for ``snnlab.records``."""
    records = [results(name, seed, folder) for seed in measured(name, folder)]
    told = ("model", "seed", "dataset", "split", "versions", "weights_sha256", "data_sha256")
    return [record[decoder] | {key: record[key] for key in told} for record in records]


def read_json(path: Path, name: str, required: set[str]) -> dict[str, Any]:
    """A file of a model.

    Raises:
        ValueError: it is missing, no JSON, or lacks one of the required keys.
    """
    if not path.exists():
        raise ValueError(f"{name}/{path.name} is missing; run 'snnlab zoo cifar10 {name} --root DIR'")
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path.name} of {name!r} is not valid JSON ({error}); restore it") from None
    if missing := required - set(content):
        raise ValueError(f"{path.name} of {name!r} lacks {sorted(missing)}; restore it")
    return content


def body(classifier: Classifier) -> ConvNet | SpikingConvNet:
    """The convolutional network of a classifier of this zoo."""
    network = classifier.network
    assert isinstance(network, ConvNet | SpikingConvNet)
    return network
