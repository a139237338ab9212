"""``attack``: the methods by name."""

from __future__ import annotations

import torch
import torchattacks
from torch import Tensor

from snnlab.attack.attacker import INFORMED, Attacker
from snnlab.attack.budget import Budget
from snnlab.attack.result import DIAGNOSED, AttackResult, check_batch, forked_rng, input_gradient, judged, step_size
from snnlab.network import Classifier

__all__ = ["ATTACKS", "attack"]

ATTACKS: tuple[str, ...] = ("none", "noise", "fgsm", "pgd")


def attack(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    budget: Budget,
    method: str = "pgd",
    attacker: Attacker = INFORMED,
    *,
    steps: int = 10,
    random_start: bool = True,
    generator: torch.Generator | None = None,
) -> AttackResult:
    """Attack ``images`` at the classifier's exit step and verify the result against the budget.

    Args:
        classifier: attacked at ``classifier.exit_step``.
        images: ``[N, C, H, W]`` in [0, 1].
        labels: true classes, ``[N]``.
        budget: what may be changed.
        method: ``"none"``, ``"noise"`` (a random sign times ε, the control), ``"fgsm"`` or ``"pgd"``.
        attacker: what the gradient is.
        steps: iterations of PGD, step size ``ε/4`` (``2.5 ε/steps`` if that is larger).
        random_start: whether PGD starts anywhere in the budget.
        generator: randomness of noise and random start.

    Raises:
        ValueError: unknown method, bad images, labels or steps, a result outside the budget.
    """
    if method not in ATTACKS:
        raise ValueError(f"unknown attack {method!r}; choose one of {', '.join(ATTACKS)}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps!r}")
    check_batch(classifier, images, labels)
    zero_gradient = None
    adversarial = images
    if method == "noise":
        sign = torch.randint(0, 2, images.shape, generator=generator).to(images) * 2 - 1
        adversarial = budget.project(images + budget.eps * sign, images)
    elif method in ("fgsm", "pgd"):
        with attacker.view(classifier) as seen, forked_rng(generator):
            few = slice(DIAGNOSED)
            zero_gradient = float((input_gradient(seen, images[few], labels[few]) == 0).float().mean())
            adversarial = _library_attack(seen, budget, method, steps, random_start)(images, labels)
    return judged(classifier, adversarial, images, labels, budget, zero_gradient)


def _library_attack(
    seen: Classifier, budget: Budget, method: str, steps: int, random_start: bool
) -> torchattacks.attack.Attack:
    if method == "fgsm":
        return torchattacks.FGSM(seen, eps=budget.eps)
    alpha = step_size(budget.eps, steps)
    return torchattacks.PGD(seen, eps=budget.eps, alpha=alpha, steps=steps, random_start=random_start)
