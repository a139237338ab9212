"""Sentence and figure of the chapter *Energy*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from snnlab import zoo
from snnlab.networks.energy import PJ_PER_MAC, PJ_PER_SYNOP, energy
from snnlab.plotting.theme import NotebookFigure, mark, style

__all__ = ["bill", "fair_finding", "parts_of"]

#: part of a bill → colour (that of a code, which is on no other bar) and hatching
PARTS: dict[str, tuple[str, str]] = {
    "first layer": ("direct", ""),
    "hidden layer": ("latency", "//"),
    "reading weights": ("onset", ".."),
    "updating neurons": ("phase", "xx"),
}


def parts_of(name: str, images: Tensor, read: float) -> dict[str, float]:
    """Return the energy of an answer of a zoo network by part, in nJ, mean over images, at the last exit.

    Args:
        name: a network of the zoo with one hidden layer.
        images: clean images, ``[N, 1, 28, 28]``.
        read: price of reading a weight or a potential, in pJ; 0: arithmetic of weights alone, as in the rest of the chapter.
    """
    model = zoo.load(name)
    sizes: Any = model.network.sizes
    inputs, hidden, outputs = sizes
    if model.encoder is None:
        first, second, reads, updates = (
            PJ_PER_MAC * inputs * hidden,
            PJ_PER_MAC * hidden * outputs,
            hidden * (inputs + outputs),
            0,
        )
    else:
        model.generator = torch.Generator().manual_seed(0)
        used = energy(model, images)
        macs, synops = (float(count[-1].mean()) for count in (used.macs, used.synops))
        model.generator = torch.Generator().manual_seed(0)
        behind = float(model.trace(images)[0][-1].count_nonzero()) / len(images) * outputs
        first, second = PJ_PER_MAC * macs + PJ_PER_SYNOP * (synops - behind), PJ_PER_SYNOP * behind
        reads, updates = macs + synops, (hidden + outputs) * model.num_steps
    values = (first, second, read * reads, updates * (PJ_PER_MAC + 2 * read) if read else 0.0)
    return {part: value / 1000 for part, value in zip(PARTS, values, strict=True)}


def bill(names: Sequence[str], images: Tensor, read: float) -> NotebookFigure:
    """Draw the energy of an answer by part: arithmetic alone, and with weights read at a price of ``read`` pJ."""
    spoken = []
    with style():
        figure = NotebookFigure(figsize=(8.4, 0.3 * len(names) + 1.6), layout="constrained")
        for ax, price in zip(figure.subplots(1, 2, sharey=True), (0.0, read), strict=True):
            bills = {name: parts_of(name, images, price) for name in names}
            left = [0.0] * len(names)
            for part, (code, hatch) in PARTS.items():
                widths = [bills[name][part] for name in names]
                if any(widths):
                    ax.barh(
                        range(len(names)),
                        widths,
                        left=left,
                        color=mark(code).colour,
                        hatch=hatch,
                        edgecolor="white",
                        label=part,
                    )
                left = [a + b for a, b in zip(left, widths, strict=True)]
            title = f"+ reading at {price:g} pJ, updates" if price else "arithmetic alone"
            ax.set(title=title, xlabel="nJ per answer", yticks=range(len(names)), yticklabels=names)
            spoken.append(f"{title} {', '.join(f'{n} {v:.0f}' for n, v in zip(names, left, strict=True))} nJ")
        ax.invert_yaxis()
        ax.legend(fontsize=8)
        figure.add_caption(f"n = {len(images)} clean validation digits, one training seed, last exit; counted, not measured")
    figure.alt = f"Energy of an answer by part: {'; '.join(spoken)}."
    return figure


def fair_finding(counted: Mapping[str, tuple[float, float]], ann_macs: float) -> str:
    """Return which codes need less energy than an ANN that skips zeros, and by how much, as Markdown.

    Args:
        counted: MACs and SynOps of an answer by code, where black pixels are skipped by MACs too.
        ann_macs: MACs of an ANN that skips zeros.
    """
    ann = PJ_PER_MAC * ann_macs
    ratio = {name: (PJ_PER_MAC * macs + PJ_PER_SYNOP * synops) / ann for name, (macs, synops) in counted.items()}
    less, more = (
        sorted((n for n in ratio if (ratio[n] < 1) is cheaper), key=ratio.__getitem__) for cheaper in (True, False)
    )
    cheaper_than, others = (
        ", ".join(f"`{name}` ({ratio[name]:.2f} times)" for name in names) or "none" for names in (less, more)
    )
    return (
        f"If both skip zeros, the ANN needs {ann / 1000:.1f} nJ. Codes that need less: {cheaper_than}. Codes that need as much "
        f"or more: {others}."
    )
