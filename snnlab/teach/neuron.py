"""Checks of the chapter *From neuron to network*."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from snnlab.decoding import SILENT
from snnlab.neuron import lif

__all__ = ["CHECKS"]

CURRENTS = (0.8, 0.8, 0.6, 0.0, 0.9, 0.8)


def _by_hand(answer: Any) -> str | None:
    """neuron.1: the steps at which a neuron with β = 1/2, θ = 1 fires, for the currents of the exercise."""
    if not isinstance(answer, Sequence) or not all(isinstance(t, int) for t in answer):
        return "give a list of steps, as [0, 3]"
    spikes, _ = lif(torch.tensor(CURRENTS), beta=0.5)
    expected = [int(t) for t in spikes.nonzero()]
    if list(answer) == expected:
        return None
    if [t - 1 for t in answer] == expected:
        return "these are the right steps counted from 1; the exercise counts from 0"
    if set(answer) > set(expected):
        return "one of these is too many: after a spike θ is taken, one step later"
    return "write U of every step down: half of what was there, plus the current, minus 1 if it fired in the step before"


def _first(answer: Any) -> str | None:
    """neuron.2: a function ``first_spike(current, beta, theta)``: the step of the first spike; ``None`` if there is none."""
    if not callable(answer):
        return "give the function itself, without calling it"
    for current, beta, theta in (
        (1.5, 0.9, 1.0),
        (0.3, 0.9, 1.0),
        (0.12, 0.9, 1.0),
        (0.09, 0.9, 1.0),
        (0.4, 0.0, 0.5),
        (0.5, 0.5, 0.9),
    ):
        spikes, _ = lif(torch.full((200,), current), beta=beta, threshold=theta)
        expected = int(spikes.argmax()) if spikes.any() else None
        found = answer(current, beta, theta)
        if expected is None and found is not None:
            return f"with I = {current:g}, β = {beta:g}, θ = {theta:g} it never fires: where does U settle?"
        if found != expected:
            return f"with I = {current:g}, β = {beta:g}, θ = {theta:g} the first spike comes at another step than {found!r}"
    return None


def _answer(answer: Any) -> str | None:
    """neuron.3: a function ``read(spikes)``: the class with the most spikes in ``[T, K]``, ``-1`` where none came."""
    if not callable(answer):
        return "give the function itself, without calling it"
    spikes = torch.zeros(4, 3)
    if answer(spikes.clone()) != SILENT:
        return "no neuron has fired: that is no answer, and not class 0"
    spikes[1, 2] = spikes[2, 2] = spikes[0, 1] = 1
    if answer(spikes.clone()) != 2:
        return "class 2 fired twice, class 1 once, class 0 never: which has the most?"
    spikes[:, 0] = 1
    if answer(spikes.clone()) != 0:
        return "class 0 fired at every step now"
    return None


CHECKS = {"neuron.1": _by_hand, "neuron.2": _first, "neuron.3": _answer}
