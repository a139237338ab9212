r"""Flips: noise and attacks on the spikes themselves, confined to the steps ``t ≥ t0``.

Not the image is changed but the code's sequence, by turning single spikes on or off, at most ``b`` of a sample:

.. math:: s' ∈ \{0, 1\}^{T×…}, \qquad \lVert s' - s\rVert_0 \le b, \qquad s'[t] = s[t] \;\text{for}\; t < t_0

Nothing stands between the attack and the network: no code whose steps an intensity must cross, and every entry may change
without the others. ``snnlab.late`` measures what it costs at every exit.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from snnlab.attack import INFORMED, LOSSES, Attacker
from snnlab.data import check_labels
from snnlab.decoding import predictions
from snnlab.network import Classifier

__all__ = ["FlipBudget", "FlipResult", "check_from_step", "flip_attack", "flip_noise"]


@dataclass(frozen=True)
class FlipBudget:
    """How far an attack on spikes may go: at most ``flips`` entries of a sample (0 ↔ 1), none before ``from_step``.

    Args:
        flips: ``b`` per sample, at least 0.
        from_step: ``t0``, at least 0.

    >>> print(FlipBudget(20, from_step=4))
    20 flips from step 4
    """

    flips: int
    from_step: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.flips, bool) or not isinstance(self.flips, int) or self.flips < 0:
            raise ValueError(f"flips must be an integer of at least 0, got {self.flips!r}")

    def __str__(self) -> str:
        return f"{self.flips} flips from step {self.from_step}"

    def check(self, spikes: Tensor) -> None:
        """Raise ``ValueError`` unless ``spikes`` ``[T, N, …]`` are binary and have that many late entries."""
        if spikes.dim() < 3 or 0 in spikes.shape:
            raise ValueError(f"expected spikes [T, N, …], got shape {list(spikes.shape)}")
        if not bool(((spikes == 0) | (spikes == 1)).all()):
            raise ValueError(
                "only spikes of 0 and 1 can be flipped; an analog code (direct, phase) or a gate has other values"
            )
        check_from_step(self.from_step, len(spikes))
        entries = spikes[self.from_step :, 0].numel()
        if self.flips > entries:
            raise ValueError(
                f"cannot flip {self.flips} entries: from step {self.from_step} on, spikes of shape {list(spikes.shape)} "
                f"have {entries} a sample"
            )

    def verify(self, spikes: Tensor, reference: Tensor) -> None:
        """Raise ``ValueError`` unless ``spikes`` lie inside the budget around ``reference``."""
        if spikes.shape != reference.shape:
            raise ValueError(f"attacked spikes have shape {list(spikes.shape)}, the clean ones {list(reference.shape)}")
        self.check(spikes)
        changed = spikes != reference
        most = int(changed.transpose(0, 1).flatten(1).sum(1).max())
        if most > self.flips:
            raise ValueError(f"attack left its budget of {self}: flipped {most} entries of a sample")
        if changed[: self.from_step].any():
            raise ValueError(f"attack left its budget of {self}: flipped before that step")


@dataclass(frozen=True)
class FlipResult:
    """What an attack on spikes did.

    ``spikes`` inside the budget, ``[T, N, …]``; ``predictions`` at every exit ``[T, N]``; ``success`` per sample at the exit
    that was attacked; ``flipped``: entries changed, ``[N]``.
    """

    spikes: Tensor
    predictions: Tensor
    success: Tensor
    flipped: Tensor
    budget: FlipBudget

    def __str__(self) -> str:
        used = self.flipped.float().mean()
        return f"{self.budget}: {self.success.float().mean():.1%} wrong, {used:.1f} flips used on average"


def flip_noise(spikes: Tensor, from_step: int, flips: int, generator: torch.Generator | None = None) -> Tensor:
    """A copy in which exactly ``flips`` entries of each sample at ``t ≥ from_step`` are flipped, chosen at random.

    Shapes: ``[T, N, …]`` of 0 and 1 → the same.

    Raises:
        ValueError: spikes that are not binary, ``from_step`` out of range, more flips than late entries.

    >>> spikes = torch.zeros(4, 1, 3)
    >>> flip_noise(spikes, from_step=3, flips=3)[:, 0, 0]
    tensor([0., 0., 0., 1.])
    """
    budget = FlipBudget(flips, from_step)
    budget.check(spikes)
    late = _late(spikes, from_step)
    order = torch.rand(late.shape, generator=generator).topk(flips, dim=1).indices
    where = torch.zeros_like(late, dtype=torch.bool).scatter(1, order, True)
    noisy = _with_late(spikes, _flipped(late, where), from_step)
    budget.verify(noisy, spikes)
    return noisy


def flip_attack(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    from_step: int,
    flips: int,
    attacker: Attacker = INFORMED,
    *,
    steps: int = 20,
) -> FlipResult:
    r"""Flip the late spikes that count most, by the gradient and then by trying.

    To first order, flipping entry ``i`` raises the loss by :math:`(1 - 2 s_i)\,∂L/∂s_i`. Each round flips the entries of
    largest gain, back or forth; where the budget is spent, the flips that matter least are given up for it. A proposal is
    kept if the answer becomes wrong or the margin (with the potential, where counts tie) grows, and the gradient is taken
    anew. If not, half as many are tried; a single flip that does not help is not tried again until something else does.
    The attack sees the sequence that it changes, of a stochastic code this very draw.

    Args:
        classifier: attacked at its exit step.
        images: ``[N, C, H, W]`` in [0, 1]; their code must be binary.
        labels: true classes, ``[N]``.
        from_step: first step that may change, ``0 … T``.
        flips: at most this many entries of each sample.
        attacker: what the gradient of the network is.
        steps: rounds.

    Raises:
        ValueError: an ANN, a code that is not binary, a budget that does not fit, bad images, labels or steps.

    Source: the gain to first order as Ebrahimi et al. 2018 (HotFlip).
    """
    budget = FlipBudget(flips, from_step)
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps!r}")
    if labels.shape != images.shape[:1]:
        raise ValueError(f"expected labels [N] with N={len(images)}, got {list(labels.shape)}")
    with torch.no_grad():
        clean = classifier.encode(images)
        budget.check(clean)
        logits, _ = classifier.respond(clean)
    check_labels(labels, logits.shape[-1])
    spikes = clean
    if flips > 0 and classifier.exit_step > from_step:
        with attacker.view(classifier) as seen:
            spikes = _climb(seen, clean, labels, budget, steps)
    budget.verify(spikes, clean)
    with torch.no_grad():
        predicted = predictions(*classifier.respond(spikes))
    return FlipResult(
        spikes=spikes,
        predictions=predicted,
        success=predicted[classifier.exit_step - 1] != labels,
        flipped=(spikes != clean).transpose(0, 1).flatten(1).sum(1),
        budget=budget,
    )


def _climb(seen: Classifier, sequence: Tensor, labels: Tensor, budget: FlipBudget, steps: int) -> Tensor:
    """The search of ``flip_attack``; a sample that is answered wrongly is left as it is."""
    start = budget.from_step
    read = sequence[: seen.exit_step]  # what comes after the exit cannot matter
    clean = _late(read, start)
    flips = min(budget.flips, clean.shape[1])
    best = clean.clone()
    score, gain = _judge(seen, read, best, labels, start)
    size = torch.full(labels.shape, max(1, flips // 4))
    tried = torch.zeros_like(clean, dtype=torch.bool)
    for _ in range(steps):
        rows = torch.nonzero(score < torch.inf).flatten()
        if len(rows) == 0:
            break
        picked, proposal = _propose(best[rows], clean[rows], gain[rows], tried[rows], size[rows], flips)
        value, slope = _judge(seen, read[:, rows], proposal, labels[rows], start)
        up = value > score[rows]
        won, lost = rows[up], rows[~up]
        best[won], score[won], gain[won] = proposal[up], value[up], slope[up]
        tried[won] = False
        tried[lost] |= picked[~up] & (size[lost] == 1)[:, None]
        size[won] = (2 * size[won]).clamp(max=flips)
        size[lost] = (size[lost] // 2).clamp(min=1)
    return _with_late(sequence, best, start)


def _propose(current: Tensor, clean: Tensor, gain: Tensor, tried: Tensor, size: Tensor, flips: int) -> tuple[Tensor, Tensor]:
    """The ``size`` flips of largest gain, ``[n, M]``, and the late spikes after them and after giving up as many as needed."""
    picked = _largest(gain.masked_fill(tried, -torch.inf), size, positive=True)
    proposal = _flipped(current, picked)
    excess = (proposal != clean).sum(1) - flips
    spent = (current != clean) & ~picked
    given_up = _largest(gain.masked_fill(~spent, -torch.inf), excess.clamp(min=0))
    return picked, _flipped(proposal, given_up)


def _largest(values: Tensor, number: Tensor, positive: bool = False) -> Tensor:
    """Where the ``number[n]`` largest finite entries of each row are; ``positive``: no others, except the very largest."""
    top = values.topk(int(number.max()), dim=1)
    rank = torch.arange(top.values.shape[1], device=values.device)
    chosen = (rank < number[:, None]) & (top.values > -torch.inf)
    if positive:
        chosen &= (top.values > 0) | (rank == 0)
    return torch.zeros_like(values, dtype=torch.bool).scatter(1, top.indices, chosen)


def _judge(seen: Classifier, read: Tensor, late: Tensor, labels: Tensor, start: int) -> tuple[Tensor, Tensor]:
    """How near to wrong a sequence is, ``[N]`` (∞: wrong), and what flipping each late entry promises, ``[N, M]``."""
    leaf = late.clone().requires_grad_(True)
    logits, membrane = (value[-1] for value in seen.respond(_with_late(read, leaf, start)))
    margin = LOSSES["margin"]
    # Spike counts tie: the potential decides between equal margins, and is too small to do more.
    loss = margin(logits, labels) + 0.01 * torch.tanh(margin(membrane, labels))
    (slope,) = torch.autograd.grad(loss.sum(), leaf)
    wrong = predictions(logits, membrane) != labels
    return loss.detach().masked_fill(wrong, torch.inf), (1 - 2 * late) * slope


def _late(spikes: Tensor, start: int) -> Tensor:
    """All entries of each sample at ``t ≥ start`` in a row, ``[N, M]``."""
    return spikes[start:].transpose(0, 1).flatten(1)


def _with_late(spikes: Tensor, late: Tensor, start: int) -> Tensor:
    """``spikes`` with ``late`` ``[N, M]`` from ``start`` on, and unchanged after."""
    shape = (len(late), -1, *spikes.shape[2:])
    changed = late.view(shape).transpose(0, 1)
    return torch.cat([spikes[:start], changed, spikes[start + len(changed) :]])


def _flipped(spikes: Tensor, where: Tensor) -> Tensor:
    return torch.where(where, 1 - spikes, spikes)


def check_from_step(from_step: int, num_steps: int) -> None:
    """Raise ``ValueError`` unless ``from_step`` is an integer in ``0 … T``."""
    if isinstance(from_step, bool) or not isinstance(from_step, int) or not 0 <= from_step <= num_steps:
        raise ValueError(f"from_step must be an integer from 0 to T={num_steps} (T: nothing may change), got {from_step!r}")
