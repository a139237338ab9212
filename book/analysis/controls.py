"""Table, finding and caption on controls: networks that differ from another one in one property, to isolate its effect.

All networks were attacked by the same suite. A control without records is left out, and the caption lists it. Findings follow
from intervals: *higher* and *lower* are used for clear changes only (``snnlab.statistics.Change``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from snnlab import zoo
from snnlab.statistics import Change, Record, change_between, over_seeds, seed_summary, shared, small_print

__all__ = [
    "caption",
    "finding",
    "table",
]

Records = Sequence[Record]
COLUMNS = (
    ("clean", "worst", 0.0),
    ("noise, ε = 0.1", "noise", 0.1),
    ("transfer, 0.1", "transfer", 0.1),
    ("worst case, 0.1", "worst", 0.1),
    ("worst case, 0.2", "worst", 0.2),
)
#: the packing experiment: (rounding, packing) → model or control
PACKINGS: dict[tuple[str, str], str] = {
    ("up", "early"): "offset",
    ("up", "late"): "onset-up",
    ("down", "early"): "offset-down",
    ("down", "late"): "onset",
}
#: rows of the table by group: title, model or control; a group begins with the networks that its controls are compared with
GROUPS: dict[str, tuple[tuple[str, str], ...]] = {
    "codes": (
        ("onset", "onset"),
        ("latency", "latency"),
        ("direct", "direct"),
        ("poisson", "poisson"),
        ("ordinary network", "ann"),
    ),
    "order": (
        ("latency", "latency"),
        ("latency, dark pixels first", "latency-reversed"),
        ("onset", "onset"),
        ("onset, dark pixels first", "onset-reversed"),
        ("latency, steps shuffled", "latency-shuffled"),
        ("onset, steps shuffled", "onset-shuffled"),
    ),
    "temporal processing": (
        ("latency", "latency"),
        ("latency, neurons without memory", "latency-memoryless"),
        ("onset", "onset"),
        ("onset, neurons without memory", "onset-memoryless"),
    ),
    "ordinary networks": (
        ("ordinary network", "ann"),
        ("ordinary network, other initial weights", "ann-other"),
        ("ordinary network, tuned in size and learning", "ann-tuned"),
        ("ordinary network, pixels 0 or 1", "ann-binary"),
        ("ordinary network, Gaussian noise", "ann-gaussian"),
        ("onset code, weights shared over steps", "shared-onset"),
        ("latency code, weights shared over steps", "shared-latency"),
        ("offset code, weights shared over steps", "shared-offset"),
        ("phase code, weights shared over steps", "shared-phase"),
        ("onset code, weights for every step", "ann-onset"),
        ("latency code, weights for every step", "ann-latency"),
        ("offset code, weights for every step", "ann-offset"),
        ("phase code, weights for every step", "ann-phase"),
    ),
    "read-out and loss": (
        ("latency: trained on counts, counts read", "latency"),
        ("latency: trained on counts, potential read", "count-membrane-latency"),
        ("latency: trained on potential, counts read", "membrane-count-latency"),
        ("latency: trained on potential, potential read", "membrane-latency"),
        ("direct: trained on counts, counts read", "direct"),
        ("direct: trained on counts, potential read", "count-membrane-direct"),
        ("direct: trained on potential, counts read", "membrane-count-direct"),
        ("direct: trained on potential, potential read", "membrane-direct"),
    ),
    "training": (
        ("latency", "latency"),
        ("latency, six times as many epochs", "latency-long"),
        ("latency, network of TSSL-BP trained by BPTT", "psp-latency"),
        ("onset", "onset"),
        ("onset, six times as many epochs", "onset-long"),
        ("onset, network of TSSL-BP trained by BPTT", "psp-onset"),
        ("direct", "direct"),
        ("direct, network of TSSL-BP trained by BPTT", "psp-direct"),
        ("ordinary network", "ann"),
        ("ordinary network, six times as many epochs", "ann-long"),
        ("spiking network, pixels 0 or 1", "spiking-binary"),
    ),
    "weights": (
        ("latency", "latency"),
        ("latency twice, side by side", "latency-double"),
        ("latency, twice as many hidden neurons", "latency-wide"),
        ("fusion of direct and latency", "fusion"),
        ("fusion, direct at 1/8", "fusion-8th"),
    ),
    "packing": tuple((f"packed {when}, rounded {rounding}", name) for (rounding, when), name in PACKINGS.items()),
}
CODES = ("latency", "onset")
RADII = (0.1, 0.2)
UNMEASURED = "The controls are not measured yet."
#: two networks are not compared if both accuracies are below it
FLOOR = 0.05
#: random signs that cost more than this are named beside a comparison
NOISY = 0.2


@dataclass(frozen=True)
class _Pair:
    """Two networks to compare at some ε and exit, and a description of the second."""

    new: str
    old: str
    whose: str
    radii: Sequence[float] = RADII
    exit_step: int | None = None


def _pairs(suffix: str, whose: str, exit_step: int | None = None) -> tuple[_Pair, ...]:
    return tuple(_Pair(code, suffix.format(code), whose, exit_step=exit_step) for code in CODES)


#: comparisons of a finding by group
COMPARED: dict[str, tuple[_Pair, ...]] = {
    "order": (
        *_pairs("{}-reversed", "the same code with dark pixels first"),
        *(pair for e in (2, 4, 6) for pair in _pairs("{}-reversed", "the same code with dark pixels first", exit_step=e)),
        *_pairs("{}-shuffled", "the same code with its steps shuffled"),
    ),
    "temporal processing": _pairs("{}-memoryless", "the same network with neurons without memory"),
    "ordinary networks": (
        *_pairs("shared-{}", "an ordinary network on the same code with weights shared over steps"),
        *_pairs("ann-{}", "an ordinary network on the same code with weights for every step"),
        *_pairs("ann-binary", "an ordinary network on binarised pixels"),
        _Pair("poisson", "ann-gaussian", "an ordinary network with Gaussian noise"),
        _Pair("ann-tuned", "ann", "the ordinary network before tuning", (0.1,)),
    ),
    "read-out and loss": tuple(
        pair
        for code in ("latency", "direct")
        for pair in (
            _Pair(code, f"count-membrane-{code}", "the network with the same loss whose potential is read", (0.05, 0.1)),
            _Pair(code, f"membrane-count-{code}", "the network trained on its potential whose counts are read", (0.05, 0.1)),
        )
    ),
    "training": (
        *_pairs("{}-long", "the same network trained six times as long on clean digits"),
        *(_Pair(f"tsslbp-{code}", f"psp-{code}", "the same network trained by BPTT") for code in CODES),
    ),
    "weights": (
        _Pair("latency", "latency-double", "a network on the same code twice", (0.0, 0.1)),
        _Pair("latency", "latency-wide", "a network with twice as many hidden neurons", (0.0, 0.1)),
        _Pair("fusion-8th", "latency-double", "a network on latency twice", (0.0, 0.1)),
    ),
}


def records_of(name: str) -> Records | None:
    """Return the records of a model or control at every seed; ``None`` of a control without records."""
    return zoo.repeats(name) if zoo.measured(name) else None


def _chosen(groups: Sequence[str]) -> list[str]:
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        raise ValueError(f"unknown groups {unknown}; choose from {', '.join(GROUPS)}")
    return list(groups or GROUPS)


def table(*groups: str) -> pd.DataFrame:
    """Return means over seeds with 95 % intervals, a row a network; what was not measured is left out.

    Args:
        groups: keys of ``GROUPS``; default all. Several have their names beside the rows, and show no network twice.

    Raises:
        ValueError: unknown group.
    """
    chosen = _chosen(groups)
    rows: dict[str, Records] = {}
    titles: list[tuple[str, str]] = []
    for group in chosen:
        for title, name in GROUPS[group]:
            records = records_of(name)
            if records is not None and name not in rows:
                rows[name] = records
                titles.append((group, title))
    cells = seed_summary(rows, COLUMNS).reindex(columns=[title for title, *_ in COLUMNS])
    if len(chosen) == 1 or not titles:
        cells.index = pd.Index([title for _, title in titles])
    else:
        cells.index = pd.MultiIndex.from_tuples(titles, names=["group", "network"])
    return cells


def caption(*groups: str) -> str:
    """Return n, seeds, suite, attacks and flags of controls, and which are not measured yet, as Markdown.

    Args:
        groups: keys of ``GROUPS``; default all controls, those of the sweeps too.

    Raises:
        ValueError: unknown group.
    """
    in_groups = [name for group in _chosen(groups) for _, name in GROUPS[group]]
    names = list(dict.fromkeys(in_groups if groups else [*in_groups, *zoo.names("controls")]))
    measured = {name: records for name in names if (records := records_of(name)) is not None}
    titles = {name: f"`{name}` ({title})" for group in GROUPS.values() for title, name in group}
    missing = "; ".join(titles.get(name, f"`{name}`") for name in names if name not in measured)
    sentences = []
    if measured:
        several = [f"`{name}` ({len(e)})" for name, r in measured.items() if len(e := shared(r, "exits")) > 1]
        sentences.append(small_print(measured))
        if several:
            sentences.append(f"Attacked at several exits: {', '.join(several)}; the others at the last.")
    if missing:
        sentences.append(f"Controls that are not measured yet: {missing}.")
    return " ".join(sentences)


def worst_case_change(new: str, old: str, eps: float, exit_step: int | None = None) -> Change | None:
    """Return how much more accurate ``new`` is than ``old`` in the worst case; ``None`` where one was not measured."""
    first, second = records_of(new), records_of(old)
    if first is None or second is None:
        return None
    return change_between(first, second, "worst", exit_step, eps)


def _mean(name: str, eps: float, exit_step: int | None = None) -> float:
    records = records_of(name)
    return over_seeds(records, "worst", exit_step, eps).mean if records else 0.0


def _sentences(pair: _Pair) -> str:
    """Return the comparison of two networks, a sentence for every ε; empty if one was not measured."""
    sentences: list[str] = []
    where = f" at exit {pair.exit_step}" if pair.exit_step else ""
    for eps in pair.radii:
        change = worst_case_change(pair.new, pair.old, eps, pair.exit_step)
        if change is None:
            return ""
        at, kind = (f"At ε = {eps:g}", "worst-case accuracy") if eps else ("On clean digits", "accuracy")
        if max(_mean(name, eps, pair.exit_step) for name in (pair.new, pair.old)) < FLOOR:
            sentences.append(f"{at}, `{pair.new}` and {pair.whose} are both below {FLOOR:g}{where}, too low to compare.")
            continue
        what = f"its {kind}" if sentences else f"the {kind} of `{pair.new}`{where}"
        direction = change.direction if change.clear else "not clearly different"
        of_other = f" {'than' if change.clear else 'from'} that of {pair.whose}" if not sentences else ""
        sentences.append(f"{at}, {what} is {direction}{of_other} ({change}).")
    noise = {eps: share for eps in pair.radii if eps and (share := _noise(pair.old, eps)) is not None}
    left = " and ".join(f"{share:.2f} at ε = {eps:g}" for eps, share in noise.items())
    return " ".join(
        [*sentences, *([f"Random signs alone leave {left} of the second: more is compared than attacks."] if noise else [])]
    )


def _noise(name: str, eps: float) -> float | None:
    """Return the accuracy under random signs where they take much of it; ``None`` elsewhere."""
    records = records_of(name)
    if not records or "noise" not in records[0].correct:
        return None
    clean, noise = (over_seeds(records, "noise", None, radius).mean for radius in (0.0, eps))
    return noise if noise < clean - NOISY else None


def finding(*groups: str) -> str:
    """Return the comparisons by group, one list item for every two networks, as Markdown.

    Args:
        groups: keys of ``GROUPS``; default all.

    Raises:
        ValueError: unknown group.
    """
    parts = []
    for group in _chosen(groups):
        sentences = [_sentences(pair) for pair in COMPARED.get(group, ())]
        if group == "ordinary networks":
            sentences.append(_transferred())
        items = "\n".join(f"- {sentence}" for sentence in sentences if sentence)
        if items:
            parts.append(f"*{group[0].upper()}{group[1:]}*\n\n{items}")
    about = "**Finding.** Differences have their 95 % intervals, over seeds or, where that is wider, over digits."
    return "\n\n".join([about, *(parts or [UNMEASURED])])


def _transferred() -> str:
    by_name = {name: records_of(name) for name in ("latency", "ann-other")}
    shares = {name: over_seeds(records, "transfer", None, 0.1) for name, records in by_name.items() if records}
    if len(shares) < 2:
        return ""
    return (
        f"On images transferred at ε = 0.1, the accuracy of `latency` is {shares['latency']}. That of an ordinary network that "
        f"is not their source is {shares['ann-other']}."
    )
