"""Table and convergence plot of the chapter *Honest evaluation*, and one query of the Square attack."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from snnlab import zoo
from snnlab.attacks import AttackResult
from snnlab.plotting.curves import curve_with_band, row_of_panels
from snnlab.plotting.theme import DASHES, MARKERS, NotebookFigure, mark, style
from snnlab.statistics import Change, Record, change_over_seeds, seed_summary
from snnlab.statistics.records import Repeats

__all__ = ["convergence", "gap", "longer_finding", "peers", "peers_finding", "square_query", "table"]

COLUMNS = (
    ("clean", "worst", 0.0),
    ("noise, ε = 0.1", "noise", 0.1),
    ("FGSM naive, 0.1", "fgsm.naive", 0.1),
    ("FGSM informed, 0.1", "fgsm.informed", 0.1),
    ("worst case, 0.1", "worst", 0.1),
    ("worst case, 0.2", "worst", 0.2),
)


def table(repeats: Repeats) -> pd.DataFrame:
    """Return the accuracy under increasingly strong attacks: means over seeds with 95 % intervals."""
    return seed_summary(repeats, COLUMNS)


def gap(records: Sequence[Record], eps: float) -> Change:
    """Return the accuracy under naive FGSM minus the worst case."""
    naive, worst = ([r.accuracy(attack, eps=eps) for r in records] for attack in ("fgsm.naive", "worst"))
    return change_over_seeds(naive, worst, records[0].n, nested=True)


def square_query(images: Tensor, side: int, eps: float, generator: torch.Generator) -> Tensor:
    """Return the images with one square of pixels changed by +ε or by -ε, at a random place, as the Square attack queries.

    Shapes: ``[N, C, H, W]`` → ``[N, C, H, W]``, in [0, 1].

    Raises:
        ValueError: a square that does not fit into the images.
    """
    height, width = images.shape[-2:]
    if not 1 <= side <= min(height, width):
        raise ValueError(f"expected a side from 1 to {min(height, width)} pixels, got {side!r}")
    top, left = (int(torch.randint(length - side + 1, (1,), generator=generator)) for length in (height, width))
    sign = 1 - 2 * int(torch.randint(2, (1,), generator=generator))
    query = images.clone()
    query[..., top : top + side, left : left + side] += sign * eps
    return query.clamp(0, 1)


def convergence(panels: Mapping[str, Mapping[str, Mapping[int, AttackResult]]]) -> NotebookFigure:
    """Draw the accuracy that attacks leave as they get longer.

    Args:
        panels: attacks by what is counted (steps, restarts), by the title of a line, which begins with the code, and by number.
    """
    left = {}
    with style():
        figure, axes = row_of_panels({}, len(panels), (8.4, 3.4))
        for ax, (counted, lines) in zip(axes, panels.items(), strict=True):
            for k, (title, results) in enumerate(lines.items()):
                survivors = [[int((~result.success).sum())] for result in results.values()]
                n = len(next(iter(results.values())).success)
                look = replace(mark(title.partition(",")[0]), dash=DASHES[k], marker=MARKERS[k], label=title)
                left[f"{title} after {max(results)} {counted}"] = curve_with_band(ax, list(results), survivors, n, look)[
                    -1
                ].mean
            ax.set(xscale="log", xlabel=counted, xticks=list(results), xticklabels=list(results))
            ax.minorticks_off()
            ax.legend(fontsize=8)
        figure.add_caption(
            f"n = {n}, one training seed, 95 % intervals over digits (Wilson); each point is an attack of its own"
        )
    figure.alt = "Accuracy under attacks of rising length: " + ", ".join(
        f"{key}: {value:.2f}" for key, value in left.items()
    )
    return figure


def peers() -> dict[str, Any]:
    """Return the record of ``benchmarks/peers.py``: what gradients of other papers, and a thousand steps, leave.

    Raises:
        ValueError: a network has other weights now.
    """
    record: dict[str, Any] = json.loads(Path(zoo.__file__).with_name("peers.json").read_text(encoding="utf8"))
    for name, of in record["networks"].items():
        if of["weights_sha256"] != zoo.card(name)["weights_sha256"]:
            raise ValueError(f"peers.json belongs to other weights of {name!r}; run 'python benchmarks/peers.py --write'")
    return record


def _cases(record: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(name, eps, found) for name, of in record["networks"].items() for eps, found in of["by_eps"].items()]


def peers_finding() -> str:
    """Return what gradients of other papers break after the suite, and beside adaptive sharpness, as Markdown."""
    record = peers()
    cases, n = _cases(record), {of["n"] for of in record["networks"].values()}
    best = {case[:2]: min((left, key) for key, left in case[2]["alone"].items() if key != "assg") for case in cases}
    ahead = sum(best[case[:2]][0] < case[2]["alone"]["assg"] for case in cases)
    broken = sum(max(count for key, count in found["added"].items() if key != "assg") for _, _, found in cases)
    name, eps, found = max(cases, key=lambda case: best[case[:2]][0] - case[2]["alone"]["assg"])
    left, key = best[name, eps]
    radii = " and ".join(dict.fromkeys(eps for _, eps, _ in cases))
    return (
        f"**Finding.** {', '.join(f'`{name}`' for name in record['networks'])}, the first {', '.join(map(str, n))} test digits, "
        f"ε = {radii}, one training seed; {record['steps']} steps along each gradient, on the image and (step codes) among the "
        f"spike trains. Of {sum(found['suite'] for _, _, found in cases)} survivors of the suite, summed over networks and ε, "
        f"they break {broken or 'none'}. Used alone, the best of them breaks more than adaptive sharpness in {ahead or 'none'} "
        f"of {len(cases)} cases. It is furthest behind for `{name}` at ε = {eps}: `{key}` leaves {left} digits, adaptive "
        f"sharpness {found['alone']['assg']}. So the suite does not take them."
    )


def longer_finding() -> str:
    """Return what a thousand steps break after the suite, as Markdown."""
    record = peers()
    cases = [(name, eps, found["long"]) for name, eps, found in _cases(record) if "long" in found]
    survivors, left = (sum(found[key] for _, _, found in cases) for key in ("suite", "left"))
    fell = [f"`{name}` at ε = {eps}: {f['suite'] - f['left']}" for name, eps, f in cases if f["left"] < f["suite"]]
    networks = ", ".join(dict.fromkeys(f"`{name}`" for name, _, _ in cases))
    return (
        f"**A longer run.** The first {record['long']['n']} digits of {networks} meet {record['long']['steps']:,} steps of "
        "SA-PGD, of APGD, and (step codes) of the search among spike trains, at both ε. They break "
        f"{survivors - left} of {survivors} survivors of the suite" + (f" ({', '.join(fell)})." if fell else ".")
    )
