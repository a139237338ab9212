"""The chapter *Training*: how often outputs fire, what adversarial training is worth, and the checks of its exercises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.data import Split
from snnlab.neuron import lif
from snnlab.records import Change, accuracy_of, change_over_seeds, over_seeds
from snnlab.teach.fooled import printed

__all__ = ["CHECKS", "adversarial_finding", "adversarial_table", "output_spikes"]

#: networks that were trained on attacked images, and the plainly trained one that each is compared with
HARDENED: dict[str, str] = {
    "fgsm-ann": "ann",
    "fgsm-direct": "direct",
    "fgsm-onset": "onset",
    "fgsm-latency": "latency",
    "pgd-latency": "latency",
    "trades-latency": "latency",
}
#: other rules on ``latency``, for comparison
RULES: dict[str, str] = {"tsslbp-latency": "TSSL-BP", "converted-latency": "conversion"}
RADII = (0.1, 0.2)
CURRENTS = (-0.2, 0.3, 0.7, 1.7)
SAMPLES = 200
TOLERANCE = 0.1  # orders are drawn at random


@torch.no_grad()
def output_spikes(name: str, digits: Split) -> float:
    """Return how many spikes the output neurons of a spiking network of the zoo fire on these digits, all steps together.

    >>> output_spikes("converted-latency", data.load("mnist5k").validation[:10])
    0.0
    """
    _, spikes, _ = zoo.load(name).trace(digits.images)
    return float(spikes.sum())


def adversarial_table() -> pd.DataFrame:
    """Return the worst case of adversarially trained networks, their gain over plain training, and what was printed first.

    Means over seeds with 95 % intervals; the first edition's number is that of the first seed.
    """
    rows: dict[str, dict[str, str]] = {}
    for name in HARDENED:
        records = zoo.repeats(name)
        rows[name] = {}
        for eps in RADII:
            change = _gain(name, eps)
            rows[name][f"worst case, ε = {eps:g}"] = str(over_seeds(records, "worst", None, eps))
            rows[name][f"gain, {eps:g}"] = f"{change} {change.direction}" if change.clear else str(change)
            rows[name][f"first printed, {eps:g}"] = f"{printed(name, eps) / records[0]['n']:.3f}"
    return pd.DataFrame.from_dict(rows, orient="index")


def adversarial_finding() -> str:
    """Return where adversarial training still gains, where not, and which network is left as the most robust, as Markdown."""
    told = []
    for eps in RADII:
        gains = {name: _gain(name, eps) for name in HARDENED}
        clear = [f"`{name}` ({gain.mean:+.2f})" for name, gain in gains.items() if gain.direction == "higher"]
        rest = [f"`{name}` ({gain.mean:+.2f})" for name, gain in gains.items() if gain.direction != "higher"]
        told.append(
            f"At ε = {eps:g} the gain over plain training is clear for {', '.join(clear) or 'none'}"
            + (f", not for {', '.join(rest)}." if rest else ".")
        )
    rules = [f"{title} {_gain(name, RADII[0])}" for name, title in RULES.items()]
    told.append(f"Beside it, on `latency` at ε = {RADII[0]:g}, the choice of the rule is worth: {', '.join(rules)}.")
    largest = RADII[-1]
    kept = {name: over_seeds(zoo.repeats(name), "worst", None, largest) for name in zoo.names()}
    before, now = max(zoo.names(), key=lambda name: printed(name, largest)), max(kept, key=lambda name: kept[name].mean)
    changed = f"is now `{now}`" if now != before else "still is that network"
    n = zoo.results(before)["n"]
    told.append(
        f"The network that was printed as the most robust of all at ε = {largest:g}, `{before}` with "
        f"{printed(before, largest) / n:.3f}, keeps {kept[before]}. The most robust {changed}, with {kept[now]}."
    )
    return f"**Finding 3: it is worth what the attacker in training saw.** {' '.join(told)}"


def _gain(name: str, eps: float) -> Change:
    plain = "latency" if name in RULES else HARDENED[name]
    sides = ([accuracy_of(record, "worst", None, eps) for record in zoo.repeats(n)] for n in (name, plain))
    return change_over_seeds(*sides)


def _counts(answer: Any) -> str | None:
    """training.1: ``{I: spikes}`` of an IF neuron (β = 1, θ = 1, reset by subtraction) under constant I, T = 8."""
    if not isinstance(answer, Mapping) or set(answer) != set(CURRENTS):
        return f"give a dictionary with a number of spikes for each of {', '.join(map(str, CURRENTS))}"
    for current in CURRENTS:
        spikes, _ = lif(torch.full((8,), current), beta=1.0)
        if answer[current] != int(spikes.sum()):
            side = "many" if answer[current] > spikes.sum() else "few"
            return f"too {side} for I = {current}; write out U step by step: above 1 it fires, and loses 1 a step later"
    return None


def _shuffled(answer: Any) -> str | None:
    """training.2: a function ``shuffled(sequence, generator)`` that puts the steps of every pixel in a random order."""
    if not callable(answer):
        return "give the function itself, without calling it"
    steps = torch.arange(8.0).view(8, 1, 1, 1, 1)
    sequence = steps.repeat(1, 2, 1, 4, 4)
    found, again, other = (answer(sequence.clone(), torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    if not isinstance(found, Tensor) or found.shape != sequence.shape:
        return f"[8, 2, 1, 4, 4] should stay [8, 2, 1, 4, 4], got {getattr(found, 'shape', type(found))}"
    if not torch.equal(found.sort(0).values, sequence):
        return "a pixel has other values than before: its steps should be moved, none lost and none copied"
    if torch.equal(found, sequence):
        return "nothing has moved"
    if not torch.equal(found, again) or torch.equal(found, other):
        return "draw the order from the generator that is given: the same seed, the same order; another seed, another"
    orders = found.flatten(1)
    if bool((orders == orders[:, :1]).all()):
        return "all pixels were moved alike, so bright ones still come before dark ones; each needs an order of its own"
    if bool(((orders.diff(dim=0) % 8) == 1).all()):
        return "every train was shifted, not shuffled: its steps still follow each other"
    if torch.equal(found[:, 0], found[:, 1]):
        return "both images were moved alike; each needs an order of its own"
    return None


def _read_twice(answer: Any) -> str | None:
    """training.3: a function ``read_twice(model, images, labels, generator)``: accuracies in order and shuffled, last exit."""
    if not callable(answer):
        return "give the function itself, without calling it"
    model, few = zoo.load("latency"), data.load("mnist5k").validation[:SAMPLES]
    images, generator = (few.images + 0.1).clamp(max=1), torch.Generator().manual_seed(0)
    found = answer(model, images, few.labels, generator)
    if not isinstance(found, tuple | list) or len(found) != 2 or not all(0 <= float(a) <= 1 for a in found):
        return f"return two accuracies between 0 and 1, first in order, then shuffled; got {found!r}"
    sequence = model.encode(images)
    mixed = sequence.gather(0, torch.rand(sequence.shape, generator=generator).argsort(0))
    with torch.no_grad():
        ordered, shuffled = ((model.answers(*model.respond(s)) == few.labels).float().mean(1) for s in (sequence, mixed))
    told = torch.tensor([float(a) for a in found])
    if bool((told.flip(0) - torch.stack([ordered[-1], shuffled[-1]])).abs().max() < TOLERANCE):
        return "the other way round: first in order, then shuffled"
    if abs(told[0] - ordered[-1]) > 1e-3:
        early = bool((told[0] - ordered[:-1]).abs().min() < 1e-3)
        return (
            "that is an earlier exit; read the last one"
            if early
            else "in order: not what the network answers to these images"
        )
    if told[1] == told[0]:
        return "shuffled: the same as in order; was the shuffled sequence read?"
    if abs(told[1] - shuffled[-1]) > TOLERANCE:
        return "shuffled: not what the network answers if each pixel's steps are in an order of their own"
    return None


CHECKS = {"training.1": _counts, "training.2": _shuffled, "training.3": _read_twice}
