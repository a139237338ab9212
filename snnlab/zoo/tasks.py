"""The two tasks that a zoo is made of: train one model, measure one model.

Each takes plain data and returns plain data (recipes, bytes, dictionaries), so that it can run in another process or on
another machine. What is unfinished lies in a scratch folder and is taken up by the next call there.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import nn

from snnlab import data, evaluation, zoo
from snnlab.adversarial import AdversarialTraining
from snnlab.attack import Budget, has_trains
from snnlab.conversion import convert
from snnlab.encoding import Fusion
from snnlab.exiting import ExitRule
from snnlab.fusion import LearnedGate, frozen, silenced
from snnlab.late import late_accuracy, late_flips
from snnlab.network import MLP, Classifier, SpikingMLP
from snnlab.suites import QUICK, SUITES
from snnlab.training import History, Recipe, accuracy, train
from snnlab.zoo.storage import packed, quantise, read_weights

__all__ = ["Trained", "measure_model", "settings_sha256", "train_model"]

ADVERSARIAL = ("fgsm", "pgd", "trades")
LATE_SAMPLES = 250
LATE_STEPS = {"noise": 1, "pgd": 10, "spike_train": 40}


@dataclass(frozen=True)
class Trained:
    """A model as it is stored: the bytes of its weights, and its card."""

    weights: bytes
    card: Mapping[str, Any]

    def classifier(self, recipe: zoo.ModelRecipe) -> Classifier:
        """The network of ``recipe`` with these weights."""
        return zoo.restored(recipe, self.weights, self.card["encoding"])


def train_model(recipe: zoo.ModelRecipe, start: Trained | None, scratch: Path, progress: bool = False) -> Trained:
    """Train a model from its recipe, and round it to what can be stored.

    Args:
        recipe: at the seed that is wanted.
        start: the model that it starts from, if the recipe names one.
        scratch: folder for checkpoints.
        progress: whether to show a progress bar.
    """
    dataset = data.load(recipe["dataset"])
    started = perf_counter()
    history: History | None = None
    if recipe["rule"] == "conversion":
        classifier = _converted(recipe, start, dataset)
    else:
        classifier, history = _trained(recipe, start, dataset, scratch, progress)
    seconds = history.seconds if history else perf_counter() - started
    before = _accuracies(classifier, dataset, recipe["seed"])
    quantise(classifier.network)
    after = _accuracies(classifier, dataset, recipe["seed"])
    weights = packed(classifier.network)
    card = {
        "name": recipe.name,
        "encoding": classifier.encoder.title if classifier.encoder else "none",
        "recipe": dict(recipe.settings),
        "recipe_sha256": recipe.sha256,
        "start_weights_sha256": start.card["weights_sha256"] if start else None,
        "data": {"name": dataset.name, "sha256": dataset.sha256, "train": len(dataset.train)},
        "accuracy": {"float32": before, "stored": after},
        "history": {"loss": history.loss, "validation": history.validation} if history else None,
        "training_seconds": round(seconds, 1),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "versions": versions(),
        "limits": "3,500 training digits; accuracies are not those of full MNIST.",
    }
    _checkpoint(recipe, start, scratch).unlink(missing_ok=True)
    return Trained(weights, card)


def _checkpoint(recipe: zoo.ModelRecipe, start: Trained | None, scratch: Path) -> Path:
    """Its name changes with the recipe and with the weights at the start, so that no stale one is taken up."""
    origin = recipe.sha256 + (start.card["weights_sha256"] if start else "")
    return scratch / f"{recipe.name}-{recipe['seed']}-{hashlib.sha256(origin.encode()).hexdigest()[:8]}.checkpoint"


def _trained(
    recipe: zoo.ModelRecipe, start: Trained | None, dataset: data.Dataset, scratch: Path, progress: bool
) -> tuple[Classifier, History]:
    """Train by the recipe's rule: from the weights of ``start`` or from an initialisation, plainly or on attacked images."""
    classifier = zoo.classifier_for(recipe)
    if start is not None:
        read_weights(classifier.network, start.weights, recipe["start"])
    if recipe["learn_gate"]:
        classifier = _behind_a_gate(classifier, recipe["seed"])
    settings = Recipe(recipe["epochs"], recipe["batch_size"], recipe["learning_rate"], recipe["seed"], recipe["loss"])
    history = train(
        classifier,
        dataset.train,
        settings,
        objective=_objective(recipe) if recipe["rule"] in ADVERSARIAL else None,
        warm_start=start is not None,
        validation=dataset.validation,
        checkpoint=_checkpoint(recipe, start, scratch),
        progress=progress,
    )
    return (frozen(classifier) if recipe["learn_gate"] else classifier), history


def _behind_a_gate(classifier: Classifier, seed: int) -> Classifier:
    network, code = classifier.network, classifier.encoder
    assert isinstance(network, SpikingMLP) and isinstance(code, Fusion)  # noqa: PT018  # the recipe says so
    return Classifier(LearnedGate(network, code), code, classifier.decoder)


def _objective(recipe: zoo.ModelRecipe) -> AdversarialTraining:
    wanted = recipe["adversarial"]
    return AdversarialTraining(recipe["rule"], Budget(wanted["eps"]), wanted["steps"], wanted["weight"])


def _converted(recipe: zoo.ModelRecipe, start: Trained | None, dataset: data.Dataset) -> Classifier:
    """The ANN's weights behind the recipe's code, thresholds balanced on training images; nothing is learnt."""
    if start is None:
        raise ValueError(f"{recipe.name!r} is converted from an ANN; name one in its recipe (start = 'ann')")
    ann: nn.Module = start.classifier(zoo.recipes()[recipe["start"]]).network
    assert isinstance(ann, MLP)
    code = zoo.classifier_for(recipe).encoder
    images, percentile = dataset.train.images, recipe["percentile"]
    return convert(ann, images, percentile=percentile, code=code, decoder=recipe["decoder"])


