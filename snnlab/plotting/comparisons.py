"""Figures that set models side by side: clean against robust accuracy, attacks of rising strength, bars.

``repeats`` are the records of all seeds by model name; ``eps`` is the budget of the attack.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from snnlab.plotting.curves import add_lower_ends, chance_line, measured, ranking, row_of_panels
from snnlab.plotting.theme import INK, QUIET, Mark, NotebookFigure, mark, marks, style
from snnlab.statistics import NO_BOUND, Estimate, Record, intervals_line, over_seeds, shared
from snnlab.statistics.records import Repeats
from snnlab.vocabulary import VOCABULARY

__all__ = ["attacked_sets", "bars", "dynamic_plane", "plane", "staircase"]

#: what an attacker has tried by each stair: a title, and the attack by itself, or ``left:`` after it and all before it
STAIRS: tuple[tuple[str, str], ...] = (
    ("nothing", ""),
    ("noise", "noise"),
    ("naive\nFGSM", "fgsm.naive"),
    ("naive\nPGD", "pgd.naive"),
    ("informed\nFGSM", "fgsm.informed"),
    ("informed\nPGD", "pgd.informed"),
    ("all these,\nSA-PGD-20", "left:sa_pgd"),
    ("+ surrogates,\nlosses, restarts", "left:sa_pgd.dlr"),
    ("+ searches,\nlonger", "worst"),
)


def plane(
    repeats: Repeats, eps: float, *, path: Sequence[str] = (), chords: Sequence[tuple[str, str]] = ()
) -> NotebookFigure:
    """Draw clean against worst-case accuracy at ε: a point a model, with intervals over seeds.

    Args:
        repeats, eps: as in the module docstring.
        path: models to join by a dashed line, such as those that differ in one gate alone.
        chords: pairs to join by a dotted line: the accuracies of choosing between the two models at random.
    """
    with style():
        figure, (ax,) = row_of_panels(repeats, 1, (6.4, 4.0))
        at = {}
        looks = marks(repeats)
        for name, look in looks.items():
            clean, robust = (over_seeds(repeats[name], "worst", None, e) for e in (0.0, eps))
            x, y = (reach([value]) for value in (clean, robust))
            drawn: dict[str, Any] = {"color": look.colour, "marker": look.marker, "ls": "none", "elinewidth": 0.8, "ms": 6}
            ax.errorbar(clean.mean, robust.mean, xerr=x, yerr=y, **drawn)
            at[name] = clean.mean, robust.mean
        for pair in chords:
            ax.plot(*np.array([at[name] for name in pair]).T, color=QUIET, lw=1, ls=(0, (1, 2)), zorder=0)
        if path:
            ax.plot(*np.array([at[name] for name in path]).T, color=mark("fusion").colour, lw=1, ls="--", zorder=0)
        ax.set(xlabel="clean accuracy", ylabel=f"worst-case accuracy at ε = {eps:g}", xlim=ax.get_xlim())
        chance_line(ax, repeats, ax.get_xlim()[0])
        _name_points(ax, at, looks)
        add_lower_ends(figure, repeats, (eps,))
    values = {looks[name].label: robust for name, (_, robust) in at.items()}
    figure.alt = f"Clean against worst-case accuracy at ε = {eps:g}; worst case: {ranking(values)}."
    return figure


def reach(values: Sequence[Estimate]) -> list[list[float]]:
    """Return intervals as matplotlib's error bars take them."""
    return [[v.mean - v.low for v in values], [v.high - v.mean for v in values]]


def _name_points(ax: Axes, at: Mapping[str, tuple[float, float]], looks: Mapping[str, Mark]) -> None:
    """Write a name beside each point, on the first of four sides where it covers no other one."""
    pixels = {name: ax.transData.transform(point) for name, point in at.items()}
    taken = {name: Bbox.from_extents(*(xy - 4), *(xy + 4)) for name, xy in pixels.items()}
    for name, point in at.items():
        others = [box for key, box in taken.items() if key != name]
        for x, y, side in ((7, 4, "left"), (7, -11, "left"), (-7, 4, "right"), (-7, -11, "right")):
            words: dict[str, Any] = {"ha": side, "fontsize": 8, "color": looks[name].colour}
            text = ax.annotate(looks[name].label, point, xytext=(x, y), textcoords="offset points", **words)
            box = text.get_window_extent()
            if (side == "right" and y < 0) or not any(box.overlaps(other) for other in others):
                break
            text.remove()
        taken[f"{name} (name)"] = box


