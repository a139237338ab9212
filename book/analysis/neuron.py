"""Drawings and tables of the chapter *From neuron to network*."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from matplotlib.axes import Axes
from snntorch import spikeplot
from torch import Tensor

from snnlab import zoo
from snnlab.data import Split
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.sequence import unroll
from snnlab.networks.surrogate import Surrogate
from snnlab.plotting.theme import DASHES, INK, QUIET, NotebookFigure, mark, style

__all__ = ["activity", "activity_finding", "bumps", "network_in_time"]

LAYERS = ("input", "hidden", "output")
#: surrogates of the figure: the zoo's, and two others of about the same width
BUMPS = (Surrogate("sigmoid", 4), Surrogate("arctan", 2), Surrogate("triangular", 1))


@torch.no_grad()
def network_in_time(model: Classifier, image: Tensor, label: int) -> NotebookFigure:
    """Draw one image on its way through a spiking network: its code, the hidden and the output spikes, and the votes.

    Args:
        model: a network of the zoo with one hidden layer.
        image: ``[1, 28, 28]``.
        label: its class, in colour.
    """
    (sequence, hidden), output, _ = model.trace(image[None])
    layers = {"code: 784 pixels": sequence[:, 0].flatten(1), "256 hidden": hidden[:, 0], "10 outputs": output[:, 0]}
    own = mark("latency").colour
    with style():
        figure = NotebookFigure(figsize=(8.6, 3.0), layout="constrained")
        axes = figure.subplots(1, 5, width_ratios=(1, 1.5, 1.5, 1.5, 0.9))
        axes[0].imshow(image[0].numpy(), cmap="gray", vmin=0, vmax=1)
        axes[0].set(xticks=[], yticks=[], title="picture x")
        order = image.flatten().argsort()  # dark pixels at the bottom
        for ax, (title, spikes) in zip(axes[1:], layers.items(), strict=False):
            shown, size = (
                (spikes[:, order], 0.4) if spikes.shape[1] == len(order) else (spikes, 3 if len(spikes.T) > 10 else 16)
            )
            spikeplot.raster(shown, ax, s=size, c=INK)
            ax.set(
                title=title,
                xlabel="step t",
                xlim=(-0.5, len(spikes) - 0.5),
                ylim=(-0.02 * len(shown.T) - 0.6, len(shown.T) - 0.4),
            )
            ax.set_yticks([])
        axes[1].set_ylabel("dark to bright", fontsize=8)
        votes = output[:, 0].sum(0)
        colours = [own if k == label else QUIET for k in range(len(votes))]
        axes[4].barh(range(len(votes)), votes.tolist(), color=colours)
        axes[4].set(title="votes", xlabel="spikes", yticks=range(len(votes)), ylim=(-0.8, len(votes) - 0.4))
        for ax, words in zip(axes[:4], ("encode", "times W₁, LIF", "times W₂, LIF", "count"), strict=True):
            _arrow_after(ax, axes[1], words)
    counts = ", ".join(f"{title} {int((spikes != 0).sum())} spikes" for title, spikes in layers.items())
    figure.caption = (
        "Each dot is a spike. From left to right: the picture, its spikes (a row a pixel, dark pixels at the "
        "bottom), the spikes of the hidden layer, those of the output layer, and their number for each class. "
        "In colour: the true class"
    )
    figure.alt = (
        f"The network 784-256-10 in time: a digit, a {label}, over {len(output)} steps; {counts}; votes "
        f"{votes.int().tolist()}."
    )
    return figure


def _arrow_after(ax: Axes, level: Axes, words: str) -> None:
    """Write what leads from this panel to the next one below its right edge, at the height of another panel's axis."""
    place: dict[str, Any] = {"xycoords": ("axes fraction", level.transAxes), "textcoords": "offset points", "fontsize": 8}
    ax.annotate(f"{words} →", (1.0, 0.0), xytext=(6, -44), ha="center", color=mark("direct").colour, **place)