def _accuracies(classifier: Classifier, dataset: data.Dataset, seed: int) -> dict[str, float]:
    """Validation and test accuracy, each on a fresh generator, so that before and after see the same draws."""
    found = {}
    for split in ("validation", "test"):
        classifier.generator = torch.Generator().manual_seed(seed)
        found[split] = accuracy(classifier, getattr(dataset, split))
    return found


def measure_model(
    recipe: zoo.ModelRecipe, own: Trained, source: Trained | None, scratch: Path, progress: bool = False
) -> dict[str, Any]:
    """Attack a trained model by the suite of the recipe file and return its record (``snnlab.evaluation``).

    Args:
        recipe: at the seed of ``own``.
        own: the model.
        source: where transferred attacks are made; ``None`` for the source itself.
        scratch: folder for what is unfinished.
        progress: whether to show a progress bar.
    """
    settings, dataset = zoo.evaluation_settings(), data.load(recipe["dataset"])
    classifier = own.classifier(recipe)
    made_on = source.classifier(zoo.recipes()[settings["source"]]) if source else None
    found = evaluation.evaluate_robustness(
        classifier,
        _samples(dataset),
        settings["eps"],
        settings["suite"],
        source=made_on,
        exits=range(1, classifier.num_steps + 1) if recipe.every_exit else None,
        rules=exit_rules() if recipe.every_exit else (),
        seed=recipe["seed"],
        cache=scratch / "jobs",
        progress=progress,
    )
    return {
        "model": recipe.name,
        "dataset": dataset.name,
        "split": "test",
        "seed": recipe["seed"],
        **found.record(),
        **({"late": _late(classifier, dataset)} if recipe.name in settings["late_models"] else {}),
        **({"ablation": _ablation(classifier, dataset, made_on)} if isinstance(classifier.encoder, Fusion) else {}),
        "accuracy": own.card["accuracy"]["stored"],
        "encoding": own.card["encoding"],
        "recipe_sha256": recipe.sha256,
        "weights_sha256": own.card["weights_sha256"],
        "data_sha256": dataset.sha256,
        "settings_sha256": settings_sha256(recipe),
        "training_seconds": own.card["training_seconds"],
        "versions": versions(),
    }


def exit_rules() -> list[ExitRule]:
    """The dynamic exits that are measured."""
    settings = zoo.evaluation_settings()
    rules = [ExitRule("margin", m) for m in settings["margins"]]
    rules += [ExitRule("confidence", c) for c in settings["confidences"]]
    return [*rules, ExitRule("first_spike")]


def _samples(dataset: data.Dataset) -> data.Split:
    return dataset.test[slice(zoo.evaluation_settings()["samples"])]


def _late(classifier: Classifier, dataset: data.Dataset) -> dict[str, Any]:
    """Accuracy at every exit under perturbations that act from a step on, by kind: noise, PGD, spike trains, flipped spikes."""
    settings = zoo.evaluation_settings()
    few, start = _samples(dataset)[slice(LATE_SAMPLES)], settings["late_from"]
    exits = range(1, classifier.num_steps + 1)
    found = {
        method: late_accuracy(classifier, few, settings["late_eps"], start, method, exits=exits, steps=steps).record()
        for method, steps in LATE_STEPS.items()
        if method != "spike_train" or has_trains(classifier.encoder)
    }
    first = classifier.encoder and classifier.encoder(few.images[:1])
    if isinstance(first, torch.Tensor) and bool(((first == 0) | (first == 1)).all()):
        found["flips"] = late_flips(classifier, few, settings["late_flips"], start, exits=exits).record()
    return found


def _ablation(classifier: Classifier, dataset: data.Dataset, source: Classifier | None) -> dict[str, Any]:
    """The fused network with each of its parts silenced at test time, attacked as it then is: worst case, last exit."""
    code, eps = classifier.encoder, zoo.evaluation_settings()["ablation_eps"]
    assert isinstance(code, Fusion)
    suite = tuple(a for a in QUICK if a.name in ("transfer", "pgd.informed", "spike_train", "sa_pgd"))
    few, worst = _samples(dataset), []
    for part in range(len(code.parts)):
        rest = silenced(classifier, part)
        found = evaluation.evaluate(rest, few, eps, suite=suite, exits=[rest.num_steps], source=source, progress=False)
        worst.append(found.correct["worst"][-1])
    parts = [part.title for part in code.parts]
    attacks = {a.name: a.description for a in suite}
    return {"silenced": parts, "n": len(few), "eps": eps, "correct": worst, "attacks": attacks}


def settings_sha256(recipe: zoo.ModelRecipe) -> str:
    """Hash of what decides a measurement besides the weights: ε, seed, exits, rules, suite, source of transfer."""
    settings = zoo.evaluation_settings()
    attacks = [repr(a) for a in SUITES[settings["suite"]]]
    source = zoo.recipes()[settings["source"]].at_seed(recipe["seed"]).sha256
    described = [settings, attacks, recipe.every_exit, recipe["seed"], source]
    return hashlib.sha256(repr(described).encode()).hexdigest()


def versions() -> dict[str, str]:
    """Of everything that decides a number."""
    packages = {p: version(p) for p in ("snnlab", "torch", "snntorch", "torchattacks", "numpy")}
    return {"python": platform.python_version(), **packages}
