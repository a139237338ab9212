"""Figures: each function takes a result and returns a ``Figure``; none shows, none changes a setting.

Every code has one colour, one dash and one marker in the whole book (``CODES``), so that colour never carries meaning
alone. Accuracy is drawn with its 95 % Wilson band, with the clean point at ε = 0 and the line of chance.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from snnlab.encoding import encoder
from snnlab.records import correct_count, wilson_interval

__all__ = ["CODES", "RULES", "accuracy_curves", "mark", "rasters"]

STYLE = Path(__file__).with_name("snnlab.mplstyle")
INK, QUIET, ATTACK = "#1F2933", "#5F6670", "#B3123B"
Dash = str | tuple[int, tuple[float, ...]]
#: colour on light, dash, marker of every code
CODES: dict[str, tuple[str, Dash, str]] = {
    "ann": ("#5F6670", ":", "x"),
    "direct": ("#0072B2", "-", "o"),
    "poisson": ("#2A8FC7", "--", "$\\circ$"),
    "onset": ("#00795A", "-", "^"),
    "latency": ("#A86A00", "-", "D"),
    "phase": ("#B0558A", "-.", "s"),
    "offset": ("#C44E00", "-", "v"),
    "fusion": ("#4B3B9C", (0, (8, 3)), "*"),
}
#: dash and marker of what a model was trained by or for; it keeps the colour of its code
RULES: dict[str, tuple[Dash, str]] = {
    "tsslbp": ((0, (5, 2)), "s"),
    "converted": ((0, (1.5, 2)), "1"),
    "fgsm": ((0, (8, 2, 1.5, 2)), "P"),
    "pgd": ((0, (8, 2, 1.5, 2, 1.5, 2)), "x"),
    "trades": ((0, (3, 1.5)), "$\\circ$"),
    "anytime": ((0, (5, 2)), "h"),
    "ttfs": ((0, (1.5, 2)), "d"),
    "membrane": ((0, (8, 2, 1.5, 2)), "p"),
}


def mark(name: str) -> tuple[str, Dash, str]:
    """Colour, dash and marker of a model of the zoo, by its name.

    >>> mark("fgsm-latency")[0] == mark("latency")[0]
    True
    """
    if name in CODES:
        return CODES[name]
    how, _, code = name.partition("-")
    colour, dash, marker = CODES.get(how if how in CODES else code, (INK, "-", "o"))
    return (colour, *RULES[how]) if how in RULES else (colour, dash, marker)


class Picture(Figure):
    """A figure that a notebook shows as it is, without pyplot and its global state.

    ``alt`` says in words what it shows, where a text made from the records is at hand; a notebook shows the picture with it.
    """

    alt: str = ""

    def _repr_png_(self) -> bytes:
        return png(self, dpi=160)

    def _repr_html_(self) -> str | None:
        if not self.alt:
            return None
        width = round(self.get_figwidth() * 96)
        picture = base64.b64encode(self._repr_png_()).decode()
        return (
            f'<img style="width: {width}px; max-width: 100%" alt="{escape(self.alt)}" src="data:image/png;base64,{picture}">'
        )


@contextmanager
def style() -> Iterator[None]:
    """The book's look, for the block only."""
    with mpl.rc_context(fname=str(STYLE)):
        yield


def accuracy_curves(
    records: Mapping[str, Mapping[str, Any]],
    attack: str = "worst",
    exit_step: int | None = None,
    *,
    highlight: str | None = None,
    axes: Axes | None = None,
) -> Figure:
    """Accuracy against ε for several models, each with its band.

    Args:
        records: results of ``snnlab.zoo.results`` by model name.
        attack: a name in the records' attack lists.
        exit_step: steps that are read; ``None`` reads all. An ANN answers alike at every exit.
        highlight: model to draw strongly, the others quietly.
        axes: where to draw; default a new figure.
    """
    with style():
        figure, ax = _axes(axes, (6.4, 3.8))
        for name, record in records.items():
            if attack in record["correct"]:
                _curve(ax, name, record, attack, exit_step, quiet=highlight not in (None, name))
        ax.axhline(0.1, color=QUIET, lw=0.8, ls=(0, (1, 3)))
        ax.annotate("chance", (0, 0.1), xytext=(2, 3), textcoords="offset points", color=QUIET, fontsize=8)
        ax.set(xlabel="ε (L∞, pixel units)", ylabel="accuracy", ylim=(-0.02, 1.02), xlim=(0, None))
        if len(records) > 1:
            ax.legend(loc="upper right", fontsize=8, ncols=2)
    return figure


