"""Tables and findings on controls: what stands beside a code wherever its robustness is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from snnlab import figures, zoo
from snnlab.records import Change, accuracy_of, change_over_seeds, over_seeds, seed_summary, small_print
from snnlab.zoo import controls

__all__ = ["finding", "packing_figure", "packing_finding", "print_of_controls", "table"]

Records = Sequence[Mapping[str, Any]]
COLUMNS = (
    ("clean", "worst", 0.0),
    ("noise, ε = 0.1", "noise", 0.1),
    ("transfer, 0.1", "transfer", 0.1),
    ("worst case, 0.1", "worst", 0.1),
    ("worst case, 0.2", "worst", 0.2),
)
#: rows of the table: what it is, and the model or control
ROWS: tuple[tuple[str, str], ...] = (
    ("spiking network, onset", "onset"),
    ("spiking network, latency", "latency"),
    ("ordinary network", "ann"),
    ("ordinary network, other initial weights", "ann-other"),
    ("ordinary network, tuned in size and learning", "ann-tuned"),
    ("ordinary network, pixels 0 or 1", "ann-binary"),
    ("ordinary network, fed the onset code", "ann-onset"),
    ("ordinary network, fed the latency code", "ann-latency"),
    ("ordinary network, fed the offset code", "ann-offset"),
    ("ordinary network, fed the phase code", "ann-phase"),
)
#: the four of the experiment: rounding, packing
FOUR: dict[tuple[str, str], str] = {
    ("up", "early"): "offset",
    ("up", "late"): "onset-up",
    ("down", "early"): "offset-down",
    ("down", "late"): "onset",
}


def _records(name: str) -> Records:
    return controls.repeats(name) if name in controls.names() else zoo.repeats(name)


def table() -> pd.DataFrame:
    """Codes and controls, all attacked by the suite "quick": means over seeds with 95 % intervals."""
    return seed_summary({title: _records(name) for title, name in ROWS}, COLUMNS)


def print_of_controls() -> str:
    """n, seeds, attacks and flags of the table and of the experiment on packing, as Markdown."""
    names = dict.fromkeys([*(name for _, name in ROWS), *FOUR.values()])
    return (
        small_print({name: _records(name) for name in names})
        + " Not all faced the same: plain PGD is left out of the worst case of the zoo's models at all seeds but the first, and "
        "`onset`, `offset` and `latency` were attacked at every exit, the others at the last."
    )


def _change(new: str, old: str, eps: float) -> Change:
    found = [[accuracy_of(r, "worst", None, eps) for r in _records(name)] for name in (new, old)]
    return change_over_seeds(*found)


def _than(change: Change, whose: str) -> str:
    return f"{change.direction} {'than' if change.clear else 'from'} that {whose} ({change})"


def finding() -> str:
    """What the controls say of ``onset`` and ``latency``, in words that follow from the intervals."""
    lines = []
    for code in ("onset", "latency"):
        told = [
            f"at ε = {eps:g}, {_than(_change(code, 'ann-binary', eps), 'of an ordinary network on black-and-white pixels')} and "
            f"{_than(_change(code, f'ann-{code}', eps), 'of one that is fed the same code')}"
            for eps in (0.1, 0.2)
        ]
        lines.append(f"- The worst case of `{code}` is {'; '.join(told)}.")
    tuned = _change("ann-tuned", "ann", 0.1)
    lines.append(f"- Tuning changes the ordinary network's own worst case at ε = 0.1 by {tuned}.")
    other, same = (over_seeds(_records(name), "transfer", None, 0.1) for name in ("ann-other", "latency"))
    lines.append(
        f"- Transferred images leave {same} of `latency`, and {other} of an ordinary network that is not their source."
    )
    return "**Finding.**\n\n" + "\n".join(lines)


def packing_figure(radii: Sequence[float] = (0.1, 0.2)) -> Figure:
    """When a perturbation's spike arrives against whether it does: four codes, spike counts equal within a rounding."""
    return figures.packing({key: _records(name) for key, name in FOUR.items()}, radii)


def packing_finding(radii: Sequence[float] = (0.1, 0.2)) -> str:
    """What packing late changes at either rounding, in words that follow from the intervals."""
    lines = []
    for eps in radii:
        told = []
        for rounding in ("up", "down"):
            early, late = (FOUR[rounding, when] for when in ("early", "late"))
            told.append(f"rounded {rounding}, packing late instead of early is {_change(late, early, eps)}")
        lines.append(f"at ε = {eps:g}, {'; '.join(told)}")
    return (
        "**Finding.** With as many spikes of each pixel, "
        + ". And ".join(lines)
        + ". An ε of 0.1 on black makes no spike at all where a fraction is rounded down, early or late; at 0.2 it does, and "
        "there, as where fractions are rounded up, it matters *when*."
    )
