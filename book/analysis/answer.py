"""Answers of the introduction and at the end of the page *Claims*, with numbers from the records."""

from __future__ import annotations

from collections.abc import Sequence

from snnlab import zoo
from snnlab.encoding import first_active_step
from snnlab.statistics import Record, over_seeds

__all__ = ["answer", "in_short"]

CODES = ("onset", "latency")
RADII = (0.1, 0.2)


def in_short(eps: float = RADII[0]) -> str:
    """Return the worst case of the most robust code beside those of ordinary networks, in two sentences, as Markdown."""
    spiking = {name: over_seeds(zoo.repeats(name), "worst", None, eps).mean for name in zoo.names("codes") if name != "ann"}
    best = max(spiking, key=lambda name: spiking[name])
    others = [f"an ordinary network {_accuracy(zoo.repeats('ann'), eps)}"]
    if zoo.measured("ann-binary"):
        others.append(f"an ordinary network that sees each pixel as 0 or 1 {_accuracy(zoo.repeats('ann-binary'), eps)}")
    return (
        f"In the worst case of all our attacks at ε = {eps:g}, the spiking network with the best code (`{best}`) classifies "
        f"{spiking[best]:.0%} of the digits correctly, {' and '.join(others)}. Which part of the network these numbers are "
        "due to is the question of all chapters."
    )


def answer() -> str:
    """Return the worst cases of the codes in which dark pixels fire last, and of ordinary networks, as Markdown."""
    small, large = RADII
    exits = {code: first_active_step(large, 8, code) for code in CODES}
    at_exit = ", ".join(
        f"`{code}` {_accuracy(zoo.repeats(code), large, exits[code])} at exit {exits[code]}" for code in CODES
    )
    parts = [
        f"Worst-case accuracy at ε = {small:g} and {large:g}, read to the end: {_listed(CODES)}. At the last exit that ε on "
        f"black has not reached, at ε = {large:g}: {at_exit}.",
        f"Ordinary networks: the plain one {_pair('ann')}, the one trained on attacked digits {_pair('fgsm-ann')}",
    ]
    if zoo.measured("ann-binary"):
        parts[1] += f", the one that sees each pixel as 0 or 1 {_both(zoo.repeats('ann-binary'))}"
    return f"{parts[0]} {parts[1]}. (Means over {len(zoo.seeds())} seeds; intervals, attacks and flags are in the chapters.)"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}` {_pair(name)}" for name in names)


def _pair(name: str) -> str:
    return _both(zoo.repeats(name))


def _both(records: Sequence[Record]) -> str:
    return " and ".join(_accuracy(records, eps) for eps in RADII)


def _accuracy(records: Sequence[Record], eps: float, exit_step: int | None = None) -> str:
    return f"{over_seeds(records, 'worst', exit_step, eps).mean:.0%}"
