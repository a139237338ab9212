"""Checks of the chapter *From neuron to network*."""

from __future__ import annotations

from typing import Any

import torch

from snnlab.networks.decoding import SILENT
from snnlab.networks.sequence import lif
from snnlab.teach.exercises import Function, Hint, expect, tensor_of, whole

#: current, β and θ of neurons
NEURONS = (
    (1.5, 0.9, 1.0),
    (0.3, 0.9, 1.0),
    (0.12, 0.9, 1.0),
    (0.09, 0.9, 1.0),
    (0.4, 0.0, 0.5),
    (0.5, 0.5, 0.9),
    (1.0, 0.0, 1.0),
    (0.1001, 0.9, 1.0),
)
CURRENTS = (0.8, 0.8, 0.6, 0.0, 0.9, 0.8)


def _by_hand(answer: Any) -> None:
    """neuron.1: the steps at which a neuron with β = 1/2, θ = 1 fires, for the currents of the exercise."""
    given = tensor_of(list(answer) if isinstance(answer, set) else answer, what="the answer")
    given = given.flatten() if given.dim() == 2 and given.shape[1] == 1 else given  # of ``nonzero()``
    expect(given.dim() == 1 and (given == given.round()).all(), "give a list of whole steps, as [0, 3]")
    spikes = lif(torch.tensor(CURRENTS), beta=0.5)[0]
    expect(given.tolist() != spikes.tolist(), "this is the spike train S; give the steps at which S is 1")
    steps, expected = sorted(int(t) for t in given), spikes.nonzero().flatten().tolist()
    if steps != expected:
        shifted = [t - 1 for t in steps] == expected
        expect(not shifted, "these are the right steps counted from 1; the exercise counts from 0")
        more = set(steps) > set(expected)
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
        if spikes.any():
            expect(result is not None, f"{case} it fires: let U grow for more steps")
            step, first = whole(result, f"{case} the step"), int(spikes.argmax())
            expect(step != first + 1, f"{case} the right step is counted from 1; the exercise counts from 0")
            expect(step == first, f"{case} the first spike comes at another step than {step}")


def _answer(answer: Function) -> None:
    """neuron.3: ``read(spikes, potential)``: the class with most spikes in ``[T, K]``, by rules for ties and for silence."""
    spikes, potential = torch.zeros(4, 3), torch.tensor([2.5, 0.2, 0.4])

    def read() -> int:
        return whole(answer(spikes.clone(), potential.clone()), "the class")

    expect(read() == SILENT, "no neuron has fired: that is no answer, and not class 0; return -1")
    spikes[1, 2] = spikes[2, 2] = spikes[0, 1] = 1
    expect(read() == 2, "class 2 fired twice, class 1 once, class 0 never, whatever its potential: which fired most?")
    spikes[3, 1] = 1
    expect(read() == 2, "classes 1 and 2 fired twice; class 2 has the higher potential of the two, class 0 never fired")
    potential[1] = 0.5
    expect(read() == 1, "classes 1 and 2 fired twice; now class 1 has the higher potential of the two")
    potential[:] = torch.tensor([500.0, -0.5, -0.3])
    expect(
        read() == 2,
        "classes 1 and 2 fired twice, class 2 has the higher potential; class 0 never fired, however high its own",
    )
    spikes[:, 0] = 1
    expect(read() == 0, "class 0 fired at every step now")


CHECKS = {"neuron.1": _by_hand, "neuron.2": _first, "neuron.3": _answer}
