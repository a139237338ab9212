"""Figures of what one setting changes: spikes packed early or late, and sweeps over a constant of the neuron or the code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from snnlab.plotting.comparisons import reach
from snnlab.plotting.curves import LIMITS, add_lower_ends, chance_line, row_of_panels
from snnlab.plotting.theme import INK, NotebookFigure, mark, style
from snnlab.statistics import Record, intervals_line, over_seeds

__all__ = ["packing", "sweeps"]

#: by setting and code, the records of all seeds by value of the setting
Sweep = Mapping[str, Mapping[float, Sequence[Record]]]


def packing(four: Mapping[tuple[str, str], Sequence[Record]], radii: Sequence[float]) -> NotebookFigure:
    """Draw the worst case of runs of spikes packed early or late, rounded up or down: a panel an ε, a line a rounding.

    ``four``: the records of all seeds by rounding (``"up"``, ``"down"``) and packing (``"early"``, ``"late"``). A rounding that
    lacks one of its two is left out.
    """
    looks = {"up": ("--", "^"), "down": ("-", "v")}
    shown = {rounding: look for rounding, look in looks.items() if {(rounding, "early"), (rounding, "late")} <= set(four)}
    repeats = {f"{rounding} {when}": records for (rounding, when), records in four.items() if rounding in shown}
    said = []
    with style():
        figure, panels = row_of_panels(repeats, len(radii), (3.4 * len(radii), 3.6))
        for ax, eps in zip(panels, radii, strict=True):
            for rounding, (dash, marker) in shown.items():
                estimates = [over_seeds(four[rounding, when], "worst", None, eps) for when in ("early", "late")]
                early, late = (e.mean for e in estimates)
                look: dict[str, Any] = {"color": INK, "ls": dash, "marker": marker, "label": f"rounded {rounding}"}
                ax.errorbar((0, 1), (early, late), reach(estimates), capsize=3, **look)
                said.append(f"at ε = {eps:g}, rounded {rounding}, early {early:.2f} and late {late:.2f}")
            chance_line(ax, repeats, -0.3)
            ax.set(title=f"ε = {eps:g}", xlim=(-0.3, 1.3))
            ax.set_xticks((0, 1), ("packed early", "packed late"))
            if shown:
                ax.legend(fontsize=8, loc="upper left")
        panels[0].set_ylabel("worst case")
        add_lower_ends(figure, repeats, radii)
    figure.alt = f"Worst-case accuracy of spikes packed early or late: {'; '.join(said) or 'not measured'}."
    return figure


def sweeps(swept: Mapping[str, Sweep], radii: Sequence[float], alt: str = "") -> NotebookFigure:
    """Draw worst-case accuracy against a setting: a column a setting, a row an ε; dots are seeds, lines means, thin is clean.

    Args:
        swept: by setting (``"β"``, ``"T"``) and code, the records of all seeds by value.
        radii: ε of the rows.
        alt: what the figure shows, in words; default: made from the records.
    """
    every = [records for by_code in swept.values() for by_value in by_code.values() for records in by_value.values()]
    said = []
    with style():
        figure = NotebookFigure(figsize=(3.7 * len(swept) + 0.6, 2.7 * len(radii) + 0.2), layout="constrained")
        axes = figure.subplots(len(radii), len(swept), sharex="col", sharey=True, squeeze=False)
        for row, eps in zip(axes, radii, strict=True):
            for ax, (setting, by_code) in zip(row, swept.items(), strict=True):
                for code, by_value in by_code.items():
                    means = _sweep(ax, code, by_value, eps)
                    listed = ", ".join(f"{value:g}: {mean:.2f}" for value, mean in means.items())
                    said.append(f"{code} at ε = {eps:g}, {setting} = {listed}")
                if setting == "T":
                    ax.set_xscale("log", base=2)
                values = sorted({value for by_value in by_code.values() for value in by_value})
                ax.set_xticks(values, [f"{value:g}" for value in values])
                ax.minorticks_off()
                chance_line(ax, {f"{k}": records for k, records in enumerate(every)}, values[0] if values else 0)
                ax.set(ylim=LIMITS, title=f"ε = {eps:g}")
            row[0].set_ylabel("accuracy")
        for ax, setting in zip(axes[-1], swept, strict=True):
            ax.set_xlabel({"β": "leak β of the neuron", "T": "time steps T"}.get(setting, setting))
        handles, labels = axes[0][0].get_legend_handles_labels()
        words: dict[str, Any] = {"fontsize": 8, "title_fontsize": 8, "title": "thin: clean\nstrong: worst case"}
        figure.legend(handles, labels, loc="outside right upper", **words)
        if every:
            figure.add_caption(intervals_line(every, "dots: single seeds"))
            named = {
                f"{code}, {setting} = {value:g}": records
                for setting, by_code in swept.items()
                for code, by_value in by_code.items()
                for value, records in by_value.items()
            }
            add_lower_ends(figure, named, radii)
    figure.alt = alt or f"Worst-case accuracy against a setting: {'; '.join(said)}."
    return figure


def _sweep(ax: Axes, code: str, by_value: Mapping[float, Sequence[Record]], eps: float) -> dict[float, float]:
    """Draw one code: its seeds and mean at ``eps``, and its clean mean; return the means at ``eps``."""
    look = mark(code)
    values = sorted(by_value)
    for value in values:
        seeds = [record.accuracy(eps=eps) for record in by_value[value]]
        ax.plot([value] * len(seeds), seeds, color=look.colour, ls="none", marker=look.marker, ms=4, mfc="none", mew=0.9)
    clean, robust = ([over_seeds(by_value[value], "worst", None, e).mean for value in values] for e in (0.0, eps))
    ax.plot(values, clean, color=look.colour, ls=look.dash, lw=0.9, alpha=0.7)
    ax.plot(values, robust, color=look.colour, ls=look.dash, lw=1.4)
    ax.plot([], [], color=look.colour, ls=look.dash, marker=look.marker, ms=4, mfc="none", label=code)
    return dict(zip(values, robust, strict=True))
