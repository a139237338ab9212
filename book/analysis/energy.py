"""Sentence of the chapter *Energy*."""

from __future__ import annotations

from collections.abc import Mapping

from snnlab.networks.energy import PJ_PER_MAC, PJ_PER_SYNOP

__all__ = ["fair_finding"]


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
