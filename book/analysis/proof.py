"""Tables, figure and sentences of the chapter *Proof*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from snnlab import zoo
from snnlab.plotting.curves import curve_with_band, row_of_panels
from snnlab.plotting.theme import DASHES, MARKERS, NotebookFigure, mark, style
from snnlab.statistics import NO_BOUND, over_seeds
from snnlab.zoo.proofs import NOT_ATTACKED, PROOFS, Bracket, bracket, has_proofs, proofs

__all__ = ["CERTIFIED", "brackets", "caption", "certified", "control_finding", "exits", "narrowest", "proved_alone"]

RADII = (0.05, 0.1, 0.2)
SMALL = (0.005, 0.01, 0.02)
#: certified networks, spiking ones first
CERTIFIED = [name for name in zoo.names("certified") if zoo.recipe(name).coded and zoo.recipe(name)["network"] == "mlp"]
CONTROLS = [name for name in ("certified-ann", "certified-ann-binary") if name in PROOFS.models("mnist5k")]


def certified() -> list[str]:
    """Return the networks trained for a proof, spiking ones first."""
    return [name for name in (*CERTIFIED, *CONTROLS) if has_proofs(name)]


def brackets(names: Sequence[str], radii: Sequence[float] = RADII) -> pd.DataFrame:
    """Return clean accuracy and a bracket for every ε, at the last exit that is attacked, means over seeds."""
    rows = {}
    for name in names:
        of, known = zoo.recipe(name), {eps: bracket(name, eps) for eps in (0.0, *radii)}
        ends = next(end for end in (known[0.0].low, known[0.0].high) if end)
        rows[of.labels["title"]] = {
            "exit": of["training_exit"] or "—",
            **{f"ε = {eps:g}" if eps else "clean": _ends(known[eps]) for eps in (0.0, *radii)},
            "seeds": ends.seeds,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _ends(known: Bracket) -> str:
    """Return both ends in %, each with its interval."""
    missing = (NO_BOUND, NOT_ATTACKED)
    ends = zip((known.low, known.high), missing, strict=True)
    return " – ".join(f"{100 * e.mean:.1f} [{100 * e.low:.0f}, {100 * e.high:.0f}]" if e else says for e, says in ends)


def proved_alone(names: Sequence[str], radii: Sequence[float] = SMALL) -> pd.DataFrame:
    """Return what is proved at radii that no suite attacks, at the last exit, of networks that were not trained for it."""
    rows = {}
    for name in names:
        if not has_proofs(name):
            rows[name] = dict.fromkeys([f"ε = {eps:g}" for eps in radii], NO_BOUND)
            continue
        record = proofs(name)
        rows[name] = {f"ε = {eps:g}": str(over_seeds([record], "proved", None, eps)) for eps in radii}
    return pd.DataFrame.from_dict(rows, orient="index")


def narrowest(eps: float) -> tuple[str, float, float]:
    """Return the certified spiking network with the narrowest bracket at ε, and its two ends as fractions.

    Raises:
        ValueError: none has both ends.
    """
    known = {name: bracket(name, eps) for name in CERTIFIED}
    ends = {name: (b.low.mean, b.high.mean) for name, b in known.items() if b.low and b.high}
    name = min(ends, key=lambda n: ends[n][1] - ends[n][0])
    return name, *ends[name]


def control_finding(radii: Sequence[float] = (0.1, 0.2)) -> str:
    """Return how much is proved of the spiking network, of the threshold without spikes, and of the ANN, in one sentence."""
    shown = {"certified-onset": "`onset`", "certified-ann-binary": "the ANN on binary pixels", "certified-ann": "the ANN"}
    ends = {title: [bracket(name, eps).low for eps in radii] for name, title in shown.items() if has_proofs(name)}
    told = [f"{title} {' and '.join(f'{100 * e.mean:.0f}' for e in low if e)} %" for title, low in ends.items()]
    n, at = proofs("certified-onset").n, " and ".join(f"{eps:g}" for eps in radii)
    chance = "where intervals overlap, the difference may be chance"
    return f"**Finding.** Proved at ε = {at}: {', '.join(told)} (n = {n}; {chance})."


def caption(names: Sequence[str]) -> str:
    """Return what belongs below a table of brackets: n, seeds, attacks and the method of the proof."""
    attacked = next(zoo.results(name) for name in names if zoo.measured(name))
    proved = proofs(names[0])
    attacks = [name for name in attacked.attacks if name != "worst"]
    return (
        f"Proved – not broken, in % of n = {proved.n} test digits. Lower end: {proved.attacks['proved']}. Upper end: the worst "
        f"case of the suite `{attacked.suite}` ({', '.join(attacks)}). Means over the seeds in the last column, with 95 % "
        "intervals (of one seed over digits, Wilson)."
    )


def exits(names: Sequence[str], radii: Sequence[float] = RADII) -> NotebookFigure:
    """Draw what is proved at every exit step, first seed: one panel a network, one line for each ε."""
    best = []
    with style():
        figure, axes = row_of_panels({}, len(names), (8.4, 3.4))
        for ax, name in zip(axes, names, strict=True):
            record = proofs(name)
            for k, eps in enumerate((0.0, *radii)):
                counts = [[record.count("proved", e, eps)] for e in record.exits]
                look = replace(mark(record.code), dash=DASHES[k], marker=MARKERS[k], label=f"ε = {eps:g}")
                curve_with_band(ax, record.exits, counts, record.n, look)
            last = [record.count("proved", e, radii[-1]) for e in record.exits]
            best.append(f"{record.title}, ε = {radii[-1]:g}: most at exit {record.exits[last.index(max(last))]}")
            ax.set(title=record.title, xlabel="exit step", xticks=record.exits)
            ax.legend(fontsize=8)
        axes[0].set_ylabel("proved")
        figure.add_caption(f"n = {record.n} test digits, one training seed, 95 % intervals over digits (Wilson)")
    figure.alt = "Share of digits that is proved at every exit step: " + ", ".join(best) + "."
    return figure
