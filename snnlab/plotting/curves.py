"""Figures with a line a model: accuracy against ε, exit step or energy, each line with its 95 % band.

``repeats`` are the records of all seeds by model name; ``attack`` is a name in the records' attack lists.

>>> record = Record(n=100, num_steps=8, exits=[8], eps=[0.0, 0.1], correct={"worst": [[97, 60]]})
>>> seed_curves({"mine": [record]}).alt
'Accuracy against ε, worst case; at ε = 0.1: mine 0.60.'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from snnlab.plotting.theme import ATTACK, QUIET, Mark, NotebookFigure, marks, style
from snnlab.statistics import (
    Estimate,
    Record,
    chance_of,
    estimate,
    intervals_line,
    lower_ends_line,
    over_seeds,
    shared,
)
from snnlab.statistics.parts import LateAccuracy
from snnlab.statistics.records import Repeats
from snnlab.vocabulary import VOCABULARY

__all__ = ["energy_curves", "exit_curves", "late_curves", "rule_curves", "seed_curves"]

LIMITS = (-0.02, 1.02)  # of an axis of accuracies
TITLES = {"worst": "worst case"}  # of attacks whose name in records is not their title
#: dash and marker of the steps from which a late perturbation acts, in their order
STARTS = (("-", "o"), ("--", "s"), ("-.", "^"), (":", "D"))


def curve_with_band(
    ax: Axes,
    x: Sequence[float],
    counts: Sequence[Sequence[float]],
    n: int,
    mark: Mark,
    *,
    band: float = 0.13,
    **line: Any,
) -> list[Estimate]:
    """Draw accuracies as a line in a band of their 95 % intervals, and return them.

    ``counts``: right answers of ``n`` at every position, one number a seed; ``line``: further settings of matplotlib's line.
    """
    estimates = [estimate(seeds, n) for seeds in counts]
    drawn = {"color": mark.colour, "ls": mark.dash, "marker": mark.marker, "label": mark.label} | line
    ax.plot(x, [e.mean for e in estimates], **drawn)
    ax.fill_between(x, [e.low for e in estimates], [e.high for e in estimates], color=mark.colour, alpha=band, lw=0)
    return estimates


def add_lower_ends(
    figure: NotebookFigure,
    repeats: Repeats,
    radii: Iterable[float],
    exits: Iterable[int | None] = (None,),
    attack: str = "worst",
) -> None:
    """Add what is proved to the caption of a figure of worst cases."""
    steps = list(exits)
    said = lower_ends_line(repeats, [(step, eps) for eps in radii for step in steps]) if attack == "worst" else ""
    if said:
        figure.add_caption(f"{figure.caption}. {said}" if figure.caption else said)


def proved_line(
    ax: Axes, x: Sequence[float], records: Sequence[Record], at: Sequence[tuple[int | None, float]], mark: Mark
) -> None:
    """Draw the lower ends of a line of worst cases: thin, and dotted, with the room up to the line hatched."""
    ends = [over_seeds(records, "worst", *place) for place in at]
    lower = [end.proved if end.attacked else end.mean for end in ends]
    known = [(place, low, end.mean) for place, low, end in zip(x, lower, ends, strict=True) if low is not None]
    if any(low > 0 for (_, low, _), end in zip(known, ends, strict=False) if end.attacked):
        places, lows, highs = zip(*known, strict=True)
        ax.plot(places, lows, color=mark.colour, ls=":", lw=1.0, marker=mark.marker, ms=3)
        ax.fill_between(places, lows, highs, facecolor="none", edgecolor=mark.colour, hatch="////", alpha=0.25, lw=0)


def chance_line(ax: Axes, repeats: Repeats, at: float = 0.0) -> None:
    """Draw the accuracy of guessing as a dotted line, named at ``x = at``, where the records say what it is."""
    chance = chance_of(record for records in repeats.values() for record in records)
    if chance is not None:
        ax.axhline(chance, color=QUIET, lw=0.8, ls=(0, (1, 3)), zorder=0)
        ax.annotate("chance", (at, chance), xytext=(2, 3), textcoords="offset points", color=QUIET, fontsize=8)


def ranking(values: Mapping[str, float]) -> str:
    """Return accuracies in words, the highest first."""
    return ", ".join(f"{name} {value:.2f}" for name, value in sorted(values.items(), key=lambda pair: -pair[1]))


def measured(records: Sequence[Record], key: str) -> list[Any]:
    """Return one part of every record; ``ValueError`` if a record lacks it."""
    if not all(parts := [getattr(record, key) for record in records]):
        raise ValueError(f"the figure needs {key!r} in every record, got one without it; measure it, or leave the model out")
    return parts


def counts_at(records: Sequence[Record], attack: str, at: Iterable[tuple[int | None, float]]) -> list[list[float]]:
    """Return the counts of every seed at these pairs of exit step and ε."""
    return [[record.count(attack, step, eps) for record in records] for step, eps in at]


def row_of_panels(repeats: Repeats, columns: int, size: tuple[float, float]) -> tuple[NotebookFigure, list[Axes]]:
    """Return a figure with axes side by side that share their scale of accuracy, and a caption with n and intervals."""
    figure = NotebookFigure(figsize=size, layout="constrained")
    panels = list(np.atleast_1d(figure.subplots(1, columns, sharey=True)))
    for ax in panels:
        ax.set(ylim=LIMITS)
    panels[0].set_ylabel("accuracy")
    if repeats:
        figure.add_caption(intervals_line(repeats.values()))
    return figure, panels


def seed_curves(repeats: Repeats, attack: str = "worst", exit_step: int | None = None) -> NotebookFigure:
    """Draw accuracy against ε, a line a model; a model without this attack is left out. An ANN answers alike at every exit."""
    attacked = {name: records for name, records in repeats.items() if attack in records[0].correct}
    with style():
        figure, (ax,) = row_of_panels(attacked, 1, (6.4, 4.0))
        looks = marks(attacked)
        values = {look.label: _eps_curve(ax, attacked[name], attack, exit_step, look) for name, look in looks.items()}
        chance_line(ax, attacked)
        ax.set(xlabel=_eps_title(attacked), xlim=(0, None))
        if attacked:
            ax.legend(loc="upper right", fontsize=8)
        add_lower_ends(figure, attacked, _radii(attacked), (exit_step,), attack)
    figure.alt = f"Accuracy against ε, {TITLES.get(attack, attack)};{_at(attacked)}: {ranking(values)}."
    return figure


def _eps_curve(ax: Axes, records: Sequence[Record], attack: str, exit_step: int | None, mark: Mark) -> float:
    """Draw accuracy against ε, and return it at the second ε above 0, where models differ most plainly."""
    eps = shared(records, "eps")
    at = [(exit_step, e) for e in eps]
    estimates = curve_with_band(ax, eps, counts_at(records, attack, at), records[0].n, mark)
    if attack == "worst":
        proved_line(ax, eps, records, at, mark)
    return estimates[:3][-1].mean


def _radii(repeats: Repeats) -> list[float]:
    """Return the ε that all models were attacked at."""
    return sorted(set.intersection(*({*shared(records, "eps")} for records in repeats.values()))) if repeats else []


def _at(repeats: Repeats) -> str:
    radii = {shared(records, "eps")[:3][-1] for records in repeats.values()}
    return f" at ε = {radii.pop():g}" if len(radii) == 1 else " at the second ε above 0"


def _eps_title(repeats: Repeats) -> str:
    norms = {records[0].norm_title for records in repeats.values()}
    return f"ε ({' or '.join(sorted(norms) or ['L∞'])}, pixel units)"


def rule_curves(panels: Mapping[str, Repeats], attack: str = "worst") -> NotebookFigure:
    """Draw accuracy against ε at the last exit, a panel a code with its ``repeats``, a line for every training rule."""
    every = {f"{title} {name}": records for title, repeats in panels.items() for name, records in repeats.items()}
    handles: dict[str, Any] = {}
    said = []
    with style():
        figure, axes = row_of_panels(every, len(panels), (2.9 * len(panels) + 1.2, 3.8))
        for ax, (title, repeats) in zip(axes, panels.items(), strict=True):
            values = {}
            for name, mark in marks(repeats).items():
                line = _by_rule(title, repeats[name][0], mark)
                values[line.label] = _eps_curve(ax, repeats[name], attack, None, line)
                handles.setdefault(line.label, ax.get_lines()[-1])
            said.append(f"{title}: {ranking(values)}")
            chance_line(ax, repeats)
            ax.set(xlabel=_eps_title(repeats), xlim=(0, None), title=title)
        figure.legend(list(handles.values()), list(handles), fontsize=8, loc="outside right center")
        by_name = {name: records for repeats in panels.values() for name, records in repeats.items()}
        add_lower_ends(figure, by_name, _radii(by_name), attack=attack)
    figure.alt = f"Accuracy against ε, {TITLES.get(attack, attack)}, a panel a code;{_at(every)}, {'; '.join(said)}."
    return figure


def _by_rule(code: str, record: Record, mark: Mark) -> Mark:
    """Return the mark with the training rule as its label, in the panel of the model's code."""
    rules, rule, loss = VOCABULARY.training_rules, record.rule, record.loss or "count"
    if rule not in rules or record.code != code:
        return mark
    if rule == "bptt" and loss == "count":  # the marker of its code would need a legend a panel
        return replace(mark, label=rules["bptt"].title, marker=VOCABULARY.markers["circle"])
    return replace(mark, label=(rules[rule] if rule != "bptt" else VOCABULARY.losses[loss]).title)


