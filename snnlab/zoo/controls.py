"""Controls: networks that are measured beside the codes, so that the effect is put down to its cause.

``recipes/controls.toml`` says what each is for. ``build`` trains and measures a control; its records, one per seed, are in
``control_records/<name>.json``; weights are not stored. A build that was stopped goes on: a finished seed is not measured again,
an unfinished one takes up its trainings and its attacks.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from snnlab import data, zoo
from snnlab.encoding import encoder
from snnlab.evaluation import evaluate_robustness
from snnlab.network import MLP, Classifier, SpikingMLP
from snnlab.suites import SUITES
from snnlab.training import Recipe, accuracy, train
from snnlab.zoo.schedule import Task, run
from snnlab.zoo.storage import quantise
from snnlab.zoo.tasks import versions

__all__ = ["CodedMLP", "SharedMLP", "build", "names", "recipes", "repeats"]

RECORDS = zoo.FOLDER / "control_records"
SCRATCH = zoo.MODELS / ".unfinished" / "controls"
DATASET = "mnist5k"
#: what a recipe does not say; those of the zoo's codes
SETTINGS: dict[str, Any] = {
    "num_steps": 8,
    "hidden": [256],
    "beta": 0.9,
    "reset": "subtract",
    "decoder": "rate",
    "loss": "count",
    "epochs": 15,
    "learning_rate": 2e-3,
}
#: how a value of a sweep is written in a control's name
SWEPT = {"beta": "beta", "num_steps": "T"}


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
        logits = self.inner(self.joined(sequence))
        before = logits.new_zeros(len(sequence) - 1, *logits.shape)
        membrane = torch.cat([before, logits[None]])
        return torch.zeros_like(membrane), membrane

    def joined(self, sequence: Tensor) -> Tensor:
        """Return what the ordinary network reads of all steps, ``[N, …]``."""
        return sequence.transpose(0, 1).flatten(1)


class SharedMLP(CodedMLP):
    r"""An ordinary network with the same weights at every step, and a learned factor ``a_t`` per step.

    .. math:: h = \mathrm{ReLU}\Big(W \sum_t a_t s_t + b\Big)

    It has the weights of the spiking network behind the same code, and ``T`` factors. These start at ``(T - t)/T``: a spike
    at step ``t`` can be counted in the ``T - t`` steps that are left, as in a network that integrates without leak.

    Args:
        sizes: of the layers; ``sizes[0]`` values per sample and step.
        num_steps: ``T``.

    Shapes: as ``CodedMLP``.

    Raises:
        ValueError: a sequence of another number of steps.
    """

    def __init__(self, sizes: Sequence[int], num_steps: int) -> None:
        super().__init__(sizes)
        self.factors = nn.Parameter(torch.empty(num_steps))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the factors to their start."""
        num_steps = len(self.factors)
        with torch.no_grad():
            self.factors.copy_(1 - torch.arange(num_steps) / num_steps)

    def joined(self, sequence: Tensor) -> Tensor:
        """Return ``Σ_t a_t s_t``, ``[N, …]``."""
        if len(sequence) != len(self.factors):
            raise ValueError(f"expected all {len(self.factors)} steps at once, got a sequence of {len(sequence)}")
        weighted: Tensor = torch.tensordot(self.factors, sequence, dims=1)
        return weighted


@lru_cache
def _file() -> dict[str, Any]:
    return tomllib.loads((zoo.FOLDER / "recipes" / "controls.toml").read_text())


@lru_cache
def recipes() -> Mapping[str, dict[str, Any]]:
    """Return the recipes by name, in the order of their file; a sweep gives one for each of its values.

    >>> recipes()["latency-T2"]
    {'kind': 'spiking', 'encoding': 'latency', 'num_steps': 2}
    """
    expanded: dict[str, dict[str, Any]] = dict(_file()["controls"])
    for name, sweep in _file()["sweeps"].items():
        fixed = {key: value for key, value in sweep.items() if key != "values"}
        for key, values in sweep["values"].items():
            expanded |= {f"{name}-{SWEPT[key]}{value:g}": fixed | {key: value} for value in values}
    return expanded


