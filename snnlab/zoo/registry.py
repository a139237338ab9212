"""The recipes: how each model of the zoo is made and measured, by data set and name.

A file ``recipes/*.toml`` belongs to one data set; ``recipes/mnist5k.toml`` explains the keys. What ``[models.NAME]`` does not
state comes from ``[defaults]`` of its file and of the first file of the data set, and then from ``UNSTATED``.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from snnlab.data import DatasetInfo, describe
from snnlab.encoding import encoder
from snnlab.vocabulary import VOCABULARY

__all__ = [
    "ModelRecipe",
    "dataset_of",
    "datasets",
    "evaluation_settings",
    "names",
    "recipe",
    "recipes",
    "register_recipes",
    "seeds",
]

FOLDER = Path(__file__).parent
DATASET = "mnist5k"
#: the recipe files that are read; the first of a data set has its evaluation
RECIPE_FILES = [
    FOLDER / "recipes" / f"{name}.toml"
    for name in ("mnist5k", "controls", "certified", "defences", "cifar10", "events5k", "nmnist", "shd", "dvs128_gesture")
]
ADVERSARIAL = ("fgsm", "pgd", "trades")
RULES: tuple[str, ...] = ("bptt", "tsslbp", "conversion", *ADVERSARIAL, "certified", "sparse")
#: groups that are asked for by name alone: what they show is beside the models of the other groups
BESIDE = ("controls", "certified", "defences")
#: how a value of a sweep is written in a model's name
SWEPT = {"beta": "beta", "num_steps": "T"}
#: settings that no recipe file needs to state; they are not hashed then, so that a new one leaves older hashes valid
UNSTATED: dict[str, Any] = {
    "code": "",
    "network": "mlp",
    "rule": "bptt",
    "start": "",
    "learn_gate": False,
    "weight_decay": 0.0,
    "precision": "float32",
    "augment": "none",
    "checkpointing": False,
    "seed_offset": 0,
    "tried": [],
    "training_decoder": "",
    "training_exit": 0,
    "blocks": [],
    "title": "",
    "group": "codes",
    "exits": "last",
    "stored": "all",
    "measured": True,
    "studies": [],
}
#: settings that say how a model is shown and measured, not what its weights are
NOT_WEIGHTS = frozenset({"code", "title", "group", "exits", "stored", "measured", "studies"})


@dataclass(frozen=True)
class ModelRecipe:
    """How to train and measure one model at one seed.

    Args:
        name: without its data set.
        settings: what the recipe files state, and the seed; ``recipe[key]`` falls back on ``UNSTATED``.
        start: the model, at the same seed, whose weights this one starts from.
        source: the model on which transferred attacks are made; ``None`` if it is this one.
        evaluation, studies: tables of the recipe file.
        limits: what a reader must not conclude from its accuracy.
    """

    name: str
    settings: Mapping[str, Any]
    start: ModelRecipe | None = None
    source: ModelRecipe | None = None
    evaluation: Mapping[str, Any] = field(default_factory=dict, repr=False)
    studies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    limits: str = field(default="", repr=False)

    def __getitem__(self, key: str) -> Any:
        return self.settings[key] if key in self.settings else UNSTATED[key]

    @property
    def dataset(self) -> DatasetInfo:
        """Its data set."""
        return describe(self["dataset"])

    @property
    def path(self) -> str:
        """Its folder among the models, ``<data set>/<name>``."""
        return f"{self['dataset']}/{self.name}"

    @property
    def coded(self) -> bool:
        """Whether it reads a code."""
        return bool(self["encoding"] != "none")

    @property
    def stochastic(self) -> bool:
        """Whether its code draws at random."""
        return self.coded and encoder(self["encoding"]).stochastic

    @property
    def title(self) -> str:
        """Name in tables, as the recipe states it or the code in words."""
        if self["title"] or not self.coded:
            return self["title"] or "ANN"
        return str(self["encoding"]).removeprefix("fusion(").removesuffix(")").replace(", ", " + ")

    @property
    def labels(self) -> dict[str, Any]:
        """Code, rule, loss and title, for figures.

        >>> recipe("fgsm-onset").labels["title"]
        'onset, FGSM-trained'
        """
        code, rule, loss = (str(self[key]) for key in ("code", "rule", "loss"))
        how = VOCABULARY.training_rules[rule] if rule != "bptt" else VOCABULARY.losses.get(loss)
        title = (VOCABULARY.codes[code].title if code else self.name) + (f", {how.title}" if how else "")
        if code == "fusion":  # of digits there are several with the same parts
            title = self.name if self["dataset"] == DATASET else self["encoding"]
        return {"code": code, "rule": rule, "loss": loss, "title": self["title"] or title}

    @property
    def first(self) -> bool:
        """Whether this is the first seed."""
        return bool(self["seed"] == self.evaluation["seeds"][0])

    @property
    def stored(self) -> bool:
        """Whether its weights are stored at this seed."""
        return bool(self["stored"] == "all" or (self["stored"] == "first" and self.first))

    @property
    def every_exit(self) -> bool:
        """Whether it is attacked and read at every exit step."""
        return bool(self["exits"] == "all" or (self["exits"] == "first" and self.first))

    @property
    def sha256(self) -> str:
        """Hash of everything that decides the weights."""
        deciding = {key: value for key, value in self.settings.items() if key not in NOT_WEIGHTS}
        if "start" in deciding:
            deciding["start"] = self.start.sha256 if self.start else ""
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()

    def at_seed(self, seed: int) -> ModelRecipe:
        """Return the same recipe with another seed."""
        start, source = (of and of.at_seed(seed) for of in (self.start, self.source))
        return replace(self.varied({"seed": seed}), start=start, source=source)

    def varied(self, changes: Mapping[str, Any]) -> ModelRecipe:
        """Return the recipe with some settings changed."""
        return replace(self, settings={**self.settings, **changes})


def register_recipes(path: Path) -> None:
    """Add a recipe file; its data set must be registered (``snnlab.data.register``) when a model of it is trained."""
    RECIPE_FILES.append(path)


@lru_cache
def _read(paths: tuple[Path, ...]) -> dict[str, dict[str, ModelRecipe]]:
    """Return the recipes of all files, by data set and name."""
    texts: dict[str, list[dict[str, Any]]] = {}
    for path in paths:
        text = tomllib.loads(path.read_text(encoding="utf8"))
        texts.setdefault(text["defaults"]["dataset"], []).append(text)
    return {dataset: _built(of_dataset) for dataset, of_dataset in texts.items()}


def _built(texts: list[dict[str, Any]]) -> dict[str, ModelRecipe]:
    """Return the recipes of one data set."""
    first = texts[0]
    evaluation, studies, limits = first["evaluation"], first.get("studies", {}), first.get("limits", "")
    settings: dict[str, dict[str, Any]] = {}
    for text in texts:
        for name, stated in {**text.get("models", {}), **_swept(text.get("sweeps", {}))}.items():
            settings[name] = {**first["defaults"], **text["defaults"], "seed": evaluation["seeds"][0], **stated}
            rule = stated.get("rule", UNSTATED["rule"])
            if rule not in RULES:
                raise ValueError(f"unknown rule {rule!r} of {name!r}; choose one of {', '.join(RULES)}")
            if rule in ADVERSARIAL:
                settings[name]["adversarial"] = first["adversarial"]

    def build(name: str, source: ModelRecipe | None = None) -> ModelRecipe:
        stated = {key: value for key, value in settings[name].items() if key != "suite"}
        start, attacked = stated.get("start"), {"suite": settings[name].get("suite", evaluation["suite"])}
        by = evaluation | attacked
        return ModelRecipe(name, stated, build(start) if start else None, source, by, studies, limits)

    source = build(evaluation["source"]) if "source" in evaluation else None
    return {name: build(name, None if source and name == source.name else source) for name in settings}


def _swept(sweeps: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return one recipe for each value of a sweep."""
    return {
        f"{name}-{SWEPT[key]}{value:g}": {**{k: v for k, v in sweep.items() if k != "values"}, key: value}
        for name, sweep in sweeps.items()
        for key, values in sweep["values"].items()
        for value in values
    }


