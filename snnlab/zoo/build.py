"""Remake the zoo from its recipes: train, round, measure, write.

What is done is skipped. Ctrl-C, or a worker that is killed, loses at most an epoch of training or one attack at one exit
of what was running there. Unfinished work, and the weights of the seeds that are not kept, lie in ``<folder>/.unfinished``
and are taken up by the next call. A file appears under its final name only when it is complete.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from snnlab import zoo
from snnlab.zoo.schedule import Task, run
from snnlab.zoo.tasks import Trained, measure_model, measure_standard, settings_sha256, standard_sha256, train_model

__all__ = ["build"]

UNFINISHED = ".unfinished"


def build(
    names: Sequence[str] = (),
    folder: Path = zoo.MODELS,
    *,
    seeds: Sequence[int] = (),
    measure: bool = True,
    suite: str = "quick",
    jobs: int = 1,
    scheduler: str | None = None,
    progress: bool = True,
) -> list[str]:
    """Build the named models (default: all) into ``folder`` and return the names of those that had work left.

    Args:
        names: models of the recipe file.
        folder: where ``<name>/{weights.safetensors, card.json, results.json, results-<seed>.json}`` go.
        seeds: of these alone; default all.
        measure: whether to evaluate as well. Without, only the weights that are kept, and what they start from, are trained.
        suite: ``"quick"``, as the recipes say; or ``"standard"``, at the last exit.
        jobs: processes on this machine; 1 works in this process.
        scheduler: address of a Dask scheduler whose workers do it instead, e.g. ``tcp://host:8786``.
        progress: whether to show progress bars.

    Raises:
        ValueError: unknown name, seed or suite, fewer than one job, a scheduler that does not answer.
    """
    known = zoo.recipes()
    unknown = [n for n in names if n not in known]
    if unknown:
        raise ValueError(f"unknown models {unknown}; choose from {', '.join(known)}")
    strange = [s for s in seeds if s not in zoo.seeds()]
    if strange:
        raise ValueError(f"unknown seeds {strange}; choose from {', '.join(map(str, zoo.seeds()))}")
    zoo.results_file(zoo.seeds()[0], suite)  # raises on an unknown suite
    shelf = _Shelf(folder, suite)
    wanted = seeds or (zoo.seeds() if measure else zoo.seeds()[:1])
    models = [known[name].at_seed(seed) for seed in wanted for name in (names or known)]
    tasks = {task.name: task for recipe in models for task in _tasks(recipe, shelf, measure)}
    run(list(tasks.values()), jobs=jobs, scheduler=scheduler, progress=progress)
    return list(dict.fromkeys(task.split()[1] for task in tasks))


def _tasks(recipe: zoo.ModelRecipe, shelf: _Shelf, measure: bool) -> Iterator[Task]:
    """What is left to do for one model at one seed, and for what it needs."""
    if not measure:
        yield from _training(recipe, shelf)
        return
    # Weights that are not kept need not be made again for results that are there.
    if shelf.is_measured(recipe) and (shelf.is_trained(recipe) or not shelf.keeps_weights(recipe)):
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
    measure = measure_model if shelf.suite == "quick" else measure_standard
    return measure, recipe, shelf.trained(recipe), made_on, shelf.scratch


def _name(what: str, recipe: zoo.ModelRecipe) -> str:
    return f"{what} {recipe.name} seed {recipe['seed']}"


@dataclass(frozen=True)
class _Shelf:
    """Where finished work stands: the first seed in ``folder``, the weights of the others in its scratch folder."""

    folder: Path
    suite: str = "quick"

    @property
    def scratch(self) -> Path:
        return self.folder.absolute() / UNFINISHED

    def keeps_weights(self, recipe: zoo.ModelRecipe) -> bool:
        return bool(recipe["seed"] == zoo.seeds()[0])

    def _weights_folder(self, recipe: zoo.ModelRecipe) -> Path:
        return self.folder if self.keeps_weights(recipe) else self.scratch / f"seed-{recipe['seed']}"

    def is_trained(self, recipe: zoo.ModelRecipe) -> bool:
        try:
            folder = self._weights_folder(recipe)
            zoo.load(recipe.name, folder)
            return bool(zoo.card(recipe.name, folder)["recipe_sha256"] == recipe.sha256)
        except (ValueError, KeyError):
            return False

    def is_measured(self, recipe: zoo.ModelRecipe) -> bool:
        try:
            record = zoo.results(recipe.name, recipe["seed"], self.folder, suite=self.suite)
            expected = settings_sha256(recipe) if self.suite == "quick" else standard_sha256(recipe)
            return bool(record["settings_sha256"] == expected and record["recipe_sha256"] == recipe.sha256)
        except (ValueError, KeyError):
            return False

    def trained(self, recipe: zoo.ModelRecipe) -> Trained:
        folder = self._weights_folder(recipe)
        return Trained((folder / recipe.name / "weights.safetensors").read_bytes(), zoo.card(recipe.name, folder))

    def put_trained(self, recipe: zoo.ModelRecipe, trained: Trained) -> None:
        target = self._weights_folder(recipe) / recipe.name
        target.mkdir(parents=True, exist_ok=True)
        (target / "weights.safetensors").write_bytes(trained.weights)
        write_json(target / "card.json", dict(trained.card))

    def put_record(self, recipe: zoo.ModelRecipe, record: dict[str, Any]) -> None:
        (self.folder / recipe.name).mkdir(parents=True, exist_ok=True)
        write_json(self.folder / recipe.name / zoo.results_file(recipe["seed"], self.suite), record)


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
