"""How the first edition fooled itself: its worst cases beside those by the search among spike trains, from the records.

``zoo/first_edition.json`` keeps what the first edition printed: of every model, at the first seed and the last exit, how many
samples survived the longest suite that it was measured by.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from snnlab import zoo
from snnlab.flags import FLAGS
from snnlab.records import attacks_line, correct_count, wilson_interval

__all__ = ["Pair", "finding", "flags_line", "pairs", "printed", "small_print", "table"]

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
    found = []
    for name in zoo.names():
        new = zoo.results(name)
        for eps in radii:
            found.append(Pair(name, eps, new["n"], printed(name, eps), correct_count(new, "worst", None, eps)))
    return sorted(found, key=lambda pair: pair.now - pair.printed)


def printed(model: str, eps: float) -> int:
    """Return how many samples the first edition counted as standing in the worst case (first seed, last exit)."""
    old = _printed()[model]
    return int(old["worst"][old["eps"].index(eps)])


@cache
def _printed() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((zoo.FOLDER / "first_edition.json").read_text())
    return found


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
    found = pd.DataFrame.from_dict(rows, orient="index")
    found.index.names = ["network", "ε"]
    return found


def finding() -> str:
    """Return how many numbers fell by how much, and which order turned, as Markdown."""
    every = pairs()
    clearly = [p for p in every if p.fell > 0.02]
    ranks = {
        eps: [sorted(every_eps, key=lambda p: -getattr(p, when))[0].model for when in ("printed", "now")]
        for eps in RADII
        if (every_eps := [p for p in every if p.eps == eps])
    }
    turned = [
        f"At ε = {eps:g} the most robust network was `{before}`; now it is `{after}`."
        for eps, (before, after) in ranks.items()
        if before != after
    ]
    largest = every[0]
    return (
        f"**Finding.** Of {len(every)} worst cases that were measured again, {len(clearly)} fell by more than two points. The "
        f"largest fall is that of `{largest.model}` at ε = {largest.eps:g}: from {largest.printed / largest.n:.3f} to "
        f"{largest.now / largest.n:.3f}. " + " ".join(turned)
    )


def small_print() -> str:
    """Return what was attacked, how, and with which flags, as Markdown."""
    measured = [zoo.results(name) for name in zoo.names()]
    return (
        f"n = {measured[0]['n']} test digits, the first training seed, last exit, {len(measured)} networks; 95 % Wilson "
        f"intervals. {attacks_line([[record] for record in measured])}\n\n{flags_line(measured)}"
    )


def flags_line(records: Sequence[Mapping[str, Any]]) -> str:
    """Return which kinds of flag the worst cases carry, and how many networks each, as Markdown."""
    counts = {
        kind.name: (kind.sign.rstrip(": "), sum(any(n.startswith(kind.sign) for n in r["flags"]["worst"]) for r in records))
        for kind in FLAGS.values()
    }
    shown = [f"{sign} ({count} of {len(records)} networks)" for sign, count in counts.values() if count]
    return f"*Flags:* {'; '.join(shown) or 'none'}."


def _with_interval(pair: Pair) -> str:
    low, high = wilson_interval(pair.now, pair.n)
    return f"{pair.now / pair.n:.3f} [{low:.3f}, {high:.3f}]"
