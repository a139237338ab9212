r"""The spike-train attack: a search among the spike trains that a budget can reach, not among intensities.

A step code gives a pixel finitely many trains inside a budget, those of the bins ``b`` of its table that meet
``[x - ε, x + ε]`` (``snnlab.encoding.table``). With the gradient ``g`` of the loss with respect to the *encoded
sequence*, to first order the loss changes by

.. math:: \Delta_b = \sum_t g[t]\,(s_b[t] - s[t])

when a pixel takes train ``s_b``. This score is exact for the code, and needs no smooth approximation of its steps (Athalye et
al. 2018).

One iteration: momentum ``m ← μ m + g / mean|g|``; a random share of the pixels takes its best train, from 70 % of them at the
start down to 2 %. The loss is that of the logits plus those of *soft* spikes ``σ((U - θ)/2)``, which change where spike counts do
not. The surrogate is the adaptive one (Wang et al. 2025), its sharpness drawn for each sample.

An analog part of a fused code (``direct``, or the mean of ``poisson``) has the gradient ``g_x`` and is moved jointly: in bin
``b`` the pixel takes the end of ``bin ∩ [x - ε, x + ε]`` to which ``g_x`` points, and the score gains ``g_x x_b``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import torch
from torch import Tensor

from snnlab.attacks.attacker import ENSEMBLE, INFORMED, Attacker
from snnlab.attacks.base import Attack, Rng
from snnlab.attacks.budget import Budget
from snnlab.attacks.goal import Aim, Goal
from snnlab.attacks.peers import PEERS
from snnlab.attacks.registry import register_attack
from snnlab.attacks.result import AttackResult, check_batch, check_counts, judged, targets_of, uniform
from snnlab.attacks.sharpness import AdaptiveSharpness
from snnlab.attacks.time_restricted import TimeRestricted
from snnlab.encoding import Encoder
from snnlab.encoding.table import side_by_side
from snnlab.networks.adapters import as_batch
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import freeze_weights, use_surrogate, with_gradients
from snnlab.networks.decoding import logits_at_every_exit
from snnlab.networks.surrogate import Surrogate

__all__ = ["SpikeTrain", "TrainSearch", "has_trains", "share_at", "spike_train_attack"]

MOMENTUM = 0.75
SHARES = (0.7, 0.02)  # of the pixels that take their best train, at the first and at the last iteration
SHARPNESS = (0.4, 0.495)  # of the adaptive surrogate, drawn for each sample
SOFTNESS = 0.5  # slope of the soft spikes
NEAREST, FEWEST = 0.3, 64  # share of the survivors that a restart searches after a screening, and how many at least
SPARED = 0.05  # broken samples leave the batch together, when they are this share of it


def has_trains(code: Encoder | None) -> bool:
    """Return whether a part of a code is a step function of each pixel, so that its trains can be searched."""
    return code is not None and any(part.table is not None for _, part in code.leaves())


@with_gradients()
def spike_train_attack(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    budget: Budget,
    *,
    loss: str = "cross_entropy",
    steps: int = 100,
    restarts: int = 1,
    screen: int = 0,
    patience: int = 0,
    surrogate: Surrogate | None = None,
    aim: Aim = None,
    target: Tensor | int | None = None,
    start: Tensor | None = None,
    eot: int = 10,
    generator: Rng = None,
) -> AttackResult:
    """Attack the spike trains of a step code (module docstring) and return images inside the budget.

    Args:
        classifier: attacked at its exit step; its code must have trains (``has_trains``).
        images: ``[N, C, H, W]`` in [0, 1].
        labels: true classes, ``[N]``.
        budget: in L∞.
        loss: a key of ``snnlab.attacks.LOSSES``.
        steps: iterations of each restart.
        restarts: the first begins at ``start``, the others at random trains.
        screen: iterations of a first look at all samples, after which each restart searches only the ``NEAREST`` share of the
            survivors (at least ``FEWEST``) of highest loss; 0: every restart searches all.
        patience: restarts (and first look) in a row that break no sample, after which the search ends; 0: never.
        surrogate: of the neurons; ``None``: the adaptive one.
        aim: as for ``sa_pgd_attack``.
        target: as for ``snnlab.attacks.attack``.
        start: images to begin at, ``[N, C, H, W]``, projected on the budget; ``None``: the clean ones.
        eot: draws that are averaged where a part of the code is random.
        generator: randomness of shares, starts and sharpness.

    Raises:
        ValueError: a code without trains, another norm than L∞, unknown loss or aim, fewer than one step or restart, bad images.

    Source: ours; adaptive surrogate Wang et al. 2025.
    """
    images, labels = as_batch(classifier, images, labels)
    check_counts(steps=steps, restarts=restarts)
    if budget.norm != "Linf":
        raise ValueError(f"the spike-train attack moves each pixel by itself, in a budget of L∞; got {budget}")
    if not has_trains(classifier.encoder):
        code = classifier.encoder
        raise ValueError(
            f"{'an ANN' if code is None else f'the code {code.title!r}'} is no step function of each pixel; use sa_pgd"
        )
    check_batch(classifier, images, labels)
    goal = Goal.of(classifier, labels, loss, aim, targets_of(classifier, images, labels, target))
    best = images.clone() if start is None else budget.project(start, images)
    best_loss = torch.full(labels.shape, -torch.inf, device=labels.device)
    done = torch.zeros_like(labels, dtype=torch.bool)
    if not classifier.stochastic:
        done = goal.reached_by(classifier, best)
    lengths = ([screen] if screen else []) + [steps] * restarts
    fruitless = 0
    for number, length in enumerate(lengths):
        rows = torch.nonzero(~done).flatten()
        if screen and number:
            nearest = best_loss[rows].argsort(descending=True)[: max(FEWEST, ceil(NEAREST * len(rows)))]
            rows = rows[nearest].sort().values
        if len(rows) == 0 or (patience and fruitless == patience):
            break
        search = TrainSearch(classifier, images[rows], goal.subset(rows), budget, eot, generator)
        candidate, score, reached = search.run(best[rows] if number == 0 else None, length, surrogate)
        better = reached | (score > best_loss[rows])
        best[rows[better]], best_loss[rows[better]] = candidate[better], score[better]
        done[rows] |= reached
        fruitless = 0 if reached.any() else fruitless + 1
    result = judged(classifier, best, images, labels, budget, target=goal.target)
    return replace(result, success=goal.reached(classifier, result.logits, result.membrane))


@register_attack
@dataclass(frozen=True)
class SpikeTrain(Attack):
    """The spike-train attack (``spike_train_attack``).

    Of an attacker it takes the surrogate if it is one of ``ENSEMBLE`` or ``PEERS``, else the adaptive one.
    """

    steps: int = 100
    loss: str = "cross_entropy"
    restarts: int = 1
    screen: int = 0
    patience: int = 0

    name, aims_at_exits, on_trains = "spike_train", True, True
    norms = ("Linf",)

    def suits(self, classifier: Classifier, norm: str = "Linf") -> bool:
        """Return whether the code has trains and images are not rounded to levels."""
        return norm in self.norms and has_trains(classifier.encoder) and classifier.levels is None

    def __call__(
        self,
        classifier: Classifier,
        images: Tensor,
        labels: Tensor,
        budget: Budget,
        attacker: Attacker = INFORMED,
        **options: Any,
    ) -> AttackResult:
        """Run ``spike_train_attack``."""
        surrogate = attacker.surrogate if attacker in (*ENSEMBLE, *PEERS.values()) else None
        return spike_train_attack(classifier, images, labels, budget, surrogate=surrogate, **self.settings(), **options)


def share_at(step: int, steps: int) -> float:
    """Return the share of the pixels that take their best train at one of ``steps`` iterations."""
    first, last = SHARES
    return first * float((last / first) ** (step / max(1, steps - 1)))


class TrainSearch:
    """One restart on one batch. ``bins`` ``[N, P]`` is the bin of every pixel, ``values`` ``[N, P]`` its intensity."""

    def __init__(self, classifier: Classifier, images: Tensor, goal: Goal, budget: Budget, eot: int, generator: Rng) -> None:
        assert classifier.encoder is not None
        self.classifier, self.goal, self.generator = classifier, goal, generator
        self.eot = eot if classifier.stochastic else 1
        self.shape = images.shape[1:]
        code = classifier.encoder
        self.from_step = classifier.from_step if isinstance(classifier, TimeRestricted) else 0
        self.parts = code.leaves()
        tables = [(gate, part.table) for gate, part in self.parts if part.table is not None]
        self.table = side_by_side([table for _, table in tables], [gate for gate, _ in tables]).to(images.device)
        self.stepped = [part.table is not None for _, part in self.parts]
        self.read_steps = classifier.exit_step if goal.aim is None else classifier.num_steps
        self.low = (images - budget.eps).clamp(min=0).flatten(1)
        self.high = (images + budget.eps).clamp(max=1).flatten(1)
        self.clean = images.flatten(1)
        self.first, self.last = self.table.reachable(self.low, self.high)
        self.trains = self.table.trains[:, : self.read_steps].flatten(1)  # [B, T·C']
        self.early = code(images, generator=classifier.generator)[: self.from_step]

    def run(
        self,
        start: Tensor | None,
        steps: int,
        surrogate: Surrogate | None,
        on_step: Callable[[Tensor, Tensor], bool] | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the best image of every sample, its loss, and whether it has reached the goal.

        Args:
            start: images to begin at; ``None``: random trains.
            steps: iterations.
            surrogate: of the neurons; ``None``: the adaptive one.
            on_step: called after each move with the intensities ``[N, P]`` and the gains that led to them (``gains``); true
                ends the search.
        """
        num = len(self.clean)
        adaptive = self.begin(start)
        used = surrogate or adaptive
        best, best_loss = self.values.clone(), self.values.new_full((num,), -torch.inf)
        reached = torch.zeros(num, dtype=torch.bool, device=best.device)
        rows = torch.arange(num, device=best.device)  # the samples of the batch that are still searched
        momentum: Tensor | None = None
        with use_surrogate(self.classifier.network, used), freeze_weights(self.classifier.network):
            for step in range(steps + 1):
                value, wanted, gradient = self.look(used)
                better = (wanted | (value > best_loss[rows])) & ~reached[rows]
                best[rows[better]], best_loss[rows[better]] = self.values[better], value[better]
                reached[rows] |= wanted
                if step == steps or reached.all():
                    break
                momentum = self.gathered(momentum, gradient)
                if reached[rows].float().mean() > SPARED:
                    part = ~reached[rows]
                    rows, momentum = rows[part], momentum[:, part]
                    self._keep(part)
                    if isinstance(used, AdaptiveSharpness):
                        used.keep(part)
                gains = None if on_step is None else self.gains(momentum)
                self.move(momentum, share_at(step, steps))
                if on_step is not None and gains is not None and on_step(self.values, gains):
                    break
        return best.view(num, *self.shape), best_loss, reached

    def begin(self, start: Tensor | None) -> AdaptiveSharpness:
        """Take the trains of ``start``, or random ones, and return the adaptive surrogate, its sharpness drawn."""
        if start is None:
            span = (self.last - self.first + 1).to(self.clean.dtype)
            drawn = (uniform(span, self.generator) * span).long()
            self.bins = torch.minimum(self.first + drawn, self.last)
            everywhere = torch.arange(self.bins.numel(), device=self.bins.device)
            self.values = self._nearest(self.bins.view(-1), everywhere).view_as(self.clean)
        else:
            self.values = start.flatten(1).clone()
            self.bins = self.table.bins(self.values)
        trains = self.table.trains[:, : self.read_steps]  # [B, T, C']
        self.leaf = trains[self.bins].permute(2, 3, 0, 1).contiguous()  # [T, C', N, P]
        low, high = SHARPNESS
        return AdaptiveSharpness(low + (high - low) * uniform(self.clean[:, 0], self.generator))

    def _nearest(self, bins: Tensor, pixels: Tensor) -> Tensor:
        """Return the intensity nearest to the clean one in these bins, inside the budget, of pixels by their flat index."""
        clean, low, high = (values.view(-1).index_select(0, pixels) for values in (self.clean, self.low, self.high))
        lower, upper = torch.maximum(self.table.lower[bins], low), torch.minimum(self.table.upper[bins], high)
        return torch.minimum(torch.maximum(clean, lower), upper)

    def _keep(self, rows: Tensor) -> None:
        for name in ("low", "high", "clean", "first", "last", "bins", "values"):
            setattr(self, name, getattr(self, name)[rows])
        self.leaf = self.leaf[:, :, rows]
        self.early = self.early[:, rows]
        self.goal = self.goal.subset(rows)

    def look(self, used: Surrogate) -> tuple[Tensor, Tensor, Tensor]:
        """Return the loss ``[N]``, which samples have reached the goal ``[N]``, and the gradient ``[R, N, P]``.

        Rows ``R``: each step and channel of the trains, and the intensity where the code has analog parts.
        """
        leaf = self.leaf.detach().requires_grad_(True)
        intensity = self.values.view(-1, *self.shape).requires_grad_(not all(self.stepped))
        value = self.clean.new_zeros(len(self.clean))
        wanted = torch.zeros_like(value, dtype=torch.bool)
        for _ in range(self.eot):
            if isinstance(used, AdaptiveSharpness):
                used.begin()
            logits, membrane = self.classifier.respond(self._sequence(leaf, intensity))
            value = value + self._loss(logits, membrane) / self.eot
            if not self.classifier.stochastic:
                wanted = self.goal.reached(self.classifier, logits.detach(), membrane.detach())
        leaves = [leaf] if all(self.stepped) else [leaf, intensity]
        rows = [g.reshape(-1, *self.clean.shape) for g in torch.autograd.grad(value.sum(), leaves)]
        size = torch.linalg.vector_norm(rows[0], ord=1, dim=2).sum(0).clamp(min=1e-20)
        return value.detach(), wanted, torch.cat(rows).div_(size[:, None])

    def _sequence(self, leaf: Tensor, intensity: Tensor) -> Tensor:
        blocks, channel = [], 0
        for (gate, part), stepped in zip(self.parts, self.stepped, strict=True):
            width = part.channel_factor
            if stepped:
                train = leaf[:, channel : channel + width].transpose(1, 2)  # [T, N, c, P]
                blocks.append(train.reshape(*train.shape[:2], -1, *self.shape[1:]))
                channel += width
            else:
                blocks.append(gate * part._encode(intensity, self.classifier.generator)[: self.read_steps])
        sequence = torch.cat(blocks, dim=2)
        return torch.cat([self.early[: self.read_steps], sequence[self.from_step :]]) if self.from_step else sequence

    def _loss(self, logits: Tensor, membrane: Tensor) -> Tensor:
        classifier = self.classifier
        soft = torch.sigmoid(SOFTNESS * (membrane - float(getattr(classifier.network, "threshold", 1.0))))
        total = logits + logits_at_every_exit(soft, membrane, classifier.decoder, classifier.num_steps)
        return self.goal.value(total[-1:] if self.goal.aim is None else total)

    @staticmethod
    def gathered(momentum: Tensor | None, gradient: Tensor) -> Tensor:
        """Return ``μ m + g``; ``momentum`` is changed."""
        return gradient if momentum is None else momentum.mul_(MOMENTUM).add_(gradient)

    def move(self, momentum: Tensor, share: float) -> None:
        """Give a random share of the pixels their best train (and end of its bin)."""
        share = max(share, 1 / self.bins.shape[1])  # of few pixels, about one
        moved = torch.nonzero(uniform(self.bins.view(-1), self.generator) < share).flatten()
        if len(moved) == 0:
            return
        best, values, _ = self.best(momentum, moved)
        self.bins.view(-1)[moved] = best
        self.values.view(-1)[moved] = values
        self.leaf.view(self.trains.shape[1], -1).index_copy_(1, moved, self.trains[best].T)

    def gains(self, momentum: Tensor) -> Tensor:
        """Return what each pixel's best train gains, with the sign of its change of intensity, ``[N, P]``."""
        _, values, gained = self.best(momentum, torch.arange(self.bins.numel(), device=self.bins.device))
        return (gained.clamp(min=0) * (values - self.values.view(-1)).sign()).view_as(self.values)

    def best(self, momentum: Tensor, moved: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the best bin of pixels by their flat index, their intensity in it, and what they gain over the present one."""
        gradient = momentum.flatten(1).index_select(1, moved)
        scores = self.trains @ gradient[: self.trains.shape[1]]  # [B, M]
        first, last, low, high = (v.view(-1).index_select(0, moved) for v in (self.first, self.last, self.low, self.high))
        now = scores.gather(0, self.bins.view(-1)[moved][None])[0]
        bins = torch.arange(len(self.trains), device=moved.device)[:, None]
        if not all(self.stepped):
            lower, upper = torch.maximum(low, self.table.lower[bins]), torch.minimum(high, self.table.upper[bins])
            ends = torch.where(gradient[-1] > 0, upper, lower)
            scores += gradient[-1] * ends
            now = now + gradient[-1] * self.values.view(-1)[moved]
        best_score, best = scores.masked_fill_((bins < first) | (bins > last), -torch.inf).max(0)
        values = self._nearest(best, moved) if all(self.stepped) else ends.gather(0, best[None])[0]
        return best, values, best_score - now
