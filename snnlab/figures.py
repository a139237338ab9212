"""Figures that compare models over seeds: accuracy against ε, exit step and energy, and clean against robust accuracy.

Each takes results (``snnlab.zoo.repeats`` by model name) and returns a ``Figure``, as in ``snnlab.plot``. Means over seeds
with their 95 % Student interval. A code keeps its colour; a way of training has a dash and a marker of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snnlab import zoo
from snnlab.plot import ATTACK, CODES, INK, QUIET, Picture, style
from snnlab.records import mean_interval, over_seeds

__all__ = ["RULES", "dynamic_plane", "energy_curves", "exit_curves", "late_curves", "plane", "seed_curves"]

Repeats = Mapping[str, Sequence[Mapping[str, Any]]]
Dash = str | tuple[int, tuple[int, ...]]

#: name, dash and marker of every way of training
RULES: dict[str, tuple[str, Dash, str]] = {
    "bptt": ("BPTT", "-", "o"),
    "tsslbp": ("TSSL-BP", "--", "s"),
    "conversion": ("converted", (0, (1, 2)), "D"),
    "fgsm": ("FGSM-trained", "-.", "^"),
    "pgd": ("PGD-trained", (0, (6, 2, 1, 2, 1, 2)), "v"),
    "trades": ("TRADES", (0, (3, 1)), "P"),
}
#: dash and marker of every loss of a network trained by BPTT
LOSSES: dict[str, tuple[str, Dash, str]] = {
    "count": ("count", "-", "o"),
    "anytime": ("anytime", "--", "s"),
    "latency": ("first spike", (0, (1, 2)), "D"),
    "membrane": ("membrane", "-.", "^"),
}


def seed_curves(repeats: Repeats, attack: str = "worst", exit_step: int | None = None) -> Figure:
    """Accuracy against ε.

    Args:
        repeats: the records of all seeds by model name.
        attack: a name in the records' attack lists.
        exit_step: steps that are read; ``None`` reads all.
    """
    with style():
        figure, ax = _figure()
        for name, records in repeats.items():
            eps = [e for e in records[0]["eps"] if all(e in record["eps"] for record in records)]
            _band(ax, name, eps, [over_seeds(records, attack, exit_step, e) for e in eps])
        _chance(ax)
        ax.set(xlabel="ε (L∞, pixel units)", ylabel="accuracy", ylim=(-0.02, 1.02), xlim=(0, None))
        ax.legend(fontsize=8)
    return figure


def exit_curves(repeats: Repeats, eps: float, attack: str = "worst", *, acts_from: int | None = None) -> Figure:
    """Accuracy against exit step, clean (thin) and attacked at that exit (strong).

    Args:
        repeats: the records of all seeds by model name, measured at several exits.
        eps: budget of the attack.
        attack: a name in the records' attack lists.
        acts_from: the number of steps before the budget first acts, marked by a line if given.
    """
    with style():
        figure, ax = _figure()
        for name, records in repeats.items():
            exits = records[0]["exits"]
            colour, dash, *_ = look(name)
            clean = [over_seeds(records, attack, e, 0.0).mean for e in exits]
            ax.plot(exits, clean, color=colour, ls=dash, lw=0.9, alpha=0.7)
            _band(ax, name, exits, [over_seeds(records, attack, e, eps) for e in exits])
        if acts_from is not None:
            ax.axvline(acts_from + 0.5, color=ATTACK, lw=1, ls="--")
            note = f"ε = {eps:g} on black\nacts after exit {acts_from}"
            ax.annotate(note, (acts_from + 0.5, 0.02), xytext=(5, 0), textcoords="offset points", color=ATTACK, fontsize=8)
        _chance(ax, 1)
        ax.set(xlabel="exit step", ylabel="accuracy", ylim=(-0.02, 1.02))
        ax.legend(fontsize=8, title=f"thin: clean, strong: ε = {eps:g}", title_fontsize=8)
    return figure


def plane(repeats: Repeats, eps: float, *, path: Sequence[str] = ()) -> Figure:
    """Clean against worst-case accuracy at ε: a point a model, with intervals over seeds.

    Args:
        repeats: the records of all seeds by model name.
        eps: budget of the attack.
        path: names to be joined by a line, as those that differ in one gate alone.
    """
    with style():
        figure, ax = _figure()
        at = {}
        for name, records in repeats.items():
            clean, robust = (over_seeds(records, "worst", None, e) for e in (0.0, eps))
            colour, _, marker, label = look(name)
            error = [[[v.mean - v.low], [v.high - v.mean]] for v in (clean, robust)]
            ax.errorbar(
                clean.mean, robust.mean, xerr=error[0], yerr=error[1], fmt=marker, color=colour, elinewidth=0.8, ms=6
            )
            ax.annotate(
                label, (clean.mean, robust.mean), xytext=(7, 4), textcoords="offset points", color=colour, fontsize=8
            )
            at[name] = clean.mean, robust.mean
        if path:
            ax.plot(*np.array([at[name] for name in path]).T, color=CODES["fusion"][0], lw=1, ls="--", zorder=0)
        ax.set(xlabel="clean accuracy", ylabel=f"worst-case accuracy at ε = {eps:g}", ylim=(-0.02, 1.02))
    return figure


def energy_curves(repeats: Repeats, eps: float | None = None) -> Figure:
    """Accuracy against the energy of an answer, a point an exit step; the last exit is marked.

    Args:
        repeats: the records of all seeds by model name; an ANN is one point.
        eps: budget of the attack (worst case); ``None``: clean.
    """
    with style():
        figure, ax = _figure()
        for name, records in repeats.items():
            exits = records[0]["exits"]
            cost = [np.mean([r["energy_pj"][e - 1] for r in records]) / 1000 for e in exits]
            found = [over_seeds(records, "worst", e, eps or 0.0) for e in exits]
            colour, dash, marker, label = look(name)
            ax.plot(cost, [f.mean for f in found], color=colour, ls=dash, marker=marker, ms=3.5, label=label)
            ax.plot(cost[-1], found[-1].mean, color=colour, marker=marker, ms=8)
        ax.set(xscale="log", xlabel="energy of an answer (nJ, estimate)", ylim=(-0.02, 1.02))
        ax.set_ylabel("accuracy" if eps is None else f"worst-case accuracy at ε = {eps:g}")
        ax.legend(fontsize=8)
    return figure


def late_curves(repeats: Repeats, name: str, method: str = "pgd") -> Figure:
    """Accuracy against exit step of one model, a line for each step from which the perturbation acts.

    Args:
        repeats: the records of all seeds by model name, with late perturbations.
        name: the model.
        method: ``"pgd"``, ``"noise"`` or ``"flips"``.
    """
    measured = [record["late"][method] for record in repeats[name]]
    first = measured[0]
    with style():
        figure, ax = _figure()
        colour, _, marker, _ = look(name)
        for k, start in enumerate(first["from_steps"]):
            shares = np.array([[c / late["n"] for c in late["correct"][k]] for late in measured])
            low, high = np.clip([mean_interval(list(column)) for column in shares.T], 0, 1).T
            depth = 0.35 + 0.65 * k / max(1, len(first["from_steps"]) - 1)
            ax.fill_between(first["exits"], low, high, color=colour, alpha=0.12 * depth, lw=0)
            ax.plot(
                first["exits"], shares.mean(0), color=colour, alpha=depth, marker=marker, label=f"acts from step {start + 1}"
            )
        _chance(ax, 1)
        ax.set(xlabel="exit step", ylabel="accuracy", ylim=(-0.02, 1.02))
        ax.legend(fontsize=8)
    return figure


def dynamic_plane(records: Mapping[str, Mapping[str, Any]], eps: float) -> Figure:
    """Accuracy of dynamic exits against the mean step at which clean samples leave, clean (open) and attacked (filled).

    Args:
        records: results by model name, measured at every exit.
        eps: budget of the attack; it may aim at any exit.
    """
    with style():
        figure, ax = _figure()
        for name, record in records.items():
            colour, dash, marker, label = look(name)
            found = record["dynamic"]
            order = np.argsort(found["mean_exit"])
            steps = np.array(found["mean_exit"])[order]
            for key, fill in (("0", "none"), (f"{eps:g}", colour)):
                share = np.array(found["correct"][key])[order] / record["n"]
                title = f"{label}, clean" if key == "0" else f"{label}, ε = {eps:g}"
                ax.plot(steps, share, color=colour, ls=dash, marker=marker, mfc=fill, label=title)
        ax.set(xlabel="mean exit step of clean digits", ylabel="accuracy", ylim=(-0.02, 1.02))
        ax.legend(fontsize=8)
    return figure


def look(name: str) -> tuple[str, Dash, str, str]:
    """Colour, dash, marker and label of a model of the zoo: the code's, unless it was trained or read in another way."""
    recipe = zoo.recipes()[name]
    colour, dash, marker = CODES[recipe["code"]]
    if recipe["group"] == "training":
        title, dash, marker = RULES[recipe["rule"]]
        return colour, dash, marker, f"{recipe['code']}, {title}"
    if recipe["group"] == "exit":
        title, dash, marker = LOSSES[recipe["loss"]]
        return colour, dash, marker, f"{recipe['code']}, {title}"
    return colour, dash, marker, name


def _figure() -> tuple[Figure, Axes]:
    figure = Picture(figsize=(6.4, 3.8), layout="constrained")
    return figure, figure.subplots()


def _band(ax: Axes, name: str, x: Sequence[float], found: Sequence[Any]) -> None:
    colour, dash, marker, label = look(name)
    ax.plot(x, [f.mean for f in found], color=colour, ls=dash, marker=marker, label=label)
    ax.fill_between(x, [f.low for f in found], [f.high for f in found], color=colour, alpha=0.13, lw=0)


def _chance(ax: Axes, at: float = 0) -> None:
    ax.axhline(0.1, color=QUIET, lw=0.8, ls=(0, (1, 3)))
    ax.annotate("chance", (at, 0.1), xytext=(2, 3), textcoords="offset points", color=INK, fontsize=8)