def _curve(ax: Axes, name: str, record: Mapping[str, Any], attack: str, exit_step: int | None, quiet: bool) -> None:
    colour, dash, marker = mark(name)
    n, eps = record["n"], record["eps"]
    counts = [correct_count(record, attack, exit_step, radius) for radius in eps]
    low, high = np.array([wilson_interval(c, n) for c in counts]).T
    alpha = 0.35 if quiet else 1.0
    ax.plot(eps, [c / n for c in counts], color=colour, ls=dash, marker=marker, alpha=alpha, label=name)
    ax.fill_between(eps, low, high, color=colour, alpha=0.15 * alpha, lw=0)


def rasters(
    image: Tensor,
    codes: Sequence[str],
    *,
    eps: float = 0.0,
    num_steps: int = 8,
    exit_step: int | None = None,
) -> Figure:
    """Spikes of one image in several codes, pixels sorted by intensity; those that +ε adds in the attack colour.

    Args:
        image: ``[C, H, W]`` in [0, 1].
        codes: names for ``snnlab.encoder``.
        eps: brightening of every pixel (clipped at 1).
        num_steps: ``T``.
        exit_step: marked by a line, if given.
    """
    clean = image.unsqueeze(0)
    brighter = (clean + eps).clamp(max=1)
    order = torch.argsort(clean.flatten(), descending=True, stable=True)
    with style():
        figure = Picture(figsize=(1.75 * len(codes) + 0.4, 2.6), layout="constrained")
        all_axes = np.atleast_1d(figure.subplots(1, len(codes), sharey=True))
        for ax, name in zip(all_axes, codes, strict=True):
            code = encoder(name, num_steps=num_steps)
            rows = torch.cat([order + part * len(order) for part in range(code.channel_factor)])  # parts of a fusion
            before, after = (
                code(x, generator=torch.Generator().manual_seed(0)).flatten(1)[:, rows] for x in (clean, brighter)
            )
            draw_raster(ax, before.numpy(), after.numpy() if eps > 0 else None, exit_step)
            ax.set_title(name)
            ax.set_xlabel("step")
        all_axes[0].set_ylabel("pixel, bright to dark")
    return figure


def draw_raster(ax: Axes, before: Any, after: Any | None, exit_step: int | None) -> None:
    """A raster ``[T, P]`` as an image, time to the right: ink where a spike is, attack colour where only the attack has one."""
    shown = np.ones((*before.T.shape, 3))
    strength = before.T / max(before.max(), 1e-9)
    shown -= strength[..., None] * (1 - np.array(mpl.colors.to_rgb(INK)))
    if after is not None:
        shown[(after > before + 1e-9).T & (before.T < 1e-9)] = mpl.colors.to_rgb(ATTACK)
    ax.imshow(shown, aspect="auto", interpolation="nearest", extent=(0, len(before), before.shape[1], 0))
    ax.set_xticks(np.arange(len(before)) + 0.5, [str(t) for t in range(len(before))], fontsize=7)
    ax.set_yticks([])
    if exit_step is not None:
        ax.axvline(exit_step, color=INK, lw=1.2, ls="--")


def _axes(axes: Axes | None, size: tuple[float, float]) -> tuple[Figure, Axes]:
    if axes is not None:
        figure = axes.figure
        assert isinstance(figure, Figure)
        return figure, axes
    figure = Picture(figsize=size, layout="constrained")
    return figure, figure.subplots()


def png(figure: Figure, dpi: int = 110) -> bytes:
    """A figure as the bytes of a picture."""
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
