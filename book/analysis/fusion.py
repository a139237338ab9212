"""Sentence of the chapter *Fusion*."""

from __future__ import annotations

from snnlab.statistics import over_seeds
from snnlab.statistics.records import Repeats

__all__ = ["which_moves_first"]


def which_moves_first(by_gate: Repeats, eps: float) -> str:
    """Return how far clean and worst-case accuracy have moved at every gate, and which of them moved first, as Markdown.

    Args:
        by_gate: records of all seeds by the gate's name, from the largest gate to the smallest.
        eps: budget of the worst case.
    """
    clean, robust = (
        {gate: over_seeds(records, eps=radius).mean for gate, records in by_gate.items()} for radius in (0.0, eps)
    )
    first, *between, last = by_gate
    way = {name: of[last] - of[first] for name, of in (("clean", clean), ("robust", robust))}
    shares = {
        gate: ((clean[gate] - clean[first]) / way["clean"], (robust[gate] - robust[first]) / way["robust"])
        for gate in between
    }
    moves = "; ".join(
        f"at {gate} clean accuracy has moved {c:.0%} of its way and the worst case {r:.0%}"
        for gate, (c, r) in shares.items()
    )
    farther = "the worst case" if abs(way["robust"]) > abs(way["clean"]) else "clean accuracy"
    if all(c > r for c, r in shares.values()):
        sooner = "Clean accuracy moves first"
    elif all(r > c for c, r in shares.values()):
        sooner = "The worst case moves first"
    else:
        sooner = "Neither moves first at every gate"
    return (
        f"From the gate {first} to {last} clean accuracy changes by {way['clean']:+.3f} and the worst case at ε = {eps:g} by "
        f"{way['robust']:+.3f} (means over seeds): {moves}. {sooner}; {farther} moves farther."
    )
