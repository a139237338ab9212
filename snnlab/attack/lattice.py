"""The lattice attack: no gradient. Only finitely many values of a pixel differ to a step code; it searches among them."""

from __future__ import annotations

import torch
from torch import Tensor

from snnlab.attack.budget import Budget
from snnlab.attack.losses import margin
from snnlab.attack.result import AttackResult, judged
from snnlab.encoding import Encoder, check_images
from snnlab.network import Classifier

__all__ = ["lattice", "lattice_attack"]


def lattice_attack(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    budget: Budget,
    *,
    queries: int = 300,
    generator: torch.Generator | None = None,
) -> AttackResult:
    """Gradient-free search over the intensities that differ to a step code, judged by the margin and the potential.

    Every value of a pixel that gives another spike train has a representative in ``lattice``; a query changes a random
    share of the pixels (shrinking from a half to a few) to random representatives inside the budget and is kept where it
    does not lower the margin. Spike counts plateau, so ties are broken by the read-out potential.

    Args:
        classifier: behind a step code (its encoder decides the lattice).
        images: ``[N, C, H, W]`` in [0, 1].
        labels: ``[N]``.
        budget: what may be changed.
        queries: forward passes.
        generator: randomness of the search.

    Raises:
        ValueError: a classifier without an encoder, fewer than one query.
    """
    if classifier.encoder is None:
        raise ValueError("the lattice attack needs a spiking code; use sa_pgd on an ANN")
    if queries < 1:
        raise ValueError(f"queries must be at least 1, got {queries!r}")
    check_images(images)
    low, high = (images - budget.eps).clamp(min=0), (images + budget.eps).clamp(max=1)
    values = lattice(classifier.encoder)
    first = torch.searchsorted(values, low)
    options = torch.searchsorted(values, high, right=True) - first  # per pixel; 0 where nothing but x itself is left
    best, score = images.clone(), _score(classifier, images, labels)
    for query in range(queries):
        share = max(0.5 * (1 - query / queries) ** 2, 1 / images[0].numel())
        chosen = (torch.rand(images.shape, generator=generator) < share) & (options > 0)
        pick = first + (torch.rand(images.shape, generator=generator) * options).long()
        candidate = torch.where(chosen, values[pick.clamp(max=len(values) - 1)], best)
        value = _score(classifier, candidate, labels)
        better = value >= score
        best[better], score[better] = candidate[better], value[better]
    return judged(classifier, best, images, labels, budget)


def lattice(code: Encoder) -> Tensor:
    """Intensities between which the spikes of a step code change: the multiples of 1/T, and a little to either side."""
    grid = torch.arange(code.num_steps + 1) / code.num_steps
    nudge = 1e-4
    values: Tensor = torch.unique(torch.cat([grid, grid - nudge, grid + nudge]).clamp(0, 1))
    return values


def _score(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """Margin at the exit in use, plus a hundredth of that of the potential: enough to order equal counts."""
    with torch.no_grad():
        logits, membrane = (value[classifier.exit_step - 1] for value in classifier.read(images))
        return margin(logits, labels) + 0.01 * torch.tanh(margin(membrane, labels))
