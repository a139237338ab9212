"""The answer at the end of the page *Claims*, in numbers from the records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snnlab import zoo
from snnlab.encoding import first_active_step
from snnlab.records import over_seeds
from snnlab.zoo import controls

__all__ = ["answer"]

CODES = ("onset", "latency")
RADII = (0.1, 0.2)


def answer() -> str:
    """Return the worst cases of the codes in which dark pixels fire last, and of ordinary networks, as Markdown."""
    small, large = RADII
    exits = {code: first_active_step(large, 8, code) for code in CODES}
    leaving = ", ".join(f"`{code}` {_kept(zoo.repeats(code), large, exits[code])} at exit {exits[code]}" for code in CODES)
    told = [
        f"Worst-case accuracy at ε = {small:g} and {large:g}, read to the end: {_listed(CODES)}. At the last exit that ε on "
        f"black has not reached, at ε = {large:g}: {leaving}.",
        f"Ordinary networks: the plain one {_pair('ann')}, the one trained on attacked digits {_pair('fgsm-ann')}",
    ]
    if (controls.RECORDS / "ann-binary.json").exists():
        told[1] += f", the one that sees each pixel as 0 or 1 {_both(controls.repeats('ann-binary'))}"
    return f"{told[0]} {told[1]}. (Means over {len(zoo.seeds())} seeds; intervals, attacks and flags are in the chapters.)"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}` {_pair(name)}" for name in names)


def _pair(name: str) -> str:
    return _both(zoo.repeats(name))


def _both(records: Sequence[Mapping[str, Any]]) -> str:
    return " and ".join(_kept(records, eps) for eps in RADII)


def _kept(records: Sequence[Mapping[str, Any]], eps: float, exit_step: int | None = None) -> str:
    return f"{over_seeds(records, 'worst', exit_step, eps).mean:.0%}"
