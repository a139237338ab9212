"""The lattice attack: no gradient. Only finitely many values of a pixel differ to a step code; it searches among them."""

from __future__ import annotations

import torch
from torch import Tensor

from snnlab.attack.budget import Budget
from snnlab.attack.losses import margin
from snnlab.attack.result import AttackResult, judged
from snnlab.codetable import code_table
from snnlab.encoding import Encoder, Fusion, check_images
from snnlab.network import Classifier

__all__ = ["lattice", "lattice_attack"]

FEW_PIXELS = 12


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
    does not lower the margin. Spike counts plateau, so ties are broken by the read-out potential. An image of so few pixels
    that all its spike patterns can be asked is answered exactly.

    Args:
        classifier: behind a step code (its encoder decides the lattice).
        images: ``[N, C, H, W]`` in [0, 1].
        labels: ``[N]``.
        budget: what may be changed.
        queries: forward passes per image.
        generator: randomness of the search.

    Raises:
        ValueError: a classifier without an encoder, a budget in another norm than L∞, fewer than one query.
    """
    if classifier.encoder is None:
        raise ValueError("the lattice attack needs a spiking code; use sa_pgd on an ANN")
    if budget.norm != "Linf":
        raise ValueError(f"the lattice attack moves each pixel by itself, in a budget of L∞; got {budget}")
    if queries < 1:
        raise ValueError(f"queries must be at least 1, got {queries!r}")
    check_images(images)
    low, high = (images - budget.eps).clamp(min=0), (images + budget.eps).clamp(max=1)
    values = lattice(classifier.encoder)
    first = torch.searchsorted(values, low)
    options = torch.searchsorted(values, high, right=True) - first  # per pixel; 0 where nothing but x itself is left
    best, score = images.clone(), _score(classifier, images, labels)
    exact = torch.zeros(len(images), dtype=torch.bool)
    if images[0].numel() <= FEW_PIXELS:
        for k in range(len(images)):
            patterns = _patterns(classifier.encoder, images[k], values, budget, queries)
            if patterns is not None:
                best[k] = patterns[_score(classifier, patterns, labels[k].expand(len(patterns))).argmax()]
                exact[k] = True
    for query in range(0 if exact.all() else queries):
        share = max(0.5 * (1 - query / queries) ** 2, 1 / images[0].numel())
        chosen = (torch.rand(images.shape, generator=generator) < share) & (options > 0)
        pick = first + (torch.rand(images.shape, generator=generator) * options).long()
        candidate = torch.where(chosen, values[pick.clamp(max=len(values) - 1)], best)
        value = _score(classifier, candidate, labels)
        better = (value >= score) & ~exact
        best[better], score[better] = candidate[better], value[better]
    return judged(classifier, best, images, labels, budget)


def _patterns(code: Encoder, image: Tensor, values: Tensor, budget: Budget, most: int) -> Tensor | None:
    """One image ``[C, H, W]`` for every spike pattern inside the budget; ``None`` if there are more than ``most``."""
    trains = code(values.view(-1, 1, 1, 1)).flatten(2).transpose(0, 1).flatten(1)  # [V, T·C']
    own = code(image.view(-1, 1, 1, 1)).flatten(2).transpose(0, 1).flatten(1)
    choices: list[list[float]] = []
    count = 1
    for pixel, train in zip(image.flatten(), own, strict=True):
        near = (values - pixel).abs() <= budget.eps
        distinct = {tuple(train.tolist()): float(pixel)}
        for value, other in zip(values[near], trains[near], strict=True):
            distinct.setdefault(tuple(other.tolist()), float(value))
        choices.append(list(distinct.values()))
        count *= len(distinct)
        if count > most:
            return None
    return torch.cartesian_prod(*(torch.tensor(c) for c in choices)).view(-1, *image.shape).to(image)


def lattice(code: Encoder) -> Tensor:
    """Return the intensities at which the train of a code's step parts begins or ends, rising (``snnlab.codetable``).

    Raises:
        ValueError: a code no part of which is a step function of each pixel.

    >>> from snnlab import encoder
    >>> lattice(encoder("binary")).tolist()
    [0.0, 0.4999999701976776, 0.5, 1.0]
    """
    parts = code.parts if isinstance(code, Fusion) else (code,)
    tables = [table for table in map(code_table, parts) if table is not None]
    if not tables:
        raise ValueError(f"the code {code.title!r} has no spike trains to search among: it is analog or random")
    values: Tensor = torch.unique(torch.cat([ends for table in tables for ends in (table.lower, table.upper)]))
    return values


def _score(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """Margin at the exit in use, plus a hundredth of that of the potential, enough to order equal counts; misread is best."""
    with torch.no_grad():
        logits, membrane = (value[classifier.exit_step - 1] for value in classifier.read(images))
        wrong = classifier.answers(logits, membrane) != labels  # silence is, whatever its margin
        return margin(logits, labels) + 0.01 * torch.tanh(margin(membrane, labels)) + 1e6 * wrong
