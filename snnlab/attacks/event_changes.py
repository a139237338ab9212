r"""Attacks on a sequence of spikes: add some, remove some, both, or flip polarities; at most ``n`` of a sample.

.. math:: s' ∈ \{0, 1\}^{T×…}, \qquad \lVert s' - s\rVert_0 \le n

A classifier of events has no code, so no ε: the attacker sits between sensor and network. Spikes that move in time instead are
``snnlab.attacks.retiming``.

============ =========================================================================================
kind         one change
============ =========================================================================================
``add``      a spike where there was none
``remove``   a spike less
``change``   one of the two
``polarity`` a spike that goes from one polarity to the other, where the other had none (``[T, N, 2, …]``)
============ =========================================================================================

The search is that of ``snnlab.attacks.spike_flips``, among the changes of a kind, with several surrogates and random starts.

Source: Ebrahimi et al. 2018 (gains to first order); Büchel et al. 2022 and Marchisio et al. 2021 (attacks on events).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from snnlab.attacks.attacker import ENSEMBLE, INFORMED, Attacker
from snnlab.attacks.goal import margin
from snnlab.attacks.result import Answered, check_counts
from snnlab.attacks.spike_flips import greedy_changes, largest
from snnlab.data import check_labels
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import freeze_weights, with_gradients

__all__ = ["KINDS", "EventBudget", "EventResult", "event_attack", "event_noise"]

Kind = Literal["add", "remove", "change", "polarity"]
#: what a change may be
KINDS: tuple[Kind, ...] = ("add", "remove", "change", "polarity")
#: how the search differentiates, one after the other
ATTACKERS: tuple[Attacker, ...] = (INFORMED, ENSEMBLE[0])


@dataclass(frozen=True)
class EventBudget:
    """At most ``number`` changes of a kind in each sample.

    Args:
        number: of changes, at least 0.
        kind: one of ``KINDS``.

    Raises:
        ValueError: a negative number, an unknown kind.

    >>> str(EventBudget(20, "add"))
    'at most 20 spikes added'
    """

    number: int
    kind: Kind = "change"

    def __post_init__(self) -> None:
        if isinstance(self.number, bool) or not isinstance(self.number, int) or self.number < 0:
            raise ValueError(f"number must be an integer of at least 0, got {self.number!r}")
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind {self.kind!r}; choose one of {', '.join(KINDS)}")

    def __str__(self) -> str:
        done = {"add": "added", "remove": "removed", "change": "added or removed", "polarity": "of flipped polarity"}
        return f"at most {self.number} spikes {done[self.kind]}"

    def allowed(self, spikes: Tensor) -> Tensor:
        """Return which changes of clean spikes ``[T, N, …]`` are of this kind, ``[N, M]``; ``ValueError`` if they have none."""
        if spikes.dim() < 3 or 0 in spikes.shape or not bool(((spikes == 0) | (spikes == 1)).all()):
            raise ValueError(f"expected spikes [T, N, …] of 0 and 1, got shape {list(spikes.shape)}; clamp counts to 1")
        flat = spikes.transpose(0, 1)
        if self.kind == "polarity":
            if spikes.shape[2] != 2:
                raise ValueError(f"polarities are the channels of frames [T, N, 2, …], got {list(spikes.shape)}")
            return (flat[:, :, 0] != flat[:, :, 1]).flatten(1)
        if self.kind == "change":
            return torch.ones_like(flat, dtype=torch.bool).flatten(1)
        return (flat == (self.kind == "remove")).flatten(1)

    def changed(self, spikes: Tensor, where: Tensor) -> Tensor:
        """Return spikes ``[T, N, …]`` with the changes ``where`` ``[N, M]``."""
        shape = (len(where), len(spikes), 1 if self.kind == "polarity" else spikes.shape[2], *spikes.shape[3:])
        return torch.where(where.view(shape).transpose(0, 1), 1 - spikes, spikes)

    def verify(self, spikes: Tensor, clean: Tensor) -> Tensor:
        """Return how many changes each sample has, ``[N]``; ``ValueError`` if they are too many or of another kind."""
        other = (spikes != clean).transpose(0, 1)
        if self.kind == "polarity":
            if not torch.equal(other[:, :, 0], other[:, :, 1]) or not torch.equal(spikes.sum(2), clean.sum(2)):
                raise ValueError("attack left its budget: a spike was added or removed, not flipped")
            other = other[:, :, 0]
        where = other.flatten(1)
        number = where.sum(1)
        if (where & ~self.allowed(clean)).any() or int(number.max()) > self.number:
            raise ValueError(f"attack left its budget of {self}: {int(number.max())} changes in a sample")
        return number


@dataclass(frozen=True)
class EventResult(Answered):
    """Changed spikes, and what they do.

    Args:
        spikes: ``[T, N, …]``, for ``classifier.respond``.
        wrong: per sample, whether the answer at the attacked exit is not the true class.
        changes: made in each sample.
        budget: that the spikes are verified against.
    """

    spikes: Tensor
    wrong: Tensor
    changes: Tensor
    budget: EventBudget

    def __str__(self) -> str:
        return f"{self.budget}: {self.wrong.float().mean():.1%} wrong, {self.changes.float().mean():.1f} changes"


def event_noise(spikes: Tensor, budget: EventBudget, generator: torch.Generator | None = None) -> Tensor:
    """Return spikes ``[T, N, …]`` with random changes of a kind, as many as the budget allows: the control of every attack.

    >>> event_noise(torch.zeros(2, 1, 3), EventBudget(4, "add")).sum()
    tensor(4.)
    """
    return budget.changed(spikes, _random(budget.allowed(spikes), budget.number, generator))


@with_gradients()
def event_attack(
    classifier: Classifier,
    spikes: Tensor,
    labels: Tensor,
    budget: EventBudget,
    *,
    steps: int = 20,
    restarts: int = 1,
    attackers: Sequence[Attacker] = ATTACKERS,
    generator: torch.Generator | None = None,
) -> EventResult:
    """Change spikes so that a classifier answers wrongly, and verify the result against the budget.

    Args:
        classifier: attacked at its exit step.
        spikes: ``[T, N, …]`` of 0 and 1, as ``classifier.encode(images)`` gives them.
        labels: true classes, ``[N]``.
        budget: number and kind of the changes.
        steps: rounds of each search.
        restarts: for each attacker; the first goes on from the best changes so far, others begin at random ones.
        attackers: how the searches differentiate.
        generator: randomness of the restarts.

    Raises:
        ValueError: spikes that are not binary, bad labels or steps, an ANN, a result outside the budget.

    >>> from snnlab import data, zoo
    >>> model, digits = zoo.load("latency"), data.load("mnist5k").test[:20]
    >>> result = event_attack(model, model.encode(digits.images), digits.labels, EventBudget(10, "add"), steps=5)
    >>> result.accuracy < 0.9, int(result.changes.max()) <= 10
    (True, True)
    """
    check_counts(steps=steps, restarts=restarts)
    if classifier.encoder is None:
        raise ValueError("an ANN reads no spikes; give a classifier with an encoder, such as the code 'frames'")
    if labels.shape != spikes.shape[1:2]:
        raise ValueError(f"expected spikes [T, N, …] and labels [N], got {list(spikes.shape)} and {list(labels.shape)}")
    clean, allowed = spikes.detach(), budget.allowed(spikes)
    with torch.no_grad():
        logits, membrane = classifier.respond(clean)
        check_labels(labels, logits.shape[-1])
    last = classifier.exit_step - 1
    wrong = classifier.answers(logits, membrane)[last] != labels
    best = torch.zeros_like(allowed)
    score = margin(logits[last], labels).masked_fill(wrong, torch.inf)
    for attacker in attackers if budget.number else ():
        for restart in range(restarts):
            rows = torch.nonzero(score < torch.inf).flatten()
            if len(rows) == 0:
                break
            start = best[rows] if restart == 0 else _random(allowed[rows], budget.number, generator)
            with attacker.view(classifier) as view, freeze_weights(classifier.network):
                found, value = _search(view, clean[:, rows], labels[rows], allowed[rows], budget, start, steps)
            better = value > score[rows]
            best[rows[better]], score[rows[better]] = found[better], value[better]
    changed = budget.changed(clean, best)
    changes = budget.verify(changed, clean)
    with torch.no_grad():
        answers = classifier.answers(*classifier.respond(changed))
    return EventResult(changed, answers[last] != labels, changes, budget)


def _search(
    view: Classifier, clean: Tensor, labels: Tensor, allowed: Tensor, budget: EventBudget, start: Tensor, steps: int
) -> tuple[Tensor, Tensor]:
    """Return the best changes ``[N, M]``, and their scores ``[N]``: the margin, ∞ where the answer is wrong."""

    def judge(rows: Tensor, where: Tensor) -> tuple[Tensor, Tensor]:
        score, gain = _judge(view, budget, clean[:, rows], where, labels[rows])
        return score, gain.masked_fill(~allowed[rows], -torch.inf)

    return greedy_changes(judge, start, budget.number, steps)


def _judge(view: Classifier, budget: EventBudget, clean: Tensor, where: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the score of changes ``[N]``, and to first order what making or undoing each would add, ``[N, M]``."""
    spikes = budget.changed(clean, where).requires_grad_(True)
    last = view.exit_step - 1
    logits, membrane = (value[last] for value in view.respond(spikes))
    # Spike counts tie: the potential decides between equal margins, and is too small to do more.
    score = margin(logits, labels) + 0.01 * torch.tanh(margin(membrane, labels))
    (slope,) = torch.autograd.grad(score.sum(), spikes)
    gain = (1 - 2 * spikes.detach()) * slope
    if budget.kind == "polarity":
        gain = gain.sum(2)
    wrong = view.answers(logits.detach(), membrane.detach()) != labels
    return score.detach().masked_fill(wrong, torch.inf), gain.transpose(0, 1).flatten(1)


def _random(allowed: Tensor, number: int, generator: torch.Generator | None) -> Tensor:
    """Return random changes among those that are allowed, ``number`` of each sample or all that there are."""
    order = torch.rand(allowed.shape, generator=generator).masked_fill(~allowed, -torch.inf)
    return largest(order, torch.full((len(allowed),), min(number, allowed.shape[1])))
