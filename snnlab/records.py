r"""Reading results: accuracies with their intervals, over samples and over seeds.

A *record* is what ``snnlab.evaluation.Evaluation.record`` gives and the zoo stores: counts of correct answers
``correct[attack][exit][ε]`` out of ``n``, for the exits in ``exits`` and the radii in ``eps``.

Over samples the interval is Wilson's (1927) at 95 %,

.. math:: \frac{1}{1 + z²/n}\Big(\hat p + \frac{z²}{2n} ± z\sqrt{\frac{\hat p (1-\hat p)}{n} + \frac{z²}{4n²}}\Big)

and over ``S`` training seeds Student's, for the mean of their accuracies with standard deviation ``s``:

.. math:: \bar p ± t_{0.975,\,S-1}\,\frac{s}{\sqrt S} \qquad \text{clipped to } [0, 1]

The two answer different questions. The first says how well this network is known, the second how well this way of training.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Any

import pandas as pd
from scipy.stats import t as student

from snnlab.flags import kind_of

__all__ = [
    "MIN_EFFECT",
    "Change",
    "Estimate",
    "accuracy_of",
    "attacks_line",
    "change_over_seeds",
    "correct_count",
    "flags_line",
    "flags_of",
    "over_seeds",
    "seed_summary",
    "shared",
    "small_print",
    "summary",
    "wilson_interval",
]

Record = Mapping[str, Any]
Z95 = 1.959963984540054
#: smallest difference of two accuracies that counts as clear, whatever its interval. Intervals over seeds hold the
#: test images fixed, so they can be as narrow as two digits of 500, which other digits need not confirm.
MIN_EFFECT = 0.01


def wilson_interval(correct: float, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's interval for a proportion of ``correct`` out of ``n`` (equation in the module docstring).

    ``correct`` need not be whole: as a mean over seeds that answer the same samples it keeps ``n``, for more seeds are no
    more samples.

    >>> tuple(round(v, 3) for v in wilson_interval(90, 100))
    (0.826, 0.945)
    """
    if n < 1 or not 0 <= correct <= n:
        raise ValueError(f"need 0 ≤ correct ≤ n and n ≥ 1, got correct={correct}, n={n}")
    p = correct / n
    centre = p + z * z / (2 * n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # The interval holds p; where a bound equals p (0 or 1) rounding must not push it past.
    return max(0.0, min(p, (centre - half) / scale)), min(1.0, max(p, (centre + half) / scale))


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its 95 % interval; ``n`` samples each.

    >>> print(Estimate(0.5, 0.4, 0.6, n=1000, seeds=3))
    0.500 [0.400, 0.600]
    """

    mean: float
    low: float
    high: float
    n: int
    seeds: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Change:
    """A mean difference of accuracies over seeds with its 95 % interval.

    >>> print(Change(0.1, 0.05, 0.15, seeds=3))
    +0.100 [+0.050, +0.150]
    """

    mean: float
    low: float
    high: float
    seeds: int

    @property
    def clear(self) -> bool:
        """Whether the interval excludes zero and the mean is at least ``MIN_EFFECT`` away from it.

        >>> Change(0.004, 0.003, 0.006, seeds=3).clear
        False
        """
        return (self.low > 0 or self.high < 0) and self.large

    @property
    def large(self) -> bool:
        """Whether the mean is at least ``MIN_EFFECT`` away from zero; a whole point counts, however it is rounded."""
        return abs(self.mean) >= MIN_EFFECT - 1e-9

    @property
    def direction(self) -> str:
        """The change in words, "higher" or "lower" if it is clear, else "not told apart"."""
        return "not told apart" if not self.clear else "higher" if self.mean > 0 else "lower"

    def __str__(self) -> str:
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Student's 95 % interval of a mean, not clipped.

    Raises:
        ValueError: fewer than two values.

    >>> tuple(round(v, 3) for v in mean_interval([0.4, 0.5, 0.6]))
    (0.252, 0.748)
    """
    if len(values) < 2:
        raise ValueError(f"an interval over seeds needs at least two of them, got {len(values)}")
    half = float(student.ppf(0.975, len(values) - 1)) * stdev(values) / sqrt(len(values))
    return fmean(values) - half, fmean(values) + half


def correct_count(record: Record, attack: str, exit_step: int | None, eps: float) -> int:
    """Correct answers under an attack at one exit (``None``: the last) and ε; an ANN answers alike at every exit.

    Raises:
        ValueError: an attack, exit or ε that was not measured (the message lists what was).
    """
    if attack not in record["correct"]:
        raise ValueError(f"{attack!r} was not measured; choose one of {', '.join(record['correct'])}")
    row = record["correct"][attack][_exit_row(record, exit_step)]
    if eps not in record["eps"]:
        raise ValueError(f"ε = {eps!r} was not measured; choose one of {record['eps']}")
    return int(row[record["eps"].index(eps)])


def accuracy_of(record: Record, attack: str = "worst", exit_step: int | None = None, eps: float = 0.0) -> float:
    """The fraction behind ``correct_count``."""
    return correct_count(record, attack, exit_step, eps) / int(record["n"])


def _exit_row(record: Record, exit_step: int | None) -> int:
    exits: list[int] = record["exits"]
    if exit_step is None or record["num_steps"] == 1:
        return -1
    if exit_step not in exits:
        raise ValueError(f"exit {exit_step!r} was not measured; choose one of {exits}")
    return exits.index(exit_step)


def shared(records: Sequence[Record], what: str) -> list[Any]:
    """The ``"eps"`` or ``"exits"`` that all records have, in order: other seeds may be measured at fewer.

    >>> shared([{"eps": [0, 0.05, 0.1]}, {"eps": [0, 0.1]}], "eps")
    [0, 0.1]
    """
    return [value for value in records[0][what] if all(value in record[what] for record in records)]


def over_seeds(records: Sequence[Record], attack: str = "worst", exit_step: int | None = None, eps: float = 0.0) -> Estimate:
    """Accuracy as a mean over the records of several seeds, with Student's interval; of a single record with Wilson's.

    Raises:
        ValueError: no record, something that was not measured, records of different ``n``.
    """
    sizes = {int(record["n"]) for record in records}
    if len(sizes) != 1:
        raise ValueError(f"records of one estimate need the same n, got {sorted(sizes) or 'no record'}")
    n = sizes.pop()
    counts = [correct_count(record, attack, exit_step, eps) for record in records]
    values = [count / n for count in counts]
    low, high = mean_interval(values) if len(values) > 1 else wilson_interval(counts[0], n)
    return Estimate(fmean(values), max(0.0, low), min(1.0, high), n, len(values))


def change_over_seeds(new: Sequence[float], old: Sequence[float]) -> Change:
    """How much larger ``new`` is than ``old``, seed by seed: what a seed does to both cancels.

    Raises:
        ValueError: not one value of each for every seed, fewer than two seeds.

    >>> print(change_over_seeds([0.5, 0.7, 0.6], [0.4, 0.6, 0.5]))
    +0.100 [+0.100, +0.100]
    """
    if len(new) != len(old):
        raise ValueError(f"a change needs two values for every seed, got {len(new)} and {len(old)}")
    differences = [a - b for a, b in zip(new, old, strict=True)]
    return Change(fmean(differences), *mean_interval(differences), len(differences))


def summary(
    records: Mapping[str, Record],
    columns: Sequence[tuple[str, str, float]],
    exit_step: int | None = None,
) -> pd.DataFrame:
    """A table of accuracies with their 95 % intervals over samples, one row a model.

    Args:
        records: results by model name, as ``snnlab.zoo.results`` gives them.
        columns: title, attack and ε of each column.
        exit_step: steps that are read; ``None`` reads all.
    """
    rows = {}
    for name, record in records.items():
        cells = {}
        for title, attack, eps in columns:
            if attack not in record["correct"]:  # not run on this model, such as a transfer to its own source
                cells[title] = "—"
                continue
            correct, n = correct_count(record, attack, exit_step, eps), record["n"]
            low, high = wilson_interval(correct, n)
            cells[title] = f"{correct / n:.3f} [{low:.3f}, {high:.3f}]"
        rows[name] = cells
    return pd.DataFrame.from_dict(rows, orient="index")


def seed_summary(
    repeats: Mapping[str, Sequence[Record]],
    columns: Sequence[tuple[str, str, float]],
    exit_step: int | None = None,
) -> pd.DataFrame:
    """A table of means over seeds with their 95 % intervals, one row a model.

    Args:
        repeats: the records of all seeds by model name, as ``snnlab.zoo.repeats`` gives them.
        columns: title, attack and ε of each column.
        exit_step: steps that are read; ``None`` reads all.
    """
    rows = {}
    for name, records in repeats.items():
        rows[name] = {
            title: str(over_seeds(records, attack, exit_step, eps)) if attack in records[0]["correct"] else "—"
            for title, attack, eps in columns
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def small_print(repeats: Mapping[str, Sequence[Record]], attack: str = "worst") -> str:
    """What belongs beside every number, as Markdown: n, seeds, interval, the attacks, and the flags of one of them.

    Args:
        repeats: the records of all seeds by model name; or of one seed, whose intervals are those of ``summary``.
        attack: whose flags are told; ``"single seed"`` is left out where there are several.
    """
    first = next(iter(repeats.values()))
    several = len(first) > 1
    if several:
        seeds = f"{len(first)} training seeds; means with 95 % intervals over seeds (Student's)"
    else:
        seeds = f"training seed {first[0]['seed']}; 95 % intervals over digits (Wilson's)"
    flagged: dict[str, list[str]] = {}
    for name, records in repeats.items():
        for note in flags_of(records, attack):
            flagged.setdefault(note, []).append(name)
    return f"n = {first[0]['n']:,} test digits, {seeds}. {attacks_line(list(repeats.values()))}\n\n{flags_line(flagged)}"


def attacks_line(repeats: Sequence[Sequence[Record]]) -> str:
    """How many attacks the worst case is over, of which suite, and a fold that lists them, as Markdown.

    Args:
        repeats: the records of all seeds of each model. An attack that one model met on fewer samples is listed once.
    """
    first = [records[0] for records in repeats]
    words: dict[str, list[str]] = {}
    for record in first:
        for name, text in record["attacks"].items():
            if name != "worst" and text not in words.setdefault(name, []):
                words[name].append(text)
    listed = [
        f"{min(texts, key=len)} ({_where(max(texts, key=len))})" if len(texts) > 1 else texts[0] for texts in words.values()
    ]
    suites = ", ".join(dict.fromkeys(f"`{record['suite']}`" for record in first if record.get("suite")))
    of_suite = f" of the suite {suites}" if suites else ""
    number = f"any of {len(listed)} attacks{of_suite}" if len(listed) > 1 else "the attack"
    uneven = any(not words.keys() <= record["attacks"].keys() for record in first)
    allowed = " Each network met those that its code allows." if uneven else ""
    return (
        f"The worst case counts a digit as lost if {number} broke it.{allowed}\n\n"
        f"<details><summary>The list of attacks</summary>\n\n{'; '.join(listed)}.\n\n</details>"
    )


def _where(text: str) -> str:
    """What a longer description of an attack adds: on how many samples it ran where another attack is the main one."""
    return f"{text.rpartition(', ')[2]} where the code has spike trains"


def flags_of(records: Sequence[Record], attack: str = "worst") -> list[str]:
    """The flags of an attack over all seeds of a model: one of a kind, the one with the largest figure.

    Several seeds are not flagged as a single one.
    """
    kinds: dict[str, str] = {}
    for note in (note for record in records for note in record["flags"].get(attack, [])):
        kind = re.split(r"\d", note)[0]
        kinds[kind] = max(kinds.get(kind, note), note, key=_figure)
    return [note for note in kinds.values() if len(records) == 1 or note != "single seed"]


def flags_line(flagged: Mapping[str, Sequence[str]]) -> str:
    """Every kind of flag with its figures and the models that have them, as Markdown."""
    kinds: dict[str, list[str]] = {}
    for note, names in flagged.items():
        sign = kind_of(note).sign
        figures = note.removeprefix(sign) if note.startswith(sign) else ""
        kinds.setdefault(sign.strip(), []).append(f"{figures} ({', '.join(f'`{name}`' for name in names)})".strip())
    shown = [f"{sign} {', '.join(parts)}" for sign, parts in kinds.items()]
    return f"*Flags:* {'; '.join(shown) or 'none'}."


def _figure(note: str) -> float:
    """The first number in a flag; 0 without one."""
    found = re.search(r"\d+(\.\d+)?", note)
    return float(found[0]) if found else 0.0
