"""Tables, findings and a figure on controls: what is measured beside a code, so that an effect is put down to its cause.

All networks were attacked by one suite. A control without records is left out, and the small print names it. Findings
follow from intervals over seeds: *higher* and *lower* are said of clear changes alone (``snnlab.records.Change``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from snnlab import figures, zoo
from snnlab.records import Change, accuracy_of, change_over_seeds, over_seeds, seed_summary, small_print
from snnlab.zoo import controls

__all__ = [
    "finding",
    "packing_figure",
    "packing_finding",
    "print_of_controls",
    "sweep_figure",
    "sweep_finding",
    "table",
]

Records = Sequence[Mapping[str, Any]]
COLUMNS = (
    ("clean", "worst", 0.0),
    ("noise, ε = 0.1", "noise", 0.1),
    ("transfer, 0.1", "transfer", 0.1),
    ("worst case, 0.1", "worst", 0.1),
    ("worst case, 0.2", "worst", 0.2),
)
#: the four of the experiment: rounding, packing
FOUR: dict[tuple[str, str], str] = {
    ("up", "early"): "offset",
    ("up", "late"): "onset-up",
    ("down", "early"): "offset-down",
    ("down", "late"): "onset",
}
#: rows of the table by group: what it is, and the model or control. A group begins with what its controls are compared with.
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
    ),
    "temporal processing": (
        ("latency", "latency"),
        ("latency, steps shuffled", "latency-shuffled"),
        ("latency, neurons without memory", "latency-memoryless"),
        ("onset", "onset"),
        ("onset, steps shuffled", "onset-shuffled"),
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
    "weights": (
        ("latency", "latency"),
        ("latency twice, side by side", "latency-double"),
        ("latency, twice as many hidden neurons", "latency-wide"),
        ("fusion of direct and latency", "fusion"),
        ("fusion, direct at 1/8", "fusion-8th"),
    ),
    "packing": tuple((f"packed {when}, rounded {rounding}", name) for (rounding, when), name in FOUR.items()),
}
#: settings that are swept, as figures call them: key of a recipe
SWEEPS: dict[str, str] = {"β": "beta", "T": "num_steps"}
CODES = ("latency", "onset")
RADII = (0.1, 0.2)
UNMEASURED = "The controls are not measured yet."
#: Where both accuracies are below it, two networks are not compared: too little is left to differ.
FLOOR = 0.05


@dataclass(frozen=True)
class _Pair:
    """Two networks to compare at some ε and exit, and how the second is called."""

    new: str
    old: str
    whose: str
    radii: Sequence[float] = RADII
    exit_step: int | None = None


def _pairs(suffix: str, whose: str, exit_step: int | None = None) -> tuple[_Pair, ...]:
    return tuple(_Pair(code, suffix.format(code), whose, exit_step=exit_step) for code in CODES)


#: what a finding compares, by group
COMPARED: dict[str, tuple[_Pair, ...]] = {
    "order": (
        *_pairs("{}-reversed", "the same code with dark pixels first"),
        *_pairs("{}-reversed", "the same code with dark pixels first", exit_step=4),
    ),
    "temporal processing": (
        *_pairs("{}-shuffled", "the same network trained on shuffled steps"),
        *_pairs("{}-memoryless", "the same network with neurons without memory"),
    ),
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
    "weights": (
        _Pair("latency", "latency-double", "a network on the same code twice", (0.0, 0.1)),
        _Pair("latency", "latency-wide", "a network with twice as many hidden neurons", (0.0, 0.1)),
        _Pair("fusion-8th", "latency-double", "a network on latency twice", (0.0, 0.1)),
    ),
}


def _records(name: str) -> Records | None:
    """Return the records of a model or control at every seed; ``None`` of a control without records."""
    if name not in controls.names():
        return zoo.repeats(name)
    return controls.repeats(name) if (controls.RECORDS / f"{name}.json").exists() else None


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
            found = _records(name)
            if found is not None and name not in rows:
                rows[name] = found
                titles.append((group, title))
    cells = seed_summary(rows, COLUMNS).reindex(columns=[title for title, *_ in COLUMNS])
    if len(chosen) == 1 or not titles:
        cells.index = pd.Index([title for _, title in titles])
    else:
        cells.index = pd.MultiIndex.from_tuples(titles, names=["group", "network"])
    return cells


def print_of_controls(*groups: str) -> str:
    """Return n, seeds, suite, attacks and flags of controls, and which are not measured yet, as Markdown.

    Args:
        groups: keys of ``GROUPS``; default all controls, those of the sweeps too.

    Raises:
        ValueError: unknown group.
    """
    in_groups = [name for group in _chosen(groups) for _, name in GROUPS[group]]
    names = list(dict.fromkeys(in_groups if groups else [*in_groups, *controls.names()]))
    measured = {name: found for name in names if (found := _records(name)) is not None}
    missing = ", ".join(f"`{name}`" for name in names if name not in measured)
    sentences = []
    if measured:
        several = [f"`{name}` ({len(found[0]['exits'])})" for name, found in measured.items() if len(found[0]["exits"]) > 1]
        sentences.append(small_print(measured))
        if several:
            sentences.append(f"Attacked at several exits: {', '.join(several)}; the others at the last.")
    if missing:
        sentences.append(f"Not measured yet: {missing}.")
    return " ".join(sentences)


def _change(new: str, old: str, eps: float, exit_step: int | None = None) -> Change | None:
    """Return how much more accurate ``new`` is than ``old`` in the worst case; ``None`` where one was not measured."""
    sides = [_records(name) for name in (new, old)]
    if any(side is None for side in sides):
        return None
    return change_over_seeds(*([accuracy_of(r, "worst", exit_step, eps) for r in side or ()] for side in sides))


def _mean(name: str, eps: float, exit_step: int | None = None) -> float:
    records = _records(name)
    return over_seeds(records, "worst", exit_step, eps).mean if records else 0.0


def _sentences(pair: _Pair) -> str:
    """Return what the intervals say of two networks, a sentence for every ε; empty where one was not measured."""
    told: list[str] = []
    where = f" at exit {pair.exit_step}" if pair.exit_step else ""
    for eps in pair.radii:
        change = _change(pair.new, pair.old, eps, pair.exit_step)
        if change is None:
            return ""
        at, kind = (f"At ε = {eps:g}", "worst-case accuracy") if eps else ("On clean digits", "accuracy")
        if max(_mean(name, eps, pair.exit_step) for name in (pair.new, pair.old)) < FLOOR:
            told.append(f"{at}, `{pair.new}` and {pair.whose} are both below {FLOOR:g}{where}, too low to compare.")
            continue
        what = f"its {kind}" if told else f"the {kind} of `{pair.new}`{where}"
        found = change.direction if change.clear else "not clearly different"
        of_other = f" {'than' if change.clear else 'from'} that of {pair.whose}" if not told else ""
        told.append(f"{at}, {what} is {found}{of_other} ({change}).")
    return " ".join(told)


def finding(*groups: str) -> str:
    """Return what the controls say, by group, a list item for every two networks that are compared, as Markdown.

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
    return "**Finding.** Differences have their 95 % intervals over seeds.\n\n" + "\n\n".join(parts or [UNMEASURED])