def names() -> list[str]:
    """The controls, in the order of their recipe file."""
    return list(recipes())


def repeats(name: str, folder: Path = RECORDS) -> list[dict[str, Any]]:
    """The records of a control at every seed.

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


def settings_of(name: str) -> list[dict[str, Any]]:
    """Return all settings that are tried for a control; one, where its recipe lists none."""
    recipe = recipes()[name]
    own = {key: recipe[key] for key in SETTINGS if key in recipe}
    return [SETTINGS | own | tried for tried in recipe.get("tried", [{}])]


def classifier_for(name: str, settings: Mapping[str, Any] | None = None) -> Classifier:
    """Return an untrained control, by default with the first of its settings."""
    recipe, settings = recipes()[name], settings or settings_of(name)[0]
    sizes = [zoo.PIXELS, *settings["hidden"], zoo.CLASSES]
    if recipe["kind"] == "ann":
        return Classifier(MLP(sizes))
    code = encoder(recipe["encoding"], num_steps=settings["num_steps"])
    sizes[0] *= code.channel_factor
    if recipe["kind"] == "spiking":
        return Classifier(SpikingMLP(sizes, beta=settings["beta"], reset=settings["reset"]), code, settings["decoder"])
    if recipe["kind"] == "shared":
        return Classifier(SharedMLP(sizes, code.num_steps), code, "membrane")
    if recipe["kind"] == "mlp":
        return Classifier(CodedMLP([sizes[0] * code.num_steps, *sizes[1:]]), code, "membrane")
    raise ValueError(f"unknown kind {recipe['kind']!r} of {name!r}; choose one of spiking, mlp, shared, ann")


def trained(name: str, seed: int, scratch: Path | None = None) -> tuple[Classifier, dict[str, Any]]:
    """Return a trained control and its settings: of several that were tried, the best on the validation split.

    Args:
        name: of the control.
        seed: of weights and order.
        scratch: folder for checkpoints; a training that is finished there is not run again.
    """
    recipe, digits = recipes()[name], data.load(DATASET)
    results = []
    for number, settings in enumerate(settings_of(name)):
        classifier = classifier_for(name, settings)
        how = Recipe(
            settings["epochs"], 100, settings["learning_rate"], seed + recipe.get("seed_offset", 0), settings["loss"]
        )
        checkpoint = scratch / f"{number}.checkpoint" if scratch else None
        train(as_trained(classifier), digits.train, how, checkpoint=checkpoint, progress=False)
        quantise(classifier.network)  # as the zoo's networks are
        classifier.generator = torch.Generator().manual_seed(seed)
        results.append((accuracy(classifier.eval(), digits.validation), classifier, settings))
    best, classifier, settings = max(results, key=lambda result: result[0])
    return classifier, settings | {"validation": best}


def as_trained(classifier: Classifier) -> Classifier:
    """Return the classifier that the loss sees. A spiking network's loss "count" counts spikes, whatever reads it later."""
    decoder = "rate" if isinstance(classifier.network, SpikingMLP) else classifier.decoder
    return Classifier(classifier.network, classifier.encoder, decoder)


def measured(name: str, seed: int, scratch: Path) -> dict[str, Any]:
    """Train a control and attack it: its record at one seed.

    Args:
        name: of the control.
        seed: of everything random.
        scratch: folder for what is unfinished, used for this control, seed and measurement alone.
    """
    evaluation, recipe, digits = evaluation_settings(), recipes()[name], data.load(DATASET)
    source = zoo.load(zoo.evaluation_settings()["source"], seed)
    classifier, settings = trained(name, seed, scratch)
    result = evaluate_robustness(
        classifier,
        digits.test[slice(evaluation["samples"])],
        evaluation["eps"],
        evaluation["suite"],
        source=source,
        exits=recipe.get("exits"),
        seed=seed,
        cache=scratch / "jobs",
        progress=False,
    )
    of_data = {"dataset": digits.name, "split": "test", "data_sha256": digits.sha256}
    identity = {"model": name, "seed": seed, **identity_of(name), "settings": settings}
    return identity | of_data | result.record(seeds=len(zoo.seeds())) | {"versions": versions()}