def exit_curves(
    repeats: Repeats, eps: float, attack: str = "worst", *, acts_from: Mapping[str, int] | None = None
) -> NotebookFigure:
    """Draw accuracy against exit step, clean (thin) and attacked at that exit (strong).

    Args:
        repeats: measured at several exits.
        eps: budget of the attack.
        attack: as in the module docstring.
        acts_from: by model name, the number of steps before ε first acts on black; a line marks each.
    """
    values = {}
    with style():
        figure, (ax,) = row_of_panels(repeats, 1, (6.4, 4.0))
        for name, mark in marks(repeats).items():
            records, exits = repeats[name], shared(repeats[name], "exits")
            clean = [over_seeds(records, attack, e, 0.0).mean for e in exits]
            ax.plot(exits, clean, color=mark.colour, ls=mark.dash, lw=0.9, alpha=0.7)
            counts = counts_at(records, attack, [(e, eps) for e in exits])
            estimates = curve_with_band(ax, exits, counts, records[0].n, mark)
            if attack == "worst":
                proved_line(ax, exits, records, [(e, eps) for e in exits], mark)
            best = max(range(len(exits)), key=lambda k: estimates[k].mean)
            values[f"{mark.label} at exit {exits[best]}"] = estimates[best].mean
        _mark_steps(ax, repeats, acts_from or {}, eps)
        chance_line(ax, repeats, 1)
        ax.set(xlabel="exit step")
        figure.legend(loc="outside right upper", fontsize=8, title=f"thin: clean\nstrong: ε = {eps:g}", title_fontsize=8)
        steps = sorted(set.intersection(*({*shared(records, "exits")} for records in repeats.values())))
        add_lower_ends(figure, repeats, (eps,), [*dict.fromkeys((*steps[len(steps) // 2 :][:1], *steps[-1:]))], attack)
    figure.alt = f"Accuracy against exit step, {TITLES.get(attack, attack)} at ε = {eps:g}; highest are {ranking(values)}."
    return figure


def _mark_steps(ax: Axes, repeats: Repeats, acts_from: Mapping[str, int], eps: float) -> None:
    """Draw a line at every step at which ε begins to act on black, with the models that it concerns."""
    last = max(max(shared(records, "exits")) for records in repeats.values())
    steps = sorted({step for step in acts_from.values() if 0 < step < last})
    for row, step in enumerate(steps):
        names = ", ".join(name for name, acts in acts_from.items() if acts == step)
        ax.axvline(step + 0.5, color=ATTACK, lw=1, ls="--")
        words = f"ε = {eps:g} on black acts after exit {step}: {names}"
        place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "ha": "right"}
        above = 3 + 11 * (len(steps) - 1 - row)
        ax.annotate(words, (step + 0.5, 1), xytext=(2, above), color=ATTACK, fontsize=8, **place)


def energy_curves(repeats: Repeats, eps: float | None = None) -> NotebookFigure:
    """Draw accuracy (worst case at ``eps``; ``None``: clean) against the energy of an answer, a point an exit step.

    The last exit is marked. Exits before the first spike, which cost nothing, are left out.
    """
    values = {}
    with style():
        figure, (ax,) = row_of_panels(repeats, 1, (6.4, 4.0))
        for name, mark in marks(repeats).items():
            records = repeats[name]
            picojoules = np.mean(measured(records, "energy_pj"), axis=0)
            exits = [e for e in shared(records, "exits") if picojoules[e - 1] > 0]
            cost = [float(picojoules[e - 1]) / 1000 for e in exits]
            if not exits:
                continue
            counts = counts_at(records, "worst", [(e, eps or 0.0) for e in exits])
            estimates = curve_with_band(ax, cost, counts, records[0].n, mark, ms=3.5)
            ax.plot(cost[-1], estimates[-1].mean, color=mark.colour, marker=mark.marker, ms=8)
            values[f"{mark.label} ({cost[-1]:.3g} nJ)"] = estimates[-1].mean
        ax.set(xscale="log", xlabel="energy of an answer (nJ, estimate)")
        chance_line(ax, repeats, ax.dataLim.x0)
        add_lower_ends(figure, repeats, (eps or 0.0,))
        words = "Accuracy" if eps is None else f"Worst-case accuracy at ε = {eps:g}"
        ax.set_ylabel(words[0].lower() + words[1:])
        ax.legend(fontsize=8)
    figure.alt = f"{words} against energy; at the last exit: {ranking(values)}."
    return figure


def late_curves(repeats: Repeats, method: str | None = None) -> NotebookFigure:
    """Draw accuracy against exit step, a panel a model and a line for each step ``t0`` from which the perturbation acts.

    ``method``: ``"pgd"``, ``"spike_train"``, ``"noise"`` or ``"flips"``; ``None``: ``"spike_train"`` where measured, else PGD.
    """
    said = []
    with style():
        figure, panels = row_of_panels({}, len(repeats), (2.3 * len(repeats) + 0.6, 3.1))
        late: dict[str, list[LateAccuracy]] = {}
        for ax, (name, mark) in zip(panels, marks(repeats).items(), strict=True):
            kind = method or ("spike_train" if "spike_train" in measured(repeats[name], "late")[0] else "pgd")
            if any(kind not in record.late for record in repeats[name]):
                raise ValueError(f"the figure needs late {kind!r} in every record of {name!r}; choose another method")
            late[name] = [record.late[kind] for record in repeats[name]]
            values = {}
            for k, start in enumerate(late[name][0].from_steps):
                counts = list(zip(*(seed.correct[k] for seed in late[name]), strict=True))
                dash, marker = STARTS[k % len(STARTS)]
                line = Mark(mark.colour, dash, marker, f"$t_0$ = {start}")
                first = late[name][0]
                estimates = curve_with_band(ax, first.exits, counts, first.n, line, band=0.08, ms=4, lw=1.4)
                values[f"t0 = {start}:"] = estimates[-1].mean
            said.append(f"{mark.label}: {ranking(values)}")
            chance_line(ax, repeats, 1)
            ax.set(xlabel="exit step", title=mark.label)
        figure.add_caption(intervals_line(late.values()))
        figure.legend(*panels[-1].get_legend_handles_labels(), loc="outside right center", title="acts from")
    figure.alt = (
        f"Accuracy against exit step, a panel a model; at the last exit, if it acts from step t0: {'; '.join(said)}."
    )
    return figure
