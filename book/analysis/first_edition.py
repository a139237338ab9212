"""Compare the worst cases that the first edition printed with those measured since, by a search among spike trains.

``zoo/first_edition.json`` contains the first edition's numbers: for every model, at the first seed and the last exit, how many
samples survived the longest suite that it was measured by.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from snnlab import zoo
from snnlab.evaluation.flags import FLAGS
from snnlab.statistics import Record, attacks_line, over_seeds

__all__ = ["Pair", "caption", "finding", "flags_line", "pairs", "printed", "table"]

RADII = (0.1, 0.2)


@dataclass(frozen=True)
class Pair:
    """The worst case of one network at one ε, as first printed and as measured since, on the same samples."""

    model: str
    eps: float
    n: int
    printed: int
    now: int

    @property
    def fell(self) -> float:
        """How much the accuracy fell, as a fraction of the samples."""
        return (self.printed - self.now) / self.n


def pairs(radii: tuple[float, ...] = RADII) -> list[Pair]:
    """Return every network at its first seed and last exit, the largest fall first."""
    result = []
    for name in zoo.names():
        new = zoo.results(name)
        for eps in radii:
            result.append(Pair(name, eps, new.n, printed(name, eps), new.count(eps=eps)))
    return sorted(result, key=lambda pair: pair.now - pair.printed)


def printed(model: str, eps: float) -> int:
    """Return how many samples the first edition counted as survivors of the worst case (first seed, last exit)."""
    old = _printed()[model]
    return int(old["worst"][old["eps"].index(eps)])


@cache
def _printed() -> dict[str, dict[str, Any]]:
    worst_cases: dict[str, dict[str, Any]] = json.loads((zoo.FOLDER / "first_edition.json").read_text())
    return worst_cases


def table(most: int = 12) -> pd.DataFrame:
    """Return the networks whose worst case fell most: as first printed, now with its 95 % Wilson interval, and the fall."""
    rows = {
        (f"{p.model}", f"{p.eps:g}"): {
            "as first printed": f"{p.printed / p.n:.3f}",
            "now": _with_interval(p),
            "fall": f"{p.fell:.3f}",
        }
        for p in pairs()[:most]
    }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.names = ["network", "ε"]
    return frame


def finding() -> str:
    """Return how many worst cases fell, the largest fall, and which rankings changed, as Markdown."""
    every = pairs()
    clearly = [p for p in every if p.fell > 0.02]
    ranks = {
        eps: [sorted(every_eps, key=lambda p: -getattr(p, when))[0].model for when in ("printed", "now")]
        for eps in RADII
        if (every_eps := [p for p in every if p.eps == eps])
    }
    changes = [
        f"At ε = {eps:g} the most robust network was `{before}`; now it is `{after}`."
        for eps, (before, after) in ranks.items()
        if before != after
    ]
    largest = every[0]
    return (
        f"**Finding.** Of {len(every)} worst cases that were measured again, {len(clearly)} fell by more than two points. The "
        f"largest fall is that of `{largest.model}` at ε = {largest.eps:g}: from {largest.printed / largest.n:.3f} to "
        f"{largest.now / largest.n:.3f}. " + " ".join(changes)
    )


def caption() -> str:
    """Return n, seed, interval, attacks and flags of the table, as Markdown."""
    measured = [zoo.results(name) for name in zoo.names()]
    return (
        f"n = {measured[0].n} test digits, the first training seed, last exit, {len(measured)} networks; 95 % Wilson "
        f"intervals. {attacks_line([[record] for record in measured])}\n\n{flags_line(measured)}"
    )


def flags_line(records: Sequence[Record]) -> str:
    """Return which kinds of flag the worst cases carry, and how many networks each, as Markdown."""
    counts = {
        kind.name: (kind.sign.rstrip(": "), sum(any(n.startswith(kind.sign) for n in r.flags["worst"]) for r in records))
        for kind in FLAGS.values()
    }
    shown = [f"{sign.capitalize()} ({count} of {len(records)} networks)." for sign, count in counts.values() if count]
    return f"*Flags.* {' '.join(shown) or 'None.'}"


def _with_interval(pair: Pair) -> str:
    return str(over_seeds([zoo.results(pair.model)], "worst", None, pair.eps))
