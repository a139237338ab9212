"""SA-PGD (Wang et al. 2025): PGD with momentum and a step scaled by the gradient's own second moment, best iterate kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import torch
from torch import Tensor

from snnlab.attack.aim import Aim, check_aim, is_wrong, of_rows, wrong_answers
from snnlab.attack.attacker import INFORMED, Attacker
from snnlab.attack.budget import Budget
from snnlab.attack.losses import LOSSES
from snnlab.attack.result import AttackResult, judged
from snnlab.attack.sharpness import AdaptiveSharpness
from snnlab.encoding import check_images
from snnlab.network import Classifier
from snnlab.swapping import frozen_weights, surrogate_of

__all__ = ["sa_pgd"]


def sa_pgd(
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
    generator: torch.Generator | None = None,
) -> AttackResult:
    r"""SA-PGD: momentum, second-moment scaling and a shrinking step (Wang et al. 2025).

    .. math::

        m ← 0.5\,m + g / \overline{|g|}, \quad v ← 0.8\,v + g² / \overline{g²}, \quad
        x ← Π(x + \mathrm{clip}(η\,m/\sqrt v, -η, η))

    The step ``η`` starts at ε and is halved at checkpoints (after 22 % of the steps, each interval 3 % shorter, at
    least 6 %). Random start; of all iterates each sample keeps a misclassified one, else that of highest loss. Samples
    already broken are left alone from then on. Behind a stochastic code an answer is one draw's: no sample is left alone there,
    and each keeps the iterate whose loss is highest in the mean over draws.

    Args:
        classifier: attacked at its exit step.
        images: ``[N, C, H, W]`` in [0, 1].
        labels: ``[N]``.
        budget: what may be changed.
        attacker: backward rule of the code (and surrogate, without ``adaptive_surrogate``).
        loss: a key of ``LOSSES``.
        steps: iterations of each restart.
        restarts: random starts.
        adaptive_surrogate: whether ``AdaptiveSharpness`` takes the place of the attacker's surrogate.
        aim: what is to be wrong: the answer at the exit in use (``None``), those at every exit with one image (``"all"``), or
            that of a dynamic exit (an ``ExitRule``). The latter two climb the mean of the loss over all exits.
        generator: randomness of the starts.

    Raises:
        ValueError: unknown loss or aim, an aim for an ANN, fewer than one step or restart, bad images.
    """
    if loss not in LOSSES:
        raise ValueError(f"unknown loss {loss!r}; choose one of {', '.join(LOSSES)}")
    if steps < 1 or restarts < 1:
        raise ValueError(f"steps and restarts must be at least 1, got {steps!r} and {restarts!r}")
    check_aim(classifier, aim)
    check_images(images)
    best, best_loss = images.clone(), torch.full(labels.shape, -torch.inf)
    # A stochastic code may err on a draw and be right on the next: one lucky draw is no reason to leave a sample alone.
    broken = (
        torch.zeros_like(labels, dtype=torch.bool) if classifier.stochastic else is_wrong(classifier, images, labels, aim)
    )
    for _ in range(restarts):
        rows = torch.nonzero(~broken).flatten()
        if len(rows) == 0:
            break
        x, y = images[rows], labels[rows]
        start = budget.project(x + budget.eps * (2 * torch.rand(x.shape, generator=generator) - 1), x)
        found, score, wrong = _climb(
            of_rows(classifier, rows), x, y, start, budget, attacker, LOSSES[loss], steps, adaptive_surrogate, aim
        )
        better = wrong | (score > best_loss[rows])
        best[rows[better]], best_loss[rows[better]] = found[better], score[better]
        broken[rows] |= wrong
    result = judged(classifier, best, images, labels, budget)
    return (
        result
        if aim is None
        else replace(result, success=wrong_answers(classifier, result.logits, result.membrane, labels, aim))
    )


def _climb(
    classifier: Classifier,
    x: Tensor,
    y: Tensor,
    start: Tensor,
    budget: Budget,
    attacker: Attacker,
    loss: Callable[[Tensor, Tensor], Tensor],
    steps: int,
    adaptive_surrogate: bool,
    aim: Aim,
) -> tuple[Tensor, Tensor, Tensor]:
    """One restart: the kept iterate of every sample, its loss, and whether it is misclassified."""
    kept, kept_loss = start.clone(), torch.full(y.shape, -torch.inf)
    wrong = torch.zeros_like(y, dtype=torch.bool)
    standing = torch.arange(len(y))  # samples that are not broken yet: the others are left alone
    current, momentum, second = start.clone(), torch.zeros_like(x), torch.zeros_like(x)
    rate, halvings = budget.eps, _checkpoints(steps)
    sharpness = AdaptiveSharpness() if adaptive_surrogate else None
    with ExitStack() as stack:
        seen = stack.enter_context(attacker.view(classifier))
        stack.enter_context(surrogate_of(classifier.network, sharpness))
        stack.enter_context(frozen_weights(classifier.network))
        for step in range(steps + 1):
            if sharpness is not None:
                sharpness.begin()
            leaf = current.detach().requires_grad_(True)
            value, broken = _look(seen, leaf, y[standing], loss, aim)
            better = broken | (value.detach() > kept_loss[standing])
            kept[standing[better]], kept_loss[standing[better]] = current[better], value.detach()[better]
            wrong[standing] = broken
            if step == steps or broken.all():
                break
            (g,) = torch.autograd.grad(value.sum(), leaf)
            momentum = 0.5 * momentum + g / _mean(g.abs())
            second = 0.8 * second + g**2 / _mean(g**2)
            rate = rate / 2 if step in halvings else rate
            move = (rate * momentum / (second.sqrt() + 1e-12)).clamp(-rate, rate)
            current = budget.project(current + move, x[standing])
            if broken.any():
                rows = ~broken
                standing, current, momentum, second = standing[rows], current[rows], momentum[rows], second[rows]
                seen, classifier = of_rows(seen, rows), of_rows(classifier, rows)
                if sharpness is not None:
                    sharpness.keep(rows)
    return kept, kept_loss, wrong


def _checkpoints(steps: int) -> set[int]:
    """Iterations at which the step is halved."""
    found, at, share = set(), 0.0, 0.22
    while at + share < 1:
        at += share
        found.add(round(at * steps))
        share = max(share - 0.03, 0.06)
    return found


def _mean(values: Tensor) -> Tensor:
    """Mean over each image, kept away from zero."""
    return values.flatten(1).mean(1).clamp(min=1e-20).view(-1, *[1] * (values.dim() - 1))


def _look(
    seen: Classifier,
    images: Tensor,
    labels: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    aim: Aim,
) -> tuple[Tensor, Tensor]:
    """The loss as the attacker differentiates it, and who is broken, ``[N]`` each: behind a stochastic code nobody for good.

    A deterministic code needs one forward pass for both, since backward rules leave the forward pass alone.
    """
    if aim is None and seen.stochastic:
        return loss(seen(images), labels), torch.zeros_like(labels, dtype=torch.bool)
    if aim is None:
        logits, membrane = seen.read(images, seen.exit_step)
        return loss(logits[-1], labels), seen.answers(logits[-1].detach(), membrane[-1].detach()) != labels
    draws = [seen.read(images) for _ in range(seen.eot)]
    logits = torch.stack([logits for logits, _ in draws]).mean(0)
    value = torch.stack([loss(z, labels) for z in logits]).mean(0)
    if seen.stochastic:
        return value, torch.zeros_like(labels, dtype=torch.bool)
    return value, wrong_answers(seen, logits.detach(), draws[0][1].detach(), labels, aim)
