"""The lattice attack: a search without gradients among the finitely many intensities that a step code tells apart."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from snnlab.attacks.base import Attack, Rng
from snnlab.attacks.budget import Budget
from snnlab.attacks.goal import margin
from snnlab.attacks.registry import register_attack
from snnlab.attacks.result import uniform
from snnlab.attacks.spike_train import has_trains
from snnlab.encoding import Encoder
from snnlab.networks.classifier import Classifier

__all__ = ["LatticeSearch"]

FEW_PIXELS = 12  # of an image whose spike patterns may all be tried


@register_attack
@dataclass(frozen=True)
class LatticeSearch(Attack):
    """Search without gradients over the intensities that differ to a step code, judged by the margin and the potential.

    Every intensity at which a spike train begins or ends stands for its neighbours (``Encoder.levels``); a query changes a random
    share of the pixels (shrinking from a half to a few) to random ones inside the budget and is kept where it
    does not lower the margin. Spike counts plateau, so ties are broken by the read-out potential. Of a small image all spike
    patterns are tried, so that the answer is exact.

    Args:
        steps: queries, forward passes per image.
    """

    steps: int = 300

    name, white_box, on_trains = "lattice", False, True
    norms = ("Linf",)

    def suits(self, classifier: Classifier, norm: str = "Linf") -> bool:
        """Return whether the code has trains and is not stochastic."""
        return norm in self.norms and has_trains(classifier.encoder) and not classifier.stochastic

    def perturb(self, classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: Rng) -> Tensor:
        """Search, for a classifier behind a step code."""
        values = images.new_empty(0) if classifier.encoder is None else classifier.encoder.levels().to(images.device)
        if classifier.encoder is None or values.numel() == 0:
            raise ValueError("the lattice attack needs a code with spike trains to search among; use 'sa_pgd'")
        low, high = (images - budget.eps).clamp(min=0), (images + budget.eps).clamp(max=1)
        first = torch.searchsorted(values, low)
        options = torch.searchsorted(values, high, right=True) - first  # per pixel; 0 where nothing but x itself is left
        best, score = images.clone(), _score(classifier, images, labels)
        exact = torch.zeros_like(labels, dtype=torch.bool)
        for k in range(len(images) if images[0].numel() <= FEW_PIXELS else 0):
            patterns = _patterns(classifier.encoder, images[k], values, budget, self.steps)
            if patterns is not None:
                best[k] = patterns[_score(classifier, patterns, labels[k].expand(len(patterns))).argmax()]
                exact[k] = True
        for query in range(0 if exact.all() else self.steps):
            share = max(0.5 * (1 - query / self.steps) ** 2, 1 / images[0].numel())
            chosen = (uniform(images, generator) < share) & (options > 0)
            pick = first + (uniform(images, generator) * options).long()
            candidate = torch.where(chosen, values[pick.clamp(max=len(values) - 1)], best)
            value = _score(classifier, candidate, labels)
            better = (value >= score) & ~exact
            best[better], score[better] = candidate[better], value[better]
        return best


def _patterns(code: Encoder, image: Tensor, values: Tensor, budget: Budget, most: int) -> Tensor | None:
    """Return one image ``[C, H, W]`` for every spike pattern inside the budget; ``None`` if there are more than ``most``."""
    trains = code(values.view(-1, 1, 1, 1)).flatten(2).transpose(0, 1).flatten(1)  # [V, T·C']
    present = code(image.view(-1, 1, 1, 1)).flatten(2).transpose(0, 1).flatten(1)
    choices: list[list[float]] = []
    count = 1
    for pixel, train in zip(image.flatten(), present, strict=True):
        near = (values - pixel).abs() <= budget.eps
        distinct = {tuple(train.tolist()): float(pixel)}
        for value, other in zip(values[near], trains[near], strict=True):
            distinct.setdefault(tuple(other.tolist()), float(value))
        choices.append(list(distinct.values()))
        count *= len(distinct)
        if count > most:
            return None
    return torch.cartesian_prod(*(torch.tensor(c, device="cpu") for c in choices)).view(-1, *image.shape).to(image)


def _score(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """Return the margin at the exit in use, plus a hundredth of that of the potential, to order equal counts; misread is best."""
    with torch.no_grad():
        logits, membrane = (value[classifier.exit_step - 1] for value in classifier.read(images))
        wrong = classifier.answers(logits, membrane) != labels  # silence is, whatever its margin
        return margin(logits, labels) + 0.01 * torch.tanh(margin(membrane, labels)) + 1e6 * wrong
