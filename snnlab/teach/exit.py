"""Checks of the chapter *Early exit*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab.decoding import SILENT
from snnlab.encoding import encoder

__all__ = ["CHECKS"]


def _last_safe_exits(answer: Any) -> str | None:
    """exit.1: ``{code: exit}``, the last exit step that has read nothing of ε = 0.25 on a black pixel, T = 12; 0 if none."""
    codes = ("latency", "onset", "offset", "direct")
    if not isinstance(answer, Mapping) or set(answer) != set(codes):
        return f"give a dictionary with an exit step for each of {', '.join(codes)}"
    pixel = torch.full((1, 1, 1, 1), 0.25)
    for code in codes:
        acts_at = int((encoder(code, num_steps=12)(pixel).flatten() > 0).int().argmax())
        if answer[code] != acts_at:
            side = "late: by then the perturbation has been read" if answer[code] > acts_at else "early: you could read on"
            return f"your exit for {code} is too {side}; an exit step e reads t = 0 … e-1"
    return None


#: answers at six exits, a column a sample
ANSWERS = torch.tensor(
    [
        [SILENT, 1, 0, SILENT, SILENT, 4],
        [3, 2, 1, SILENT, SILENT, 4],
        [3, 2, 0, SILENT, SILENT, SILENT],
        [3, 1, 1, SILENT, SILENT, 4],
        [3, 1, 0, SILENT, 5, 4],
        [3, 1, 1, SILENT, 5, 4],
    ]
)
#: where each leaves, by the patience
SETTLED = {1: [2, 1, 1, 6, 5, 1], 2: [3, 3, 6, 6, 6, 2], 3: [4, 6, 6, 6, 6, 6]}


def _patience(answer: Any) -> str | None:
    """exit.2: a function ``patience(answers, k)``: answers ``[T, N]`` → the first exit at which k answers in a row agree."""
    if not callable(answer):
        return "give the function itself, without calling it"
    for k, expected in SETTLED.items():
        found = answer(ANSWERS.clone(), k)
        if not isinstance(found, Tensor) or found.shape != (6,):
            return f"for answers [6, 6] the result should be a tensor [6], got {getattr(found, 'shape', type(found))}"
        if ((found < 1) | (found > 6)).any():
            return "exit steps go from 1 to T: count what has been read, and read who never settles to the end"
        if found[3] < 6:
            return f"with k = {k}, an output that stays silent ({SILENT}) has been taken for an answer"
        if found.tolist() != expected:
            sample = next(i for i, e in enumerate(expected) if found[i] != e)
            side = "late" if found[sample] > expected[sample] else "early"
            return f"with k = {k}, the answers {ANSWERS[:, sample].tolist()} leave too {side}"
    return None


def _joint_loss(answer: Any) -> str | None:
    """exit.3: a function ``joint_loss(logits, labels)``: the mean over exits and samples of the cross-entropy."""
    if not callable(answer):
        return "give the function itself, without calling it"
    logits = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(0)).cumsum(0).requires_grad_(True)
    labels = torch.tensor([0, 4, 2])
    found = answer(logits, labels)
    if not isinstance(found, Tensor) or found.shape != ():
        return f"the result should be a single number (a tensor of shape []), got {getattr(found, 'shape', type(found))}"
    if not found.requires_grad:
        return "the loss has no gradient: an attacker could not climb it"
    (gradient,) = torch.autograd.grad(found, logits)
    if (gradient.abs().sum((1, 2)) == 0).any():
        return "some exits do not count: an image that leaves there is not attacked"
    wanted = torch.stack([F.cross_entropy(z, labels) for z in logits]).mean()
    if not torch.allclose(found, wanted, atol=1e-5):
        return "every exit counts, but not as the mean of the exits' own cross-entropies; average losses, not logits"
    return None


CHECKS = {"exit.1": _last_safe_exits, "exit.2": _patience, "exit.3": _joint_loss}
