r"""The spike-train attack: a search among the spike trains that a budget can reach, not among intensities.

A step code gives a pixel finitely many trains inside a budget, those of the bins ``b`` of its table that meet
``[x - ε, x + ε]`` (``snnlab.codetable``). With the gradient ``g`` of the loss with respect to the *encoded sequence*, to first
order the loss changes by

.. math:: \Delta_b = \sum_t g[t]\,(s_b[t] - s[t])

when a pixel takes train ``s_b``: the score ``Σ_t g[t] s_b[t]`` of every reachable train is exact for the code, and no smooth
stand-in for its steps is needed. Where a code is a window (``latency``), a stand-in as wide as a bin mixes the gradients of
neighbouring steps, and attacks in image space stop too early (Athalye et al. 2018 for stand-ins in general).

One iteration: momentum ``m ← μ m + g / mean|g|``; a random share of the pixels takes its best train, from 70 % of them at the
start down to 2 %. The loss is that of the logits plus those of *soft* spikes ``σ(U - θ)``, which move where spike counts do
not. The network's surrogate is the adaptive one (Wang et al. 2025), its sharpness drawn anew for each sample.

An analog part of a fused code (``direct``, or the mean of ``poisson``) has the gradient ``g_x`` and is moved jointly: in bin
``b`` the pixel takes the end of ``bin ∩ [x - ε, x + ε]`` to which ``g_x`` points, and the score gains ``g_x x_b``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from math import ceil

import torch
from torch import Tensor

from snnlab.attack.aim import Aim, check_aim, is_wrong, of_rows, wrong_answers
from snnlab.attack.budget import Budget
from snnlab.attack.losses import LOSSES
from snnlab.attack.result import AttackResult, check_batch, judged
from snnlab.attack.sharpness import AdaptiveSharpness
from snnlab.codetable import CodeTable, code_table
from snnlab.decoding import logits_at_every_exit
from snnlab.encoding import Encoder, Fusion
from snnlab.network import Classifier
from snnlab.neuron import Surrogate
from snnlab.swapping import frozen_weights, surrogate_of

__all__ = ["TrainSearch", "goal_of", "has_trains", "share_at", "spike_train_attack"]

MOMENTUM = 0.75
SHARES = (0.7, 0.02)  # of the pixels that take their best train, at the first and at the last iteration
SHARPNESS = (0.4, 0.495)  # of the adaptive surrogate, drawn for each sample
SOFTNESS = 0.5  # slope of the soft spikes
NEAREST, FEWEST = 0.3, 64  # share of the survivors that a restart searches after a screening, and how many at least
SPARED = 0.05  # broken samples leave the batch together, when they are this share of it


def has_trains(code: Encoder | None) -> bool:
    """Whether a code has a part whose trains can be searched: a step function of each pixel."""
    if code is None:
        return False
    inner, _ = code.changeable()
    return any(code_table(part) is not None for _, part in _parts(inner))


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
    target: int | Tensor | None = None,
    start: Tensor | None = None,
    eot: int = 10,
    generator: torch.Generator | None = None,
) -> AttackResult:
    """Attack the spike trains of a step code (module docstring) and return images inside the budget.

    Args:
        classifier: behind a code with at least one part that is a step function of each pixel; attacked at its exit step.
        images: ``[N, C, H, W]`` in [0, 1].
        labels: true classes, ``[N]``.
        budget: in L∞, for every pixel is moved by itself.
        loss: a key of ``snnlab.attack.LOSSES``.
        steps: iterations of each restart.
        restarts: the first begins at ``start``, the others at random trains.
        screen: iterations of a first look at all samples, after which each restart searches the ``NEAREST`` share of the
            survivors alone (at least ``FEWEST``), those whose loss came closest; 0: every restart searches all.
        patience: after so many restarts in a row that break no sample the search ends; a first look counts as one. 0: never.
        surrogate: of the neurons; ``None``: the adaptive one.
        aim: ``None``, the exit in use; ``"all"``, every exit with one image; an ``ExitRule``, that dynamic exit.
        target: class that is to be answered, one or ``[N]``; ``None``: any wrong one.
        start: images to begin at, ``[N, C, H, W]``, projected on the budget; ``None``: the clean ones.
        eot: draws that are averaged where a part of the code is random.
        generator: randomness of shares, starts and sharpness.

    Raises:
        ValueError: a code without trains, another norm than L∞, unknown loss or aim, fewer than one step or restart, bad images.

    Source: the search is ours; adaptive surrogate Wang et al. 2025.
    """
    if loss not in LOSSES:
        raise ValueError(f"unknown loss {loss!r}; choose one of {', '.join(LOSSES)}")
    if steps < 1 or restarts < 1 or min(screen, patience) < 0:
        raise ValueError(
            "steps and restarts must be at least 1, screen and patience 0 or more, got "
            f"{steps!r}, {restarts!r}, {screen!r}, {patience!r}"
        )
    if budget.norm != "Linf":
        raise ValueError(f"the spike-train attack moves each pixel by itself, in a budget of L∞; got {budget}")
    if not has_trains(classifier.encoder):
        code = classifier.encoder
        raise ValueError(
            f"{'an ANN' if code is None else f'the code {code.title!r}'} is no step function of each pixel; use sa_pgd"
        )
    check_aim(classifier, aim)
    check_batch(classifier, images, labels)
    goal = _Goal(LOSSES[loss], labels, aim, _targets(target, labels))
    best = images.clone() if start is None else budget.project(start, images)
    best_loss = torch.full(labels.shape, -torch.inf)
    done = torch.zeros_like(labels, dtype=torch.bool)
    if not classifier.stochastic and goal.targets is None:
        done = is_wrong(classifier, best, labels, aim)
    lengths = ([screen] if screen else []) + [steps] * restarts
    fruitless = 0
    for number, length in enumerate(lengths):
        rows = torch.nonzero(~done).flatten()
        if screen and number:
            nearest = best_loss[rows].argsort(descending=True)[: max(FEWEST, ceil(NEAREST * len(rows)))]
            rows = rows[nearest].sort().values
        if len(rows) == 0 or (patience and fruitless == patience):
            break
        search = TrainSearch(of_rows(classifier, rows), images[rows], goal.of(rows), budget, eot, generator)
        found, score, reached = search.run(best[rows] if number == 0 else None, length, surrogate)
        better = reached | (score > best_loss[rows])
        best[rows[better]], best_loss[rows[better]] = found[better], score[better]
        done[rows] |= reached
        fruitless = 0 if reached.any() else fruitless + 1
    result = judged(classifier, best, images, labels, budget)
    return replace(result, success=goal.reached(classifier, result.logits, result.membrane))


@dataclass(frozen=True)
class _Goal:
    """What an attack raises, and when it has what it wants."""

    loss: Callable[[Tensor, Tensor], Tensor]
    labels: Tensor
    aim: Aim
    targets: Tensor | None

    def of(self, rows: Tensor) -> _Goal:
        """The goal for some samples of the batch."""
        return replace(self, labels=self.labels[rows], targets=None if self.targets is None else self.targets[rows])

    def value(self, logits: Tensor) -> Tensor:
        """The loss of each sample, mean over the exits of ``logits [T, N, K]``."""
        if self.targets is not None:
            return torch.stack([-self.loss(z, self.targets) for z in logits]).mean(0)
        return torch.stack([self.loss(z, self.labels) for z in logits]).mean(0)

    def reached(self, classifier: Classifier, logits: Tensor, membrane: Tensor) -> Tensor:
        """Who is where the attack wants it, ``[N]``."""
        if self.targets is not None:
            return ~wrong_answers(classifier, logits, membrane, self.targets, self.aim)
        return wrong_answers(classifier, logits, membrane, self.labels, self.aim)


def _targets(target: int | Tensor | None, labels: Tensor) -> Tensor | None:
    if target is None:
        return None
    return torch.as_tensor(target, dtype=labels.dtype).expand_as(labels).clone()


def _parts(code: Encoder, gate: float = 1.0) -> list[tuple[float, Encoder]]:
    """The parts of a fusion, nested ones too, with their gates; a code that is no fusion is its own only part."""
    if not isinstance(code, Fusion):
        return [(gate, code)]
    return [found for g, part in zip(code.gate, code.parts, strict=True) for found in _parts(part, gate * g)]


def goal_of(labels: Tensor) -> _Goal:
    """Any wrong class at the exit in use, by the cross-entropy."""
    return _Goal(LOSSES["cross_entropy"], labels, None, None)


def share_at(step: int, steps: int) -> float:
    """The share of the pixels that take their best train at an iteration."""
    first, last = SHARES
    return first * float((last / first) ** (step / max(1, steps - 1)))


class TrainSearch:
    """One restart on one batch: what every pixel can reach, and the train it has now.

    ``bins`` ``[N, P]`` is the bin of every pixel, ``values`` ``[N, P]`` its intensity in that bin. Samples that have reached
    the goal are left alone from then on.
    """

    def __init__(
        self,
        classifier: Classifier,
        images: Tensor,
        goal: _Goal,
        budget: Budget,
        eot: int,
        generator: torch.Generator | None,
    ) -> None:
        assert classifier.encoder is not None
        self.classifier, self.goal, self.generator = classifier, goal, generator
        self.eot = eot if classifier.stochastic else 1
        self.shape = images.shape[1:]
        code, self.from_step = classifier.encoder.changeable()
        self.parts = _parts(code)
        self.table = _joint_table(tuple(self.parts))
        self.stepped = [code_table(part) is not None for _, part in self.parts]
        self.read_steps = classifier.exit_step if goal.aim is None else classifier.num_steps
        self.low = (images - budget.eps).clamp(min=0).flatten(1)
        self.high = (images + budget.eps).clamp(max=1).flatten(1)
        self.clean = images.flatten(1)
        self.first, self.last = self.table.reachable(self.low, self.high)
        self.early = code(images, generator=classifier.generator)[: self.from_step]

    def run(self, start: Tensor | None, steps: int, surrogate: Surrogate | None) -> tuple[Tensor, Tensor, Tensor]:
        """Search and return the kept image of every sample, its loss, and whether it has reached the goal."""
        num = len(self.clean)
        adaptive = self.begin(start)
        kept, kept_loss = self.values.clone(), torch.full((num,), -torch.inf)
        reached = torch.zeros(num, dtype=torch.bool)
        left = torch.arange(num)
        used = adaptive if surrogate is None else surrogate
        momentum: Tensor | None = None
        with ExitStack() as stack:
            stack.enter_context(surrogate_of(self.classifier.network, used))
            stack.enter_context(frozen_weights(self.classifier.network))
            for step in range(steps + 1):
                value, wanted, gradient = self.look(used)
                better = (wanted | (value > kept_loss[left])) & ~reached[left]
                kept[left[better]], kept_loss[left[better]] = self.values[better], value[better]
                reached[left] |= wanted
                if step == steps or reached.all():
                    break
                momentum = self.gathered(momentum, gradient)
                if reached[left].float().mean() > SPARED:
                    rows = ~reached[left]
                    left, momentum = left[rows], momentum[:, rows]
                    self._keep(rows)
                    if isinstance(used, AdaptiveSharpness):
                        used.keep(rows)
                self.move(momentum, share_at(step, steps))
        return kept.view(num, *self.shape), kept_loss, reached

    def begin(self, start: Tensor | None) -> AdaptiveSharpness:
        """Take the trains of ``start``, or random ones, and return the adaptive surrogate, its sharpness drawn."""
        if start is None:
            span = (self.last - self.first + 1).to(self.clean.dtype)
            drawn = (torch.rand(span.shape, generator=self.generator) * span).long()
            self.bins = torch.minimum(self.first + drawn, self.last)
            everywhere = torch.arange(self.bins.numel())
            self.values = self._nearest(self.bins.view(-1), everywhere).view_as(self.clean)
        else:
            self.values = start.flatten(1).clone()
            self.bins = self.table.bins(self.values)
        trains = self.table.trains[:, : self.read_steps]  # [B, T, C']
        self.leaf = trains[self.bins].permute(2, 3, 0, 1).contiguous()  # [T, C', N, P]
        low, high = SHARPNESS
        return AdaptiveSharpness(low + (high - low) * torch.rand(len(self.clean), generator=self.generator))

    def _nearest(self, bins: Tensor, pixels: Tensor) -> Tensor:
        """The intensity nearest to the clean one in these bins, inside the budget, of pixels by their flat index."""
        clean, low, high = (values.view(-1).index_select(0, pixels) for values in (self.clean, self.low, self.high))
        lower, upper = torch.maximum(self.table.lower[bins], low), torch.minimum(self.table.upper[bins], high)
        return torch.minimum(torch.maximum(clean, lower), upper)

    def _keep(self, rows: Tensor) -> None:
        for name in ("low", "high", "clean", "first", "last", "bins", "values"):
            setattr(self, name, getattr(self, name)[rows])
        self.leaf = self.leaf[:, :, rows]
        self.early = self.early[:, rows]
        self.goal, self.classifier = self.goal.of(rows), of_rows(self.classifier, rows)

    def look(self, used: Surrogate) -> tuple[Tensor, Tensor, Tensor]:
        """Loss ``[N]``, who has reached the goal ``[N]``, and the gradient ``[R, N, P]``: a row for each step and channel of
        the trains, and a last one for the intensity where the code has analog parts.
        """
        leaf = self.leaf.detach().requires_grad_(True)
        intensity = self.values.view(-1, *self.shape).requires_grad_(not all(self.stepped))
        value, wanted = torch.zeros(len(self.clean)), torch.zeros(len(self.clean), dtype=torch.bool)
        for _ in range(self.eot):
            if isinstance(used, AdaptiveSharpness):
                used.begin()
            logits, membrane = self.classifier.respond(self._sequence(leaf, intensity))
            value = value + self._loss(logits, membrane) / self.eot
            if not self.classifier.stochastic:
                wanted = self.goal.reached(self.classifier, logits.detach(), membrane.detach())
        leaves = [leaf] if all(self.stepped) else [leaf, intensity]
        gradients = torch.autograd.grad(value.sum(), leaves)
        rows = [g.reshape(-1, *self.clean.shape) if g is gradients[0] else g.flatten(1)[None] for g in gradients]
        stacked = torch.cat(rows) if len(rows) > 1 else rows[0]
        size = torch.linalg.vector_norm(rows[0], ord=1, dim=2).sum(0).clamp(min=1e-20)
        return value.detach(), wanted, stacked.div_(size[:, None])

    def _sequence(self, leaf: Tensor, intensity: Tensor) -> Tensor:
        """The encoded sequence ``[T, N, C', H, W]`` of the trains and intensities."""
        blocks, channel = [], 0
        for (gate, part), stepped in zip(self.parts, self.stepped, strict=True):
            width = part.channel_factor
            if stepped:
                own = leaf[:, channel : channel + width].transpose(1, 2)  # [T, N, c, P]
                blocks.append(own.reshape(*own.shape[:2], -1, *self.shape[1:]))
                channel += width
            else:
                analog = part._encode(intensity, self.classifier.generator)[: self.read_steps]
                blocks.append(analog if gate == 1 else gate * analog)
        sequence = blocks[0] if len(blocks) == 1 else torch.cat(blocks, dim=2)
        if self.from_step:
            sequence = torch.cat([self.early[: self.read_steps], sequence[self.from_step :]])
        return sequence

    def _loss(self, logits: Tensor, membrane: Tensor) -> Tensor:
        """The loss of the read-out and its soft spikes together."""
        threshold = float(getattr(self.classifier.network, "threshold", 1.0))
        soft = logits_at_every_exit(
            torch.sigmoid(SOFTNESS * (membrane - threshold)), membrane, self.classifier.decoder, self.classifier.num_steps
        )
        if self.goal.aim is None:
            logits, soft = logits[-1:], soft[-1:]
        return self.goal.value(logits + soft)

    @staticmethod
    def gathered(momentum: Tensor | None, gradient: Tensor) -> Tensor:
        """``m ← μ m + g``; ``momentum`` is changed."""
        return gradient if momentum is None else momentum.mul_(MOMENTUM).add_(gradient)

    def move(self, momentum: Tensor, share: float) -> None:
        """Give a random share of the pixels their best train (and end of its bin)."""
        share = max(share, 1 / self.bins.shape[1])  # of few pixels, about one
        moved = torch.nonzero(torch.rand(self.bins.numel(), generator=self.generator) < share).flatten()
        if len(moved) == 0:
            return
        best, values, _ = self.best(momentum, moved)
        trains = self.table.trains[:, : self.read_steps].flatten(1)  # [B, T·C']
        self.bins.view(-1)[moved] = best
        self.values.view(-1)[moved] = values
        self.leaf.view(trains.shape[1], -1).index_copy_(1, moved, trains[best].T)

    def best(self, momentum: Tensor, moved: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The best bin of pixels by their flat index, their intensity in it, and what they gain over the present one."""
        trains = self.table.trains[:, : self.read_steps].flatten(1)  # [B, T·C']
        gradient = momentum.flatten(1).index_select(1, moved)
        scores = trains @ gradient[: trains.shape[1]]  # [B, M]
        first, last, low, high = (v.view(-1).index_select(0, moved) for v in (self.first, self.last, self.low, self.high))
        now = scores.gather(0, self.bins.view(-1)[moved][None])[0]
        bins = torch.arange(len(trains))[:, None]
        if not all(self.stepped):
            lower, upper = torch.maximum(low, self.table.lower[bins]), torch.minimum(high, self.table.upper[bins])
            ends = torch.where(gradient[-1] > 0, upper, lower)
            scores += gradient[-1] * ends
            now = now + gradient[-1] * self.values.view(-1)[moved]
        best_score, best = scores.masked_fill_((bins < first) | (bins > last), -torch.inf).max(0)
        values = self._nearest(best, moved) if all(self.stepped) else ends.gather(0, best[None])[0]
        return best, values, best_score - now


def _joint_table(parts: tuple[tuple[float, Encoder], ...]) -> CodeTable:
    """The table of all step parts side by side, gates included: one bin for every combination of their trains."""
    stepped = [(gate, part) for gate, part in parts if code_table(part) is not None]
    if len(stepped) == 1 and stepped[0][0] == 1:
        table = code_table(stepped[0][1])
    else:
        doubled = stepped if len(stepped) > 1 else stepped * 2
        code = Fusion(stepped[0][1].num_steps, parts=tuple(p for _, p in doubled), gate=tuple(g for g, _ in doubled))
        table = code_table(code)
        if table is not None and len(stepped) == 1:
            width = stepped[0][1].channel_factor
            table = replace(table, trains=table.trains[..., :width])
    assert table is not None  # each part has one
    return table
