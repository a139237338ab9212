"""Figures: each function takes a result and returns a ``Figure``; none shows, none changes a setting.

Every code has one colour, one dash and one marker in the whole book (``CODES``), so that colour never carries meaning
alone. Accuracy is drawn with its 95 % Wilson band, with the clean point at ε = 0 and the line of chance.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch import Tensor

from snnlab.decoding import SILENT
from snnlab.encoding import encoder
from snnlab.evaluation import wilson_interval

__all__ = ["CODES", "Still", "accuracy_curves", "encoder_still", "explorer_still", "rasters"]

STYLE = Path(__file__).with_name("snnlab.mplstyle")
INK, QUIET, ATTACK = "#1F2933", "#5F6670", "#B3123B"
#: colour on light, dash, marker of every code
CODES: dict[str, tuple[str, str | tuple[int, tuple[int, ...]], str]] = {
    "ann": ("#5F6670", ":", "x"),
    "direct": ("#0072B2", "-", "o"),
    "poisson": ("#2A8FC7", "--", "$\\circ$"),
    "onset": ("#00795A", "-", "^"),
    "latency": ("#A86A00", "-", "D"),
    "phase": ("#B0558A", "-.", "s"),
    "offset": ("#C44E00", "-", "v"),
    "fusion": ("#4B3B9C", (0, (8, 3)), "*"),
}
DIFFERENCE = LinearSegmentedColormap.from_list("difference", ["#0072B2", "#F4F5F7", "#B3123B"])


class Picture(Figure):
    """A figure that a notebook shows as it is, without pyplot and its global state."""

    def _repr_png_(self) -> bytes:
        return _png(self, dpi=160)


@dataclass(frozen=True)
class Still:
    """A picture for where no script runs, with the sentence that says what it shows."""

    png: bytes
    alt: str

    @property
    def data_uri(self) -> str:
        """The picture inside the page."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


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
        exit_step: steps that are read; ``None`` reads all. A model with one exit shows it.
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
    colour, dash, marker = CODES[name]
    rows, n, eps = record["correct"][attack], record["n"], record["eps"]
    counts = rows[-1 if exit_step is None else min(exit_step, len(rows)) - 1]
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
            before, after = (
                code(x, generator=torch.Generator().manual_seed(0)).flatten(1)[:, order] for x in (clean, brighter)
            )
            _raster(ax, before.numpy(), after.numpy() if eps > 0 else None, exit_step)
            ax.set_title(name)
            ax.set_xlabel("step")
        all_axes[0].set_ylabel("pixel, bright to dark")
    return figure


def _raster(ax: Axes, before: Any, after: Any | None, exit_step: int | None) -> None:
    """A raster as an image, time to the right: ink where a spike is, attack colour where only the attack makes one."""
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


def explorer_still(shown: Mapping[str, Any], records: Mapping[str, Mapping[str, Any]], request: Any) -> Still:
    """A picture of the RobustnessExplorer's state: images, input spikes, votes, accuracy."""
    with style():
        figure = Figure(figsize=(9.6, 3.0), layout="constrained")
        widths = [1, 1, 2.2, 1.8] + ([2.4] if records else [])
        axes = list(figure.subplots(1, len(widths), width_ratios=widths))
        side = shown["attacked"] or shown["clean"]
        channels, height, width = shown["shape"]
        for ax, (title, image) in zip(axes, [("clean", shown["clean"]), ("attacked", side)], strict=False):
            ax.imshow(_picture(image["image"], channels, height, width), cmap="gray", vmin=0, vmax=1)
            ax.set_title(title)
            ax.set_axis_off()
        _input_panel(axes[2], shown)
        _votes_panel(axes[3], shown, side)
        if records:
            attack = "worst" if request.attack == "none" else _record_name(request)
            accuracy_curves(records, attack, request.exit_step, highlight=request.encoding, axes=axes[4])
            axes[4].set_title("accuracy")
            legend = axes[4].get_legend()
            if legend is not None:
                legend.remove()
            axes[4].axvline(request.eps, color=INK, lw=1, ls="--")
    return Still(_png(figure), _still_sentence(shown, request))


def encoder_still(image: Tensor, eps: float, num_steps: int) -> Still:
    """A picture of the EncoderExplorer's state."""
    codes = ["direct", "poisson", "onset", "offset", "latency", "phase"]
    figure = rasters(image, codes, eps=eps, num_steps=num_steps)
    alt = (
        f"One digit in six codes over {num_steps} steps, pixels sorted from bright to dark. Spikes that brightening every "
        f"pixel by {eps:g} adds are red: in offset they come in the first step, in onset and latency near the last."
    )
    return Still(_png(figure), alt)


def _input_panel(ax: Axes, shown: Mapping[str, Any]) -> None:
    ax.set_title("spikes in")
    if shown["clean"]["input"] is None:
        ax.text(0.5, 0.5, "an ANN has no spikes", ha="center", va="center", color=QUIET, transform=ax.transAxes)
        ax.set_axis_off()
        return
    steps, order = shown["num_steps"], shown["order"]["input"]
    before = shown["clean"]["input"].reshape(steps, -1)[:, order]
    after = None if shown["attacked"] is None else shown["attacked"]["input"].reshape(steps, -1)[:, order]
    _raster(ax, before, after, shown["exit_step"])
    ax.set(xlabel="step", ylabel="pixel, bright to dark")


def _votes_panel(ax: Axes, shown: Mapping[str, Any], side: Mapping[str, Any]) -> None:
    votes = side["votes"].reshape(len(side["predictions"]), -1)
    exits = np.arange(1, len(votes) + 1)
    answer = side["predictions"][min(shown["exit_step"], len(votes)) - 1]
    for k in range(votes.shape[1]):
        strong = k in (answer, shown["target"])
        colour = INK if k == shown["target"] else ATTACK if k == answer else "#C9CED6"
        ax.step(exits, votes[:, k], where="mid", color=colour, lw=2 if strong else 1)
        if strong:
            ax.annotate(f"{k}", (exits[-1], votes[-1, k]), xytext=(4, -3), textcoords="offset points", color=colour)
    ax.axvline(min(shown["exit_step"], len(votes)), color=INK, lw=1.2, ls="--")
    ax.set(title="votes", xlabel="exit step")


def _still_sentence(shown: Mapping[str, Any], request: Any) -> str:
    side = shown["attacked"] or shown["clean"]
    answer = int(side["predictions"][min(shown["exit_step"], len(side["predictions"])) - 1])
    read = "gives no answer" if answer == SILENT else f"reads {answer}"
    truth = "" if shown["label"] is None else f"; the digit is a {shown['label']}"
    how = "without attack" if shown["attacked"] is None else f"under {request.attack.upper()} with ε = {request.eps:g}"
    exit_text = f"at exit {shown['exit_step']} of {shown['num_steps']}"
    return f"The network with the {request.encoding} code {read} {how}, {exit_text}{truth}."


def _record_name(request: Any) -> str:
    return request.attack if request.attack == "noise" else f"{request.attack}.{request.attacker}"


def _picture(pixels: Any, channels: int, height: int, width: int) -> Any:
    image = pixels.reshape(channels, height, width)
    return image[0] if channels == 1 else image.transpose(1, 2, 0)


def _axes(axes: Axes | None, size: tuple[float, float]) -> tuple[Figure, Axes]:
    if axes is not None:
        figure = axes.figure
        assert isinstance(figure, Figure)
        return figure, axes
    figure = Picture(figsize=size, layout="constrained")
    return figure, figure.subplots()


def _png(figure: Figure, dpi: int = 110) -> bytes:
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