def dynamic_plane(repeats: Repeats, eps: float) -> NotebookFigure:
    """Draw accuracy against the mean number of steps read of a clean image, clean and attacked; marks: dynamic exits."""
    rules = {name: VOCABULARY.markers[term.marker] for name, term in VOCABULARY.exit_rules.items() if term.marker}
    said = []
    with style():
        figure, panels = row_of_panels(repeats, 2, (7.4, 3.8))
        for ax, radius in zip(panels, (0.0, eps), strict=True):
            for name, look in marks(repeats).items():
                records, exits = repeats[name], shared(repeats[name], "exits")
                fixed = [over_seeds(records, "worst", e, radius).mean for e in exits]
                ax.plot(exits, fixed, color=look.colour, ls=look.dash, lw=1.2)
                dynamic = {rule: _dynamic(records, rule, radius) for rule in rules}
                for rule, marker in rules.items():
                    ax.plot(*dynamic[rule], color=look.colour, ls="none", marker=marker, mfc="none", ms=6)
                ax.plot([], [], color=look.colour, ls=look.dash, label=look.label)
                if radius:
                    best = max((share for _, shares in dynamic.values() for share in shares), default=0.0)
                    said.append(f"{look.label} fixed {max(fixed):.2f}, dynamic {best:.2f}")
            ax.set(xlabel="steps read of a clean image, mean")
            chance_line(ax, repeats, 1)
        for rule, marker in rules.items():
            title = VOCABULARY.exit_rules[rule].title
            panels[0].plot([], [], color=INK, ls="none", marker=marker, mfc="none", label=title)
        panels[0].set_title("clean")
        panels[1].set_title(f"worst case, ε = {eps:g}")
        panels[0].legend(loc="lower right", fontsize=8, ncols=2, title="lines: fixed exits", title_fontsize=8)
        add_lower_ends(figure, repeats, (eps,))
        figure.add_caption(f"{figure.caption}. Dynamic exits: {NO_BOUND}")
    figure.alt = f"Accuracy against steps read; highest in the worst case at ε = {eps:g}: {'; '.join(said)}."
    return figure


def _dynamic(records: Sequence[Record], rule: str, eps: float) -> tuple[list[float], list[float]]:
    """Return mean exit step and accuracy, over seeds, of every threshold of a rule."""
    dynamic = measured(records, "dynamic")
    rows = [k for k, known in enumerate(dynamic[0].rules) if known["name"] == rule]
    steps = [float(np.mean([seed.mean_exit[k] for seed in dynamic])) for k in rows]
    counts = [float(np.mean([seed.counts(eps)[k] for seed in dynamic])) for k in rows]
    return steps, [count / records[0].n for count in counts]


def staircase(repeats: Repeats, eps: float) -> NotebookFigure:
    """Draw accuracy left at the last exit as the attacker tries more; the first stairs are single attacks, the last add up."""
    single = sum(not key.startswith("left:") and key != "worst" for _, key in STAIRS)
    last = {}
    with style():
        figure, (ax,) = row_of_panels(repeats, 1, (8.6, 4.4))
        for name, look in marks(repeats).items():
            steps = {k: values for k, (_, key) in enumerate(STAIRS) if (values := _stair(repeats[name], key, eps))}
            means = [float(np.mean(values)) for values in steps.values()]
            ax.plot(list(steps), means, color=look.colour, marker=look.marker, ls=look.dash, label=look.label)
            last[look.label] = means[-1]
        chance_line(ax, repeats, single - 0.5)
        ax.axvline(single - 0.5, color=QUIET, lw=0.8)
        ax.annotate("one attack each", (single - 0.6, 1.0), ha="right", va="top", fontsize=8, color=INK)
        ax.annotate("together", (single - 0.4, 1.0), ha="left", va="top", fontsize=8, color=INK)
        ax.set(ylabel=f"accuracy left at ε = {eps:g}", ylim=(-0.02, 1.04))
        ax.set_xticks(range(len(STAIRS)), [title for title, _ in STAIRS], fontsize=8)
        ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
        add_lower_ends(figure, repeats, (eps,))
    figure.alt = f"Accuracy left at ε = {eps:g} as attacks add up; after all of them: {ranking(last)}."
    return figure


