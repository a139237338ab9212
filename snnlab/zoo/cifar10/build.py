"""Remake the CIFAR-10 zoo from its recipes: train, fold, round, measure, write. What is done is skipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from snnlab import data
from snnlab.zoo import cifar10
from snnlab.zoo.build import write_json
from snnlab.zoo.cifar10 import draws, saved, trains
from snnlab.zoo.cifar10.tasks import measure_model, settings_sha256, train_model
from snnlab.zoo.schedule import Task, run

__all__ = ["STUDIES", "build"]

#: what is measured of some models at the first seed, beside the suite
STUDIES: tuple[ModuleType, ...] = (saved, draws, trains)


def build(
    wanted: Sequence[str] = (),
    folder: Path = cifar10.MODELS,
    *,
    root: Path | None,
    only: Sequence[int] = (),
    measure: bool = True,
    jobs: int = 1,
    progress: bool = True,
) -> list[str]:
    """Train and measure the named small models and controls (default: all) at every seed, and do the ``STUDIES`` of some.

    A control is trained at the first seed and has its study alone.

    What is done is skipped; work that was stopped lies in ``<folder>/.unfinished`` and is taken up by the next call: training
    at the last hundred batches, measuring at the last attack.

    Args:
        wanted: names of small models and controls.
        folder: where they go.
        root: folder with the data set's official files; ``None``: the cache, fetched first if need be.
        only: seeds; default all.
        measure: whether to attack them as well.
        jobs: processes on this machine.
        progress: whether to show a progress bar.

    Raises:
        ValueError: unknown name or seed; data that cannot be read.
    """
    known = [*cifar10.names(), *cifar10.names("control")]
    strange = [name for name in wanted if name not in known] + [s for s in only if s not in cifar10.seeds()]
    if strange:
        raise ValueError(f"unknown models or seeds {strange}; choose from {', '.join(known)}, {cifar10.seeds()}")
    data.load("cifar10", root)  # raises before any work is done
    shelf, source = _Shelf(folder.absolute()), cifar10.evaluation_settings()["source"]
    tasks: dict[str, Task] = {}

    def train(name: str, seed: int) -> str:
        label = f"train {name} seed {seed}"
        if not shelf.is_trained(name, seed):
            tasks[label] = Task(
                label, partial(_training, name, seed, root, shelf), partial(shelf.put, name, seed), cost=10 - seed
            )
        return label

    for seed in only or cifar10.seeds():
        for name in wanted or known:
            control = name in cifar10.names("control")
            if (control and not shelf.keeps(seed)) or (measure and shelf.is_done(name, seed)):
                continue
            own = train(name, seed)
            if measure and not shelf.is_measured(name, seed):
                label = f"measure {name} seed {seed}"
                after = (own, train(source, seed))
                tasks[label] = Task(
                    label,
                    partial(_measuring, name, seed, root, shelf, None if name == source else source),
                    partial(shelf.put_record, name, seed),
                    after,
                    cost=1 - 0.1 * seed,
                )
            for study in STUDIES if measure else ():
                if not shelf.is_studied(study, name, seed):
                    label = f"{study.NAME} {name} seed {seed}"
                    start = partial(_studying, study, name, seed, root, shelf)
                    tasks[label] = Task(label, start, partial(shelf.put_study, study, name), (own,), cost=0.5)
    run(list(tasks.values()), jobs=jobs, progress=progress)
    return list(dict.fromkeys(label.split()[1] for label in tasks))


def _training(name: str, seed: int, root: Path | None, shelf: _Shelf) -> tuple[Any, ...]:
    return train_model, name, seed, root, shelf.scratch


def _measuring(name: str, seed: int, root: Path | None, shelf: _Shelf, source: str | None) -> tuple[Any, ...]:
    twin = shelf.weights(source, seed) if source else None
    return measure_model, name, seed, shelf.weights(name, seed), twin, root, shelf.scratch / "jobs"


def _studying(study: ModuleType, name: str, seed: int, root: Path | None, shelf: _Shelf) -> tuple[Any, ...]:
    return study.measure, name, seed, shelf.weights(name, seed), root


class _Shelf:
    """Where finished models stand: the first seed in ``folder``, the weights of the others in its scratch folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.scratch = folder, folder / ".unfinished"

    def keeps(self, seed: int) -> bool:
        return seed == cifar10.seeds()[0]

    def of(self, seed: int) -> Path:
        return self.folder if self.keeps(seed) else self.scratch / f"seed-{seed}"

    def weights(self, name: str, seed: int) -> bytes:
        return (self.of(seed) / name / "weights.safetensors").read_bytes()

    def is_trained(self, name: str, seed: int) -> bool:
        try:
            cifar10.load(name, self.of(seed))
            return bool(cifar10.card(name, self.of(seed))["recipe_sha256"] == cifar10.recipe_sha256(name, seed))
        except ValueError:
            return False

    def is_measured(self, name: str, seed: int) -> bool:
        """Whether there is a record of the suite; none is wanted of a control."""
        if name in cifar10.names("control"):
            return True
        try:
            record = cifar10.results(name, seed, self.folder)
        except ValueError:
            return False
        of_weights = not self.keeps(seed) or record["weights_sha256"] == cifar10.card(name, self.folder)["weights_sha256"]
        return bool(of_weights and record["settings_sha256"] == settings_sha256(name, seed))

    def is_studied(self, study: ModuleType, name: str, seed: int) -> bool:
        """Whether there is a study's record, or none is wanted."""
        if not self.keeps(seed) or name not in cifar10.study_settings(study.NAME)["models"]:
            return True
        try:
            of_weights = cifar10.card(name, self.folder)["weights_sha256"]
            return bool(study.record(name, self.folder)["weights_sha256"] == of_weights)
        except ValueError:
            return False

    def is_done(self, name: str, seed: int) -> bool:
        """Trained (weights of later seeds are not kept), measured, and all studies of it done."""
        trained = self.is_trained(name, seed) or not self.keeps(seed)
        studied = all(self.is_studied(study, name, seed) for study in STUDIES)
        return trained and self.is_measured(name, seed) and studied

    def put(self, name: str, seed: int, trained: tuple[bytes, Mapping[str, Any]]) -> None:
        target = self.of(seed) / name
        target.mkdir(parents=True, exist_ok=True)
        (target / "weights.safetensors").write_bytes(trained[0])
        write_json(target / "card.json", dict(trained[1]))

    def put_record(self, name: str, seed: int, record: dict[str, Any]) -> None:
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        write_json(self.folder / name / cifar10.results_file(seed), record)

    def put_study(self, study: ModuleType, name: str, record: dict[str, Any]) -> None:
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        write_json(self.folder / name / study.FILE, record)
