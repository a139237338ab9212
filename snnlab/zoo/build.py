"""Remake the zoo from its recipes: train, round, measure, write.

What is done is skipped. Ctrl-C, or a worker that is killed, loses at most an epoch of training or one attack at one exit
of what was running there. Unfinished work lies in ``<folder>/.unfinished`` and is taken up by the next call. A file appears
under its final name only when it is complete.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from snnlab import zoo
from snnlab.zoo.schedule import Task, run
from snnlab.zoo.tasks import Trained, measure_model, settings_sha256, train_model

__all__ = ["build"]

UNFINISHED = ".unfinished"


def build(
    names: Sequence[str] = (),
    folder: Path = zoo.MODELS,
    *,
    seeds: Sequence[int] = (),
    measure: bool = True,
    jobs: int = 1,
    scheduler: str | None = None,
    progress: bool = True,
) -> list[str]:
    """Build the named models (default: all) into ``folder`` and return the names of those that had work left.

    Args:
        names: models of the recipe file.
        folder: where ``<name>/{weights.safetensors.xz, card.json, results.json}`` go.
        seeds: of these alone; default all.
        measure: whether to evaluate as well.
        jobs: processes on this machine; 1 works in this process.
        scheduler: address of a Dask scheduler whose workers do it instead, e.g. ``tcp://host:8786``.
        progress: whether to show progress bars.

    Raises:
        ValueError: unknown name or seed, fewer than one job, a scheduler that does not answer.
    """
    known = zoo.recipes()
    unknown = [n for n in names if n not in known]
    if unknown:
        raise ValueError(f"unknown models {unknown}; choose from {', '.join(known)}")
    strange = [s for s in seeds if s not in zoo.seeds()]
    if strange:
        raise ValueError(f"unknown seeds {strange}; choose from {', '.join(map(str, zoo.seeds()))}")
    shelf = _Shelf(folder)
    models = [known[name].at_seed(seed) for seed in (seeds or zoo.seeds()) for name in (names or known)]
    tasks = {task.name: task for recipe in models for task in _tasks(recipe, shelf, measure)}
    run(list(tasks.values()), jobs=jobs, scheduler=scheduler, progress=progress)
    return list(dict.fromkeys(task.split()[1] for task in tasks))


def _tasks(recipe: zoo.ModelRecipe, shelf: _Shelf, measure: bool) -> Iterator[Task]:
    """What is left to do for one model at one seed, and for what it needs."""
    if not measure:
        yield from _training(recipe, shelf)
        return
    if shelf.is_measured(recipe) and shelf.is_trained(recipe):
        return
    source = zoo.recipes()[zoo.evaluation_settings()["source"]].at_seed(recipe["seed"])
    yield from _training(recipe, shelf)
    yield from _training(source, shelf)
    yield Task(
        _name("measure", recipe),
        partial(_measure_task, shelf, recipe, source),
        partial(shelf.put_record, recipe),
        (_name("train", recipe), _name("train", source)),
        cost=_cost(recipe),
    )


def _cost(recipe: zoo.ModelRecipe) -> float:
    """Seed by seed; of each the long tasks first, so that no worker is left with one at the end."""
    long = recipe.every_exit or "poisson" in recipe["encoding"]
    return 10.0 ** -zoo.seeds().index(recipe["seed"]) * (5 if long else 1)


def _training(recipe: zoo.ModelRecipe, shelf: _Shelf) -> Iterator[Task]:
    if shelf.is_trained(recipe):
        return
    if recipe.start:
        yield from _training(recipe.start, shelf)
    yield Task(
        _name("train", recipe),
        partial(_train_task, shelf, recipe),
        partial(shelf.put_trained, recipe),
        (_name("train", recipe.start),) if recipe.start else (),
        cost=1000,  # before all measuring: others wait for it
    )


def _train_task(shelf: _Shelf, recipe: zoo.ModelRecipe) -> tuple[Any, ...]:
    return train_model, recipe, shelf.trained(recipe.start) if recipe.start else None, shelf.scratch


def _measure_task(shelf: _Shelf, recipe: zoo.ModelRecipe, source: zoo.ModelRecipe) -> tuple[Any, ...]:
    made_on = None if recipe.name == source.name else shelf.trained(source)
    return measure_model, recipe, shelf.trained(recipe), made_on, shelf.scratch


def _name(what: str, recipe: zoo.ModelRecipe) -> str:
    return f"{what} {recipe.name} seed {recipe['seed']}"


@dataclass(frozen=True)
class _Shelf:
    """The folder of finished work, and the scratch folder in it."""

    folder: Path

    @property
    def scratch(self) -> Path:
        return self.folder.absolute() / UNFINISHED

    def is_trained(self, recipe: zoo.ModelRecipe) -> bool:
        try:
            zoo.load(recipe.name, recipe["seed"], self.folder)
            return bool(zoo.card(recipe.name, recipe["seed"], self.folder)["recipe_sha256"] == recipe.sha256)
        except (ValueError, KeyError):
            return False

    def is_measured(self, recipe: zoo.ModelRecipe) -> bool:
        try:
            record = zoo.results(recipe.name, recipe["seed"], self.folder)
            return bool(record["settings_sha256"] == settings_sha256(recipe) and record["recipe_sha256"] == recipe.sha256)
        except (ValueError, KeyError):
            return False

    def trained(self, recipe: zoo.ModelRecipe) -> Trained:
        weights = zoo.weights(recipe.name, recipe["seed"], self.folder)
        return Trained(weights, zoo.card(recipe.name, recipe["seed"], self.folder))

    def put_trained(self, recipe: zoo.ModelRecipe, trained: Trained) -> None:
        target = self._path(recipe, "weights.safetensors.xz")
        target.write_bytes(lzma.compress(trained.weights, preset=9))
        write_json(self._path(recipe, "card.json"), dict(trained.card))

    def put_record(self, recipe: zoo.ModelRecipe, record: dict[str, Any]) -> None:
        write_json(self._path(recipe, "results.json"), record)

    def _path(self, recipe: zoo.ModelRecipe, name: str) -> Path:
        target = self.folder / recipe.name
        target.mkdir(parents=True, exist_ok=True)
        return target / zoo.file_name(name, recipe["seed"])


def write_json(path: Path, content: dict[str, Any]) -> None:
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
