"""Checks of the chapter *Training*."""

from __future__ import annotations

from typing import Any

import torch

from snnlab import data, zoo
from snnlab.networks.sequence import lif
from snnlab.teach.exercises import Function, Hint, expect, expect_keys, tensor_of, whole

CURRENTS = (-0.2, 0.3, 0.7, 1.7)
SAMPLES = 200
TOLERANCE = 0.1  # orders are drawn at random


def _counts(answer: Any) -> None:
    """training.1: ``{I: spikes}`` of an IF neuron (β = 1, θ = 1, reset by subtraction) under constant I, T = 8."""
    expect_keys(answer, CURRENTS, "a number of spikes")
    answer = {float(current): spikes for current, spikes in answer.items()}  # a key may be text
    for current in CURRENTS:
        right = int(lif(torch.full((8,), current), beta=1.0)[0].sum())
        spikes = whole(answer[current], f"the number of spikes for I = {current}")
        side = "many" if spikes > right else "few"
        hint = f"too {side} for I = {current}; write out U step by step: above 1 it fires, and loses 1 a step later"
        expect(spikes == right, hint)


def _shuffled(answer: Function) -> None:
    """training.2: a function ``shuffled(sequence, generator)`` that puts the steps of every pixel in a random order."""
    sequence = torch.arange(8.0).view(8, 1, 1, 1, 1).repeat(1, 2, 1, 4, 4)
    result, again, other = (
        tensor_of(answer(sequence.clone(), torch.Generator().manual_seed(seed)), sequence.shape) for seed in (0, 0, 1)
    )
    moved = torch.equal(result.sort(0).values, sequence)
    expect(moved, "a pixel has other values than before: its steps should be moved, none lost and none copied")
    expect(not torch.equal(result, sequence), "nothing has moved")
    expect(
        torch.equal(result, again) and not torch.equal(result, other),
        "draw the order from the generator that is given: the same seed, the same order; another seed, another",
    )
    orders = result.flatten(1)
    within = result.flatten(2)  # [T, N, pixels]
    expect(
        (within != within[:, :, :1]).any(dim=(0, 2)).all(),
        "all pixels were moved alike, so bright ones still come before dark ones; each needs an order of its own",
    )
    shifted = ((orders.diff(dim=0) % 8) == 1).all()
    expect(not shifted, "every train was shifted, not shuffled: its steps still follow each other")
    expect(not torch.equal(result[:, 0], result[:, 1]), "both images were moved alike; each needs an order of its own")


def _read_twice(answer: Function) -> None:
    """training.3: a function ``read_twice(model, images, labels, generator)``: accuracies in order and shuffled, last exit."""
    model, subset = zoo.load("latency"), data.load("mnist5k").validation[:SAMPLES]
    images, generator = (subset.images + 0.1).clamp(max=1), torch.Generator().manual_seed(0)
    result = answer(model, images, subset.labels, generator)
    given = tensor_of(result, (2,)).float()
    fractions = ((given >= 0) & (given <= 1)).all()
    expect(fractions, f"return two accuracies between 0 and 1, first in order, then shuffled; got {result!r}")
    sequence = model.encode(images)
    mixed = sequence.gather(0, torch.rand(sequence.shape, generator=generator).argsort(0))
    with torch.no_grad():
        ordered, shuffled = ((model.answers(*model.respond(s)) == subset.labels).float().mean(1) for s in (sequence, mixed))
    turned = (given.flip(0) - torch.stack([ordered[-1], shuffled[-1]])).abs().max() < TOLERANCE
    expect(not turned, "the other way round: first in order, then shuffled")
    if abs(given[0] - ordered[-1]) > 1e-3:
        early = (given[0] - ordered[:-1]).abs().min() < 1e-3
        raise Hint(f"in order: {'that is an earlier exit' if early else 'not what the network answers'}; read the last exit")
    expect(given[1] != given[0], "shuffled: the same as in order; was the shuffled sequence read?")
    expect(
        abs(given[1] - shuffled[-1]) <= TOLERANCE,
        "shuffled: not what the network answers if each pixel's steps are in an order of their own",
    )


CHECKS = {"training.1": _counts, "training.2": _shuffled, "training.3": _read_twice}