def evaluation_settings() -> dict[str, Any]:
    """Return how controls are measured: by the suite, on the samples and at the ε of the zoo's models."""
    return {key: zoo.evaluation_settings()[key] for key in ("suite", "samples", "eps")}


def identity_of(name: str) -> dict[str, Any]:
    """Return what decides a control's records: its recipe, and a hash of its settings, the evaluation and the attacks."""
    evaluation = evaluation_settings()
    described = [settings_of(name), evaluation, [repr(attack) for attack in SUITES[evaluation["suite"]]]]
    return {"recipe": recipes()[name], "settings_sha256": hashlib.sha256(repr(described).encode()).hexdigest()}


def build(wanted: Sequence[str] = (), folder: Path = RECORDS, *, jobs: int = 1, progress: bool = True) -> list[str]:
    """Train and measure the named controls (default: all that have no records, or records of another recipe or measurement).

    Every seed's record is written when it is finished; a build that was stopped takes it up.

    Raises:
        ValueError: unknown name, fewer than one job.
    """
    unknown = [name for name in wanted if name not in names()]
    if unknown:
        raise ValueError(f"unknown controls {unknown}; choose from {', '.join(names())}")
    chosen = [name for name in dict.fromkeys(wanted or names()) if wanted or not _done(name, folder)]
    scratch = SCRATCH.absolute()
    tasks = [
        Task(f"{name} seed {seed}", partial(_prepared, name, seed, scratch), partial(_keep, name, seed, folder, scratch))
        for name in chosen
        for seed in zoo.seeds()
        if _finished(name, seed, scratch) is None
    ]
    for name in chosen:
        _collect(name, folder, scratch)
    run(tasks, jobs=jobs, progress=progress)
    return chosen


def _prepared(name: str, seed: int, scratch: Path) -> tuple[Any, ...]:
    return measured, name, seed, _folder(name, seed, scratch)


def _folder(name: str, seed: int, scratch: Path) -> Path:
    """Return where a control at one seed is unfinished; its name changes with what decides the record."""
    digest = hashlib.sha256(repr(identity_of(name)).encode()).hexdigest()[:8]
    return scratch / f"{name}-{seed}-{digest}"


def _record(name: str, seed: int, scratch: Path) -> Path:
    """Return where the record of a finished seed waits for the others."""
    unfinished = _folder(name, seed, scratch)
    return unfinished.with_name(f"{unfinished.name}.json")  # a suffix would replace the digits behind "beta0."


def _finished(name: str, seed: int, scratch: Path) -> dict[str, Any] | None:
    """Return the record of a seed that is finished, while others of its control are not."""
    path = _record(name, seed, scratch)
    record: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
    return record


def _keep(name: str, seed: int, folder: Path, scratch: Path, record: dict[str, Any]) -> None:
    """Write the record of one seed; nothing of it is unfinished any more."""
    scratch.mkdir(parents=True, exist_ok=True)
    _write(_record(name, seed, scratch), json.dumps(record, ensure_ascii=False))
    shutil.rmtree(_folder(name, seed, scratch), ignore_errors=True)
    _collect(name, folder, scratch)


def _collect(name: str, folder: Path, scratch: Path) -> None:
    """Put the records of all seeds into one file, once all are there."""
    records = [_finished(name, seed, scratch) for seed in zoo.seeds()]
    if any(record is None for record in records):
        return
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(records, ensure_ascii=False)
    _write(folder / f"{name}.json", text.replace(', "', ',\n "') + "\n")
    for seed in zoo.seeds():
        _record(name, seed, scratch).unlink()


def _write(path: Path, text: str) -> None:
    part_written = path.with_suffix(".part")
    part_written.write_text(text)
    part_written.replace(path)  # atomic: an interruption leaves the old file or the new one


def _done(name: str, folder: Path) -> bool:
    try:
        records = repeats(name, folder)
    except ValueError:
        return False
    return all({key: record.get(key) for key in identity_of(name)} == identity_of(name) for record in records)
