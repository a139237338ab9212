"""Results of attacks, and what every attack shares: the input gradient, checks of a batch, evaluation of its images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab.attacks.budget import Budget
from snnlab.attacks.targeted import as_targets
from snnlab.data import check_labels
from snnlab.encoding import check_images
from snnlab.networks.classifier import Classifier
from snnlab.networks.decoding import SILENT

__all__ = [
    "Answered",
    "AttackResult",
    "check_batch",
    "check_counts",
    "forked_rng",
    "gradient_of",
    "input_gradient",
    "judged",
    "step_size",
    "targets_of",
    "uniform",
]

NO_GRADIENT = (
    "no gradient reaches the image: the forward pass is cut by detach(), no_grad(), a conversion to integers or a comparison "
    "without surrogate, as in a network that encodes inside. Take the code out of the network and name it, give its neurons "
    "surrogate gradients, or attack without gradients: method='square', suite='gradient_free'"
)
DIAGNOSED = 64  # images of a batch whose first gradient is inspected: torchattacks does not return its own


class Answered:
    """A result that knows which samples are answered wrongly."""

    wrong: Tensor

    @property
    def accuracy(self) -> float:
        """Fraction of the samples that are classified correctly."""
        return int((~self.wrong).sum()) / len(self.wrong)


@dataclass(frozen=True)
class AttackResult(Answered):
    """Images of an attack and the answers to them.

    Args:
        images: inside the budget, ``[N, C, H, W]``.
        logits: of the read-out at every exit, ``[T, N, K]``; so is ``membrane``.
        predictions: ``[T, N]``.
        success: per sample, at the attacked exit: answered wrongly, or, of a targeted attack, as the target.
        wrong: per sample, whether the answer at the attacked exit is not the true class.
        moved: fraction of pixels changed.
        zero_gradient: fraction of pixels whose first gradient is zero (in the first ``DIAGNOSED`` images).
        budget: that the images are verified against.
    """

    images: Tensor
    logits: Tensor
    membrane: Tensor
    predictions: Tensor
    success: Tensor
    wrong: Tensor
    moved: float
    zero_gradient: float | None
    budget: Budget

    def __str__(self) -> str:
        zero = "" if self.zero_gradient is None else f", gradient zero on {self.zero_gradient:.0%} of the pixels"
        return f"{self.budget}: {self.wrong.float().mean():.1%} wrong, {self.moved:.0%} of the pixels moved{zero}"


def judged(
    classifier: Classifier,
    adversarial: Tensor,
    images: Tensor,
    labels: Tensor,
    budget: Budget,
    zero_gradient: float | None = None,
    target: Tensor | None = None,
) -> AttackResult:
    """Verify the images of an attack against its budget and return the classifier's answers to them."""
    budget.verify(adversarial, images)
    with torch.no_grad():
        logits, membrane = classifier.read(adversarial)
    predicted = classifier.answers(logits, membrane)
    answer = predicted[classifier.exit_step - 1]
    return AttackResult(
        images=adversarial,
        logits=logits,
        membrane=membrane,
        predictions=predicted,
        success=answer != labels if target is None else answer == target,
        wrong=answer != labels,
        moved=float((adversarial != images).float().mean()),
        zero_gradient=zero_gradient,
        budget=budget,
    )


def step_size(eps: float, steps: int) -> float:
    """Return PGD's step ``α``: ``ε/4``, or ``2.5 ε/steps`` if that is larger."""
    return max(eps / 4, 2.5 * eps / steps)


def input_gradient(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """Return ``∇_x L`` of the summed cross-entropy at the exit in use, ``[N, C, H, W]``."""
    return gradient_of(lambda x: F.cross_entropy(classifier(x), labels, reduction="sum"), images)


def gradient_of(function: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Return the gradient of a scalar function at images, zero where it does not depend on them."""
    leaf = images.detach().clone().requires_grad_(True)
    value = function(leaf)
    if not value.requires_grad:
        raise ValueError(NO_GRADIENT)
    (gradient,) = torch.autograd.grad(value, leaf, allow_unused=True)
    return torch.zeros_like(images) if gradient is None else gradient


@contextmanager
def forked_rng(generator: torch.Generator | None) -> Iterator[None]:
    """Seed the global generator, which ``torchattacks`` uses, from ``generator``; restore it afterwards."""
    seed = int(torch.randint(2**31 - 1, (1,), generator=generator, device="cpu"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def uniform(like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return uniform random numbers in the shape and on the device of a tensor, drawn on the processor: equal on every device."""
    return torch.rand(like.shape, generator=generator, device="cpu").to(like.device)


def check_counts(**counts: int) -> None:
    """Raise ``ValueError`` unless every one of these counts is at least 1."""
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count!r}")


def check_batch(classifier: Classifier, images: Tensor, labels: Tensor) -> None:
    """Raise ``ValueError`` unless ``images`` and ``labels`` belong together and to the classifier."""
    check_images(images)
    if labels.shape != images.shape[:1]:
        raise ValueError(f"expected labels [N] with N={len(images)}, got {list(labels.shape)}")
    if (labels == SILENT).any():
        raise ValueError("labels hold -1 (silent); attack a sample with its true class")
    check_labels(labels, _classes(classifier, images))


def targets_of(classifier: Classifier, images: Tensor, labels: Tensor, target: Tensor | int | None) -> Tensor | None:
    """Return the target of every sample, ``[N]``; errors as ``snnlab.attacks.targeted.as_targets``."""
    return None if target is None else as_targets(target, labels, _classes(classifier, images))


@torch.no_grad()
def _classes(classifier: Classifier, images: Tensor) -> int:
    return int(classifier(images[:1]).shape[-1])
