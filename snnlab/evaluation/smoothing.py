r"""Certificates of random codes: the vote over draws can be moved only as far as the draws' distribution moves.

A smoothed classifier answers with the class that a network gives most often over fresh draws of its code. With ``p`` a lower
bound of the probability of this class (Clopper–Pearson over ``draws``), no image can change the vote while the total variation of
the two distributions of spike trains is below ``p - 1/2``. Spikes of ``x`` and ``x + δ`` drawn with common uniform numbers agree
with probability ``∏ (1 - |δ_i|)^T``, hence

.. math:: \mathrm{TV} \le 1 - \prod_i (1 - |δ_i|)^T \le T\,‖δ‖_1

and the vote of ``poisson`` is safe for ``‖δ‖_1 < (p - 1/2) / T``, and in L∞ for ``1 - (1 - ε)^{TD} < p - 1/2`` on ``D`` values:
tiny radii, because a black image that gets slightly brighter fires a spike that no black image fires. For Gaussian noise of
standard deviation ``σ``, the safe radius in L2 is ``σ Φ^{-1}(p) / \sqrt{T}``, and in L∞ a ``\sqrt{D}``-th of it.

All holds with probability ``1 - alpha`` for each image, over the draws. Sources: Mukhoty et al. 2024 (rate codes, L1), Cohen et
al. 2019 (Gaussian noise, the two rounds of draws), Clopper & Pearson 1934.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from scipy.stats import beta, norm
from torch import Tensor

from snnlab.encoding import Encoder
from snnlab.encoding.rate import GaussianNoise, Poisson
from snnlab.networks.classifier import Classifier

__all__ = ["SmoothedVote", "certify_vote", "lower_confidence", "total_variation_bound"]

BATCH = 500  # draws that are read together


@dataclass(frozen=True)
class SmoothedVote:
    """What is proved of a vote over draws.

    Args:
        classes: that get the vote, ``[N]``.
        right: whether this is the true class, ``[N]``.
        probability: lower bound of the class's probability, ``[N]``.
        norm: of ``radius``, ``"L1"`` or ``"L2"``.
        radius: no image closer than this changes the vote, ``[N]``; 0: the vote abstains.
        linf: the largest such radius in L∞, ``[N]``.
        draws: that the probability was estimated from.
        alpha: probability of a wrong bound, for each image.
    """

    classes: Tensor
    right: Tensor
    probability: Tensor
    norm: str
    radius: Tensor
    linf: Tensor
    draws: int
    alpha: float

    def proved(self, eps: float, norm: str = "Linf") -> Tensor:
        """Return whose vote is right and cannot be changed within ε, ``[N]``.

        Raises:
            ValueError: a norm in which there is no certificate.
        """
        if norm not in ("Linf", self.norm):
            raise ValueError(f"no bound known in {norm}: choose Linf or {self.norm}")
        return self.right & ((self.linf if norm == "Linf" else self.radius) > eps)


def certify_vote(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    draws: int = 1000,
    selection: int = 100,
    alpha: float = 0.001,
    generator: torch.Generator,
) -> SmoothedVote:
    """Prove how far the vote over draws of a random code can be trusted.

    Args:
        classifier: with the code ``poisson`` or ``gaussian``; read at its exit step.
        images: ``[N, C, H, W]`` in [0, 1].
        labels: true classes, ``[N]``.
        draws: for the probability of the class.
        selection: further draws, that choose the class.
        alpha: probability of a wrong bound, for each image.
        generator: randomness of the draws.

    Raises:
        ValueError: another code; fewer than one draw; alpha not between 0 and 1.

    >>> from snnlab import data, zoo
    >>> digits = data.load("mnist5k").test[:3]
    >>> options = {"draws": 100, "selection": 20, "generator": torch.Generator().manual_seed(0)}
    >>> vote = certify_vote(zoo.load("poisson"), digits.images, digits.labels, **options)
    >>> vote.norm, bool((vote.radius < 0.5 / 8).all())
    ('L1', True)
    """
    code = classifier.encoder
    if min(draws, selection) < 1 or not 0 < alpha < 1:
        raise ValueError(f"expected draws and 0 < alpha < 1, got draws={draws}, selection={selection}, alpha={alpha}")
    if not isinstance(code, Poisson | GaussianNoise):
        title = "none" if code is None else code.title
        raise ValueError(f"no certificate of the vote for the code {title!r}: expected poisson or gaussian")
    chosen, counted = (_votes(classifier, images, number, generator) for number in (selection, draws))
    classes = chosen.argmax(1)
    count = counted.gather(1, classes.unsqueeze(1)).squeeze(1)
    probability = lower_confidence(count, draws, alpha)
    radius, linf = _radii(code, probability, prod(images.shape[1:]))
    norm_title = "L1" if isinstance(code, Poisson) else "L2"
    return SmoothedVote(classes, classes == labels, probability, norm_title, radius, linf, draws, alpha)


def lower_confidence(count: Tensor, draws: int, alpha: float) -> Tensor:
    """Return the lower end of the one-sided Clopper–Pearson interval of a probability, from how often it came true.

    >>> round(float(lower_confidence(torch.tensor([100]), 100, 0.05)), 4)  # 0.05 ** (1 / 100)
    0.9705
    """
    hits = count.double().numpy()
    low = beta.ppf(alpha, hits, draws - hits + 1)
    return torch.from_numpy(low).nan_to_num(0.0)  # no hit: 0


def total_variation_bound(change: Tensor, num_steps: int) -> Tensor:
    """Return the upper bound of the total variation between Bernoulli trains of images that differ by ``change``, ``[N, …]``.

    >>> total_variation_bound(torch.tensor([[0.5, 0.0]]), 2)
    tensor([0.7500])
    """
    return 1 - (1 - change.abs()).flatten(1).prod(1) ** num_steps


@torch.no_grad()
def _votes(classifier: Classifier, images: Tensor, draws: int, generator: torch.Generator) -> Tensor:
    """Return how often each class is answered, ``[N, K]``; silence answers none."""
    voting = classifier.at(exit_step=classifier.exit_step)
    voting.generator = generator
    classes = voting(images[:1]).shape[-1]
    votes = torch.zeros(len(images), classes, dtype=torch.long)
    for row, image in enumerate(images):
        for start in range(0, draws, BATCH):
            repeated = image.expand(min(BATCH, draws - start), *image.shape)
            answers = voting.predict(repeated)[voting.exit_step - 1]
            votes[row] += torch.bincount(answers[answers >= 0], minlength=classes)
    return votes


def _radii(code: Encoder, probability: Tensor, values: int) -> tuple[Tensor, Tensor]:
    """Return the safe radius in the code's own norm, and in L∞."""
    room = (probability - 0.5).clamp(min=0)
    if isinstance(code, GaussianNoise):
        quantile = torch.from_numpy(norm.ppf(probability.numpy())).clamp(min=0)
        radius = code.sigma * quantile / code.num_steps**0.5
        return radius, radius / values**0.5
    return room / code.num_steps, 1 - (1 - room) ** (1 / (code.num_steps * values))
