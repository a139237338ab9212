"""Checks of the chapter *From neuron to network*."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from snnlab.networks.decoding import SILENT
from snnlab.networks.sequence import lif
from snnlab.teach.exercises import Function, Hint, expect

#: current, β and θ of neurons
NEURONS = ((1.5, 0.9, 1.0), (0.3, 0.9, 1.0), (0.12, 0.9, 1.0), (0.09, 0.9, 1.0), (0.4, 0.0, 0.5), (0.5, 0.5, 0.9))
CURRENTS = (0.8, 0.8, 0.6, 0.0, 0.9, 0.8)


def _by_hand(answer: Any) -> None:
    """neuron.1: the steps at which a neuron with β = 1/2, θ = 1 fires, for the currents of the exercise."""
    steps = isinstance(answer, Sequence) and all(isinstance(t, int) for t in answer)
    expect(steps, "give a list of steps, as [0, 3]")
    expected = [int(t) for t in lif(torch.tensor(CURRENTS), beta=0.5)[0].nonzero()]
    if list(answer) != expected:
        shifted = [t - 1 for t in answer] == expected
        expect(not shifted, "these are the right steps counted from 1; the exercise counts from 0")
        more = set(answer) > set(expected)
        expect(not more, "one of these is too many: after a spike θ is taken, one step later")
        raise Hint(
            "write U of every step down: half of what was there, plus the current, minus 1 if it fired in the step before"
        )


def _first(answer: Function) -> None:
    """neuron.2: a function ``first_spike(current, beta, theta)``: the step of the first spike; ``None`` if there is none."""
    for current, beta, theta in NEURONS:
        spikes, _ = lif(torch.full((200,), current), beta=beta, threshold=theta)
        result = answer(current, beta, theta)
        case = f"with I = {current:g}, β = {beta:g}, θ = {theta:g}"
        expect(spikes.any() or result is None, f"{case} it never fires: where does U settle?")
        right = not spikes.any() or result == int(spikes.argmax())
        expect(right, f"{case} the first spike comes at another step than {result!r}")


def _answer(answer: Function) -> None:
    """neuron.3: a function ``read(spikes)``: the class with the most spikes in ``[T, K]``, ``-1`` where none came."""
    spikes = torch.zeros(4, 3)
    expect(answer(spikes.clone()) == SILENT, "no neuron has fired: that is no answer, and not class 0")
    spikes[1, 2] = spikes[2, 2] = spikes[0, 1] = 1
    expect(answer(spikes.clone()) == 2, "class 2 fired twice, class 1 once, class 0 never: which has the most?")
    spikes[:, 0] = 1
    expect(answer(spikes.clone()) == 0, "class 0 fired at every step now")


CHECKS = {"neuron.1": _by_hand, "neuron.2": _first, "neuron.3": _answer}
