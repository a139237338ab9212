r"""Retiming: attacks that move spikes in time, and add or remove none (*Spike-Retiming Attacks*, ICLR 2026).

An image attack changes intensities, and the code decides which spikes follow. Here the attacker sits behind the code, or on the
wire of an event camera: it delays spikes, or sends them earlier, within a budget on time (``snnlab.attacks.time_budget``).

============ ========================================================================================================
method       search
============ ========================================================================================================
``gradient`` with momentum ``m ← μ m + g / |g|`` on the gradient ``g`` with respect to the sequence, a random share of the
             neurons takes the trains of highest score ``Σ_t m[t] s'[t]`` that the budget leaves (``best_trains``), 70 % of
             them at the start, 2 % at the end. Loss, soft spikes, adaptive surrogate: those of ``snnlab.attacks.spike_train``
``search``   without gradients: a random share of the neurons takes random trains; kept where the margin does not fall
``noise``    a control: one random retiming that spends the budget
============ ========================================================================================================

Of a sample with few retimings both searches try all that are left, so that the answer is exact.

A spike's value may depend on its step (``phase``) or channel (a fusion's gate): it has the value of the step that it moves to.
Analog channels (``direct``) have no spikes and stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Literal

import torch
from torch import Tensor

from snnlab.attacks.goal import Aim, Goal, margin
from snnlab.attacks.result import Answered, check_counts, uniform
from snnlab.attacks.sharpness import AdaptiveSharpness
from snnlab.attacks.spike_train import MOMENTUM, SHARPNESS, SOFTNESS, share_at
from snnlab.attacks.time_budget import TimeBudget, best_trains, cost, every_train
from snnlab.data import check_labels
from snnlab.encoding import Encoder
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import freeze_weights, use_surrogate, with_gradients
from snnlab.networks.decoding import logits_at_every_exit

__all__ = ["METHODS", "Retimed", "retiming_attack", "spike_values"]

Method = Literal["gradient", "search", "noise"]
#: how a retiming is searched for
METHODS: tuple[Method, ...] = ("gradient", "search", "noise")
Rng = torch.Generator | None
FEW_NEURONS, FEW = 8, 4096  # of a sample of which all retimings are tried, and how many these are at most


@dataclass(frozen=True)
class Retimed(Answered):
    """Retimed spikes and the answers to them.

    Args:
        spikes: the sequence, ``[T, N, …]``, for ``classifier.respond``.
        logits: of the read-out at every exit, ``[T, N, K]``; so is ``membrane``.
        predictions: ``[T, N]``.
        wrong: per sample, whether the answer at the attacked exit is not the true class.
        shift, total, moved: what each sample spends, ``[N]``.
        budget: that the spikes are verified against.
    """

    spikes: Tensor
    logits: Tensor
    membrane: Tensor
    predictions: Tensor
    wrong: Tensor
    shift: Tensor
    total: Tensor
    moved: Tensor
    budget: TimeBudget

    def __str__(self) -> str:
        return (
            f"{self.budget}: {self.wrong.float().mean():.1%} wrong, {self.moved.float().mean():.1f} spikes moved by "
            f"{self.total.float().mean():.1f} steps in all"
        )


@with_gradients()
def retiming_attack(
    classifier: Classifier,
    spikes: Tensor,
    labels: Tensor,
    budget: TimeBudget | str,
    method: Method = "gradient",
    *,
    steps: int = 100,
    restarts: int = 1,
    loss: str = "cross_entropy",
    aim: Aim = None,
    generator: Rng = None,
) -> Retimed:
    """Move spikes in time so that a classifier answers wrongly, and verify the result against the budget.

    Args:
        classifier: attacked at its exit step. Spikes that move behind the exit are not read.
        spikes: ``[T, N, …]``: what ``classifier.encode(images)`` gives, or frames of events.
        labels: true classes, ``[N]``.
        budget: limit of the change, or its text such as ``"shift 2"``.
        method: a key of ``METHODS``.
        steps: iterations of the gradient, or queries.
        restarts: of the gradient; the first begins at the clean spikes, the others at random retimings.
        loss: a key of ``snnlab.attacks.LOSSES``.
        aim: as for ``sa_pgd_attack``: the exit in use, all exits at once, or a dynamic exit.
        generator: randomness of the attack.

    Raises:
        ValueError: an ANN, a sequence without spikes that could move, bad labels or steps, an unknown method, a result
            outside the budget.

    >>> from snnlab import data, zoo
    >>> model, digits = zoo.load("latency"), data.load("mnist5k").test[:20]
    >>> clean = model.encode(digits.images)
    >>> result = retiming_attack(model, clean, digits.labels, "shift 1", steps=10)
    >>> bool((result.spikes.sum(0) == clean.sum(0)).all()), int(result.shift.max())
    (True, 1)
    """
    budget = TimeBudget(budget) if isinstance(budget, str) else budget
    check_counts(steps=steps, restarts=restarts)
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; choose one of {', '.join(METHODS)}")
    if classifier.encoder is None:
        raise ValueError("an ANN has no spikes to move in time; give a classifier with an encoder")
    if spikes.dim() < 3 or 0 in spikes.shape or labels.shape != spikes.shape[1:2]:
        raise ValueError(f"expected spikes [T, N, …] and labels [N], got {list(spikes.shape)} and {list(labels.shape)}")
    with torch.no_grad():
        check_labels(labels, classifier.respond(spikes[:, :1])[0].shape[-1])
    goal = Goal.of(classifier, labels, loss, aim)
    values = spike_values(classifier.encoder, spikes)
    counts = _counts(spikes.detach(), values)
    best = counts.clone()
    score = torch.full(labels.shape, -torch.inf, device=labels.device)
    for restart in range(restarts if method == "gradient" else 1):
        rows = torch.nonzero(score < torch.inf).flatten()
        if len(rows) == 0:
            break
        search = _Search(classifier, spikes[:, rows].detach(), counts[:, rows], values, goal.subset(rows), budget, generator)
        found, value = search.run(method, steps, from_clean=restart == 0)
        better = value > score[rows]
        best[:, rows[better]], score[rows[better]] = found[:, better], value[better]
    budget.verify(best, counts)
    changed = _sequence(spikes.detach(), best, values)
    with torch.no_grad():
        logits, membrane = classifier.respond(changed)
    predicted = classifier.answers(logits, membrane)
    wrong = goal.reached(classifier, logits, membrane)
    return Retimed(changed, logits, membrane, predicted, wrong, budget=budget, **budget.amounts(best, counts))


def spike_values(code: Encoder, spikes: Tensor) -> Tensor:
    """Return the value of one spike at each step and channel of a sequence ``[T, N, C', …]``, ``[T, 1, C', 1 …]``; 0: analog.

    >>> from snnlab import encoder
    >>> spike_values(encoder("phase", num_steps=3), torch.zeros(3, 1, 1, 1, 1)).flatten()
    tensor([0.5000, 0.2500, 0.1250])
    """
    ones = spikes.new_ones(len(spikes), 1, spikes.shape[2], *[1] * (spikes.dim() - 3))
    leaves = code.leaves()
    width = sum(part.channel_factor for _, part in leaves)
    if spikes.shape[2] % width or len(spikes) != code.num_steps:
        return ones  # not of this code: each spike is worth 1
    columns = []
    for gate, part in leaves:
        table = part.table
        of_part = spikes.new_full((len(spikes),), float(part.stochastic or len(leaves) == 1))
        if table is not None:
            of_part = table.trains.to(spikes.device).abs().amax((0, 2)).to(spikes.dtype)
            of_part = torch.where(of_part == 0, of_part.amax(), of_part)
        columns.append((gate * of_part)[:, None].expand(-1, part.channel_factor * spikes.shape[2] // width))
    return torch.cat(columns, dim=1).view_as(ones)


def _counts(spikes: Tensor, values: Tensor) -> Tensor:
    """Return the numbers of spikes, 0 in analog channels; ``ValueError`` unless there are whole ones."""
    counts = torch.where(values > 0, spikes / torch.where(values > 0, values, 1), 0)
    whole = counts.round()
    if (counts - whole).abs().max() > 1e-3 or whole.min() < 0:
        raise ValueError("only spikes can move in time: whole numbers of at least 0; an analog code (direct) has none")
    if not whole.any():
        raise ValueError("this sequence has no spikes that could move in time")
    return whole


def _sequence(spikes: Tensor, counts: Tensor, values: Tensor) -> Tensor:
    return torch.where(values > 0, counts * values, spikes)


class _Search:
    """One restart on one batch. ``put`` ``[T, M]`` are the trains now of the M neurons whose spikes can move."""

    def __init__(
        self,
        classifier: Classifier,
        spikes: Tensor,
        counts: Tensor,
        values: Tensor,
        goal: Goal,
        budget: TimeBudget,
        generator: Rng,
    ) -> None:
        self.classifier, self.spikes, self.values = classifier, spikes, values
        self.goal, self.budget, self.generator = goal, budget, generator
        self.most = int(counts.max())
        self.worth = values.expand(-1, 1, *spikes.shape[2:]).flatten(1)  # [T, P]
        flat = counts.flatten(2)
        number = flat.sum(0)
        self.sample, self.neuron = torch.nonzero((number > 0) & (number < self.most * len(flat)), as_tuple=True)
        self.clean = flat[:, self.sample, self.neuron]
        self.counts, self.put = flat.clone(), self.clean.clone()

    def run(self, method: Method, steps: int, from_clean: bool = True) -> tuple[Tensor, Tensor]:
        """Return the best trains ``[T, N, …]`` and their scores ``[N]``, ∞ where the goal is reached."""
        everyone = torch.ones_like(self.sample, dtype=torch.bool)
        shape = self.spikes.shape
        if method == "noise":
            self._move(everyone, uniform(self.clean, self.generator))
            return self.counts.view(shape), self._score(self.counts)
        if not from_clean:
            self._move(everyone, uniform(self.clean, self.generator))
        best, score = (self._climb if method == "gradient" else self._query)(steps)
        for k in torch.nonzero(score < torch.inf).flatten().tolist():
            if (tried := self._all(k)) is not None:
                values = self._score(tried, torch.full((tried.shape[1],), k, device=tried.device))
                best[:, k], score[k] = tried[:, values.argmax()], values.max()
        return best.view(shape), score

    def _all(self, k: int) -> Tensor | None:
        """Return every retiming of a sample, ``[T, R, P]``; ``None`` if there are many."""
        mine = torch.nonzero(self.sample == k).flatten()
        if len(mine) > FEW_NEURONS:
            return None
        columns = [every_train(tuple(train.int().tolist()), self.budget, self.most) for train in self.clean[:, mine].T]
        if prod(map(len, columns)) > FEW:
            return None
        put = torch.tensor(list(product(*columns)), device=self.clean.device, dtype=self.clean.dtype)  # [R, M, T]
        tried = self.counts[:, k : k + 1].repeat(1, len(put), 1)
        tried[:, :, self.neuron[mine]] = put.movedim(2, 0)
        before = self.counts[:, k : k + 1].clone()
        before[:, 0, self.neuron[mine]] = self.clean[:, mine]
        amounts = self.budget.amounts(tried, before.expand_as(tried))
        return tried[:, torch.stack([amounts[name] <= limit for name, limit in self.budget.limits.items()]).all(0)]

    def _climb(self, steps: int) -> tuple[Tensor, Tensor]:
        """Follow the gradient."""
        num = self.counts.shape[1]
        low, high = SHARPNESS
        used = AdaptiveSharpness(low + (high - low) * uniform(self.worth.new_zeros(num), self.generator))
        best, score = self.counts.clone(), self.worth.new_full((num,), -torch.inf)
        momentum = torch.zeros_like(self.counts)
        with use_surrogate(self.classifier.network, used), freeze_weights(self.classifier.network):
            for step in range(steps + 1):
                value, gradient = self._look(used)
                better = value > score
                best[:, better], score[better] = self.counts[:, better], value[better]
                if step == steps or (score == torch.inf).all():
                    break
                momentum = MOMENTUM * momentum + gradient
                live = (score < torch.inf)[self.sample]
                share = max(share_at(step, steps), 1 / self.counts.shape[2])  # of few neurons, about one
                chosen = live & (uniform(self.worth.new_zeros(len(self.sample)), self.generator) < share)
                self._move(chosen, momentum[:, self.sample, self.neuron] * self.worth[:, self.neuron])
        return best, score

    def _query(self, steps: int) -> tuple[Tensor, Tensor]:
        """Try random trains, and keep what does not lower the margin."""
        score = self._score(self.counts)
        for query in range(steps):
            if (score == torch.inf).all():
                break
            share = max(0.5 * (1 - query / steps) ** 2, 1 / self.counts.shape[2])
            live = (score < torch.inf)[self.sample]
            chosen = live & (uniform(self.worth.new_zeros(len(self.sample)), self.generator) < share)
            before, trains = self.counts.clone(), self.put.clone()
            self._move(chosen, uniform(self.clean, self.generator))
            value = self._score(self.counts)
            worse = value < score
            self.counts[:, worse] = before[:, worse]
            self.put = torch.where(worse[self.sample], trains, self.put)
            score = torch.maximum(value, score)
        return self.counts, score

    def _move(self, chosen: Tensor, scores: Tensor) -> None:
        """Give chosen neurons the best trains that the others leave them."""
        if not chosen.any():
            return
        left = {}
        for name in ("total", "moved"):
            if (limit := getattr(self.budget, name)) is not None:
                spent = cost(name, self.put[:, ~chosen], self.clean[:, ~chosen])
                whole = self.worth.new_full((self.counts.shape[1],), float(limit))
                left[name] = whole.index_add_(0, self.sample[~chosen], -spent)
        sample, neuron = self.sample[chosen], self.neuron[chosen]
        put = best_trains(scores[:, chosen], self.clean[:, chosen], self.budget, sample, left, self.most)
        self.put[:, chosen] = put
        self.counts[:, sample, neuron] = put

    def _read(self, counts: Tensor, rows: Tensor | slice = slice(None)) -> Tensor:
        """Return the sequence that is read of trains ``[T, R, P]`` of these samples."""
        clean = self.spikes[:, rows]
        steps = self.classifier.exit_step if self.goal.aim is None else self.classifier.num_steps
        return _sequence(clean, counts.view_as(clean), self.values)[:steps]

    @torch.no_grad()
    def _score(self, counts: Tensor, rows: Tensor | slice = slice(None)) -> Tensor:
        """Return the margin of trains ``[T, R, P]`` of these samples, ∞ where the goal is reached."""
        logits, membrane = self.classifier.respond(self._read(counts, rows))
        goal = self.goal.subset(rows)  # type: ignore[arg-type]
        # Spike counts tie: the potential decides between equal margins, and is too small to do more.
        value = margin(logits[-1], goal.labels) + 0.01 * torch.tanh(margin(membrane[-1], goal.labels))
        return value.masked_fill(goal.reached(self.classifier, logits, membrane), torch.inf)

    def _look(self, used: AdaptiveSharpness) -> tuple[Tensor, Tensor]:
        """Return the loss of the trains now ``[N]``, ∞ where the goal is reached, and its gradient ``[T, N, P]``."""
        classifier, goal = self.classifier, self.goal
        used.begin()
        sequence = self._read(self.counts).requires_grad_(True)
        logits, membrane = classifier.respond(sequence)
        soft = torch.sigmoid(SOFTNESS * (membrane - float(getattr(classifier.network, "threshold", 1.0))))
        total = logits + logits_at_every_exit(soft, membrane, classifier.decoder, classifier.num_steps)
        loss = goal.value(total[-1:] if goal.aim is None else total)
        (gradient,) = torch.autograd.grad(loss.sum(), sequence)
        whole = torch.zeros_like(self.counts)
        whole[: len(sequence)] = gradient.flatten(2)
        size = whole.abs().sum((0, 2), keepdim=True).clamp(min=1e-20)
        reached = goal.reached(classifier, logits.detach(), membrane.detach())
        return loss.detach().masked_fill(reached, torch.inf), whole / size
