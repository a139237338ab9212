"""Measure one model of the zoo: attack it by the suite of its data set, and return its record.

Takes and returns plain data, so that it can run in another process or on another machine. Beside the suite: dynamic exits, late
perturbations, silenced parts of a fused code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from snnlab import data
from snnlab.attacks import Budget, has_trains
from snnlab.data import Dataset, Split
from snnlab.encoding import Fusion
from snnlab.evaluation.certificates import certify
from snnlab.evaluation.late import late_accuracy
from snnlab.evaluation.result import Evaluation
from snnlab.evaluation.robustness import evaluate, evaluate_robustness
from snnlab.evaluation.suites import QUICK, SUITES
from snnlab.files import versions
from snnlab.networks.classifier import Classifier
from snnlab.networks.early_exit import ExitRule
from snnlab.statistics.parts import Ablation, LateAccuracy
from snnlab.training.gates import silenced
from snnlab.zoo.adaptive import settings_sha256, suite_of
from snnlab.zoo.events import evaluate_events
from snnlab.zoo.registry import ADVERSARIAL, ModelRecipe
from snnlab.zoo.storage import Trained

__all__ = ["exit_rules", "measure_model", "provenance"]

ABLATION_ATTACKS = ("transfer", "pgd.informed", "spike_train", "sa_pgd")
LATE_SAMPLES = 250
SPARED = "attacks on the survivors spare the samples that are proved"
LATE_STEPS = {"noise": 1, "pgd": 10, "spike_train": 40}


def measure_model(
    recipe: ModelRecipe, trained: Trained, source: Trained | None, scratch: Path, root: Path | None = None
) -> dict[str, Any]:
    """Attack a trained model and return its record; one part for each decoding, where the evaluation names several.

    Args:
        recipe: at the seed of ``trained``.
        trained: the model.
        source: where transferred attacks are made; ``None`` for the source itself.
        scratch: folder for unfinished work, with which the next call continues.
        root: folder with the data set's official files; ``None``: the cache, fetched first if need be.
    """
    evaluation, dataset, studies = recipe.evaluation, data.load(recipe["dataset"], root), recipe["studies"]
    classifier = trained.classifier(recipe)
    made_on = source.classifier(recipe.source) if source and recipe.source else None
    samples = dataset.test[slice(evaluation["samples"])]
    suite = evaluation["suite"]
    adversarial = recipe["rule"] in ADVERSARIAL and "eps_adversarial" in evaluation

    # A network that is trained for its proof has most samples proved: no search can break them.
    proved = _proved(classifier, samples, evaluation["eps"]) if recipe["rule"] == "certified" else None

    def evaluated(victim: Classifier, exits: Sequence[int] | None) -> Evaluation:
        result = evaluate_robustness(
            victim,
            samples,
            [eps / recipe.dataset.eps_unit for eps in evaluation["eps_adversarial" if adversarial else "eps"]],
            suite if suite in SUITES else suite_of(recipe),
            source=made_on,
            exits=exits,
            rules=exit_rules(evaluation) if "dynamic_exits" in studies and recipe.every_exit else (),
            seed=recipe["seed"],
            proved=proved,
            cache=scratch / "jobs",
            progress=False,
        )
        return replace(result, suite=suite)

    exits: Sequence[int] | None = range(1, classifier.num_steps + 1) if recipe.every_exit else None
    if isinstance(recipe["exits"], list):
        exits = recipe["exits"]
    late = _late(recipe, classifier, samples) if "late" in studies else {}
    ablation = _ablation(recipe, classifier, samples, made_on) if "ablation" in studies else None
    decoders, code = evaluation.get("decoders"), classifier.encoder
    if suite == "events":
        record = evaluate_events(classifier, samples, evaluation["eps"], seed=recipe["seed"])
    elif decoders is None:
        record = evaluated(classifier, exits)
    elif code is None:
        record = Evaluation(n=len(samples), decodings={decoders[0]: evaluated(classifier, exits)})
    else:  # later decoders at the last exit alone
        read_by = {name: Classifier(classifier.network, code, name).eval() for name in decoders}
        decodings = {name: evaluated(read, exits if name == decoders[0] else None) for name, read in read_by.items()}
        record = Evaluation(n=len(samples), decodings=decodings)
    return replace(
        record,
        **provenance(recipe, trained, dataset),
        late=late,
        ablation=ablation,
        stored_accuracy=trained.card["accuracy"]["stored"],
        encoding=trained.card["encoding"],
        other=({} if recipe.stored else {"recipe": trained.card["recipe"]}) | ({} if proved is None else {"spared": SPARED}),
        recipe_sha256=recipe.sha256,
        settings_sha256=settings_sha256(recipe),
        training_seconds=trained.card["training_seconds"],
    ).plain()


def _proved(classifier: Classifier, samples: Split, radii: Sequence[float]) -> Tensor:
    """Return which samples interval bounds prove, ``[ε, T, N]``."""
    certificates = [certify(classifier, samples.images, samples.labels, Budget(eps)) for eps in radii]
    return torch.stack([certificate.proved_at_every_exit for certificate in certificates])


def provenance(recipe: ModelRecipe, trained: Trained, dataset: Dataset) -> dict[str, Any]:
    """Return the model, weights, data and versions that a record belongs to."""
    return {
        "model": recipe.name,
        "dataset": dataset.name,
        "split": "test",
        "seed": recipe["seed"],
        "weights_sha256": trained.card["weights_sha256"],
        "data_sha256": dataset.sha256,
        "versions": versions(),
    }


def exit_rules(evaluation: Mapping[str, Any]) -> list[ExitRule]:
    """Return the rules of dynamic exits that an evaluation names by their thresholds, and the first spike.

    >>> [rule.name for rule in exit_rules({"margins": [1.0], "confidences": [0.9]})]
    ['margin', 'confidence', 'first_spike']
    """
    by_margin = [ExitRule("margin", threshold) for threshold in evaluation["margins"]]
    return [*by_margin, *(ExitRule("confidence", c) for c in evaluation["confidences"]), ExitRule("first_spike")]


def _ablation(recipe: ModelRecipe, classifier: Classifier, samples: Split, source: Classifier | None) -> Ablation | None:
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
    return Ablation(parts, len(samples), eps, worst, {a.name: a.description for a in suite})


def _late(recipe: ModelRecipe, classifier: Classifier, samples: Split) -> dict[str, LateAccuracy]:
    """Return accuracy at every exit by kind of perturbation, of models that the evaluation names; of others nothing."""
    settings = recipe.evaluation
    if recipe.name not in settings["late_models"]:
        return {}
    subset, start = samples[slice(LATE_SAMPLES)], settings["late_from"]
    exits = range(1, classifier.num_steps + 1)
    measured = partial(late_accuracy, classifier, subset, from_steps=start, exits=exits)
    records = {
        method: measured(settings["late_eps"], method=method, steps=steps)
        for method, steps in LATE_STEPS.items()
        if method != "spike_train" or has_trains(classifier.encoder)
    }
    first = classifier.encoder and classifier.encoder(subset.images[:1])
    if isinstance(first, torch.Tensor) and bool(((first == 0) | (first == 1)).all()):  # flips need spikes
        records["flips"] = measured(settings["late_flips"], method="flips", steps=20)
    return records
