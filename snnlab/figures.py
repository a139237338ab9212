"""Figures that compare models over seeds: accuracy against ε, exit step and energy, and clean against robust accuracy.

Each takes results (``snnlab.zoo.repeats`` by model name) and returns a ``Figure``, as in ``snnlab.plot``. Means over seeds
with their 95 % Student interval. A code keeps its colour; a way of training has a dash and a marker of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from snnlab import zoo
from snnlab.neuron import SURROGATES, Surrogate, lif
from snnlab.plot import ATTACK, CODES, INK, QUIET, Dash, Picture, mark, style
from snnlab.records import Estimate, accuracy_of, mean_interval, over_seeds, shared
from snnlab.zoo import cifar10

__all__ = [
    "attacked_sets",
    "dynamic_plane",
    "energy_curves",
    "exit_curves",
    "late_curves",
    "packing",
    "plane",
    "rule_curves",
    "seed_curves",
    "staircase",
    "stand_in",
    "sweeps",
]

Repeats = Mapping[str, Sequence[Mapping[str, Any]]]

#: what a model was trained by or for, where that is not BPTT on the spike count
TITLES: dict[str, str] = {
    "tsslbp": "TSSL-BP",
    "conversion": "converted",
    "fgsm": "FGSM-trained",
    "pgd": "PGD-trained",
    "trades": "TRADES",
    "anytime": "anytime",
    "latency": "first spike",
    "membrane": "membrane",
}
#: marker of every rule of a dynamic exit; dash and marker of the steps from which a late perturbation acts, in their order
EXITS: dict[str, str] = {"margin": "o", "confidence": "s", "first_spike": "*"}
STARTS: tuple[tuple[Dash, str], ...] = (("-", "o"), ("--", "s"), ("-.", "^"), (":", "D"))


def stand_in(current: Sequence[float], surrogate: Surrogate | None = None) -> Figure:
    """A neuron as it runs (left), its step, and the slopes that stand in for the step's when it learns (right).

    Args:
        current: input ``I`` at every step, of one LIF neuron with the book's constants.
        surrogate: drawn strongly; default the one that the zoo was trained with.
    """
    own = surrogate or Surrogate()
    spikes, membrane = (values.numpy() for values in lif(torch.tensor(current)))
    v = torch.linspace(-1, 1, 401)
    with style():
        figure = Picture(figsize=(8.2, 2.9), layout="constrained")
        neuron, slope = figure.subplots(1, 2)
        steps = np.arange(len(membrane))
        neuron.plot(steps, membrane, color=INK, marker="o", ms=4, label="potential U")
        neuron.plot(steps[spikes > 0], membrane[spikes > 0], color=ATTACK, ls="none", marker="o", ms=8, label="spike")
        neuron.axhline(1, color=QUIET, lw=1, ls="--")
        neuron.annotate("threshold θ", (0, 1), xytext=(0, 4), textcoords="offset points", color=QUIET, fontsize=8)
        neuron.set(xlabel="step t", title="forward: the step as it is")
        neuron.legend(fontsize=8)
        slope.plot(v, (v > 0).float(), color=ATTACK, lw=1.4, label="the spike")
        for shape, dash, alpha in zip(SURROGATES, ("-", "--", "-.", ":"), (4.0, 2.0, 2.0, 1.0), strict=True):
            other = own if shape == own.shape else Surrogate(shape, alpha)
            slope.plot(v, other(v), color=INK, ls=dash, lw=2.2 if other is own else 1, label=f"{shape}, {other.slope:g}")
        slope.set(xlabel="U - θ", title="backward: a slope in its place")
        slope.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure


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
            eps = shared(records, "eps")
            _band(ax, name, eps, [over_seeds(records, attack, exit_step, e) for e in eps])
        _chance(ax)
        ax.set(xlabel="ε (L∞, pixel units)", ylabel="accuracy", ylim=(-0.02, 1.02), xlim=(0, None))
        ax.legend(fontsize=8)
    return figure


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


def staircase(repeats: Repeats, eps: float) -> Figure:
    """Accuracy left at the last exit as the attacker tries more; the first stairs are single attacks, the last add up.

    Args:
        repeats: the records of all seeds by model name. A stair that a record does not have is left out.
        eps: radius.
    """
    single = sum(not key.startswith("left:") and key != "worst" for _, key in STAIRS)
    with style():
        figure = Picture(figsize=(8.6, 4.2), layout="constrained")
        ax = figure.subplots()
        for name, records in repeats.items():
            found = [(k, _stair(records, key, eps)) for k, (_, key) in enumerate(STAIRS)]
            steps = [(k, values) for k, values in found if values]
            means = [float(np.mean(values)) for _, values in steps]
            colour, dash, marker, label = look(name)
            ax.plot([k for k, _ in steps], means, color=colour, marker=marker, ls=dash, label=label)
        _chance(ax, single - 0.5)
        ax.axvline(single - 0.5, color=QUIET, lw=0.8)
        ax.annotate("one attack each", (single - 0.6, 1.0), ha="right", va="top", fontsize=8, color=INK)
        ax.annotate("together", (single - 0.4, 1.0), ha="left", va="top", fontsize=8, color=INK)
        ax.set(ylabel=f"accuracy left at ε = {eps:g}", ylim=(-0.02, 1.04))
        ax.set_xticks(range(len(STAIRS)), [title for title, _ in STAIRS], fontsize=8)
        ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def _stair(records: Sequence[Mapping[str, Any]], key: str, eps: float) -> list[float]:
    """Accuracy of each seed at the last exit after one stair; nothing where it was not measured."""
    if not key:
        return [r["correct"]["worst"][-1][0] / r["n"] for r in records]
    table, _, name = key.rpartition(":")
    found = [(r, r.get(table or "correct", {}).get(name)) for r in records]
    return [counts[-1][r["eps"].index(eps)] / r["n"] for r, counts in found if counts]


def attacked_sets(
    kept: Callable[[str, str, float], Estimate | None], models: Sequence[str], sets: Mapping[str, tuple[str, float]]
) -> Figure:
    """Bars of every model on the clean set and on attacked ones, as the paper's headline figure has them.

    Args:
        kept: accuracy of a model under an attack at ε (of 255), ``None`` where it was not measured.
        models: of the CIFAR-10 zoo.
        sets: attack and ε by title.
    """
    with style():
        figure = Picture(figsize=(9.2, 3.6), layout="constrained")
        ax = figure.subplots()
        wide = 0.82 / len(models)
        for k, name in enumerate(models):
            told = cifar10.settings(name)
            found = [kept(name, attack, eps) for attack, eps in sets.values()]
            at = [i + (k - (len(models) - 1) / 2) * wide for i, f in enumerate(found) if f]
            shares = [f for f in found if f]
            reach = [[f.mean - f.low for f in shares], [f.high - f.mean for f in shares]]
            spiking = told["encoding"] != "none"
            ax.bar(
                at,
                [f.mean for f in shares],
                wide * 0.9,
                color=CODES[told["code"]][0],
                hatch="//" if name == "fusion-poisson" else None,
                edgecolor="white",
                label=told["encoding"] if spiking else name.replace("ann", "ANN").replace("-second", ", second seed"),
                yerr=reach,
                error_kw={"lw": 0.8, "ecolor": INK},
            )
        ax.axhline(0.1, color=QUIET, lw=0.8, ls=":")
        ax.annotate("chance", (len(sets) - 0.5, 0.1), ha="right", va="bottom", fontsize=8, color=QUIET)
        ax.set_xticks(range(len(sets)), list(sets))
        ax.set(ylabel="fraction correct", ylim=(0, 1), xlim=(-0.5, len(sets) - 0.5))
        ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def packing(four: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]], radii: Sequence[float]) -> Figure:
    """Worst-case accuracy of runs of spikes packed early or late, rounded up or down: a panel an ε, a line a rounding.

    Args:
        four: the records of all seeds by rounding (``"up"``, ``"down"``) and packing (``"early"``, ``"late"``). A rounding
            that lacks one of its two is left out.
        radii: ε of the panels.
    """
    looks: dict[str, tuple[Dash, str]] = {"up": ("--", "^"), "down": ("-", "v")}
    with style():
        figure = Picture(figsize=(3.4 * len(radii), 3.4), layout="constrained")
        for ax, eps in zip(np.atleast_1d(figure.subplots(1, len(radii), sharey=True)), radii, strict=True):
            for rounding, (dash, marker) in looks.items():
                if not {(rounding, "early"), (rounding, "late")} <= set(four):
                    continue
                found = [over_seeds(four[rounding, when], "worst", None, eps) for when in ("early", "late")]
                means = [f.mean for f in found]
                spread = [[f.mean - f.low for f in found], [f.high - f.mean for f in found]]
                ax.errorbar((0, 1), means, spread, color=INK, ls=dash, marker=marker, capsize=3, label=f"rounded {rounding}")
            _chance(ax, -0.25)
            ax.set(title=f"ε = {eps:g}", ylim=(-0.02, 1.02), xlim=(-0.3, 1.3))
            ax.set_xticks((0, 1), ("packed early", "packed late"))
            if ax.get_legend_handles_labels()[0]:
                ax.legend(fontsize=8, loc="upper left")
        figure.axes[0].set_ylabel("worst case")
    return figure


#: of a sweep over one setting: its records by value, by code
Sweep = Mapping[str, Mapping[float, Sequence[Mapping[str, Any]]]]


def sweeps(swept: Mapping[str, Sweep], radii: Sequence[float], alt: str = "") -> Figure:
    """Worst-case accuracy against a setting: a column a setting, a row an ε; dots are seeds, lines their means.

    Args:
        swept: by setting (``"β"``, ``"T"``) and code, the records of all seeds by value. ``T`` has a logarithmic axis.
        radii: ε of the rows. Clean accuracy is drawn thin.
        alt: what the figure shows, in words.
    """
    with style():
        figure = Picture(figsize=(3.7 * len(swept) + 0.6, 2.7 * len(radii)), layout="constrained")
        figure.alt = alt
        axes = figure.subplots(len(radii), len(swept), sharex="col", sharey=True, squeeze=False)
        for row, eps in zip(axes, radii, strict=True):
            for ax, (setting, by_code) in zip(row, swept.items(), strict=True):
                for code, by_value in by_code.items():
                    _swept(ax, code, by_value, eps)
                if setting == "T":
                    ax.set_xscale("log", base=2)
                values = sorted({value for by_value in by_code.values() for value in by_value})
                ax.set_xticks(values, [f"{value:g}" for value in values])
                ax.minorticks_off()
                _chance(ax, values[0] if values else 0)
                ax.set(ylim=(-0.02, 1.02), title=f"ε = {eps:g}")
            row[0].set_ylabel("accuracy")
        for ax, setting in zip(axes[-1], swept, strict=True):
            ax.set_xlabel({"β": "leak β of the neuron", "T": "time steps T"}.get(setting, setting))
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside right upper", fontsize=8, title="thin: clean\nstrong: worst case", title_fontsize=8
        )
    return figure


def _swept(ax: Axes, code: str, by_value: Mapping[float, Sequence[Mapping[str, Any]]], eps: float) -> None:
    """Draw one code: its seeds and mean at ``eps``, and its clean mean."""
    colour, dash, marker = mark(code)
    values = sorted(by_value)
    for value in values:
        seeds = [accuracy_of(record, "worst", None, eps) for record in by_value[value]]
        ax.plot([value] * len(seeds), seeds, color=colour, ls="none", marker=marker, ms=4, mfc="none", mew=0.9)
    clean, robust = ([over_seeds(by_value[value], "worst", None, e).mean for value in values] for e in (0.0, eps))
    ax.plot(values, clean, color=colour, ls=dash, lw=0.9, alpha=0.7)
    ax.plot(values, robust, color=colour, ls=dash, lw=1.4)
    ax.plot([], [], color=colour, ls=dash, marker=marker, ms=4, mfc="none", label=code)


def rule_curves(panels: Mapping[str, Repeats], attack: str = "worst") -> Figure:
    """Accuracy against ε at the last exit, a panel a code, a line for every way of finding the weights.

    Args:
        panels: by code, the records of all seeds by model name; the last panel has the legend.
        attack: a name in the records' attack lists.
    """
    with style():
        figure = Picture(figsize=(2.9 * len(panels) + 1.2, 3.6), layout="constrained")
        axes = np.atleast_1d(figure.subplots(1, len(panels), sharey=True))
        for ax, (title, repeats) in zip(axes, panels.items(), strict=True):
            for name, records in repeats.items():
                eps = shared(records, "eps")
                _band(ax, name, eps, [over_seeds(records, attack, None, e) for e in eps])
                if name == title:  # BPTT has the marker of its code, and here one legend for all codes
                    ax.get_lines()[-1].set_marker("o")
            _chance(ax)
            ax.set(xlabel="ε (L∞, pixel units)", ylim=(-0.02, 1.02), xlim=(0, None), title=title)
        axes[0].set_ylabel("accuracy")
        lines, labels = axes[-1].get_legend_handles_labels()
        rules = [
            label.replace("ann", "ANN") if label.startswith("ann") else label.partition(", ")[2] or "BPTT"
            for label in labels
        ]
        axes[-1].legend(lines, rules, fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure


def exit_curves(
    repeats: Repeats, eps: float, attack: str = "worst", *, acts_from: Mapping[str, int] | None = None
) -> Figure:
    """Accuracy against exit step, clean (thin) and attacked at that exit (strong).

    Args:
        repeats: the records of all seeds by model name, measured at several exits.
        eps: budget of the attack.
        attack: a name in the records' attack lists.
        acts_from: by model name, the number of steps before ε first acts on black; a line marks each, none at 0 or the end.
    """
    with style():
        figure, ax = _figure()
        for name, records in repeats.items():
            exits = shared(records, "exits")
            colour, dash, *_ = look(name)
            clean = [over_seeds(records, attack, e, 0.0).mean for e in exits]
            ax.plot(exits, clean, color=colour, ls=dash, lw=0.9, alpha=0.7)
            _band(ax, name, exits, [over_seeds(records, attack, e, eps) for e in exits])
        last = max(max(shared(records, "exits")) for records in repeats.values())
        marks = sorted({step for step in (acts_from or {}).values() if 0 < step < last})
        for row, step in enumerate(marks):
            names = ", ".join(name for name, acts in (acts_from or {}).items() if acts == step)
            ax.axvline(step + 0.5, color=ATTACK, lw=1, ls="--")
            ax.annotate(
                f"ε = {eps:g} on black acts after exit {step}: {names}",
                (step + 0.5, 1),
                xycoords=("data", "axes fraction"),
                xytext=(2, 3 + 11 * (len(marks) - 1 - row)),
                textcoords="offset points",
                ha="right",
                color=ATTACK,
                fontsize=8,
            )
        _chance(ax, 1)
        ax.set(xlabel="exit step", ylabel="accuracy", ylim=(-0.02, 1.02))
        figure.legend(loc="outside right upper", fontsize=8, title=f"thin: clean\nstrong: ε = {eps:g}", title_fontsize=8)
    return figure


def plane(repeats: Repeats, eps: float, *, path: Sequence[str] = (), chords: Sequence[tuple[str, str]] = ()) -> Figure:
    """Clean against worst-case accuracy at ε: a point a model, with intervals over seeds.

    Args:
        repeats: the records of all seeds by model name.
        eps: budget of the attack.
        path: names to be joined by a line, as those that differ in one gate alone.
        chords: pairs to be joined by a thin one: what a coin between the two reaches.
    """
    with style():
        figure, ax = _figure()
        at = {}
        for name, records in repeats.items():
            clean, robust = (over_seeds(records, "worst", None, e) for e in (0.0, eps))
            colour, _, marker, _ = look(name)
            error = [[[v.mean - v.low], [v.high - v.mean]] for v in (clean, robust)]
            ax.errorbar(
                clean.mean, robust.mean, xerr=error[0], yerr=error[1], fmt=marker, color=colour, elinewidth=0.8, ms=6
            )
            at[name] = clean.mean, robust.mean
        for pair in chords:
            ax.plot(*np.array([at[name] for name in pair]).T, color=QUIET, lw=1, ls=(0, (1, 2)), zorder=0)
        if path:
            ax.plot(*np.array([at[name] for name in path]).T, color=CODES["fusion"][0], lw=1, ls="--", zorder=0)
        ax.set(xlabel="clean accuracy", ylabel=f"worst-case accuracy at ε = {eps:g}", ylim=(-0.02, 1.02), xlim=ax.get_xlim())
        _named(ax, at)
    return figure


def _named(ax: Axes, at: Mapping[str, tuple[float, float]]) -> None:
    """A name beside each point, on the first of four sides where it covers no other one."""
    pixels = {name: ax.transData.transform(point) for name, point in at.items()}
    taken = {name: Bbox.from_extents(*(xy - 4), *(xy + 4)) for name, xy in pixels.items()}
    for name, point in at.items():
        colour, _, _, label = look(name)
        others = [box for key, box in taken.items() if key != name]
        for x, y, side in ((7, 4, "left"), (7, -11, "left"), (-7, 4, "right"), (-7, -11, "right")):
            text = ax.annotate(label, point, xytext=(x, y), textcoords="offset points", ha=side, color=colour, fontsize=8)
            box = text.get_window_extent()
            if (side == "right" and y < 0) or not any(box.overlaps(other) for other in others):
                break
            text.remove()
        taken[f"{name} (name)"] = box


def energy_curves(repeats: Repeats, eps: float | None = None) -> Figure:
    """Accuracy against the energy of an answer, a point an exit step that all seeds were measured at; the last is marked.

    Args:
        repeats: the records of all seeds by model name; an ANN is one point.
        eps: budget of the attack (worst case); ``None``: clean.
    """
    with style():
        figure, ax = _figure()
        for name, records in repeats.items():
            spent = {e: np.mean([r["energy_pj"][e - 1] for r in records]) / 1000 for e in shared(records, "exits")}
            exits = [e for e, cost in spent.items() if cost > 0]  # before the first spike nothing is spent, or answered
            cost = [spent[e] for e in exits]
            found = [over_seeds(records, "worst", e, eps or 0.0) for e in exits]
            colour, dash, marker, label = look(name)
            ax.plot(cost, [f.mean for f in found], color=colour, ls=dash, marker=marker, ms=3.5, label=label)
            ax.fill_between(cost, [f.low for f in found], [f.high for f in found], color=colour, alpha=0.13, lw=0)
            ax.plot(cost[-1], found[-1].mean, color=colour, marker=marker, ms=8)
        _chance(ax, ax.dataLim.x0)
        ax.set(xscale="log", xlabel="energy of an answer (nJ, estimate)", ylim=(-0.02, 1.02))
        ax.set_ylabel("accuracy" if eps is None else f"worst-case accuracy at ε = {eps:g}")
        ax.legend(fontsize=8)
    return figure


def late_curves(repeats: Repeats, method: str | None = None) -> Figure:
    """Accuracy against exit step, a panel a model and a line for each step ``t0`` from which the perturbation acts.

    Args:
        repeats: the records of all seeds by model name, with late perturbations of this kind.
        method: ``"pgd"``, ``"spike_train"``, ``"noise"`` or ``"flips"``; ``None``: the search among spike trains, and PGD of
            codes without them.
    """
    with style():
        figure = Picture(figsize=(2.3 * len(repeats) + 0.6, 2.9), layout="constrained")
        panels = np.atleast_1d(figure.subplots(1, len(repeats), sharey=True))
        for ax, (name, records) in zip(panels, repeats.items(), strict=True):
            kind = method or ("spike_train" if "spike_train" in records[0]["late"] else "pgd")
            _late_panel(ax, name, [record["late"][kind] for record in records])
            _chance(ax, 1)
            ax.set(xlabel="exit step", ylim=(-0.02, 1.02), title=name)
        panels[0].set_ylabel("accuracy")
        figure.legend(*panels[-1].get_legend_handles_labels(), loc="outside right center", title="acts from")
    return figure


def _late_panel(ax: Axes, name: str, measured: Sequence[Mapping[str, Any]]) -> None:
    first = measured[0]
    for k, start in enumerate(first["from_steps"]):
        shares = np.array([[c / late["n"] for c in late["correct"][k]] for late in measured])
        low, high = np.clip([mean_interval(list(column)) for column in shares.T], 0, 1).T
        dash, marker = STARTS[k % len(STARTS)]
        colour = look(name)[0]
        ax.fill_between(first["exits"], low, high, color=colour, alpha=0.08, lw=0)
        ax.plot(first["exits"], shares.mean(0), color=colour, ls=dash, marker=marker, ms=4, lw=1.4, label=f"$t_0$ = {start}")


def dynamic_plane(repeats: Repeats, eps: float) -> Figure:
    """Accuracy against the mean number of steps read of a clean image: dynamic exits (marks) beside fixed ones (lines).

    Args:
        repeats: the records of all seeds by model name, measured at every exit.
        eps: budget of the attack, which may aim at any exit; left panel: clean.
    """
    with style():
        figure = Picture(figsize=(7.4, 3.6), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for ax, radius in zip(panels, (0.0, eps), strict=True):
            for name, records in repeats.items():
                colour, dash, _, label = look(name)
                exits = shared(records, "exits")
                ax.plot(exits, [over_seeds(records, "worst", e, radius).mean for e in exits], color=colour, ls=dash, lw=1.2)
                for rule, marker in EXITS.items():
                    steps, shares = _left_by(records, rule, radius)
                    ax.plot(steps, shares, color=colour, ls="none", marker=marker, mfc="none", ms=6)
                ax.plot([], [], color=colour, ls=dash, label=label)
            ax.set(xlabel="steps read of a clean digit, mean", ylim=(-0.02, 1.02))
            _chance(ax, 1)
        for rule, marker in EXITS.items():
            panels[0].plot([], [], color=INK, ls="none", marker=marker, mfc="none", label=rule.replace("_", " "))
        panels[0].set(ylabel="accuracy", title="clean")
        panels[1].set_title(f"worst case, ε = {eps:g}")
        panels[0].legend(loc="lower right", fontsize=8, ncols=2, title="lines: fixed exits", title_fontsize=8)
    return figure


def _left_by(records: Sequence[Mapping[str, Any]], rule: str, eps: float) -> tuple[list[float], list[float]]:
    """Mean exit step and accuracy, over seeds, of every threshold of a rule."""
    found = [(record["dynamic"], record["n"]) for record in records]
    rows = [k for k, own in enumerate(found[0][0]["rules"]) if own["name"] == rule]
    steps = [float(np.mean([dynamic["mean_exit"][k] for dynamic, _ in found])) for k in rows]
    return steps, [float(np.mean([dynamic["correct"][f"{eps:g}"][k] / n for dynamic, n in found])) for k in rows]


def look(name: str) -> tuple[str, Dash, str, str]:
    """Return colour, dash, marker and label of a model: those of its code, unless it was trained or read in another way.

    A model that is not in the zoo is labelled by its name.
    """
    if name not in zoo.recipes():
        return *mark(name), name
    recipe = zoo.recipes()[name]
    how = {"training": "rule", "exit": "loss"}.get(recipe["group"])
    return *mark(name), name if how is None else f"{recipe['code']}, {TITLES[recipe[how]]}"


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
