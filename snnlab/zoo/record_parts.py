"""Parts of a record beside the suite: dynamic exits, late perturbations, silenced parts of a fused code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from snnlab.attacks import has_trains
from snnlab.data import Split
from snnlab.encoding import Fusion
from snnlab.evaluation.late import late_accuracy, late_flips
from snnlab.evaluation.robustness import evaluate
from snnlab.evaluation.suites import QUICK
from snnlab.networks.classifier import Classifier
from snnlab.networks.early_exit import ExitRule
from snnlab.statistics.parts import Ablation, LateAccuracy
from snnlab.training.gates import silenced
from snnlab.zoo.registry import ModelRecipe

__all__ = ["ablation", "exit_rules", "late"]

ABLATION_ATTACKS = ("transfer", "pgd.informed", "spike_train", "sa_pgd")
LATE_SAMPLES = 250
LATE_STEPS = {"noise": 1, "pgd": 10, "spike_train": 40}


def exit_rules(evaluation: Mapping[str, Any]) -> list[ExitRule]:
    """Return the rules of dynamic exits that an evaluation names by their thresholds, and the first spike.

    >>> [rule.name for rule in exit_rules({"margins": [1.0], "confidences": [0.9]})]
    ['margin', 'confidence', 'first_spike']
    """
    by_margin = [ExitRule("margin", threshold) for threshold in evaluation["margins"]]
    return [*by_margin, *(ExitRule("confidence", c) for c in evaluation["confidences"]), ExitRule("first_spike")]


def ablation(recipe: ModelRecipe, classifier: Classifier, samples: Split, source: Classifier | None) -> Ablation | None:
    """Return the worst case at the last exit with each part of a fused code silenced; of another code ``None``."""
    code, eps = classifier.encoder, recipe.evaluation["ablation_eps"]
    if not isinstance(code, Fusion):
        return None
    suite = tuple(a for a in QUICK if a.name in ABLATION_ATTACKS)
    worst = []
    for part in range(len(code.parts)):
        rest = silenced(classifier, part)
        evaluation = evaluate(rest, samples, eps, suite=suite, exits=[rest.num_steps], source=source, progress=False)
        worst.append(evaluation.correct["worst"][-1])
    parts = [part.title for part in code.parts]
    attacks = {a.name: a.description for a in suite}
    return Ablation(parts, len(samples), eps, worst, attacks)


def late(recipe: ModelRecipe, classifier: Classifier, samples: Split, source: Classifier | None) -> dict[str, LateAccuracy]:
    """Return accuracy at every exit by kind of perturbation, of models that the evaluation names; of others nothing.

    Spikes are flipped where the code has spikes.
    """
    settings = recipe.evaluation
    if recipe.name not in settings["late_models"]:
        return {}
    subset, start = samples[slice(LATE_SAMPLES)], settings["late_from"]
    exits = range(1, classifier.num_steps + 1)
    records = {
        method: late_accuracy(classifier, subset, settings["late_eps"], start, method, exits=exits, steps=steps)
        for method, steps in LATE_STEPS.items()
        if method != "spike_train" or has_trains(classifier.encoder)
    }
    first = classifier.encoder and classifier.encoder(subset.images[:1])
    if isinstance(first, torch.Tensor) and bool(((first == 0) | (first == 1)).all()):
        records["flips"] = late_flips(classifier, subset, settings["late_flips"], start, exits=exits)
    return records
