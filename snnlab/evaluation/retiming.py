"""Accuracy where an attacker moves spikes in time (``snnlab.attacks.retiming``), over budgets B∞, B1 and B0.

The same shape as for faults and everyday noise (``snnlab.evaluation.everyday``), with a budget in place of a severity. But this
is a worst case: a sample counts as wrong within a budget if any search broke it within this budget or a smaller one of its kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from snnlab.attacks.retiming import Method, retiming_attack
from snnlab.attacks.time_budget import TimeBudget
from snnlab.data import Split
from snnlab.evaluation.everyday import Everyday
from snnlab.networks.adapters import as_batch
from snnlab.networks.classifier import Classifier

__all__ = ["CHECKED", "LEVELS", "QUERIES", "SEARCHES", "STEPS", "ended", "under_retiming"]

#: budgets that are measured, in steps of the largest shift, steps of all shifts, and spikes moved
LEVELS: dict[str, tuple[int, ...]] = {"shift": (1, 2, 4), "total": (50,), "moved": (10, 40)}
#: a control, the gradient alone, and the worst case of all
SEARCHES: tuple[str, ...] = ("noise", "gradient", "worst")
STEPS, QUERIES, CHECKED = 30, 30, 30  # iterations; queries of the search without gradients, and samples that it checks
BATCH = 100


def under_retiming(
    model: nn.Module,
    data: Split,
    levels: Mapping[str, Sequence[int]] = LEVELS,
    *,
    steps: int = STEPS,
    queries: int = QUERIES,
    seed: int = 0,
) -> dict[str, Everyday]:
    """Measure a network while an attacker moves its input spikes in time; one ``Everyday`` for each of ``SEARCHES``.

    Args:
        model: a ``Classifier``, or any module that ``Classifier.of(net, images)`` recognises; attacked at its exit step.
        data: images and labels.
        levels: rising budgets by kind: ``shift``, ``total``, ``moved``.
        steps: iterations of the attack with gradients.
        queries: of the search without, on the survivors among the first ``CHECKED`` samples; 0 leaves it out.
        seed: of all randomness.

    Raises:
        ValueError: a network without spikes at its input; an unknown budget; budgets that do not rise.

    >>> from snnlab import data, zoo
    >>> found = under_retiming(zoo.load("latency"), data.load("mnist5k").test[:20], {"shift": [1, 3]}, steps=5, queries=5)
    >>> found["worst"].accuracy("shift", 1).mean >= found["worst"].accuracy("shift", 3).mean
    True
    """
    for kind, limits in levels.items():
        if not limits or list(limits) != sorted(set(limits)):
            raise ValueError(f"budgets must rise, got {list(limits)} for {kind!r}")
        TimeBudget(f"{kind} {limits[0]}")  # raises where it is unknown
    given = Classifier.of(model, data.images)
    images, labels = as_batch(given, data.images, data.labels)
    victim = given.at(exit_step=given.exit_step)
    victim.generator = torch.Generator().manual_seed(seed)
    if victim.encoder is None:
        raise ValueError("an ANN has no spikes to move in time; give a classifier with an encoder")
    right: dict[str, dict[str, list[list[int]]]] = {name: {kind: [] for kind in levels} for name in SEARCHES}
    clean = 0
    for first in range(0, len(labels), BATCH):
        part = slice(first, first + BATCH)
        with torch.no_grad():
            spikes = victim.encode(images[part])
            wrong = victim.answers(*victim.respond(spikes))[victim.exit_step - 1] != labels[part]
        clean += int((~wrong).sum())
        batch = _Batch(victim, spikes, labels[part], wrong, max(0, CHECKED - first), seed + first)
        for kind, limits in levels.items():
            for number, found in enumerate(batch.measured(kind, limits, steps, queries)):
                for name, mask in found.items():
                    if len(right[name][kind]) == number:
                        right[name][kind].append([0])
                    right[name][kind][number][0] += int((~mask).sum())
    shown = {kind: list(limits) for kind, limits in levels.items()}
    return {name: Everyday(len(labels), clean, shown, right[name], victim.exit_step, seed) for name in SEARCHES}


def ended(found: Mapping[str, Everyday]) -> bool:
    """Return whether the search without gradients broke less than 2 % of the samples that the gradient had left."""
    after, before = found["worst"], found["gradient"]
    lost = [b[0] - a[0] for kind in after.correct for a, b in zip(after.correct[kind], before.correct[kind], strict=True)]
    return max(lost, default=0) <= 0.02 * min(after.n, CHECKED)


class _Batch:
    """Samples under retiming; ``wrong`` on clean spikes counts within every budget."""

    def __init__(self, victim: Classifier, spikes: Tensor, labels: Tensor, wrong: Tensor, checked: int, seed: int) -> None:
        self.victim, self.spikes, self.labels, self.wrong = victim, spikes, labels, wrong
        self.checked, self.generator = checked, torch.Generator().manual_seed(seed)

    def measured(self, kind: str, limits: Sequence[int], steps: int, queries: int) -> list[dict[str, Tensor]]:
        """Return which samples are wrong within each budget, after each of ``SEARCHES``."""
        found, gradient, worst = [], self.wrong, self.wrong
        for limit in limits:
            budget = TimeBudget(f"{kind} {limit}")
            noise = self._broken(budget, "noise", 1, torch.zeros_like(self.wrong))
            gradient = gradient | noise
            gradient = gradient | self._broken(budget, "gradient", steps, gradient)
            worst = worst | gradient
            if queries and self.checked:
                later = torch.arange(len(worst)) >= self.checked
                worst = worst | self._broken(budget, "search", queries, worst | later)
            found.append({"noise": noise, "gradient": gradient, "worst": worst})
        return found

    def _broken(self, budget: TimeBudget, method: Method, steps: int, spared: Tensor) -> Tensor:
        """Return which samples a method breaks, of those that are not spared."""
        rows = torch.nonzero(~spared).flatten()
        broken = torch.zeros_like(self.wrong)
        if len(rows):
            at = (self.victim, self.spikes[:, rows], self.labels[rows], budget, method)
            broken[rows] = retiming_attack(*at, steps=steps, generator=self.generator).wrong
        return broken
