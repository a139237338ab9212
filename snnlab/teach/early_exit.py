"""Checks of the chapter *Early exit*."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from snnlab.encoding import encoder
from snnlab.networks.decoding import SILENT
from snnlab.teach.exercises import Function, expect, expect_keys, tensor_of, whole


def _last_safe_exits(answer: Any) -> None:
    """early_exit.1: ``{code: exit}``, the last exit step before ε = 0.25 on a black pixel is read, T = 12; 0 if none."""
    codes = ("latency", "onset", "offset", "direct")
    expect_keys(answer, codes, "an exit step")
    for code in codes:
        acts_at = int((encoder(code, num_steps=12)(torch.full((1, 1, 1, 1), 0.25)).flatten() > 0).int().argmax())
        given = whole(answer[code], f"the exit of {code}")
        expect(
            code != "onset" or given != acts_at - 1,
            "your exit for onset is that of latency; onset compares with greater than: what holds at t/T = 1 - ε?",
        )
        side = "late: by then the perturbation has been read" if given > acts_at else "early: you could read on"
        expect(given == acts_at, f"your exit for {code} is too {side}; an exit step e reads t = 0 … e-1")


#: answers at six exits, a column a sample, and where each leaves, by the patience
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
SETTLED = {1: [2, 1, 1, 6, 5, 1], 2: [3, 3, 6, 6, 6, 2], 3: [4, 6, 6, 6, 6, 6]}


def _patience(answer: Function) -> None:
    """early_exit.2: a function ``patience(answers, k)``: answers ``[T, N]`` → the first exit with k equal answers in a row."""
    for k, expected in SETTLED.items():
        result = tensor_of(answer(ANSWERS.clone(), k), (6,), "for answers [6, 6] the result")
        expect(
            ((result >= 1) & (result <= 6)).all(),
            "exit steps go from 1 to T: count what has been read, and read a sample that never settles to the end",
        )
        expect(result[3] == 6, f"with k = {k}, an output that stays silent ({SILENT}) has been taken for an answer")
        for sample, (leaves, right) in enumerate(zip(result.tolist(), expected, strict=True)):
            side = "late" if leaves > right else "early"
            expect(leaves == right, f"with k = {k}, the answers {ANSWERS[:, sample].tolist()} leave too {side}")


def _joint_loss(answer: Function) -> None:
    """early_exit.3: a function ``joint_loss(logits, labels)``: the mean over exits and samples of the cross-entropy."""
    logits = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(0)).cumsum(0).requires_grad_(True)
    labels = torch.tensor([0, 4, 2])
    result = tensor_of(answer(logits, labels), ())
    expect(result.requires_grad, "the loss has no gradient: an attacker could not climb it")
    (gradient,) = torch.autograd.grad(result, logits)
    every = (gradient.abs().sum((1, 2)) > 0).all()
    expect(every, "some exits do not count: an image that leaves there is not attacked")
    wanted = torch.stack([F.cross_entropy(z, labels) for z in logits]).mean()
    expect(
        torch.allclose(result, wanted, atol=1e-5),
        "every exit counts, but not as the mean of the exits' own cross-entropies; average losses, not logits",
    )


CHECKS = {"early_exit.1": _last_safe_exits, "early_exit.2": _patience, "early_exit.3": _joint_loss}
