"""``attack``: the methods by name."""

from __future__ import annotations

import torch
import torchattacks
from torch import Tensor, nn

from snnlab.attack.attacker import INFORMED, Attacker
from snnlab.attack.budget import Budget
from snnlab.attack.result import DIAGNOSED, AttackResult, check_batch, forked_rng, input_gradient, judged, step_size
from snnlab.network import Classifier
from snnlab.swapping import frozen_weights, kept_modes

__all__ = ["ATTACKS", "attack"]

#: names of the attacks
ATTACKS: tuple[str, ...] = ("none", "noise", "fgsm", "pgd", "mifgsm", "difgsm", "apgd", "square")
MOMENTUM = ("mifgsm", "difgsm")  # L∞ alone
LIBRARY = (*MOMENTUM, "apgd", "square")  # as torchattacks has them


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
        method: ``"none"``, ``"noise"`` (random signs, the control), ``"fgsm"``, ``"pgd"``, ``"mifgsm"`` (PGD with momentum,
            whose images transfer well; Dong et al. 2018), ``"difgsm"`` (the same on resized images; Xie et al. 2019),
            ``"apgd"`` (Croce & Hein 2020; on the cross-entropy) or ``"square"`` (Andriushchenko et al. 2020; asks for answers
            alone).
        attacker: what the gradient is; a stochastic code's is averaged, so that ``"fgsm"`` is EOT-FGSM there.
        steps: iterations, or queries of Square. PGD's step size is ``ε/4`` (``2.5 ε/steps`` if that is larger).
        random_start: whether PGD starts anywhere in the budget.
        generator: randomness of noise and random start.

    Raises:
        ValueError: unknown method, a norm that it does not know, bad images, labels or steps, a result outside the budget.
    """
    if method not in ATTACKS:
        raise ValueError(f"unknown attack {method!r}; choose one of {', '.join(ATTACKS)}")
    known = ("Linf",) if method in MOMENTUM else ("Linf", "L2")
    if method in LIBRARY and budget.norm not in known:
        raise ValueError(f"{method!r} knows the norms {' and '.join(known)}, got {budget.norm!r}; use 'pgd' or sa_pgd")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps!r}")
    check_batch(classifier, images, labels)
    zero_gradient = None
    adversarial = images
    if method == "noise":
        adversarial = budget.project(images + _noise(budget, images, generator), images)
    elif method == "square":
        with torch.no_grad(), forked_rng(generator), kept_modes(classifier):
            adversarial = _square(classifier, budget, steps)(images, labels).detach()
    elif method != "none":
        # torchattacks puts the whole network into training mode at its end, if the adapter is in it.
        with (
            attacker.view(classifier) as seen,
            frozen_weights(seen.network),
            forked_rng(generator),
            kept_modes(seen.network),
        ):
            few = slice(DIAGNOSED)
            zero_gradient = float((input_gradient(seen, images[few], labels[few]) == 0).float().mean())
            if budget.norm == "Linf" or method in LIBRARY:
                adversarial = _library_attack(seen, budget, method, steps, random_start)(images, labels).detach()
            else:
                adversarial = _climb(seen, images, labels, budget, method, steps, random_start)
    return judged(classifier, adversarial, images, labels, budget, zero_gradient)


def _noise(budget: Budget, images: Tensor, generator: torch.Generator | None) -> Tensor:
    """Random signs; of size ε in L∞, else a step of the budget along them."""
    sign = torch.randint(0, 2, images.shape, generator=generator).to(images) * 2 - 1
    if budget.norm in ("Linf", "L2"):
        return budget.step(sign, budget.eps)
    return budget.step(sign * torch.rand(images.shape, generator=generator), budget.eps)  # on a few entries, at random


def _library_attack(
    seen: Classifier, budget: Budget, method: str, steps: int, random_start: bool
) -> torchattacks.attack.Attack:
    if method == "fgsm":
        return torchattacks.FGSM(seen, eps=budget.eps)
    if method == "apgd":
        return torchattacks.APGD(seen, norm=budget.norm, eps=budget.eps, steps=steps, seed=_drawn())
    alpha = step_size(budget.eps, steps)
    if method == "mifgsm":
        return torchattacks.MIFGSM(seen, eps=budget.eps, alpha=alpha, steps=steps)
    if method == "difgsm":
        return torchattacks.DIFGSM(
            _Within(seen), eps=budget.eps, alpha=alpha, steps=steps, decay=1.0, random_start=random_start
        )
    return torchattacks.PGD(seen, eps=budget.eps, alpha=alpha, steps=steps, random_start=random_start)


class _Within(nn.Module):
    """A classifier of images that resizing has left a rounding error outside [0, 1]."""

    def __init__(self, seen: Classifier) -> None:
        super().__init__()
        self.seen = seen

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.seen(images.clamp(0, 1))
        return logits


def _square(classifier: Classifier, budget: Budget, queries: int) -> torchattacks.attack.Attack:
    return torchattacks.Square(classifier, norm=budget.norm, eps=budget.eps, n_queries=queries, seed=_drawn())


def _drawn() -> int:
    """A seed for attacks that set the global generator themselves, from the forked one."""
    return int(torch.randint(2**31 - 1, (1,)))


def _climb(
    seen: Classifier, images: Tensor, labels: Tensor, budget: Budget, method: str, steps: int, random_start: bool
) -> Tensor:
    """FGSM and PGD in a norm whose steepest step is not the sign: one step of size ε, or ``steps`` smaller ones.

    In L2 without random start this is the BIM-L2 of the paper, in L1 and L0 its PGD-L1 and PGD-L0.
    """
    x, size = images, budget.eps
    if method == "pgd":
        size = step_size(budget.eps, steps)
        if random_start:
            x = budget.project(images + budget.step(torch.randn_like(images), budget.eps * float(torch.rand(()))), images)
    for _ in range(1 if method == "fgsm" else steps):
        x = budget.project(x + budget.step(input_gradient(seen, x, labels), size), images)
    return x
