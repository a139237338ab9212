"""Compare the suite of this book with AutoAttack (Croce & Hein 2020) on the same digits.

``zoo/autoattack.json`` contains the counts; ``benchmarks/autoattack.py`` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from snnlab import zoo
from snnlab.statistics import estimate

__all__ = ["Row", "caption", "finding", "rows", "table"]


@dataclass(frozen=True)
class Row:
    """How many of ``n`` digits one network still classifies correctly at one ε: AutoAttack, the suite, and both together."""

    model: str
    eps: float
    n: int
    clean: int
    naive: int
    autoattack: int
    suite: int
    both: int


@cache
def _record() -> dict[str, Any]:
    record: dict[str, Any] = json.loads((zoo.FOLDER / "autoattack.json").read_text())
    return record


def rows() -> Iterator[Row]:
    """Yield every network at every ε."""
    for model, measured in _record()["networks"].items():
        for eps, counts in ((eps, counts) for eps, counts in measured.items() if eps != "weights_sha256"):
            naive = counts["naive"]
            three = (counts[key] for key in ("autoattack", "suite", "both"))
            yield Row(model, float(eps), _record()["n"], naive[0], naive[-1], *three)


def table() -> pd.DataFrame:
    """Return the accuracy that each leaves, with 95 % Wilson intervals."""
    shown = {
        (row.model, f"{row.eps:g}"): {
            "clean": estimate([row.clean], row.n),
            "AutoAttack as it is": estimate([row.naive], row.n),
            "AutoAttack, both views": estimate([row.autoattack], row.n),
            "our suite": estimate([row.suite], row.n),
        }
        for row in rows()
    }
    frame = pd.DataFrame.from_dict(shown, orient="index").map(str)
    frame.index.names = ["network", "ε"]
    return frame


def finding() -> str:
    """Return who breaks more, and what each breaks that the other leaves, as Markdown."""
    every = list(rows())
    more = [row for row in every if row.autoattack > row.suite]
    fewer = [row for row in every if row.autoattack < row.suite]
    widest = max(every, key=lambda row: row.autoattack - row.suite)
    equal = len(every) - len(more) - len(fewer)
    text = (
        f"**Finding.** In {len(every)} comparisons the suite leaves fewer digits than AutoAttack in {len(more)}, more in "
        f"{len(fewer)}, and equally many in {equal}. The largest gap is that of `{widest.model}` at ε = {widest.eps:g}: "
        f"AutoAttack on the network as it is leaves {widest.naive} of {widest.n} digits, through both views "
        f"{widest.autoattack}, and the suite {widest.suite}."
    )
    missed = [row for row in every if row.both < row.suite]
    if missed:
        names = ", ".join(f"{row.suite - row.both} of `{row.model}` at ε = {row.eps:g}" for row in missed)
        text += f" AutoAttack breaks digits that the suite leaves: {names}. So the suite's number is an upper bound, too."
    return text


def caption() -> str:
    """Return n, seed, interval and attacks of the table, as Markdown."""
    record = _record()
    attacks = "; ".join(record["attacks"].values())
    return (
        f"n = {record['n']} test digits, the first training seed, last exit; L∞; 95 % Wilson intervals over digits. "
        f"*AutoAttack*: {attacks}. *As it is*: with the gradient of the network itself. *Both views*: the worst case of that and "
        f"of the informed attacker's view. *Our suite*: `{record['suite']}`, run on the same digits."
    )
