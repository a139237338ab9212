"""SA-PGD (Wang et al. 2025): PGD with momentum, a step scaled by the gradient's second moment, and the best iterate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from snnlab.attacks.attacker import INFORMED, Attacker
from snnlab.attacks.base import Attack, Rng
from snnlab.attacks.budget import Budget
from snnlab.attacks.goal import Aim, Goal
from snnlab.attacks.registry import register_attack
from snnlab.attacks.result import AttackResult, check_counts, judged, targets_of, uniform
from snnlab.attacks.sharpness import AdaptiveSharpness
from snnlab.attacks.time_restricted import subset
from snnlab.encoding import check_images
from snnlab.networks.adapters import as_batch
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import freeze_weights, use_surrogate, with_gradients

__all__ = ["FixedSurrogate", "SaPgd", "SaPgdStep", "sa_pgd_attack"]


@with_gradients()
def sa_pgd_attack(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    budget: Budget,
    attacker: Attacker = INFORMED,
    *,
    loss: str = "margin",
    steps: int = 50,
    restarts: int = 1,
    adaptive_surrogate: bool = True,
    aim: Aim = None,
    target: Tensor | int | None = None,
    generator: Rng = None,
) -> AttackResult:
    r"""Attack by SA-PGD: momentum, second-moment scaling and a shrinking step (Wang et al. 2025).

    .. math::

        m ← 0.5\,m + g / \overline{|g|}, \quad v ← 0.8\,v + g² / \overline{g²}, \quad
        x ← Π(x + \mathrm{clip}(η\,m/\sqrt v, -η, η))

    The step ``η`` starts at ε and is halved at checkpoints (after 22 % of the steps, each interval 3 % shorter, at
    least 6 %). The result of a sample is a misclassified iterate if there is one, else that of highest loss; a misclassified
    sample is not attacked further. Behind a stochastic code every sample is attacked to the end, and its result is the iterate
    whose mean loss over draws is highest.

    Args:
        classifier: attacked at its exit step.
        images: ``[N, C, H, W]`` in [0, 1].
        labels: ``[N]``.
        budget: limit of the change.
        attacker: backward rule of the code (and surrogate, without ``adaptive_surrogate``).
        loss: a key of ``LOSSES``.
        steps: iterations of each restart.
        restarts: random starts.
        adaptive_surrogate: whether ``AdaptiveSharpness`` replaces the attacker's surrogate.
        aim: the exit in use (``None``), every exit with one image (``"all"``), or a dynamic exit (an ``ExitRule``); the latter
            two raise the mean loss over all exits.
        target: as for ``snnlab.attacks.attack``.
        generator: randomness of the starts.

    Raises:
        ValueError: unknown loss or aim, an aim for an ANN, fewer than one step or restart, bad images.
    """
    images, labels = as_batch(classifier, images, labels)
    check_counts(steps=steps, restarts=restarts)
    check_images(images)
    goal = Goal.of(classifier, labels, loss, aim, targets_of(classifier, images, labels, target))
    best, best_loss = images.clone(), torch.full(labels.shape, -torch.inf, device=images.device)
    # A stochastic code may err on a draw and be right on the next: one lucky draw is no reason to leave a sample alone.
    broken = torch.zeros_like(labels, dtype=torch.bool)
    if not classifier.stochastic:
        broken = goal.reached_by(classifier, images)
    for _ in range(restarts):
        rows = torch.nonzero(~broken).flatten()
        if len(rows) == 0:
            break
        x = images[rows]
        start = budget.project(x + budget.eps * (2 * uniform(x, generator) - 1), x)
        sharpness = AdaptiveSharpness() if adaptive_surrogate else None
        with (
            attacker.view(subset(classifier, rows)) as view,
            use_surrogate(classifier.network, sharpness),
            freeze_weights(classifier.network),
        ):
            candidate, score, wrong = _ascend(view, x, goal.subset(rows), start, steps, budget, sharpness)
        better = wrong | (score > best_loss[rows])
        best[rows[better]], best_loss[rows[better]] = candidate[better], score[better]
        broken[rows] |= wrong
    result = judged(classifier, best, images, labels, budget, target=goal.target)
    return replace(result, success=goal.reached(classifier, result.logits, result.membrane))


class SaPgdStep:
    """Momentum, second moment and step size of one run of SA-PGD (``sa_pgd_attack``)."""

    def __init__(self, eps: float, steps: int) -> None:
        self.rate, self.halvings, self.number = eps, _checkpoints(steps), 0
        self.momentum: Tensor | float = 0.0
        self.second: Tensor | float = 0.0

    def __call__(self, current: Tensor, gradient: Tensor) -> Tensor:
        """Return the next iterate, before projection."""
        self.momentum = 0.5 * self.momentum + gradient / _mean(gradient.abs())
        self.second = 0.8 * self.second + gradient**2 / _mean(gradient**2)
        self.rate = self.rate / 2 if self.number in self.halvings else self.rate
        self.number += 1
        return current + (self.rate * self.momentum / (self.second.sqrt() + 1e-12)).clamp(-self.rate, self.rate)

    def keep(self, rows: Tensor) -> None:
        """Continue with these samples of the batch alone, after a first step."""
        self.momentum, self.second = (cast(Tensor, value)[rows] for value in (self.momentum, self.second))


def _checkpoints(steps: int) -> set[int]:
    """Return the iterations at which the step is halved."""
    checkpoints, at, share = set(), 0.0, 0.22
    while at + share < 1:
        at += share
        checkpoints.add(round(at * steps))
        share = max(share - 0.03, 0.06)
    return checkpoints


def _mean(values: Tensor) -> Tensor:
    return values.flatten(1).mean(1).clamp(min=1e-20).view(-1, *[1] * (values.dim() - 1))


def _ascend(
    view: Classifier, x: Tensor, goal: Goal, start: Tensor, steps: int, budget: Budget, sharpness: AdaptiveSharpness | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the best iterate of every sample, its loss, and whether it is misclassified."""
    y = goal.labels
    best, best_loss, wrong = (
        start.clone(),
        torch.full(y.shape, -torch.inf, device=y.device),
        torch.zeros_like(y, dtype=torch.bool),
    )
    rows, current, step = torch.arange(len(y), device=y.device), start, SaPgdStep(budget.eps, steps)
    for number in range(steps + 1):
        if sharpness is not None:
            sharpness.begin()
        leaf = current.detach().requires_grad_(True)
        value, broken = _evaluated(view, leaf, goal.subset(rows))
        better = broken | (value.detach() > best_loss[rows])
        best[rows[better]], best_loss[rows[better]] = current[better], value.detach()[better]
        wrong[rows] = broken
        if number == steps or broken.all():
            break
        current = budget.project(step(current, torch.autograd.grad(value.sum(), leaf)[0]), x[rows])
        if broken.any():
            remaining = ~broken
            rows, current, view = rows[remaining], current[remaining], subset(view, remaining)
            step.keep(remaining)
            if sharpness is not None:
                sharpness.keep(remaining)
    return best, best_loss, wrong


