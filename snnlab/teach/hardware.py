"""Checks of the chapter *Hardware and weather*."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.evaluation.everyday import under_faults
from snnlab.teach.exercises import Function, expect, tensor_of, whole

MODEL, DIGITS, POINTS = "latency", 200, 0.05
SEVERITIES = tuple(k / 20 for k in range(1, 20))


def _lost_spikes(answer: Function) -> None:
    """hardware.1: a function ``lose(spikes, p, generator)``: spikes ``[T, N, H]`` in {0, 1} without a random share ``p``."""
    draws = torch.Generator().manual_seed(3)
    spikes = (torch.rand(8, 50, 100, generator=draws) < 0.4).float()
    before = spikes.clone()

    def lost(p: float, seed: int = 0) -> Tensor:
        return tensor_of(answer(spikes.clone(), p, torch.Generator().manual_seed(seed)), list(spikes.shape)).float()

    left = lost(0.3)
    expect(bool(((left == 0) | (left == 1)).all()), "a spike is there or not: the result should hold 0 and 1 alone")
    expect(not bool((left > before).any()), "some spikes are new; a fault of this kind only takes spikes away")
    expect(torch.equal(lost(0.0), before), "at p = 0 no spike should be lost")
    share = 1 - float(left.sum() / before.sum())
    expect(abs(share - 0.7) > 0.02 or abs(share - 0.3) < 0.02, "70 % of the spikes are lost: p is the share that is lost")
    expect(abs(share - 0.3) < 0.02, f"at p = 0.3 {share:.0%} of the spikes are lost")
    expect(torch.equal(lost(0.3), left), "the same generator should lose the same spikes: pass it to torch.rand")
    expect(not torch.equal(lost(0.3, seed=1), left), "another generator should lose other spikes")
    by_neuron = ((before - left).sum((0, 1)) / before.sum((0, 1))).std()
    by_step = ((before - left).sum((1, 2)) / before.sum((1, 2))).std()
    expect(by_neuron < 0.1 and by_step < 0.1, "whole neurons or steps are lost: draw for every spike by itself")


def _largest_bit(answer: Any) -> None:
    """hardware.2: by how many units the flip of one bit can change a weight of eight bits in two's complement."""
    units = abs(whole(answer, "the answer"))
    expect(units != 64, "the second bit changes it by 64; one bit is worth more")
    expect(units != 255, "one bit is flipped, not all of them")
    expect(units == 128, "write the weight as a sum of its bits: which of them is worth most, with which sign?")


@cache
def _smallest() -> float:
    digits = data.load("mnist5k").validation[:DIGITS]
    found = under_faults(zoo.load(MODEL), digits, {"lost": SEVERITIES})
    return next(s for s in SEVERITIES if found.clean / found.n - found.accuracy("lost", s).mean >= POINTS)


def _breaking_point(answer: Any) -> None:
    """hardware.3: the smallest share of lost spikes, in steps of 0.05, that costs five points of clean accuracy."""
    value = float(tensor_of(answer, (), "the answer"))
    expect(0 < value < 1, "give a share of lost spikes, between 0 and 1")
    right = _smallest()
    expect(value > right - 0.01, "at this share fewer than five points are lost")
    expect(value < right + 0.01, "a smaller share costs five points already")


CHECKS = {"hardware.1": _lost_spikes, "hardware.2": _largest_bit, "hardware.3": _breaking_point}
