"""Pictures for a page of its own: figures in a light and a dark rendition, images as thumbnails, all as data addresses."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import image as mpl_image
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from snnlab.plot import style
from snnlab.records import wilson_interval

__all__ = ["Picture", "accuracy_picture", "difference", "exit_picture", "thumbnail"]

#: ink, quiet ink, attack, then the lines of single attacks: on light paper, and on dark
LIGHT = ("#1F2933", "#5F6670", "#B3123B", ("#0072B2", "#00795A", "#A86A00", "#B0558A", "#4B3B9C", "#C44E00", "#5F6670"))
DARK = ("#E6EAF0", "#A8B0BA", "#FF6B8B", ("#4BA3E3", "#2BC49A", "#F0B429", "#E39BC4", "#A99BFF", "#FF8A4C", "#A8B0BA"))
DASHES = ("-", "--", "-.", ":", (0, (8, 3)), (0, (5, 2)), (0, (3, 1.5)))
MARKERS = "os^Dvx+*Phd"
Palette = tuple[str, str, str, tuple[str, ...]]


@dataclass(frozen=True)
class Picture:
    """A figure as two data addresses, for light and for dark paper, and what it shows in words."""

    light: str
    dark: str
    alt: str
    caption: str


def accuracy_picture(record: Mapping[str, Any]) -> Picture:
    """Accuracy against ε at the last exit: a line an attack, the worst case strong and with its band."""
    n, eps = record["n"], record["eps"]

    def draw(ax: Axes, palette: Palette) -> None:
        ink, _, strong, colours = palette
        singles = [name for name in record["correct"] if name != "worst"]
        for k, name in enumerate(singles):
            look: dict[str, Any] = {
                "color": colours[k % len(colours)],
                "ls": DASHES[k % len(DASHES)],
                "marker": MARKERS[k % len(MARKERS)],
            }
            _line(ax, eps, record["correct"][name][-1], n, name, lw=1.1, ms=4, band=0.08, **look)
        if "worst" in record["correct"]:
            _line(
                ax, eps, record["correct"]["worst"][-1], n, "worst case", lw=2.8, ms=6, band=0.25, color=strong, marker="o"
            )
        ax.set(
            xlabel=f"ε ({record.get('norm', 'Linf').replace('inf', '∞')}, pixel units)",
            ylabel="accuracy",
            ylim=(-0.02, 1.02),
        )
        ax.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, labelcolor=ink)

    worst = record["correct"].get("worst", next(iter(record["correct"].values())))[-1]
    told = ", ".join(f"{count / n:.2f} at ε = {radius:g}" for radius, count in zip(eps, worst, strict=True))
    return _both(
        draw, f"Accuracy against ε; in the worst case {told}.", f"Accuracy against ε, n = {n:,}, 95 % bands (Wilson)."
    )


def exit_picture(record: Mapping[str, Any]) -> Picture:
    """Worst case against exit step, a line an ε."""
    n, eps, exits = record["n"], record["eps"], record["exits"]

    def draw(ax: Axes, palette: Palette) -> None:
        ink, _, strong, colours = palette
        for k, radius in enumerate(eps):
            colour = ink if k == 0 else strong if k == len(eps) - 1 else colours[k % len(colours)]
            counts = [row[k] for row in record["correct"]["worst"]]
            look: dict[str, Any] = {"color": colour, "ls": DASHES[k % len(DASHES)], "marker": MARKERS[k % len(MARKERS)]}
            _line(ax, exits, counts, n, f"ε = {radius:g}" if radius else "clean", lw=1.6, ms=5, band=0.12, **look)
        ax.set(xlabel="exit step", ylabel="accuracy, worst case", ylim=(-0.02, 1.02))
        ax.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=3, labelcolor=ink)

    best = max(range(len(exits)), key=lambda e: record["correct"]["worst"][e][-1])
    alt = f"Worst case against exit step; at ε = {eps[-1]:g} it is highest at exit {exits[best]}."
    return _both(
        draw, alt, f"Worst case against exit step, n = {n:,}, 95 % bands (Wilson). The best exit was picked afterwards."
    )


def _line(ax: Axes, x: list[Any], counts: list[int], n: int, label: str, band: float, color: str, **look: Any) -> None:
    low, high = np.array([wilson_interval(count, n) for count in counts]).T
    ax.plot(x, [count / n for count in counts], label=label, color=color, **look)
    ax.fill_between(x, low, high, color=color, alpha=band, lw=0)


def _both(draw: Callable[[Axes, Palette], None], alt: str, caption: str) -> Picture:
    renditions = []
    for palette in (LIGHT, DARK):
        ink, quiet, _, _ = palette
        colours: dict[Any, Any] = {
            "text.color": ink,
            "axes.labelcolor": ink,
            "axes.edgecolor": quiet,
            "xtick.color": ink,
            "ytick.color": ink,
        }
        with style(), mpl.rc_context({**colours, "svg.fonttype": "none", "svg.hashsalt": "snnlab", "font.size": 11}):
            figure = Figure(figsize=(5.2, 4.4), layout="constrained")
            draw(figure.subplots(), palette)
            buffer = io.BytesIO()
            figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        renditions.append(_address(buffer.getvalue(), "image/svg+xml"))
    light, dark = renditions
    return Picture(light, dark, alt, caption)


def thumbnail(image: Tensor) -> str:
    """An image ``[C, H, W]`` in [0, 1], grey or colour, as a data address."""
    values = image.detach().permute(1, 2, 0).numpy()
    grey = values.shape[-1] != 3
    return _png(values.mean(-1) if grey else np.clip(values, 0, 1), cmap="gray", vmin=0, vmax=1)


def difference(change: Tensor, eps: float) -> str:
    """What was added to an image, ``[C, H, W]`` (channels averaged): blue where it got darker by ε, red where brighter."""
    return _png(change.detach().mean(0).numpy(), cmap="RdBu_r", vmin=-min(eps, 1), vmax=min(eps, 1))


def _png(values: Any, **look: Any) -> str:
    buffer = io.BytesIO()
    mpl_image.imsave(buffer, values, format="png", **look)
    return _address(buffer.getvalue(), "image/png")


def _address(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
