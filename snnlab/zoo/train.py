"""Train one model of the zoo from its recipe, and round it to what can be stored.

Takes and returns plain data, so that it can run in another process or on another machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from snnlab import data
from snnlab.attacks import Budget
from snnlab.data import Dataset
from snnlab.encoding import Fusion
from snnlab.files import versions
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.networks.conv import ConvNet, SpikingConvNet, fold
from snnlab.training.adversarial import AdversarialTraining
from snnlab.training.bptt import History, Objective, Recipe, accuracy, train
from snnlab.training.certified import CertifiedTraining
from snnlab.training.conversion import convert
from snnlab.training.gates import LearnedGate, frozen
from snnlab.training.sparse import SparseGradients
from snnlab.zoo.networks import classifier_for
from snnlab.zoo.quantised import packed, quantise, read_weights
from snnlab.zoo.registry import ADVERSARIAL, ModelRecipe
from snnlab.zoo.storage import Trained

__all__ = ["objective_for", "train_model", "training_recipe"]


def train_model(recipe: ModelRecipe, start: Trained | None, scratch: Path, root: Path | None = None) -> Trained:
    """Train a model and return its weights and card; of several settings that are tried, the best on the validation split.

    Args:
        recipe: at the seed of the training.
        start: the model that it starts from, if the recipe names one.
        scratch: folder for checkpoints, from which a stopped training continues.
        root: folder with the data set's official files; ``None``: the cache, fetched first if need be.
    """
    dataset, settings = data.load(recipe["dataset"], root), recipe["tried"] or [{}]
    candidates = [_train_one(recipe, tried, start, dataset, scratch) for tried in settings]
    for tried in settings:
        _checkpoint(recipe.varied(tried), start, scratch).unlink(missing_ok=True)
    return max(candidates, key=lambda trained: float(trained.card["accuracy"]["stored"]["validation"]))


def _train_one(
    recipe: ModelRecipe, tried: Mapping[str, Any], start: Trained | None, dataset: Dataset, scratch: Path
) -> Trained:
    """Train with one of the settings that are tried."""
    chosen, started = recipe.varied(tried), perf_counter()
    history: History | None = None
    if chosen["rule"] == "conversion":
        classifier = _converted(chosen, start, dataset)
    else:
        classifier, history = _trained(chosen, start, dataset, scratch)
    seconds = history.seconds if history else perf_counter() - started
    before = _accuracies(classifier, dataset, recipe["seed"])
    if isinstance(classifier.network, ConvNet | SpikingConvNet):
        fold(classifier.network)
    quantise(classifier.network)
    weights, note = packed(classifier.network), recipe.dataset.notes.get(dataset.sha256)
    of_data = {"name": dataset.name, "sha256": dataset.sha256, "train": len(dataset.train)}
    card = {
        "name": recipe.name,
        "encoding": classifier.encoder.title if classifier.encoder else "none",
        "recipe": dict(chosen.settings),
        **({"chosen": dict(tried)} if tried else {}),
        "recipe_sha256": recipe.sha256,
        "start_weights_sha256": start.card["weights_sha256"] if start else None,
        "parameters": sum(p.numel() for p in classifier.network.parameters()),
        "data": of_data | ({"note": note} if note else {}),
        "accuracy": {"float32": before, "stored": _accuracies(classifier, dataset, recipe["seed"])},
        "history": {"loss": history.loss, "validation": history.validation} if history else None,
        "training_seconds": round(seconds, 1),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "versions": versions(),
        "limits": recipe.limits,
    }
    return Trained(weights, card)


def training_recipe(recipe: ModelRecipe) -> Recipe:
    """Return how a model is trained: everything that decides its weights beside data, architecture and objective."""
    keys = ("epochs", "batch_size", "learning_rate", "loss", "weight_decay", "precision", "augment")
    return Recipe(seed=recipe["seed"] + recipe["seed_offset"], **{key: recipe[key] for key in keys})


def objective_for(recipe: ModelRecipe) -> Objective | None:
    """Return the objective of a recipe's rule, if it is not the plain loss."""
    if recipe["rule"] == "certified":
        settings = recipe["certified"]
        options = {key: settings[key] for key in ("clean_weight", "start", "end")}
        return CertifiedTraining(Budget(settings["eps"] / recipe.dataset.eps_unit), **options)
    if recipe["rule"] == "sparse":
        return SparseGradients(**recipe["sparse"])
    if recipe["rule"] not in ADVERSARIAL:
        return None
    options = {key: value for key, value in recipe["adversarial"].items() if key in ("steps", "weight")}
    return AdversarialTraining(recipe["rule"], Budget(recipe["adversarial"]["eps"] / recipe.dataset.eps_unit), **options)


def _checkpoint(recipe: ModelRecipe, start: Trained | None, scratch: Path) -> Path:
    """Return the file of a checkpoint; its name changes with the recipe and the weights at the start."""
    origin = recipe.sha256 + (start.card["weights_sha256"] if start else "")
    return scratch / f"{recipe.name}-{recipe['seed']}-{hashlib.sha256(origin.encode()).hexdigest()[:8]}.checkpoint"


def _trained(recipe: ModelRecipe, start: Trained | None, dataset: Dataset, scratch: Path) -> tuple[Classifier, History]:
    """Train from the weights of ``start`` or from an initialisation, on clean or attacked images."""
    classifier = classifier_for(recipe)
    if start is not None:
        read_weights(classifier.network, start.weights, recipe["start"])
    if recipe["learn_gate"]:
        network, code = classifier.network, classifier.encoder
        assert isinstance(network, SpikingMLP) and isinstance(code, Fusion)  # noqa: PT018  # the recipe says so
        classifier = Classifier(LearnedGate(network, code), code, classifier.decoder)
    history = train(
        as_trained(recipe, classifier),
        dataset.train,
        training_recipe(recipe),
        objective=objective_for(recipe),
        warm_start=start is not None,
        validation=dataset.validation,
        checkpoint=_checkpoint(recipe, start, scratch),
        checkpoint_every=100,
        progress=False,
    )
    return (frozen(classifier) if recipe["learn_gate"] else classifier.eval()), history


def as_trained(recipe: ModelRecipe, classifier: Classifier) -> Classifier:
    """Return the classifier with the read-out and at the exit that the loss sees."""
    decoder, exit_step = recipe["training_decoder"], recipe["training_exit"]
    if not decoder and not exit_step:
        return classifier
    return Classifier(classifier.network, classifier.encoder, decoder or classifier.decoder, exit_step=exit_step or None)


def _converted(recipe: ModelRecipe, start: Trained | None, dataset: Dataset) -> Classifier:
    """Return the ANN's weights behind the recipe's code, thresholds balanced on training images."""
    if start is None or recipe.start is None:
        raise ValueError(f"{recipe.name!r} is converted from an ANN; name one in its recipe (start = 'ann')")
    ann, code = start.classifier(recipe.start).network, classifier_for(recipe).encoder
    assert isinstance(ann, MLP)
    return convert(ann, dataset.train.images, percentile=recipe["percentile"], code=code, decoder=recipe["decoder"])


def _accuracies(classifier: Classifier, dataset: Dataset, seed: int) -> dict[str, float]:
    """Return validation and test accuracy, each on a fresh generator, so that before and after see the same draws."""
    shares = {}
    for split in ("validation", "test"):
        classifier.generator = torch.Generator().manual_seed(seed)
        shares[split] = round(accuracy(classifier, getattr(dataset, split)), 4)
    return shares