def _transferred() -> str:
    found = {name: _records(name) for name in ("latency", "ann-other")}
    shares = {name: over_seeds(records, "transfer", None, 0.1) for name, records in found.items() if records}
    if len(shares) < 2:
        return ""
    return (
        f"On images transferred at ε = 0.1, the accuracy of `latency` is {shares['latency']}. That of an ordinary network that "
        f"is not their source is {shares['ann-other']}."
    )


def swept() -> dict[str, dict[str, dict[float, Records]]]:
    """Return the records of the sweeps that were measured, by setting, code and value, with the zoo's own value."""
    found: dict[str, dict[str, dict[float, Records]]] = {}
    for setting, key in SWEEPS.items():
        found[setting] = {}
        for code in CODES:
            prefix = f"{code}-{controls.SWEPT[key]}"
            names = {float(recipe[key]): name for name, recipe in controls.recipes().items() if name.startswith(prefix)}
            names[_own(setting)] = code
            found[setting][code] = {v: of for v in sorted(names) if (of := _records(names[v])) is not None}
    return found


def _own(setting: str) -> float:
    """Return the value that the zoo's networks have."""
    return float(controls.SETTINGS[SWEEPS[setting]])


def sweep_figure(radii: Sequence[float] = RADII) -> Figure:
    """Draw worst-case and clean accuracy against β and T for both codes; its alternative text states the finding."""
    about = "Worst-case accuracy, with clean accuracy as thin lines, against the leak β and the number of time steps T. "
    return figures.sweeps(swept(), radii, alt=about + " ".join(_swept_sentences(radii)).replace("`", ""))


