"""Sanity checks of a network before the first attack (Carlini et al. 2019)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from snnlab.attacks import INFORMED, Budget, forked_rng, input_gradient
from snnlab.attacks.result import NO_GRADIENT
from snnlab.data import check_labels
from snnlab.encoding import check_images
from snnlab.evaluation.flags import FLAGS
from snnlab.networks.adapters import as_batch
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import freeze_weights, with_gradients

__all__ = ["inspect"]

TRIED = 16  # images that the network is asked about


@with_gradients()
def inspect(classifier: Classifier, images: Tensor, labels: Tensor, classes: int | None = None) -> list[str]:
    """Try a network on its first images and return the flags that qualify any number measured on it.

    Flags: dropout or batch norm in training mode; state kept between calls; a random code; a stochastic forward pass that no
    attack averages; no gradient from the logits to the image; a surrogate that no attacker can replace; probabilities in place
    of logits; more outputs than classes; a number of steps that nobody named.

    Args:
        classifier: the network as it will be attacked.
        images: ``[N, C, H, W]`` in [0, 1].
        labels: ``[N]``.
        classes: of the data; ``None``: unknown.

    Raises:
        ValueError: wrong shapes or labels; logits or gradients that are not numbers.
    """
    images, labels = as_batch(classifier, images, labels)
    first, truth = images[:TRIED], labels[:TRIED]
    check_images(first)
    if labels.shape != images.shape[:1]:
        raise ValueError(f"expected labels [N] with N={len(images)}, got {list(labels.shape)}")
    before = {name: value.detach().clone() for name, value in classifier.state_dict().items()}
    try:
        logits = _ask(classifier, first)
        check_labels(labels, logits.shape[-1])
        if not torch.isfinite(logits).all():
            raise ValueError("the network's logits hold NaN or infinity; robustness of such answers is not defined")
        return [
            *_training_mode(classifier),
            *_repeatability(classifier, first),
            *_gradient(classifier, first, truth),
            *_outputs(classifier, logits, labels, classes),
            *([FLAGS["steps_assumed"](f"T = {classifier.num_steps}")] if classifier.steps_assumed else []),
        ]
    finally:  # batch statistics move when a network in training mode is asked
        classifier.load_state_dict(before)


def _ask(classifier: Classifier, images: Tensor, seed: int = 0) -> Tensor:
    """Return the logits at the exit in use, from these random numbers."""
    asked = classifier.at(exit_step=classifier.exit_step)
    asked.generator = torch.Generator().manual_seed(seed)
    with torch.no_grad(), forked_rng(torch.Generator().manual_seed(seed)):
        logits: Tensor = asked(images)
    return logits


def _training_mode(classifier: Classifier) -> list[str]:
    kinds = {
        "dropout": any(isinstance(m, _DropoutNd) and m.training and m.p > 0 for m in classifier.modules()),
        "batch norm": any(isinstance(m, _BatchNorm) and m.training for m in classifier.modules()),
    }
    raised = [name for name, present in kinds.items() if present]
    return [FLAGS["training_mode"](" and ".join(raised))] if raised else []


def _repeatability(classifier: Classifier, images: Tensor) -> list[str]:
    """Return a flag where equal random numbers give other answers (state), or others do (code or network are random)."""
    first = _ask(classifier, images)
    if not torch.equal(first, _ask(classifier, images)):
        return [FLAGS["state_kept"]()]
    if classifier.stochastic:
        return [FLAGS["single_draws"]()]
    if all(torch.equal(first, _ask(classifier, images, seed)) for seed in (1, 2)):
        return []
    return [FLAGS["stochastic_without_eot"]()]


def _gradient(classifier: Classifier, images: Tensor, labels: Tensor) -> list[str]:
    """Return flags where no gradient leads from the logits to the image, or a surrogate on the way cannot be replaced."""
    try:
        with INFORMED.view(classifier) as view, freeze_weights(classifier.network):
            gradient = input_gradient(view, images, labels)
            strange = _strange_surrogates(view(images.clone().requires_grad_(True)))
    except ValueError as error:
        if NO_GRADIENT not in str(error):
            raise
        return [FLAGS["no_gradient"]()]
    if not torch.isfinite(gradient).all():
        raise ValueError("the gradient of the loss holds NaN or infinity; attacks along it are not defined")
    if (gradient == 0).all() and not _answers_alike(classifier, images):
        return [FLAGS["no_gradient"]()]
    return [FLAGS["surrogate_not_replaced"](", ".join(strange))] if strange else []


def _strange_surrogates(logits: Tensor) -> list[str]:
    """Return the names of hand-written derivatives, other than ours and torch's, on the way from the image to the logits."""
    names, waiting, visited = set(), [logits.grad_fn], set[Any]()
    while waiting:
        node = waiting.pop()
        if node is None or node in visited:
            continue
        visited.add(node)
        function = getattr(node, "_forward_cls", None)
        if function is not None and function.__module__.split(".")[0] not in ("snnlab", "torch"):
            names.add(function.__qualname__)
        waiting += [before for before, _ in node.next_functions]
    return sorted(names)


def _outputs(classifier: Classifier, logits: Tensor, labels: Tensor, classes: int | None) -> list[str]:
    """Return flags of what the logits are: probabilities, or more than the data have classes."""
    flags = []
    total = logits.sum(-1)
    read = 1 if classifier.encoder is None else classifier.exit_step
    alike = any(torch.allclose(total, torch.full_like(total, whole), atol=1e-3) for whole in (1, read))
    if alike and bool((logits >= 0).all()) and not torch.equal(logits, logits.round()):
        flags.append(FLAGS["softmax"]())
    outputs, largest = logits.shape[-1], int(labels.max()) + 1
    # Where nobody says how many classes the data have, half of them without a single label are too many to be chance.
    if outputs > (classes or outputs) or (classes is None and len(labels) >= 10 and outputs >= 2 * largest):
        flags.append(FLAGS["outputs_and_classes"](f"{outputs} outputs, {classes or largest} classes"))
    return flags


def _answers_alike(classifier: Classifier, images: Tensor) -> bool:
    """Return whether moving every pixel at random leaves the logits the same: then a gradient of zero is the truth."""
    noise = 0.3 * torch.randn(images.shape, generator=torch.Generator().manual_seed(0)).to(images)
    moved = Budget(0.3).project(images + noise, images)
    return torch.equal(_ask(classifier, images), _ask(classifier, moved))
