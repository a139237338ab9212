"""Figures of images, spikes and neurons: rasters of coded images, and a neuron with the slopes that it learns by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from snnlab.networks.sequence import lif
from snnlab.networks.surrogate import SURROGATES, Surrogate, derivative_of
from snnlab.plotting.theme import ATTACK, DASHES, INK, QUIET, NotebookFigure, style

__all__ = ["neuron", "rasters", "stand_in"]


def rasters(
    trains: Mapping[str, tuple[Tensor, Tensor | None]],
    *,
    images: Mapping[str, Tensor] | None = None,
    exit_step: int | None = None,
    rows: str = "pixel, bright to dark",
    cause: str = "under attack",
) -> NotebookFigure:
    """Draw spikes as rasters side by side, time to the right; spikes that only the attacked sequence has in red.

    Args:
        trains: clean spikes and attacked ones (or ``None``), ``[T, P]`` in the order of the rows, by title.
        images: ``[C, H, W]`` in [0, 1], drawn before the rasters, by title.
        exit_step: marked by a line.
        rows: title of the rows.
        cause: what the alternative text names as the cause of further spikes.

    >>> spikes = torch.eye(4)
    >>> rasters({"latency": (spikes, None)}).alt
    'Spikes over 4 steps: latency 4.'
    """
    shown = images or {}
    said = []
    with style():
        figure = NotebookFigure(figsize=(1.75 * (len(trains) + len(shown)) + 0.4, 2.6), layout="constrained")
        axes = list(np.atleast_1d(figure.subplots(1, len(trains) + len(shown))))
        for ax, (title, image) in zip(axes, shown.items(), strict=False):
            pixels = image.permute(1, 2, 0).numpy()
            ax.imshow(pixels[..., 0] if len(image) == 1 else pixels, cmap="gray", vmin=0, vmax=1)
            ax.set_title(title)
            ax.set_axis_off()
        for ax, (title, (before, after)) in zip(axes[len(shown) :], trains.items(), strict=True):
            draw_raster(ax, before.numpy(), None if after is None else after.numpy(), exit_step)
            ax.set(title=title, xlabel="step")
            added = 0 if after is None else int(((after > 0) & (before <= 0)).sum())
            said.append(f"{title} {int((before > 0).sum())}" + (f" and {added} more {cause}" if added else ""))
        if trains:
            axes[len(shown)].set_ylabel(rows)
    steps = max((len(before) for before, _ in trains.values()), default=0)
    figure.alt = f"Spikes over {steps} steps: {', '.join(said)}." if trains else f"Images: {', '.join(shown)}."
    return figure


def draw_raster(ax: Axes, before: np.ndarray, after: np.ndarray | None, exit_step: int | None) -> None:
    """Draw a raster ``[T, P]`` as an image: ink where a spike is, attack colour where only the attack has one."""
    shown = np.empty((*before.T.shape, 4))
    shown[...] = mpl.colors.to_rgba(INK)
    shown[..., 3] = before.T / max(before.max(), 1e-9)
    if after is not None:
        shown[(after > before + 1e-9).T & (before.T < 1e-9)] = mpl.colors.to_rgba(ATTACK)
    ax.imshow(shown, aspect="auto", interpolation="nearest", extent=(0, len(before), before.shape[1], 0))
    ax.set_xticks(np.arange(len(before)) + 0.5, [str(t + 1) for t in range(len(before))], fontsize=7)
    ax.set_yticks([])
    if exit_step is not None:
        ax.axvline(exit_step, color=INK, lw=1.2, ls="--")


def neuron(membrane: Tensor, spikes: Tensor, threshold: float = 1.0) -> NotebookFigure:
    """Draw the potential ``[T]`` of one neuron with its threshold and spikes ``[T]``."""
    with style():
        figure = NotebookFigure(figsize=(6.4, 2.9), layout="constrained")
        _trace(figure.subplots(), membrane, spikes, threshold)
        figure.legend(fontsize=8, loc="outside upper right", ncols=2)
    figure.alt = _fires(spikes)
    return figure


def _fires(spikes: Tensor) -> str:
    times = ", ".join(str(int(t) + 1) for t in spikes.nonzero().flatten())
    fires = f"fires at steps {times}" if times else "never fires"
    return f"A leaky integrate-and-fire neuron over {len(spikes)} steps: it {fires}."


def _trace(ax: Axes, membrane: Tensor, spikes: Tensor, threshold: float) -> None:
    steps, fired = np.arange(len(membrane)) + 1, spikes.numpy() > 0
    ax.plot(steps, membrane, color=INK, marker="o", ms=4, label="potential U")
    ax.plot(steps[fired], membrane.numpy()[fired], color=ATTACK, ls="none", marker="o", ms=8, label="spike")
    ax.axhline(threshold, color=QUIET, lw=1, ls="--")
    words: dict[str, Any] = {"xytext": (0, 4), "textcoords": "offset points", "color": QUIET, "fontsize": 8}
    ax.annotate("threshold θ", (1, threshold), **words)
    ax.set(xlabel="step t")


def stand_in(current: Sequence[float], surrogate: Surrogate | None = None) -> NotebookFigure:
    """Draw a neuron of the book driven by the currents ``I`` (left), and surrogate slopes, this one strong (right)."""
    strong = surrogate or Surrogate()
    spikes, membrane = lif(torch.tensor(current))
    v = torch.linspace(-1, 1, 401)
    with style():
        figure = NotebookFigure(figsize=(8.2, 2.9), layout="constrained")
        left, right = figure.subplots(1, 2)
        _trace(left, membrane, spikes, 1.0)
        left.set_title("forward: the step as it is")
        left.legend(fontsize=8)
        right.plot(v, (v > 0).float(), color=ATTACK, lw=1.4, label="the spike")
        for shape, dash, slope in zip(SURROGATES, DASHES, (4.0, 2.0, 2.0, 1.0), strict=False):
            other = strong if shape == strong.shape else Surrogate(shape, slope)
            width = 2.2 if other is strong else 1
            right.plot(v, derivative_of(other)(v), color=INK, ls=dash, lw=width, label=f"{shape}, {other.slope:g}")
        right.set(xlabel="U - θ", title="backward: a slope in its place")
        right.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5))
    figure.caption = (
        "Left: the potential and the spikes; steps count from 1. Right: the step of a spike, and surrogate slopes that replace "
        "its derivative in the backward pass"
    )
    figure.alt = (
        f"{_fires(spikes)} Beside it the step of the spike and {len(SURROGATES)} smooth slopes that stand in for it."
    )
    return figure
