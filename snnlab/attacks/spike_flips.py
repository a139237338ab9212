r"""Spike flips: noise and attacks that change at most ``b`` spikes of a sample, at steps ``t ≥ t0`` alone.

.. math:: s' ∈ \{0, 1\}^{T×…}, \qquad \lVert s' - s\rVert_0 \le b, \qquad s'[t] = s[t] \;\text{for}\; t < t_0

They do not act through the code. ``snnlab.evaluation.late`` measures the accuracy at every exit.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from snnlab.attacks.attacker import INFORMED, Attacker
from snnlab.attacks.goal import margin
from snnlab.attacks.result import check_counts
from snnlab.data import check_labels
from snnlab.networks.classifier import Classifier
from snnlab.networks.decoding import predictions

__all__ = ["check_from_step", "flip_attack", "flip_noise", "verify_flips"]


def flip_noise(spikes: Tensor, from_step: int, flips: int, generator: torch.Generator | None = None) -> Tensor:
    """Return a copy of spikes ``[T, N, …]`` with exactly ``flips`` random entries of each sample flipped at ``t ≥ from_step``.

    Raises:
        ValueError: spikes that are not binary, ``from_step`` out of range, more flips than late entries.

    >>> spikes = torch.zeros(4, 1, 3)
    >>> flip_noise(spikes, from_step=3, flips=3)[:, 0, 0]
    tensor([0., 0., 0., 1.])
    """
    _check(spikes, from_step, flips)
    late = _late(spikes, from_step)
    order = torch.rand(late.shape, generator=generator).topk(flips, dim=1).indices
    where = torch.zeros_like(late, dtype=torch.bool).scatter(1, order, True)
    return _with_late(spikes, _flipped(late, where), from_step)


def flip_attack(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    from_step: int,
    flips: int,
    attacker: Attacker = INFORMED,
    *,
    steps: int = 20,
) -> Tensor:
    r"""Flip the late spikes that count most, by the gradient and then by trying.

    To first order, flipping entry ``i`` raises the loss by :math:`(1 - 2 s_i)\,∂L/∂s_i`. Each round flips the entries of
    largest gain, and undoes earlier flips where the budget is spent. It is accepted if the answer becomes wrong or the margin
    (with the potential) grows; if not, half as many are tried, and a single flip that does not help is not tried again until
    another does. Of a stochastic code the attack knows the draw.

    Args:
        classifier: attacked at its exit step.
        images: ``[N, C, H, W]`` in [0, 1]; their code must be binary.
        labels: true classes, ``[N]``.
        from_step: first step that may change, ``0 … T``.
        flips: at most this many entries of each sample.
        attacker: how it differentiates.
        steps: rounds.

    Returns:
        Spikes ``[T, N, …]`` inside the budget, for ``classifier.respond``.

    Raises:
        ValueError: an ANN, a code that is not binary, a budget that does not fit, bad images, labels or steps.

    Source: the gain to first order as Ebrahimi et al. 2018 (HotFlip).
    """
    check_counts(steps=steps)
    if labels.shape != images.shape[:1]:
        raise ValueError(f"expected labels [N] with N={len(images)}, got {list(labels.shape)}")
    with torch.no_grad():
        clean = classifier.encode(images)
        _check(clean, from_step, flips)
        logits, _ = classifier.respond(clean)
    check_labels(labels, logits.shape[-1])
    if flips == 0 or classifier.exit_step <= from_step:
        return clean
    with attacker.view(classifier) as view:
        spikes = _search(view, clean, labels, from_step, flips, steps)
    verify_flips(spikes, clean, from_step, flips)
    return spikes


def _search(view: Classifier, sequence: Tensor, labels: Tensor, start: int, flips: int, steps: int) -> Tensor:
    read = sequence[: view.exit_step]  # what comes after the exit cannot matter
    clean = _late(read, start)

    def judge(rows: Tensor, flipped: Tensor) -> tuple[Tensor, Tensor]:
        return _judge(view, read[:, rows], _flipped(clean[rows], flipped), labels[rows], start)

    flipped, _ = greedy_changes(judge, torch.zeros_like(clean, dtype=torch.bool), min(flips, clean.shape[1]), steps)
    return _with_late(sequence, _flipped(clean, flipped), start)


def greedy_changes(
    judge: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]], start: Tensor, number: int, steps: int
) -> tuple[Tensor, Tensor]:
    """Return the changes of each sample that score highest, bool ``[N, M]``, and their scores ``[N]``: see ``flip_attack``.

    Args:
        judge: from the indices of ``n`` samples and their changes, bool ``[n, M]``, to their scores ``[n]`` (∞: nothing is left
            to search) and the gain of making or undoing each change to first order, ``[n, M]`` (-∞: not allowed).
        start: changes to begin with, bool ``[N, M]``, at most ``number`` of a sample.
        number: of changes in a sample, at least 1.
        steps: rounds.
    """
    best = start.clone()
    score, gain = judge(torch.arange(len(best)), best)
    size = torch.full((len(best),), max(1, number // 4))
    tried = torch.zeros_like(best)
    for _ in range(steps):
        rows = torch.nonzero(score < torch.inf).flatten()
        if len(rows) == 0:
            break
        current, promised = best[rows], gain[rows]
        picked = largest(promised.masked_fill(tried[rows], -torch.inf), size[rows], positive=True)
        proposal = current ^ picked
        excess = (proposal.sum(1) - number).clamp(min=0)
        proposal &= ~largest(promised.masked_fill(~(current & ~picked), -torch.inf), excess)
        value, slope = judge(rows, proposal)
        up = value > score[rows]
        won, lost = rows[up], rows[~up]
        best[won], score[won], gain[won] = proposal[up], value[up], slope[up]
        tried[won] = False
        tried[lost] |= picked[~up] & (size[lost] == 1)[:, None]
        size[won] = (2 * size[won]).clamp(max=number)
        size[lost] = (size[lost] // 2).clamp(min=1)
    return best, score


def largest(values: Tensor, number: Tensor, positive: bool = False) -> Tensor:
    """Return where the ``number[n]`` largest finite entries of each row are; ``positive``: no others, except the very largest."""
    top = values.topk(int(number.max()), dim=1)
    rank = torch.arange(top.values.shape[1], device=values.device)
    chosen = (rank < number[:, None]) & (top.values > -torch.inf)
    if positive:
        chosen &= (top.values > 0) | (rank == 0)
    return torch.zeros_like(values, dtype=torch.bool).scatter(1, top.indices, chosen)


def _judge(view: Classifier, read: Tensor, late: Tensor, labels: Tensor, start: int) -> tuple[Tensor, Tensor]:
    """Return the loss of a sequence ``[N]`` (∞: misclassified), and the gain of each late flip to first order, ``[N, M]``."""
    leaf = late.clone().requires_grad_(True)
    logits, membrane = (value[-1] for value in view.respond(_with_late(read, leaf, start)))
    # Spike counts tie: the potential decides between equal margins, and is too small to do more.
    loss = margin(logits, labels) + 0.01 * torch.tanh(margin(membrane, labels))
    (slope,) = torch.autograd.grad(loss.sum(), leaf)
    wrong = predictions(logits, membrane) != labels
    return loss.detach().masked_fill(wrong, torch.inf), (1 - 2 * late) * slope


def _late(spikes: Tensor, start: int) -> Tensor:
    """Return all entries of each sample at ``t ≥ start`` in a row, ``[N, M]``."""
    return spikes[start:].transpose(0, 1).flatten(1)


def _with_late(spikes: Tensor, late: Tensor, start: int) -> Tensor:
    """Return ``spikes`` with ``late`` ``[N, M]`` from ``start`` on, and unchanged after."""
    changed = late.view(len(late), -1, *spikes.shape[2:]).transpose(0, 1)
    return torch.cat([spikes[:start], changed, spikes[start + len(changed) :]])


def _flipped(spikes: Tensor, where: Tensor) -> Tensor:
    return torch.where(where, 1 - spikes, spikes)


def check_from_step(from_step: int, num_steps: int) -> None:
    """Raise ``ValueError`` unless ``from_step`` is an integer in ``0 … T``."""
    if isinstance(from_step, bool) or not isinstance(from_step, int) or not 0 <= from_step <= num_steps:
        raise ValueError(f"from_step must be an integer from 0 to T={num_steps} (T: nothing may change), got {from_step!r}")


def _check(spikes: Tensor, from_step: int, flips: int) -> None:
    """Raise ``ValueError`` unless ``spikes`` ``[T, N, …]`` are binary and have that many late entries."""
    if isinstance(flips, bool) or not isinstance(flips, int) or flips < 0:
        raise ValueError(f"flips must be an integer of at least 0, got {flips!r}")
    if spikes.dim() < 3 or 0 in spikes.shape:
        raise ValueError(f"expected spikes [T, N, …], got shape {list(spikes.shape)}")
    if not bool(((spikes == 0) | (spikes == 1)).all()):
        raise ValueError("only spikes of 0 and 1 can be flipped; an analog code (direct, phase) or a gate has other values")
    check_from_step(from_step, len(spikes))
    entries = spikes[from_step:, 0].numel()
    if flips > entries:
        raise ValueError(
            f"cannot flip {flips} entries: from step {from_step} on, spikes of shape {list(spikes.shape)} have {entries} a sample"
        )


def verify_flips(spikes: Tensor, reference: Tensor, from_step: int, flips: int) -> None:
    """Raise ``ValueError`` unless at most ``flips`` entries of a sample have changed, none before ``from_step``."""
    _check(spikes, from_step, flips)
    changed = spikes != reference
    most = int(changed.transpose(0, 1).flatten(1).sum(1).max())
    if most > flips:
        raise ValueError(f"attack left its budget of {flips} flips: flipped {most} entries of a sample")
    if changed[:from_step].any():
        raise ValueError(f"attack left its budget: flipped before step {from_step}")
