"""Controls: networks that are measured beside the codes, so that the effect is put down to its cause.

``recipes/controls.toml`` says what each is for. A control is trained and measured in one go by ``build``; its records, one a
seed, are in ``control_records/<name>.json``; weights are not kept.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from snnlab import data, zoo
from snnlab.encoding import encoder
from snnlab.evaluation import evaluate_robustness
from snnlab.network import MLP, Classifier, SpikingMLP
from snnlab.training import Recipe, accuracy, train
from snnlab.zoo.schedule import Task, run
from snnlab.zoo.tasks import train_model, versions

__all__ = ["CodedMLP", "build", "names", "repeats"]

RECORDS = zoo.FOLDER / "control_records"
DATASET = "mnist5k"
SETTINGS = {"hidden": [256], "epochs": 15, "learning_rate": 2e-3}


class CodedMLP(nn.Module):
    """An ordinary network that reads the whole sequence of a code at once: all its steps are inputs side by side.

    Its logits stand in the potential of the last step, so that a ``Classifier`` with the decoder "membrane" reads them at the
    last exit; at earlier ones it has not answered.

    Shapes: ``[T, N, …]`` with ``sizes[0]`` values per sample and all steps → spikes (none) and potential ``[T, N, K]``.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self.inner = MLP(sizes)

    def forward(self, sequence: Tensor) -> tuple[Tensor, Tensor]:
        """Logits once, at the end."""
        logits = self.inner(sequence.transpose(0, 1).flatten(1))
        before = logits.new_zeros(len(sequence) - 1, *logits.shape)
        membrane = torch.cat([before, logits[None]])
        return torch.zeros_like(membrane), membrane


@lru_cache
def _file() -> dict[str, Any]:
    return tomllib.loads((zoo.FOLDER / "recipes" / "controls.toml").read_text())


def names() -> list[str]:
    """The controls, in the order of their recipe file."""
    return list(_file()["controls"])


def repeats(name: str, folder: Path = RECORDS) -> list[dict[str, Any]]:
    """The records of a control at every seed, as ``zoo.repeats`` has them for models.

    Raises:
        ValueError: unknown name, a file that is missing or not valid.
    """
    if name not in names():
        raise ValueError(f"unknown control {name!r}; choose one of {', '.join(names())}")
    path = folder / f"{name}.json"
    try:
        records: list[dict[str, Any]] = json.loads(path.read_text())
    except FileNotFoundError:
        raise ValueError(f"{path.name} is missing; run 'snnlab zoo controls {name}'") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path.name} is not valid JSON ({error}); run 'snnlab zoo controls {name}'") from None
    return records


def classifier_for(name: str, settings: dict[str, Any]) -> Classifier:
    """An untrained control."""
    recipe = _file()["controls"][name]
    sizes = [zoo.PIXELS, *settings["hidden"], zoo.CLASSES]
    if recipe["kind"] == "ann":
        return Classifier(MLP(sizes))
    code = encoder(recipe["encoding"], num_steps=recipe.get("num_steps", 8))
    if recipe["kind"] == "spiking":
        return Classifier(SpikingMLP(sizes), code)
    return Classifier(CodedMLP([zoo.PIXELS * code.num_steps, *sizes[1:]]), code, "membrane")


def trained(name: str, seed: int) -> tuple[Classifier, dict[str, Any]]:
    """A control trained with a seed, and its settings: of several that were tried, the best on the validation split."""
    recipe, digits = _file()["controls"][name], data.load(DATASET)
    found = []
    for tried in recipe.get("tried", [{}]):
        settings = SETTINGS | tried
        classifier = classifier_for(name, settings)
        how = Recipe(settings["epochs"], 100, settings["learning_rate"], seed + recipe.get("seed_offset", 0))
        train(classifier, digits.train, how, progress=False)
        found.append((accuracy(classifier, digits.validation), classifier.eval(), settings))
    best, classifier, settings = max(found, key=lambda tried: tried[0])
    return classifier, settings | {"validation": best}


def measured(name: str, seed: int, scratch: Path) -> dict[str, Any]:
    """Train a control and attack it: its record at one seed."""
    told, digits = _file()["evaluation"], data.load(DATASET)
    twin = zoo.recipes()[zoo.evaluation_settings()["source"]].at_seed(seed)
    source = train_model(twin, None, scratch).classifier(twin)
    classifier, settings = trained(name, seed)
    found = evaluate_robustness(
        classifier,
        digits.test[slice(told["samples"])],
        told["eps"],
        told["suite"],
        source=source,
        seed=seed,
        progress=False,
    )
    of_data = {"dataset": digits.name, "split": "test", "data_sha256": digits.sha256}
    identity = {"model": name, "seed": seed, "recipe": _file()["controls"][name], "settings": settings}
    return identity | of_data | found.record(seeds=len(zoo.seeds())) | {"versions": versions()}


def build(wanted: Sequence[str] = (), folder: Path = RECORDS, *, jobs: int = 1, progress: bool = True) -> list[str]:
    """Train and measure the named controls (default: all that have no records, or records of another recipe).

    Raises:
        ValueError: unknown name, fewer than one job.
    """
    unknown = [name for name in wanted if name not in names()]
    if unknown:
        raise ValueError(f"unknown controls {unknown}; choose from {', '.join(names())}")
    shelf: dict[str, dict[int, dict[str, Any]]] = {
        name: {} for name in wanted or names() if wanted or not _done(name, folder)
    }
    scratch = zoo.MODELS.absolute() / ".unfinished"

    def keep(name: str, seed: int, record: dict[str, Any]) -> None:
        shelf[name][seed] = record
        if len(shelf[name]) == len(zoo.seeds()):
            folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps([shelf[name][s] for s in zoo.seeds()], ensure_ascii=False)
            (folder / f"{name}.json").write_text(text.replace(', "', ',\n "') + "\n")

    tasks = [
        Task(
            f"{name} seed {seed}",
            partial(_prepared, name, seed, scratch / f"controls-{name}-{seed}"),
            partial(keep, name, seed),
        )
        for name in shelf
        for seed in zoo.seeds()
    ]
    run(tasks, jobs=jobs, progress=progress)
    return list(shelf)


def _prepared(name: str, seed: int, scratch: Path) -> tuple[Any, ...]:
    return measured, name, seed, scratch


def _done(name: str, folder: Path) -> bool:
    try:
        records = repeats(name, folder)
    except ValueError:
        return False
    return all(record["recipe"] == _file()["controls"][name] for record in records)
