r"""Certificates: what no attacker inside a budget can do, the other side of every attack.

An attack finds that robust accuracy is *at most* ``U``. A certificate proves that it is *at least* ``L``:

.. math:: z_k(x') < z_y(x') \quad \text{for all classes } k ≠ y \text{ and all } x' \text{ with } ‖x' - x‖_∞ ≤ ε

An image is *proved* if interval bounds (``snnlab.networks.bounds``) show this, *refuted* if an image inside the budget is
misclassified, else *open*. The complete method splits an open image's set of reachable spike trains at the pixel whose range
matters most, and bounds both halves, until all are proved, one is refuted, or the time is over (branch and bound, Bunel et al.
2018).

Proofs hold for the network as it is computed, in float32: the rounding of each sum is added to the bounds. Sources: Gowal et al.
2019 (interval bounds), Liang et al. 2022 (spiking networks).
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor

from snnlab.attacks import Budget, attack
from snnlab.attacks.spike_train import has_trains
from snnlab.encoding import check_images
from snnlab.networks.bounds import UNIT, Range, Sequence, difference_bounds, input_bounds
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import evaluating
from snnlab.networks.decoding import check_exit_step

__all__ = ["Certificate", "certify"]

BATCH = 100  # images whose bounds are computed together
NODES = 32  # parts of one image that are split together
TOLERANCE = 2e-6  # what ``Budget.verify`` allows beyond ε, doubled


@dataclass(frozen=True)
class Certificate:
    """What is proved of some images.

    Args:
        budget: of the attacker, in L∞.
        exit_step: at which ``proved``, ``refuted`` and ``open`` are meant.
        differences: upper bound of ``z_k - z_y`` at every exit step, ``[T, N, K]``; 0 at the true class ``y``.
        closed: images that the complete method proved at ``exit_step``, ``[N]``.
        counterexamples: images inside the budget, misclassified where ``refuted``, ``[N, C, H, W]``.
        refuted: ``[N]``.
        seconds: time for all images.
    """

    budget: Budget
    exit_step: int
    differences: Tensor
    closed: Tensor
    counterexamples: Tensor
    refuted: Tensor
    seconds: float

    @property
    def proved(self) -> Tensor:
        """Which images no attacker can have misclassified, ``[N]``."""
        return self.proved_at_every_exit[self.exit_step - 1] | self.closed

    @property
    def proved_at_every_exit(self) -> Tensor:
        """Which images interval bounds prove at each exit step, ``[T, N]``."""
        return (self.differences < 0).sum(-1) == self.differences.shape[-1] - 1

    @property
    def open(self) -> Tensor:
        """Which images are neither proved nor refuted, ``[N]``."""
        return ~(self.proved | self.refuted)

    def __str__(self) -> str:
        counts = ", ".join(f"{int(getattr(self, kind).sum())} {kind}" for kind in ("proved", "refuted", "open"))
        return f"{self.budget} at exit step {self.exit_step}, n = {len(self.refuted)}: {counts}"


def certify(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    budget: Budget,
    *,
    exit_step: int | None = None,
    time_limit: float = 0.0,
    generator: torch.Generator | None = None,
) -> Certificate:
    """Prove for each image that no image inside the budget is misclassified, or say that it is open.

    Args:
        classifier: fully connected or convolutional network of ``snnlab.networks``, ANN or spiking, with a code that is direct,
            a step function of each pixel, or a fusion of such. Its decoder is any.
        images: ``[N, C, H, W]`` in [0, 1].
        labels: true classes, ``[N]``.
        budget: in L∞.
        exit_step: a fixed one; ``None``: the classifier's. Dynamic exits have no certificate: an image is safe under a rule
            where all exits that the rule can take are proved (``proved_at_every_exit``).
        time_limit: seconds for each image that intervals leave open, for an attack and the complete method; 0: intervals only.
        generator: randomness of the attack.

    Raises:
        ValueError: another norm than L∞, a random code, a network without a bound, bad images or labels.

    >>> from snnlab import data, zoo
    >>> digits = data.load("mnist5k").test[:20]
    >>> print(certify(zoo.load("onset"), digits.images, digits.labels, Budget(0.01)))
    L∞ 0.01 on [0, 1] at exit step 8, n = 20: 7 proved, 0 refuted, 13 open
    """
    if budget.norm != "Linf":
        raise ValueError(f"no bound known for {budget}: expected a budget in L∞")
    check_images(images)
    if labels.shape != images.shape[:1]:
        raise ValueError(f"expected one label for each of {len(images)} images, got shape {list(labels.shape)}")
    exit_step = check_exit_step(exit_step or classifier.exit_step, classifier.num_steps)
    started = perf_counter()
    with evaluating(classifier.network), torch.no_grad():
        bounds = [
            difference_bounds(classifier, input_bounds(classifier, reach(x, budget)), y, UNIT)
            for x, y in zip(torch.split(images, BATCH), torch.split(labels, BATCH), strict=True)
        ]
        differences = torch.cat(bounds, dim=1)
        wrong = classifier.predict(images)[exit_step - 1] != labels
    result = Certificate(budget, exit_step, differences, torch.zeros_like(wrong), images.clone(), wrong, 0.0)
    if time_limit and bool(result.open.any()):
        with evaluating(classifier.network):
            result = _completed(classifier.at(exit_step=exit_step), images, labels, result, time_limit, generator)
    return Certificate(**{**vars(result), "seconds": perf_counter() - started})


def reach(images: Tensor, budget: Budget) -> Range:
    """Return the ends of ``[x - ε, x + ε] ∩ [0, 1]``, with the tolerance of ``Budget.verify``, in float64."""
    x, eps = images.double(), budget.eps + TOLERANCE
    return Range((x - eps).clamp(min=0), (x + eps).clamp(max=1))


def _completed(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    result: Certificate,
    time_limit: float,
    generator: torch.Generator | None,
) -> Certificate:
    """Attack what is open, then branch and bound."""
    rows = torch.nonzero(result.open).flatten()
    method = "spike_train" if has_trains(classifier.encoder) else "sa_pgd"
    attacked = attack(classifier, images[rows], labels[rows], result.budget, method, generator=generator)
    examples, refuted, closed = result.counterexamples.clone(), result.refuted.clone(), result.closed.clone()
    examples[rows[attacked.success]] = attacked.images[attacked.success]
    refuted[rows[attacked.success]] = True
    for row in rows[~attacked.success].tolist():
        closed[row], found = branch_and_bound(classifier, images[row], labels[row], result.budget, time_limit)
        if found is not None:
            examples[row], refuted[row] = found, True
    return Certificate(result.budget, result.exit_step, result.differences, closed, examples, refuted, 0.0)


def branch_and_bound(
    classifier: Classifier, image: Tensor, label: Tensor, budget: Budget, time_limit: float
) -> tuple[bool, Tensor | None]:
    """Return whether an image ``[C, H, W]`` is proved at the classifier's exit, and a counterexample if one was met.

    Neither within the time limit: ``(False, None)``.
    """
    ends = reach(image.unsqueeze(0), budget)
    lows, highs = ends.low, ends.high
    levels = classifier.encoder.levels().double() if classifier.encoder is not None else torch.empty(0).double()
    started, e = perf_counter(), classifier.exit_step - 1
    while len(lows):
        if perf_counter() - started > time_limit:
            return False, None
        nodes = Range(lows[-NODES:], highs[-NODES:])
        lows, highs = lows[:-NODES], highs[:-NODES]
        own = label.expand(len(nodes.low))
        upper, influence = _influence(classifier, nodes, own, e)
        left = (upper >= 0).nonzero().flatten()
        if len(left) == 0:
            continue
        nodes, influence, own = Range(nodes.low[left], nodes.high[left]), influence[left], own[left]
        for candidate in (nodes.low, nodes.high, (nodes.low + nodes.high) / 2):
            tried = budget.project(candidate.float(), image.unsqueeze(0))
            wrong = (classifier.predict(tried)[e] != own).nonzero().flatten()
            if len(wrong):
                return False, tried[wrong[0]]
        below, above, splits = _split(nodes, influence, levels, analog=_is_analog(classifier))
        if not bool(splits.all()):  # one train is left, and rounding alone keeps it open
            return False, None
        order = upper[left].argsort()  # the most doubtful part last: it is split next
        lows = torch.cat([lows, torch.stack([below.low[order], above.low[order]], 1).flatten(0, 1)])
        highs = torch.cat([highs, torch.stack([below.high[order], above.high[order]], 1).flatten(0, 1)])
    return True, None


def _influence(classifier: Classifier, nodes: Range, labels: Tensor, e: int) -> tuple[Tensor, Tensor]:
    """Return the largest bound of a difference at exit ``e + 1``, ``[M]``, and what each pixel's range adds to it."""
    inputs = input_bounds(classifier, nodes)
    scale = torch.ones_like(inputs.values.low[0], requires_grad=True)

    def scaled(range_: Range) -> Range:
        centre, radius = (range_.low + range_.high) / 2, (range_.high - range_.low) / 2
        return Range(torch.minimum(range_.low, centre - scale * radius), torch.maximum(range_.high, centre + scale * radius))

    sequence = Sequence(lambda: scaled(inputs.values), lambda beta: scaled(inputs.filtered(beta)), inputs.precision)
    differences = difference_bounds(classifier, sequence, labels, UNIT)[e]
    upper = differences.scatter(1, labels.unsqueeze(1), -torch.inf).amax(1)
    (gradient,) = torch.autograd.grad(upper.sum(), scale)
    size = nodes.low.shape[1]
    return upper.detach(), gradient.view(len(gradient), -1, size, *gradient.shape[2:]).sum(1)


