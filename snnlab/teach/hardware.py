"""Checks of the chapter *Hardware and weather*."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.attacks.time_budget import TimeBudget, every_train
from snnlab.evaluation.everyday import under_faults
from snnlab.teach.exercises import Function, expect, tensor_of

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


TRAINS = (((1, 0, 0, 0), 1), ((0, 1, 1, 0, 0), 1), ((1, 0, 1, 0, 0, 1), 2), ((1, 1, 1), 2), ((0, 0, 0), 1))


def _reachable(answer: Function) -> None:
    """hardware.2: a function ``reachable(train, shift)``: every train that moving spikes by at most ``shift`` steps gives."""
    for train, shift in TRAINS:
        found = _trains(answer(train, shift), len(train))
        said = f"of {train}, shift {shift}"
        spread = [sum(put) - sum(train) for put in found]
        expect(all(set(put) <= {0, 1} for put in found), f"{said}: a step holds one spike at most")
        expect(not any(spread), f"{said}: some trains have more or fewer spikes; spikes move, none is added or removed")
        right = set(every_train(train, TimeBudget(shift=shift)))
        expect(train in found, f"{said}: the train itself is missing; not to move is a retiming too")
        expect(not found - right, f"{said}: in {min(found - right, default='')} a spike has moved too far")
        expect(not right - found, f"{said}: there are more trains; spikes of a train may take each other's place")


def _trains(value: Any, steps: int) -> set[tuple[int, ...]]:
    """Return trains in any usual type (a list or set of tuples, lists, arrays, texts of signs; a tensor ``[K, T]``) as tuples."""
    rows = value.tolist() if hasattr(value, "tolist") else list(value)
    trains = {tuple(int(s) for s in (row.tolist() if hasattr(row, "tolist") else row)) for row in rows}
    expect(
        all(len(train) == steps for train in trains), f"every train should have {steps} steps, as the train that is given"
    )
    return trains


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


CHECKS = {"hardware.1": _lost_spikes, "hardware.2": _reachable, "hardware.3": _breaking_point}
