"""What every attack shares: the gradient it steps along, how its images are judged, and what it hands back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab.attack.budget import Budget
from snnlab.data import check_labels
from snnlab.decoding import SILENT
from snnlab.encoding import check_images
from snnlab.network import Classifier

__all__ = ["AttackResult", "check_batch", "forked_rng", "input_gradient", "judged", "step_size"]

DIAGNOSED = 64  # images of a batch whose first gradient is looked at: the library keeps its own to itself


@dataclass(frozen=True)
class AttackResult:
    """What an attack did.

    ``images`` inside the budget; ``logits`` and ``membrane`` of the read-out at every exit ``[T, N, K]``, ``predictions``
    from them ``[T, N]``; ``success`` per sample at the exit that was attacked; ``moved`` and ``zero_gradient``: fraction of
    pixels changed, and whose first gradient is exactly zero (in the first ``DIAGNOSED`` images of the batch).
    """

    images: Tensor
    logits: Tensor
    membrane: Tensor
    predictions: Tensor
    success: Tensor
    moved: float
    zero_gradient: float | None
    budget: Budget

    def __str__(self) -> str:
        zero = "" if self.zero_gradient is None else f", gradient zero on {self.zero_gradient:.0%} of the pixels"
        return f"{self.budget}: {self.success.float().mean():.1%} wrong, {self.moved:.0%} of the pixels moved{zero}"


def judged(
    classifier: Classifier,
    adversarial: Tensor,
    images: Tensor,
    labels: Tensor,
    budget: Budget,
    zero_gradient: float | None = None,
) -> AttackResult:
    """Verify what an attack found against its budget, and see what the classifier makes of it: the end of every attack."""
    budget.verify(adversarial, images)
    with torch.no_grad():
        logits, membrane = classifier.read(adversarial)
    predicted = classifier.answers(logits, membrane)
    return AttackResult(
        images=adversarial,
        logits=logits,
        membrane=membrane,
        predictions=predicted,
        success=predicted[classifier.exit_step - 1] != labels,
        moved=float((adversarial != images).float().mean()),
        zero_gradient=zero_gradient,
        budget=budget,
    )


def step_size(eps: float, steps: int) -> float:
    """PGD's step ``α``: ``ε/4``, or ``2.5 ε/steps`` where few steps could not cross the budget otherwise."""
    return max(eps / 4, 2.5 * eps / steps)


def input_gradient(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """``∇_x L`` of the summed cross-entropy at the exit in use, ``[N, C, H, W]``: what an attack steps along."""
    leaf = images.detach().clone().requires_grad_(True)
    loss = F.cross_entropy(classifier(leaf), labels, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, leaf, allow_unused=True)
    return torch.zeros_like(images) if gradient is None else gradient


@contextmanager
def forked_rng(generator: torch.Generator | None) -> Iterator[None]:
    """Seed the global generator, which ``torchattacks`` uses, from ``generator``; restore it afterwards."""
    seed = int(torch.randint(2**31 - 1, (1,), generator=generator))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def check_batch(classifier: Classifier, images: Tensor, labels: Tensor) -> None:
    """Raise ``ValueError`` unless ``images`` and ``labels`` belong together and to the classifier."""
    check_images(images)
    if labels.shape != images.shape[:1]:
        raise ValueError(f"expected labels [N] with N={len(images)}, got {list(labels.shape)}")
    with torch.no_grad():
        num_classes = classifier(images[:1]).shape[-1]
    if (labels == SILENT).any():
        raise ValueError("labels hold -1 (silent); attack a sample with its true class")
    check_labels(labels, num_classes)
