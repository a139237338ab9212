"""Accuracies over the records of several seeds, and tables of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from snnlab.statistics.intervals import Change, Estimate, change_over_seeds, estimate
from snnlab.statistics.record import Record

__all__ = ["Repeats", "chance_of", "change_between", "over_seeds", "seed_summary", "shared"]

#: the records of all seeds by model name
Repeats = Mapping[str, Sequence[Record]]


def shared(records: Sequence[Record], key: str) -> list[Any]:
    """Return the ``"eps"`` or ``"exits"`` that all records have, in order: other seeds may be measured at fewer.

    >>> shared([Record(n=1, eps=[0, 0.05, 0.1]), Record(n=1, eps=[0, 0.1])], "eps")
    [0, 0.1]
    """
    return [value for value in getattr(records[0], key) if all(value in getattr(record, key) for record in records)]


def chance_of(records: Iterable[Record]) -> float | None:
    """Return the accuracy of guessing, as the records say; ``None`` if they do not say it, or not the same.

    >>> chance_of([Record(n=9, diagnostics={"chance": 0.1}), Record(n=9)]), chance_of([Record(n=9)])
    (0.1, None)
    """
    known = {record.chance for record in records} - {None}
    return known.pop() if len(known) == 1 else None


def over_seeds(records: Sequence[Record], attack: str = "worst", exit_step: int | None = None, eps: float = 0.0) -> Estimate:
    """Return the accuracy of the seeds of a model: mean and interval (``estimate``).

    The worst case at ε > 0 is an upper end: the lower one is the mean of ``Record.proved``, if every seed has it.

    Args:
        records: one a seed, of the same ``n``.
        attack, exit_step, eps: as in ``Record.count``.

    Raises:
        ValueError: no record, something that was not measured, records of different ``n``.
    """
    sizes = {record.n for record in records}
    if len(sizes) != 1:
        raise ValueError(f"records of one estimate need the same n, got {sorted(sizes) or 'no record'}")
    n = sizes.pop()
    result = estimate([record.count(attack, exit_step, eps) for record in records], n)
    if attack != "worst" or eps == 0:
        return result
    proved = [count for record in records if (count := record.proved(exit_step, eps)) is not None]
    return replace(result, attacked=True, proved=fmean(proved) / n if len(proved) == len(records) else None)


def change_between(
    new: Sequence[Record], old: Sequence[Record], attack: str = "worst", exit_step: int | None = None, eps: float = 0.0
) -> Change:
    """Return how much more accurate the networks of ``new`` are than those of ``old``, seed by seed (``change_over_seeds``).

    Args:
        new, old: records of all seeds of two models.
        attack, exit_step, eps: as in ``Record.count``, for both.

    >>> better, worse = ([Record(n=500, eps=[0], exits=[1], correct={"worst": [[c]]})] * 3 for c in (300, 200))
    >>> print(change_between(better, worse))
    +0.200 [+0.138, +0.259]
    """
    first, second = ([record.accuracy(attack, exit_step, eps) for record in side] for side in (new, old))
    return change_over_seeds(first, second, min(record.n for record in (*new, *old)))


def seed_summary(repeats: Repeats, columns: Sequence[tuple[str, str, float]]) -> Any:
    """Return a table of accuracies at the last exit, means over seeds with 95 % intervals, a row a model: a ``DataFrame``.

    Args:
        repeats: the records of all seeds by model name, as ``snnlab.zoo.repeats`` returns them.
        columns: title, attack and ε of each column. The cell of a model that the attack was not run on has a dash.
    """
    import pandas as pd  # half a second, which a network at work need not wait

    def cell(records: Sequence[Record], attack: str, eps: float) -> str:
        return str(over_seeds(records, attack, None, eps)) if attack in records[0].correct else "—"

    rows = {name: {title: cell(records, attack, eps) for title, attack, eps in columns} for name, records in repeats.items()}
    return pd.DataFrame.from_dict(rows, orient="index")
