r"""Attacks that adapt to spikes: losses, surrogates and optimisers that find what a fixed gradient misses.

Fixed surrogates and saturated losses starve an attacker of gradient, and networks look robust that are not (Wang et al.
2025; Croce & Hein 2020). Three answers, to be combined:

* ``LOSSES``: beside the cross-entropy, whose gradient vanishes where a spike count is confident, the margin and DLR.
* ``AdaptiveSharpness`` (ASSG, Wang et al. 2025): the surrogate's width follows each neuron's distance from threshold.
* ``sa_pgd``: PGD with momentum and a step scaled by the gradient's own second moment, restarts, best iterate kept.

And one that asks for no gradient at all: ``lattice_attack``. A step code maps an interval of intensities to the same
spikes, so only finitely many values of a pixel differ; it searches among them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from math import pi, tan

import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab.attack import INFORMED, Attacker, AttackResult, Budget, judged
from snnlab.encoding import Encoder, check_images
from snnlab.network import Classifier, surrogate_of
from snnlab.neuron import Surrogate

__all__ = ["LOSSES", "AdaptiveSharpness", "lattice_attack", "sa_pgd"]


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels, reduction="none")


def _margin(logits: Tensor, labels: Tensor) -> Tensor:
    true = logits.gather(1, labels[:, None]).squeeze(1)
    others = logits.scatter(1, labels[:, None], float("-inf"))
    return others.amax(1) - true


def _dlr(logits: Tensor, labels: Tensor) -> Tensor:
    ranked = logits.sort(dim=1, descending=True).values
    # Integer logits tie; without the constant the ratio would be 0/0 there.
    return _margin(logits, labels) / (ranked[:, 0] - ranked[:, min(2, logits.shape[1] - 1)] + 1e-6)


#: per-sample losses that an attack raises, ``(logits [N, K], labels [N]) -> [N]``:
#: cross-entropy; margin ``max_{k≠y} z_k - z_y``; DLR, the margin over ``z_(1) - z_(3)`` (scale-free)
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": _cross_entropy,
    "margin": _margin,
    "dlr": _dlr,
}


class AdaptiveSharpness(Surrogate):
    r"""Arctan surrogate whose slope follows the membrane, per neuron and step (ASSG, Wang et al. 2025).

    Over the iterations of an attack, with :math:`d = |U - θ|`:

    .. math::

        M ← β_1 M + (1-β_1) d, \quad D ← β_2 D + (1-β_2) |d - M|, \quad
        α = \frac{2}{π} \frac{\tan(aπ)}{M + 1.5 D + 10^{-4}}

    A neuron far from threshold gets a wide surrogate, one that hovers near it a sharp one. The first iteration has
    ``M = d``, ``D = 0``. An object holds the state of one attack on one batch; make a new one for the next.

    Args:
        a: sharpness, 0 < a < 1/2; the surrogate has fallen by ``1 + tan²(aπ)`` at distance ``M + 1.5 D``.
        beta1: rate of the mean distance.
        beta2: rate of its mean absolute deviation.
    """

    def __init__(self, a: float = 0.425, beta1: float = 0.9, beta2: float = 0.9) -> None:
        super().__init__("arctan", 2.0)
        if not 0 < a < 0.5:
            raise ValueError(f"a must lie between 0 and 1/2, got {a!r}")
        if not (0 <= beta1 < 1 and 0 <= beta2 < 1):
            raise ValueError(f"beta1 and beta2 must lie in [0, 1), got {beta1!r} and {beta2!r}")
        for name, value in (("a", a), ("beta1", beta1), ("beta2", beta2), ("state", {}), ("turn", [0])):
            object.__setattr__(self, name, value)  # Surrogate is frozen

    a: float
    beta1: float
    beta2: float
    state: dict[int, tuple[Tensor, Tensor]]
    turn: list[int]

    def keep(self, rows: Tensor) -> None:
        """Follow these samples of the batch alone from now on; ``rows`` as for indexing."""
        for layer, (mean, deviation) in self.state.items():
            self.state[layer] = mean[:, rows], deviation[:, rows]

    def begin(self) -> None:
        """A new iteration: the layers of the next backward pass are counted from the last one again."""
        self.turn[0] = 0

    def __call__(self, v: Tensor) -> Tensor:
        """``h(v)`` with the slope of each entry, and an update of its state."""
        layer = self.turn[0]
        self.turn[0] += 1
        distance = v.abs()
        mean, deviation = self.state.get(layer, (distance, torch.zeros_like(distance)))
        if mean.shape != v.shape:
            raise ValueError(
                f"this AdaptiveSharpness has followed {list(mean.shape)}, got {list(v.shape)}; make a new one for each "
                "attack, and call begin() before each iteration"
            )
        mean = self.beta1 * mean + (1 - self.beta1) * distance
        deviation = self.beta2 * deviation + (1 - self.beta2) * (distance - mean).abs()
        self.state[layer] = mean, deviation
        alpha = (2 / pi) * tan(self.a * pi) / (mean + 1.5 * deviation + 1e-4)
        return (alpha / 2) / (1 + (pi / 2 * alpha * v) ** 2)


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
    generator: torch.Generator | None = None,
) -> AttackResult:
    r"""SA-PGD: momentum, second-moment scaling and a shrinking step (Wang et al. 2025).

    .. math::

        m ← 0.5\,m + g / \overline{|g|}, \quad v ← 0.8\,v + g² / \overline{g²}, \quad
        x ← Π(x + \mathrm{clip}(η\,m/\sqrt v, -η, η))

    The step ``η`` starts at ε and is halved at checkpoints (after 22 % of the steps, each interval 3 % shorter, at
    least 6 %). Random start; of all iterates each sample keeps a misclassified one, else that of highest loss. Samples
    already broken are left alone from then on.

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
        generator: randomness of the starts.

    Raises:
        ValueError: unknown loss, fewer than one step or restart, bad images.
    """
    if loss not in LOSSES:
        raise ValueError(f"unknown loss {loss!r}; choose one of {', '.join(LOSSES)}")
    if steps < 1 or restarts < 1:
        raise ValueError(f"steps and restarts must be at least 1, got {steps!r} and {restarts!r}")
    check_images(images)
    best, best_loss, broken = images.clone(), torch.full(labels.shape, -torch.inf), _is_wrong(classifier, images, labels)
    for _ in range(restarts):
        rows = torch.nonzero(~broken).flatten()
        if len(rows) == 0:
            break
        x, y = images[rows], labels[rows]
        start = budget.project(x + budget.eps * (2 * torch.rand(x.shape, generator=generator) - 1), x)
        found, score, wrong = _climb(
            _of_rows(classifier, rows), x, y, start, budget, attacker, LOSSES[loss], steps, adaptive_surrogate
        )
        better = wrong | (score > best_loss[rows])
        best[rows[better]], best_loss[rows[better]] = found[better], score[better]
        broken[rows] |= wrong
    return judged(classifier, best, images, labels, budget)


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
        for step in range(steps + 1):
            leaf = current.detach().requires_grad_(True)
            logits, broken = _look(seen, classifier, leaf, y[standing])
            value = loss(logits, y[standing])
            better = broken | (value.detach() > kept_loss[standing])
            kept[standing[better]], kept_loss[standing[better]] = current[better], value.detach()[better]
            wrong[standing] = broken
            if step == steps or broken.all():
                break
            if sharpness is not None:
                sharpness.begin()
            (g,) = torch.autograd.grad(value.sum(), leaf)
            momentum = 0.5 * momentum + g / _mean(g.abs())
            second = 0.8 * second + g**2 / _mean(g**2)
            rate = rate / 2 if step in halvings else rate
            move = (rate * momentum / (second.sqrt() + 1e-12)).clamp(-rate, rate)
            current = budget.project(current + move, x[standing])
            if broken.any():
                rows = ~broken
                standing, current, momentum, second = standing[rows], current[rows], momentum[rows], second[rows]
                seen, classifier = _of_rows(seen, rows), _of_rows(classifier, rows)
                if sharpness is not None:
                    sharpness.keep(rows)
    return kept, kept_loss, wrong


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
        return _margin(logits, labels) + 0.01 * torch.tanh(_margin(membrane, labels))


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


def _of_rows(classifier: Classifier, rows: Tensor) -> Classifier:
    """The classifier for some samples of its batch: another only where its code knows the batch."""
    code = classifier.encoder
    if code is None or code.rows(rows) is code:
        return classifier
    return classifier.at(exit_step=classifier.exit_step, encoder=code.rows(rows), eot=classifier.eot)


def _look(seen: Classifier, classifier: Classifier, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Logits as the attacker differentiates them ``[N, K]``, and who is misclassified ``[N]``.

    A deterministic code needs one forward pass for both, since backward rules leave the forward pass alone.
    """
    if seen.stochastic:
        return seen(images), _is_wrong(classifier, images.detach(), labels)
    logits, membrane = seen.read(images, seen.exit_step)
    return logits[-1], seen.answers(logits[-1].detach(), membrane[-1].detach()) != labels


@torch.no_grad()
def _is_wrong(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    return classifier.predict(images)[classifier.exit_step - 1] != labels