def _split(nodes: Range, influence: Tensor, levels: Tensor, *, analog: bool) -> tuple[Range, Range, Tensor]:
    """Split every node at its most influential pixel that can be split; the last value says for which nodes there is one."""
    low, high = nodes.low.flatten(1), nodes.high.flatten(1)
    first, last = (
        torch.searchsorted(levels, ends.contiguous(), right=right) for ends, right in ((low, False), (high, True))
    )
    inside = last - first > 1  # a level strictly apart from the other end
    width = high - low
    can = inside | (analog & (width > TOLERANCE))
    score = influence.flatten(1).clamp(min=0) + 1e-9 * width
    pixel = score.masked_fill(~can, -1.0).argmax(1, keepdim=True)
    middle = ((low + high) / 2).gather(1, pixel)
    if len(levels):
        index = ((first + last) // 2).gather(1, pixel).clamp(1, len(levels) - 1)
        at_level = inside.gather(1, pixel)
        below_end = torch.where(at_level, levels[index - 1], middle)
        above_end = torch.where(at_level, levels[index], middle)
    else:
        below_end = above_end = middle
    below = Range(low, high.scatter(1, pixel, below_end)).map(lambda x: x.view_as(nodes.low))
    above = Range(low.scatter(1, pixel, above_end), high).map(lambda x: x.view_as(nodes.low))
    return below, above, can.any(1)


def _is_analog(classifier: Classifier) -> bool:
    return classifier.encoder is None or any(part.table is None for _, part in classifier.encoder.leaves())