def sweep_finding(radii: Sequence[float] = RADII) -> str:
    """Return what β and T change, in sentences that follow from the intervals, as Markdown."""
    return "**Finding.**\n\n" + "\n".join(f"- {line}" for line in _swept_sentences(radii))


def _swept_sentences(radii: Sequence[float]) -> list[str]:
    lines = []
    for setting, by_code in swept().items():
        own = _own(setting)
        for code, by_value in by_code.items():
            if own not in by_value or len(by_value) < 2:
                continue
            clean = [over_seeds(records).mean for records in by_value.values()]
            told = [f"Over {setting} = {min(by_value):g} to {max(by_value):g}, `{code}` has a clean accuracy of "]
            told[0] += f"{min(clean):.3f} to {max(clean):.3f}."
            told += [_against_own(setting, by_value, eps) for eps in radii]
            lines.append(" ".join(told))
    return lines or ["The sweeps over β and T are not measured yet."]


def _against_own(setting: str, by_value: Mapping[float, Records], eps: float) -> str:
    """Return at which values the worst case differs from that at the zoo's own value, in a sentence."""
    own = _own(setting)
    values = {v: [accuracy_of(r, "worst", None, eps) for r in records] for v, records in by_value.items()}
    said: dict[str, list[str]] = {}
    for v in values:
        if v != own:
            said.setdefault(change_over_seeds(values[v], values[own]).direction, []).append(f"{v:g}")
    words = {"higher": "higher for", "lower": "lower for", "not told apart": "not clearly different for"}
    parts = [f"{words[key]} {setting} = {', '.join(said[key])}" for key in words if key in said]
    mean = over_seeds(by_value[own], "worst", None, eps).mean
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    return f"At ε = {eps:g}, its worst-case accuracy is {mean:.3f} for {setting} = {own:g}; it is {listed}."


def packing_figure(radii: Sequence[float] = RADII) -> Figure:
    """Draw when a perturbation's spike arrives against whether it does: four codes, spike counts equal within a rounding.

    A rounding of which a code is not measured yet is left out.
    """
    return figures.packing({key: found for key, name in FOUR.items() if (found := _records(name)) is not None}, radii)


def packing_finding(radii: Sequence[float] = RADII) -> str:
    """Return what packing late changes at either rounding, in sentences that follow from the intervals, as Markdown."""
    lines = []
    for eps in radii:
        for rounding in ("up", "down"):
            early, late = (FOUR[rounding, when] for when in ("early", "late"))
            change = _change(late, early, eps)
            if change is None:
                continue
            than = f"is {change.direction} than" if change.clear else "does not differ clearly from"
            lines.append(
                f"- At ε = {eps:g}, rounded {rounding}: the worst-case accuracy of late packing (`{late}`) {than} that of early "
                f"packing (`{early}`) ({change})."
            )
    why = (
        "Every pixel has as many spikes in both. If fractions are rounded down, an ε of 0.1 on black makes no spike, early or "
        "late; at 0.2 it makes one."
    )
    return f"**Finding.** {why}\n\n" + "\n".join(lines or ["- The four codes are not measured yet."])