@torch.no_grad()
def bumps(model: Classifier, digits: Split) -> NotebookFigure:
    """Draw surrogate slopes, the smooth steps behind them, and where the potentials of a trained network lie.

    Args:
        model: a network of the zoo with one hidden layer.
        digits: images to measure its potentials on.
    """
    v = torch.linspace(-2, 2, 401)
    assert isinstance(model.network, SpikingMLP)
    sequence = model.encode(digits.images)
    _, membrane = unroll(model.network.neurons[0], model.network.layers[0](sequence.flatten(2)))
    distance = (membrane - model.network.threshold).flatten()
    near = float((distance.abs() < 0.5).float().mean())
    with style():
        figure = NotebookFigure(figsize=(8.2, 2.9), layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        left.step(v, (v > 0).float(), color=INK, lw=2, label="the spike")
        for bump, dash in zip(BUMPS, DASHES, strict=False):
            slope = bump.derivative(v.clone())
            smooth = slope.cumsum(0) * float(v[1] - v[0])
            left.plot(v, smooth - smooth[200] + 0.5, color=QUIET, ls=dash, lw=1.4)
            middle.plot(v, slope, color=INK, ls=dash, lw=1.4, label=f"{bump.shape}, α = {bump.slope:g}")
        left.set(title="the step, smooth ones", xlabel="v = U - θ")
        middle.set(title="their slopes h(v)", xlabel="v = U - θ", ylim=(0, 1.75))
        middle.legend(fontsize=8, loc="upper left")
        right.hist(distance.numpy(), bins=60, range=(-6, 3), color=QUIET)
        right.axvspan(-0.5, 0.5, color=mark("latency").colour, alpha=0.3, lw=0)
        right.set(title="where the neurons are", xlabel="v = U - θ", yticks=[])
        right.annotate(
            f"{near:.0%} within ½", (0.03, 0.9), xycoords="axes fraction", fontsize=8, color=mark("latency").colour
        )
    figure.caption = (
        "Left: the step of a spike (black) and smooth steps. Middle: their slopes, the bumps that stand in "
        "for the derivative. Right: where the hidden potentials of the network above lie, at all steps of "
        f"{len(digits)} digits. Only neurons in the coloured range pass on much of a gradient"
    )
    figure.alt = (
        "Surrogates and potentials: left, the step of a spike and three smooth steps. Middle: their slopes. Right: distances of "
        f"the potentials of {len(digits)} digits from the threshold; {near:.0%} are within one half."
    )
    return figure


@torch.no_grad()
def _spikes(digits: Split) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
    spikes = {}
    for name in zoo.names("codes"):
        model = zoo.load(name)
        if model.encoder is not None:
            model.generator = torch.Generator().manual_seed(0)
            (sequence, hidden), output, _ = model.trace(digits.images)
            spikes[name] = (sequence, hidden, output)
    return spikes


def activity(digits: Split) -> pd.DataFrame:
    """Return how often the neurons of each spiking network fire, per digit and layer."""
    rows = {}
    for name, layers in _spikes(digits).items():
        _, hidden, output = layers
        rows[name] = {
            **{layer: f"{(s != 0).sum() / len(digits):.0f}" for layer, s in zip(LAYERS, layers, strict=True)},
            "hidden neurons that never fire": f"{(hidden.sum((0, 1)) == 0).float().mean():.0%}",
            "steps in which a hidden neuron fires": f"{hidden.mean():.1%}",
            "silent": f"{(output.sum((0, 2)) == 0).float().mean():.1%}",
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def activity_finding(digits: Split) -> str:
    """Return which codes make the hidden layer fire least and most, as Markdown."""
    hidden = activity(digits)["hidden"]
    fewest, most = hidden.astype(float).idxmin(), hidden.astype(float).idxmax()
    usual = zoo.recipe("latency")["learning_rate"]
    other = [f"`{name}`" for name in hidden.index if zoo.recipe(name)["learning_rate"] != usual]
    apart = f" The learning rate of {', '.join(other)} was another one." if other else ""
    return (
        f"**Finding.** On {len(digits)} test digits (clean, one seed) the hidden layer fires between {hidden[fewest]} times a "
        f"digit (`{fewest}`) and {hidden[most]} (`{most}`). The neurons are the same and were trained alike. "
        f"Only the code differs.{apart}"
    )
