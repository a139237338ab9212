"""Sanity checks of a network before the first attack (Carlini et al. 2019)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from snnlab.attacks import INFORMED, Budget, forked_rng, input_gradient
from snnlab.data import check_labels
from snnlab.encoding import check_images
from snnlab.evaluation.flags import FLAGS
from snnlab.networks.classifier import Classifier

__all__ = ["inspect"]

TRIED = 16  # images that the network is asked about


def inspect(classifier: Classifier, images: Tensor, labels: Tensor) -> list[str]:
    """Try a network on its first images and return the flags that qualify any number measured on it.

    Flags: dropout or batch norm in training mode; state kept between calls; a stochastic forward pass that no attack averages.

    Args:
        classifier: the network as it will be attacked.
        images: ``[N, C, H, W]`` in [0, 1].
        labels: ``[N]``.

    Raises:
        ValueError: wrong shapes or labels; logits that are not numbers; no gradient from the logits to the image.
    """
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
        _check_gradient(classifier, first, truth)
        return [*_training_mode(classifier), *_repeatability(classifier, first)]
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
    """Return a flag where equal random numbers give other answers (state), or others do (stochastic)."""
    first = _ask(classifier, images)
    if not torch.equal(first, _ask(classifier, images)):
        return [FLAGS["state_kept"]()]
    if classifier.stochastic or all(torch.equal(first, _ask(classifier, images, seed)) for seed in (1, 2)):
        return []
    return [FLAGS["stochastic_without_eot"]()]


def _check_gradient(classifier: Classifier, images: Tensor, labels: Tensor) -> None:
    """Raise ValueError unless a gradient leads from the logits to the image."""
    no_gradient = (
        "no gradient reaches the image: the forward pass is cut by detach(), no_grad(), a conversion to integers or a "
        "comparison without surrogate. Give the network surrogate gradients (snntorch neurons have them), or measure it "
        "by the gradient-free attacks alone"
    )
    try:
        with INFORMED.view(classifier) as view:
            gradient = input_gradient(view, images, labels)
    except RuntimeError as error:
        if "does not require grad" not in str(error):
            raise
        raise ValueError(no_gradient) from None
    if not torch.isfinite(gradient).all():
        raise ValueError("the gradient of the loss holds NaN or infinity; attacks along it are not defined")
    if (gradient == 0).all() and not _answers_alike(classifier, images):
        raise ValueError(no_gradient)


def _answers_alike(classifier: Classifier, images: Tensor) -> bool:
    """Return whether moving every pixel at random leaves the logits the same: then a gradient of zero is the truth."""
    noise = 0.3 * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    moved = Budget(0.3).project(images + noise, images)
    return torch.equal(_ask(classifier, images), _ask(classifier, moved))