def _stair(records: Sequence[Record], key: str, eps: float) -> list[float]:
    """Return the accuracy of each seed at the last exit after one stair; nothing where it was not measured."""
    if not key:
        return [record.accuracy() for record in records]
    table, _, name = key.rpartition(":")
    tables = [replace(record, correct=record.survivors) if table else record for record in records]
    return [record.accuracy(name, eps=eps) for record in tables if name in record.correct]


def attacked_sets(
    repeats: Repeats,
    sets: Mapping[str, tuple[str, float]],
    accuracy: Callable[[str, str, float], Estimate | None] | None = None,
) -> NotebookFigure:
    """Draw bars of every model on the clean set and on attacked ones. Bars of one colour differ in hatching.

    Args:
        sets: attack and ε by title of the set.
        accuracy: of a model (its name, attack, ε), ``None`` where it was not measured; default ``over_seeds``.
    """
    read = accuracy or (lambda name, attack, eps: over_seeds(repeats[name], attack, None, eps))
    wide = 0.82 / len(repeats)
    last = {}
    used: list[str] = []
    with style():
        figure, (ax,) = row_of_panels({}, 1, (9.2, 3.8))
        for k, (name, look) in enumerate(marks(repeats).items()):
            estimates = {i: value for i, (attack, eps) in enumerate(sets.values()) if (value := read(name, attack, eps))}
            at = [i + (k - (len(repeats) - 1) / 2) * wide for i in estimates]
            hatch = ("", "//", "..", "xx")[used.count(look.colour) % 4]
            used.append(look.colour)
            bar: dict[str, Any] = {"color": look.colour, "hatch": hatch, "edgecolor": "white", "label": look.label}
            error: dict[str, Any] = {"yerr": reach(list(estimates.values())), "error_kw": {"lw": 0.8, "ecolor": INK}}
            ax.bar(at, [e.mean for e in estimates.values()], wide * 0.9, **bar, **error)
            if len(sets) - 1 in estimates:
                last[look.label] = estimates[len(sets) - 1].mean
        figure.add_caption(intervals_line(repeats.values(), "95 % intervals" if accuracy else ""))
        add_lower_ends(figure, repeats, [eps for attack, eps in sets.values() if attack == "worst"])
        chance_line(ax, repeats, -0.5)
        ax.set_xticks(range(len(sets)), list(sets))
        ax.set(ylabel="fraction correct", ylim=(0, 1), xlim=(-0.5, len(sets) - 0.5))
        ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
    figure.alt = f"Accuracy on {', '.join(sets)}; on the last: {ranking(last)}."
    return figure


def bars(values: Mapping[str, Estimate], looks: Mapping[str, Mark], chance: float | None, title: str) -> NotebookFigure:
    """Draw one accuracy a model as horizontal bars with intervals.

    Args:
        values: accuracies by model name.
        looks: marks by model name; the label is written beside the bar.
        chance: accuracy of guessing; ``None``: no line.
        title: what was measured.
    """
    with style():
        figure = NotebookFigure(figsize=(7.2, 0.34 * len(values) + 1.0), layout="constrained")
        ax = figure.subplots()
        for row, (name, value) in enumerate(values.items()):
            error: dict[str, Any] = {"xerr": reach([value]), "error_kw": {"lw": 0.8, "ecolor": INK}}
            ax.barh(row, value.mean, 0.6, color=looks[name].colour, **error)
            ax.text(value.high + 0.02, row, f"{value.mean:.0%}", va="center")
        if chance is not None:
            ax.axvline(chance, color=QUIET, ls=(0, (1, 3)), lw=0.8)
        ax.set(yticks=range(len(values)), yticklabels=[looks[name].label for name in values], xlim=(0, 1.08), title=title)
        ax.invert_yaxis()
    figure.alt = f"{title}: {ranking({looks[name].label: value.mean for name, value in values.items()})}."
    return figure
