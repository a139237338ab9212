"""Checks of the chapter *Events*."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.teach.exercises import Function, expect, tensor_of, whole

RECORDINGS = 200


def _signed(log_intensity: Tensor, threshold: float) -> Tensor:
    level, signed = torch.tensor(0.0), []
    for value in (log_intensity - log_intensity[0]) / threshold:
        new = torch.maximum(torch.minimum(level, value.ceil()), value.floor())
        signed.append(new - level)
        level = new
    return torch.stack(signed[1:])


def _events_of(answer: Function) -> None:
    """events.1: signed events of one pixel between each two moments, from its log intensity ``[M + 1]`` and ``C``."""
    generator = torch.Generator().manual_seed(0)

    def given(values: Tensor, threshold: float) -> Tensor:
        return tensor_of(answer(values.clone(), threshold), [len(values) - 1]).float()

    still = torch.full((5,), -1.3)
    expect(bool((given(still, 0.5) == 0).all()), "a pixel that does not change should fire no event")
    rise = torch.linspace(0, 2.1, 8)
    expect(float(given(rise, 0.5).sum()) == 4, "a rise by 4.2 thresholds should fire four events, all of them +1")
    expect(float(given(-rise, 0.5).sum()) == -4, "a fall is a rise with the other sign")
    back = torch.tensor([0.0, 0.6, 0.4, 0.6, 0.4])
    expect(
        given(back, 0.5).tolist() == [1, 0, 0, 0],
        "the change counts from the level of the last event: a small way back should fire nothing",
    )
    jump = torch.tensor([0.0, 1.7])
    expect(given(jump, 0.5).tolist() == [3], "between two moments a pixel may cross several levels: count them all")
    walk = torch.randn(50, generator=generator).cumsum(0) / 2
    expect(torch.equal(given(walk, 0.4), _signed(walk, 0.4)), "on a random walk the events differ from the ideal sensor's")


def _black_to_white(answer: Any) -> None:
    """events.2: how many events a pixel fires from black to white, d = 0.1, C = 0.5."""
    number = whole(answer, "the answer")
    expect(number != 5, "the last level is not reached: count whole thresholds alone")
    expect(number != 2, "the sensor compares logarithms, not intensities")
    expect(number == 4, "how many times does the threshold fit into the difference of the two logarithms?")


@cache
def _backwards() -> float:
    recordings, model = data.load("events5k").validation[:RECORDINGS], zoo.load("events5k/mlp")
    spikes = model.encode(recordings.images).flip(0)
    answers = model.answers(*model.respond(spikes))[-1]
    return float((answers == recordings.labels).float().mean())


def _time_backwards(answer: Any) -> None:
    """events.3: accuracy of ``events5k/mlp`` on 200 validation recordings with their steps in reversed order."""
    value = float(tensor_of(answer, (), "the answer"))
    expect(0 <= value <= 1, "give a share, between 0 and 1")
    expect(value < 0.85, "this is the accuracy forwards: reverse the steps, the first axis of the spikes")
    expect(abs(value - _backwards()) < 0.006, "reverse the steps of the spikes, and read the answer at the last exit")


CHECKS = {"events.1": _events_of, "events.2": _black_to_white, "events.3": _time_backwards}