def _evaluated(view: Classifier, images: Tensor, goal: Goal) -> tuple[Tensor, Tensor]:
    """Return the loss, and which samples are misclassified, ``[N]`` each; behind a stochastic code none is for good."""
    none = torch.zeros_like(goal.labels, dtype=torch.bool)
    if goal.aim is None and view.stochastic:
        return goal.at_exit(view(images)), none
    if goal.aim is None:
        logits, membrane = view.read(images, view.exit_step)
        return goal.at_exit(logits[-1]), goal.reached(view, logits.detach(), membrane.detach())
    draws = [view.read(images) for _ in range(view.eot)]
    value = goal.value(torch.stack([logits for logits, _ in draws]).mean(0))
    # Backward rules leave the forward pass alone: one pass gives loss and answers.
    return value, none if view.stochastic else goal.reached(view, *(part.detach() for part in draws[0]))


@register_attack
@dataclass(frozen=True)
class SaPgd(Attack):
    """SA-PGD (``sa_pgd_attack``)."""

    steps: int = 50
    loss: str = "margin"
    restarts: int = 1

    name, aims_at_exits = "sa_pgd", True
    adaptive: ClassVar[bool] = True

    def __call__(self, *given: Any, **options: Any) -> AttackResult:
        """Run ``sa_pgd_attack``."""
        options |= self.settings() | {"adaptive_surrogate": self.adaptive}
        return sa_pgd_attack(*given, **options)


@register_attack
@dataclass(frozen=True)
class FixedSurrogate(SaPgd):
    """SA-PGD through the attacker's own surrogate, not the adaptive one."""

    name, adaptive = "fixed_surrogate", False
