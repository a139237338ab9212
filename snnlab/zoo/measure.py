"""Measure one model of the zoo: attack it by the suite of its data set, and return its record.

Takes and returns plain data, so that it can run in another process or on another machine. What is unfinished lies in a scratch
folder and is taken up by the next call there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from snnlab import data
from snnlab.data import Dataset
from snnlab.evaluation.result import Evaluation
from snnlab.evaluation.robustness import evaluate_robustness
from snnlab.evaluation.suites import SUITES
from snnlab.files import versions
from snnlab.networks.classifier import Classifier
from snnlab.zoo.adaptive import settings_sha256, suite_of
from snnlab.zoo.record_parts import ablation, exit_rules, late
from snnlab.zoo.registry import ADVERSARIAL, ModelRecipe
from snnlab.zoo.storage import Trained

__all__ = ["measure_model", "provenance"]


def measure_model(
    recipe: ModelRecipe,
    trained: Trained,
    source: Trained | None,
    scratch: Path,
    root: Path | None = None,
    progress: bool = False,
) -> dict[str, Any]:
    """Attack a trained model and return its record; one part for each decoding, where the evaluation names several.

    Args:
        recipe: at the seed of ``trained``.
        trained: the model.
        source: where transferred attacks are made; ``None`` for the source itself.
        scratch: folder for what is unfinished.
        root: folder with the data set's official files; ``None``: the cache, fetched first if need be.
        progress: whether to show a progress bar.
    """
    evaluation, dataset, studies = recipe.evaluation, data.load(recipe["dataset"], root), recipe["studies"]
    classifier = trained.classifier(recipe)
    made_on = source.classifier(recipe.source) if source and recipe.source else None
    samples = dataset.test[slice(evaluation["samples"])]
    suite = evaluation["suite"]
    adversarial = recipe["rule"] in ADVERSARIAL and "eps_adversarial" in evaluation

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
            cache=scratch / "jobs",
            progress=progress,
        )
        return replace(result, suite=suite)

    exits: Sequence[int] | None = range(1, classifier.num_steps + 1) if recipe.every_exit else None
    if isinstance(recipe["exits"], list):
        exits = recipe["exits"]
    late_counts = late(recipe, classifier, samples, made_on) if "late" in studies else {}
    silenced = ablation(recipe, classifier, samples, made_on) if "ablation" in studies else None
    decoders, code = evaluation.get("decoders"), classifier.encoder
    if decoders is None:
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
        late=late_counts,
        ablation=silenced,
        stored_accuracy=trained.card["accuracy"]["stored"],
        encoding=trained.card["encoding"],
        other={} if recipe.stored else {"recipe": trained.card["recipe"]},
        recipe_sha256=recipe.sha256,
        settings_sha256=settings_sha256(recipe),
        training_seconds=trained.card["training_seconds"],
    ).plain()


def provenance(recipe: ModelRecipe, trained: Trained, dataset: Dataset) -> dict[str, Any]:
    """Return which model, weights and data a record is of, and with what versions it was made."""
    return {
        "model": recipe.name,
        "dataset": dataset.name,
        "split": "test",
        "seed": recipe["seed"],
        "weights_sha256": trained.card["weights_sha256"],
        "data_sha256": dataset.sha256,
        "versions": versions(),
    }
