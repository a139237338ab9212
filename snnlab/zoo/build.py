"""Remake the zoo from its recipes: train, round, measure, write.

What is done is skipped; Ctrl-C loses at most an epoch of training or one attack at one exit.

Unfinished work lies in ``<folder>/.unfinished`` and is taken up by the next call. A file appears under its final name
only when it is complete.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from snnlab import data, evaluation, zoo
from snnlab.network import Classifier
from snnlab.training import Recipe, accuracy, train
from snnlab.zoo.storage import quantise, write_weights

__all__ = ["build"]


def build(
    names: Sequence[str] = (),
    folder: Path = zoo.MODELS,
    *,
    measure: bool = True,
    progress: bool = True,
) -> list[str]:
    """Build the named models (default: all) into ``folder`` and return the names of those that had work left.

    Args:
        names: models of the recipe file.
        folder: where ``<name>/{weights.safetensors, card.json, results.json}`` go.
        measure: whether to evaluate as well.
        progress: whether to show progress bars.

    Raises:
        ValueError: unknown name.
    """
    known = zoo.recipes()
    unknown = [n for n in names if n not in known]
    if unknown:
        raise ValueError(f"unknown models {unknown}; choose from {', '.join(known)}")
    chosen = [known[n] for n in (names or known)]
    worked = []
    for recipe in chosen:
        if not _is_trained(recipe, folder):
            _train(recipe, folder, progress)
            worked.append(recipe.name)
    for recipe in chosen if measure else []:
        if not _is_measured(recipe, folder):
            _measure(recipe, folder, progress)
            worked.append(recipe.name)
    return list(dict.fromkeys(worked))


def _is_trained(recipe: zoo.ModelRecipe, folder: Path) -> bool:
    try:
        zoo.load(recipe.name, folder)
        return bool(zoo.card(recipe.name, folder)["recipe_sha256"] == recipe.sha256)
    except (ValueError, KeyError):
        return False


def _is_measured(recipe: zoo.ModelRecipe, folder: Path) -> bool:
    try:
        return bool(zoo.results(recipe.name, folder)["settings_sha256"] == _settings_sha256())
    except (ValueError, KeyError):
        return False


def _settings_sha256() -> str:
    """Hash of what decides a measurement besides the weights: ε, seeds and the suite."""
    described = [zoo.evaluation_settings(), [repr(a) for a in evaluation.SUITE]]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _train(recipe: zoo.ModelRecipe, folder: Path, progress: bool) -> None:
    dataset = data.load(recipe["dataset"])
    classifier = zoo.classifier_for(recipe)
    checkpoint = folder / ".unfinished" / f"{recipe.name}.checkpoint"
    if progress:
        print(f"training {recipe.name}", flush=True)
    settings = Recipe(recipe["epochs"], recipe["batch_size"], recipe["learning_rate"], recipe["seed"])
    started = perf_counter()
    history = train(
        classifier, dataset.train, settings, validation=dataset.validation, checkpoint=checkpoint, progress=progress
    )
    seconds = perf_counter() - started
    before = _accuracies(classifier, dataset, recipe["seed"])
    quantise(classifier.network)
    after = _accuracies(classifier, dataset, recipe["seed"])
    target = folder / recipe.name / "weights.safetensors"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_weights(classifier.network, target)
    card = {
        "name": recipe.name,
        "encoding": recipe["encoding"],
        "recipe": dict(recipe.settings),
        "recipe_sha256": recipe.sha256,
        "data": {"name": dataset.name, "sha256": dataset.sha256, "train": len(dataset.train)},
        "accuracy": {"float32": before, "stored": after},
        "history": vars(history),
        "training_seconds": round(seconds, 1),
        "weights_sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "versions": _versions(),
        "limits": "3,500 training digits, one seed; accuracies are not those of full MNIST.",
    }
    _write_json(target.with_name("card.json"), card)
    checkpoint.unlink(missing_ok=True)


def _accuracies(classifier: Classifier, dataset: data.Dataset, seed: int) -> dict[str, float]:
    """Validation and test accuracy, each on a fresh generator, so that before and after see the same draws."""
    found = {}
    for split in ("validation", "test"):
        classifier.generator = torch.Generator().manual_seed(seed)
        found[split] = accuracy(classifier, getattr(dataset, split))
    return found


def _measure(recipe: zoo.ModelRecipe, folder: Path, progress: bool) -> None:
    settings = zoo.evaluation_settings()
    dataset = data.load(recipe["dataset"])
    classifier = zoo.load(recipe.name, folder)
    source = zoo.load(settings["source"], folder)
    partial_file = folder / ".unfinished" / f"{recipe.name}.partial"
    identity = [zoo.card(recipe.name, folder)["weights_sha256"], _settings_sha256()]
    partial: dict[str, Any] = {}
    if partial_file.exists():
        saved = torch.load(partial_file, weights_only=True)
        partial = saved["jobs"] if saved["identity"] == identity else {}

    def save(jobs: dict[str, Any]) -> None:
        partial_file.parent.mkdir(parents=True, exist_ok=True)
        torch.save({"identity": identity, "jobs": jobs}, partial_file.with_suffix(".part"))
        partial_file.with_suffix(".part").replace(partial_file)

    if progress:
        print(f"measuring {recipe.name}", flush=True)
    found = evaluation.evaluate(
        classifier,
        dataset.test,
        settings["eps"],
        source=None if recipe.name == settings["source"] else source,
        seed=settings["seed"],
        progress=progress,
        done=partial,
        save=save,
    )
    record = {
        "model": recipe.name,
        "dataset": dataset.name,
        "split": "test",
        "attacks": {a.name: a.description for a in evaluation.SUITE if a.name in found.correct}
        | {"worst": "per-sample worst case over all attacks listed here, aimed at any exit"},
        "seeds": [recipe["seed"]],
        **found.record(),
        "weights_sha256": identity[0],
        "data_sha256": dataset.sha256,
        "settings_sha256": identity[1],
        "versions": _versions(),
    }
    _write_json(folder / recipe.name / "results.json", record)
    partial_file.unlink(missing_ok=True)


def _versions() -> dict[str, str]:
    packages = {p: version(p) for p in ("snnlab", "torch", "snntorch", "torchattacks", "numpy")}
    return {"python": platform.python_version(), **packages}


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """One line a list of numbers: small files that still make readable differences."""
    text = json.dumps(content, indent=1, ensure_ascii=False)
    path.with_suffix(".part").write_text("\n".join(_join_number_rows(text)) + "\n")
    path.with_suffix(".part").replace(path)


def _join_number_rows(text: str) -> list[str]:
    """Put innermost lists of plain values on one line each."""
    lines: list[str] = []
    open_list = -1
    for line in text.split("\n"):
        stripped = line.strip()
        lines.append(line)
        if stripped.endswith("["):
            open_list = len(lines) - 1
        elif stripped.endswith(("{", "}", "},")):
            open_list = -1
        elif stripped in ("]", "],") and open_list >= 0:
            inner = " ".join(part.strip() for part in lines[open_list + 1 : -1])
            lines[open_list:] = [lines[open_list] + inner + stripped]
            open_list = -1
    return lines