def _of(dataset: str) -> dict[str, ModelRecipe]:
    known = _read(tuple(RECIPE_FILES))
    if dataset not in known:
        raise ValueError(f"the zoo has no models of {dataset!r}; choose one of {', '.join(known)}")
    return known[dataset]


def datasets() -> list[str]:
    """Return the data sets that the zoo has models of."""
    return list(_read(tuple(RECIPE_FILES)))


def dataset_of(name: str, dataset: str = DATASET) -> tuple[str, str]:
    """Split a model's name into data set and model.

    >>> dataset_of("cifar10/latency"), dataset_of("latency")
    (('cifar10', 'latency'), ('mnist5k', 'latency'))
    """
    of, slash, model = name.rpartition("/")
    return (of, model) if slash else (dataset, name)


def recipe(name: str, dataset: str = DATASET) -> ModelRecipe:
    """Return the recipe of any model or control, at the first seed.

    Args:
        name: ``"latency"``, or with its data set ``"cifar10/latency"``.
        dataset: of a name without one.

    Raises:
        ValueError: unknown data set or model.

    >>> recipe("latency-T2")["num_steps"]
    2
    """
    dataset, model = dataset_of(name, dataset)
    known = _of(dataset)
    if model not in known:
        raise ValueError(f"unknown model {name!r}; choose one of {', '.join(known)}")
    return known[model]


def recipes(*groups: str, dataset: str = DATASET) -> dict[str, ModelRecipe]:
    """Return recipes by name, at the first seed, in the order of the recipe files.

    Args:
        groups: as "codes", "training", "controls"; default all whose weights are stored, without controls and certified ones.
        dataset: of the models.

    Raises:
        ValueError: unknown data set or group.

    >>> list(recipes("fusion"))[0], list(recipes(dataset="cifar10"))[:3]
    ('fusion-32nd', ['ann', 'ann-second', 'direct'])
    """
    known = _of(dataset)
    valid = list(dict.fromkeys(of["group"] for of in known.values()))
    if unknown := [group for group in groups if group not in valid]:
        raise ValueError(f"unknown group {unknown[0]!r}; choose one of {', '.join(valid)}")
    return {
        name: of
        for name, of in known.items()
        if (of["group"] in groups if groups else of["stored"] != "none" and of["group"] not in BESIDE)
    }


def names(*groups: str, dataset: str = DATASET) -> list[str]:
    """Return the names of ``recipes``."""
    return list(recipes(*groups, dataset=dataset))


def evaluation_settings(dataset: str = DATASET) -> dict[str, Any]:
    """Return suite, seeds, samples, ε and the source of transferred attacks."""
    return dict(next(iter(_of(dataset).values())).evaluation)


def seeds(dataset: str = DATASET) -> list[int]:
    """Return the seeds that every model is trained and measured with."""
    return list(evaluation_settings(dataset)["seeds"])
