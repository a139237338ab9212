"""Remake the zoo from its recipes: train, round, measure, write.

What is done is skipped, and a stopped build continues with the next call: unfinished work lies in ``<folder>/.unfinished``, with
the weights that are not stored. A file appears under its name only when it is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from snnlab import data, zoo
from snnlab.files import write_json
from snnlab.zoo.adaptive import settings_sha256
from snnlab.zoo.everyday import EVERYDAY
from snnlab.zoo.measure import measure_model
from snnlab.zoo.parallel import Task, run
from snnlab.zoo.proofs import PROOFS, SMOOTHED
from snnlab.zoo.registry import DATASET, ModelRecipe
from snnlab.zoo.retiming import RETIMING
from snnlab.zoo.storage import MODELS, RESULTS, Trained, path_of, put_trained, record_of, stored
from snnlab.zoo.studies import STUDIES, VOTED, Study
from snnlab.zoo.train import train_model

__all__ = ["build"]


def build(
    names: Sequence[str] = (),
    folder: Path = MODELS,
    *,
    dataset: str = DATASET,
    groups: Sequence[str] = (),
    root: Path | None = None,
    seeds: Sequence[int] = (),
    measure: bool = True,
    jobs: int = 1,
    scheduler: str | None = None,
    progress: bool = True,
) -> list[str]:
    """Build models into ``folder`` and return the names of those that had work left.

    Args:
        names: models or controls; default all of ``groups``.
        folder: where ``<data set>/<name>/{weights.safetensors.xz, card.json, results.json}`` go.
        dataset: of the models.
        groups: default all models whose weights are stored, without controls and certified ones.
        root: folder with the data set's official files; ``None``: the cache, fetched first if need be.
        seeds: default all.
        measure: whether to evaluate as well.
        jobs, scheduler: processes on this machine; or the address of a Dask scheduler, as ``tcp://host:8786``.
        progress: whether to show progress bars.

    Raises:
        ValueError: unknown name, group or seed; data that cannot be read; fewer than one job; a scheduler that does not answer.
    """
    wanted = [zoo.recipe(name, dataset) for name in names or zoo.names(*groups, dataset=dataset)]
    for of in wanted:
        if of["stored"] == "none" and not of["measured"]:
            raise ValueError(f"{of.path} is neither stored nor measured; train it by 'python -m snnlab.cli.train {of.path}'")
        if unknown := [seed for seed in seeds if seed not in of.evaluation["seeds"]]:
            raise ValueError(f"unknown seeds {unknown}; choose from {', '.join(map(str, of.evaluation['seeds']))}")
    for name in dict.fromkeys(of["dataset"] for of in wanted):
        data.load(name, root)  # raises before any work is done
    builder = _Builder(folder.absolute(), root)
    every = sorted({seed for of in wanted for seed in seeds or of.evaluation["seeds"]})
    models = [of.at_seed(seed) for seed in every for of in wanted if seed in of.evaluation["seeds"]]
    tasks = {task.name: task for of in models for task in builder.tasks(of, measure)}
    run(list(tasks.values()), jobs=jobs, scheduler=scheduler, progress=progress)
    return list(dict.fromkeys(name.split()[1] for name in tasks))


def _name(what: str, of: ModelRecipe) -> str:
    return f"{what} {of.name} seed {of['seed']}"


def _holds(condition: Callable[[], bool]) -> bool:
    """Return whether a condition on files holds; it does not where a file is missing or altered."""
    try:
        return condition()
    except (ValueError, KeyError):
        return False


@dataclass(frozen=True)
class _Builder:
    """The folder of finished work, and where the data are."""

    folder: Path
    root: Path | None

    @property
    def scratch(self) -> Path:
        return self.folder / ".unfinished"

    def tasks(self, of: ModelRecipe, measure: bool) -> Iterator[Task]:
        """Yield what is left to do for one model at one seed, and for what it needs."""
        done = self.is_trained(of) or not of.stored
        done = done and _holds(lambda: record_of(of, self.folder).settings_sha256 == settings_sha256(of))
        to_measure = measure and of["measured"] and not done
        studies = [
            study
            for study in (*STUDIES, VOTED, PROOFS, SMOOTHED, EVERYDAY, RETIMING)
            if measure and study.wanted(of) and not self.is_studied(study, of)
        ]
        if to_measure or studies or of.stored or (not measure and of["measured"]):
            yield from self.training(of)
        if to_measure:
            if of.source:
                yield from self.training(of.source)
            # Seed before seed, and of each the long tasks first, so that no worker ends with one.
            cost = (5.0 if of.every_exit or of.stochastic else 1.0) / 10.0 ** of.evaluation["seeds"].index(of["seed"])
            after = tuple(_name("train", model) for model in (of, of.source) if model)
            yield Task(
                _name("measure", of),
                lambda: (
                    measure_model,
                    of,
                    self.trained(of),
                    of.source and self.trained(of.source),
                    self.scratch,
                    self.root,
                ),
                partial(self.put, of, RESULTS),
                after,
                cost,
            )
        yield from (self.studying(study, of) for study in studies)

    def training(self, of: ModelRecipe) -> Iterator[Task]:
        """Yield the training of a model, after that of the one it starts from."""
        if self.is_trained(of):
            return
        if of.start:
            yield from self.training(of.start)
        yield Task(
            _name("train", of),
            lambda: (train_model, of, of.start and self.trained(of.start), self.scratch, self.root),
            lambda trained: put_trained(of, trained, self.weights_of(of)),
            (_name("train", of.start),) if of.start else (),
            cost=1000,  # before all measuring: others wait for it
        )

    def studying(self, study: Study, of: ModelRecipe) -> Task:
        return Task(
            _name(study.name, of),
            lambda: (study.measure, of, self.trained(of), self.root),
            partial(self.put, of, study.file),
            (_name("train", of),),
            cost=0.001,
        )

    def weights_of(self, of: ModelRecipe) -> Path:
        return self.folder if of.stored else self.scratch / "weights"

    def trained(self, of: ModelRecipe) -> Trained:
        return stored(of, self.weights_of(of))

    def put(self, of: ModelRecipe, file: str, record: dict[str, Any]) -> None:
        write_json(path_of(of, file, self.folder), record)

    def is_trained(self, of: ModelRecipe) -> bool:
        return _holds(lambda: bool(self.trained(of).card["recipe_sha256"] == of.sha256))

    def is_studied(self, study: Study, of: ModelRecipe) -> bool:
        def same() -> bool:
            record = study.record(of.path, self.folder, seed=of["seed"])
            if not of.stored:
                return bool(record["recipe_sha256"] == of.sha256)
            return bool(record["weights_sha256"] == self.trained(of).card["weights_sha256"])

        return _holds(same)
