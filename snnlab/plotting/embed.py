"""Figures for a page of its own, for light and dark paper, and images as thumbnails, all as data addresses."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import image as mpl_image
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from snnlab.plotting.curves import LIMITS, curve_with_band
from snnlab.plotting.theme import ATTACK, DASHES, INK, MARKERS, SVG, Mark, data_uri, in_dark, style, svg
from snnlab.statistics import NO_BOUND, Estimate, Record, intervals_line, lower_ends_line
from snnlab.vocabulary import VOCABULARY

__all__ = ["EmbeddedFigure", "accuracy_figure", "difference", "exit_figure", "level_figure", "thumbnail"]


@dataclass(frozen=True)
class EmbeddedFigure:
    """A figure as two data addresses, for light and dark paper, with its text."""

    light: str
    dark: str
    alt: str
    caption: str


def accuracy_figure(record: Record) -> EmbeddedFigure:
    """Draw accuracy against ε at the last exit: a line an attack, the worst case strong and with its band."""
    n, eps, correct = record.n, record.eps, record.correct

    def draw(ax: Axes) -> None:
        for k, name in enumerate(name for name in correct if name != "worst"):
            counts = [[count] for count in correct[name][-1]]
            curve_with_band(ax, eps, counts, n, _line(k, name), band=0.08, lw=1.1, ms=4)
        if "worst" in correct:
            strong = Mark(ATTACK, "-", "o", "worst case")
            curve_with_band(ax, eps, [[count] for count in correct["worst"][-1]], n, strong, band=0.25, lw=2.8, ms=6)
        ax.set(xlabel=f"ε ({record.norm_title}, pixel units)", ylabel="accuracy", ylim=LIMITS)
        ax.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2)

    attack = "worst" if "worst" in correct else next(iter(correct))
    values = ", ".join(f"{record.accuracy(attack, eps=radius):.2f} at ε = {radius:g}" for radius in eps)
    said = "in the worst case" if attack == "worst" else f"under {attack}"
    about = f"Accuracy against ε, {intervals_line([[record]])}. {_lower_ends(record, [(None, radius) for radius in eps])}."
    return _both(draw, f"Accuracy against ε; {said} {values}.", about)


def _lower_ends(record: Record, at: Sequence[tuple[int | None, float]]) -> str:
    """Return what is proved, or that nothing is."""
    return lower_ends_line({"this network": [record]}, at) if record.proofs else f"Lower end: {NO_BOUND}"


def exit_figure(record: Record) -> EmbeddedFigure:
    """Draw the worst case against exit step, a line an ε."""
    eps, exits = record.eps, record.exits

    def draw(ax: Axes) -> None:
        plain = {0: INK, len(eps) - 1: ATTACK}
        for k, radius in enumerate(eps):
            usual = _line(k, f"ε = {radius:g}" if radius else "clean")
            line = Mark(plain.get(k, usual.colour), usual.dash, usual.marker, usual.label)
            counts = [[row[k]] for row in record.correct["worst"]]
            curve_with_band(ax, exits, counts, record.n, line, band=0.12, lw=1.6)
        ax.set(xlabel="exit step", ylabel="accuracy, worst case", ylim=LIMITS)
        ax.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=3)

    best = max(exits, key=lambda step: record.accuracy("worst", step, eps[-1]))
    alt = f"Worst case against exit step; at ε = {eps[-1]:g} it is highest at exit {best}."
    about = f"{intervals_line([[record]])}. {_lower_ends(record, [(best, eps[-1])])}"
    return _both(draw, alt, f"Worst case against exit step, {about}. The best exit was picked afterwards.")


def level_figure(curves: Mapping[str, Sequence[Estimate]], clean: float, alt: str, caption: str) -> EmbeddedFigure:
    """Draw accuracy against the number of a level, a line with its band a kind; level 0 is ``clean``."""

    def draw(ax: Axes) -> None:
        for k, (kind, found) in enumerate(curves.items()):
            line, levels = _line(k, kind), range(1, len(found) + 1)
            ax.fill_between(levels, [e.low for e in found], [e.high for e in found], color=line.colour, alpha=0.08, lw=0)
            values = [clean, *(e.mean for e in found)]
            ax.plot(
                range(len(values)), values, ls=line.dash, marker=line.marker, color=line.colour, label=kind, lw=1.4, ms=4
            )
        ax.set(xlabel="level", ylabel="accuracy", ylim=LIMITS, xticks=range(1 + max(map(len, curves.values()))))
        ax.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2)

    return _both(draw, alt, caption)


def _line(k: int, label: str) -> Mark:
    """Return the mark of the ``k``-th line of a figure whose lines are no models."""
    ann, *others = (term.light for name, term in VOCABULARY.codes.items() if name != "poisson")
    palette = [*others, ann]
    return Mark(palette[k % len(palette)], DASHES[k % len(DASHES)], MARKERS[k % len(MARKERS)], label)


def _both(draw: Callable[[Axes], None], alt: str, caption: str) -> EmbeddedFigure:
    with style(), mpl.rc_context({"svg.fonttype": "none", "font.size": 11}):
        figure = Figure(figsize=(5.2, 4.4), layout="constrained")
        draw(figure.subplots())
        light = svg(figure)
    return EmbeddedFigure(data_uri(light.encode(), SVG), data_uri(in_dark(light).encode(), SVG), alt, caption)


def thumbnail(image: Tensor) -> str:
    """Return an image ``[C, H, W]`` in [0, 1], grey or colour, as a data address."""
    values = image.detach().permute(1, 2, 0).numpy()
    grey = values.shape[-1] != 3
    return _png(values.mean(-1) if grey else np.clip(values, 0, 1), cmap="gray", vmin=0, vmax=1)


def difference(change: Tensor, eps: float) -> str:
    """Return what was added to an image ``[C, H, W]``, channels averaged: blue where it got darker by ε, red if brighter."""
    return _png(change.detach().mean(0).numpy(), cmap="RdBu_r", vmin=-min(eps, 1), vmax=min(eps, 1))


def _png(values: Any, **look: Any) -> str:
    buffer = io.BytesIO()
    mpl_image.imsave(buffer, values, format="png", **look)
    return data_uri(buffer.getvalue())
