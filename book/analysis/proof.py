"""Tables, figure and sentences of the chapter *Proof*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from math import ceil, floor

import pandas as pd
from matplotlib.lines import Line2D

from snnlab import zoo
from snnlab.claims import VERDICTS, ledger
from snnlab.plotting.curves import LIMITS, curve_with_band
from snnlab.plotting.theme import DASHES, INK, MARKERS, NotebookFigure, mark, style
from snnlab.statistics import NO_BOUND, attack_table, estimate, over_seeds, seed_summary, small_print
from snnlab.zoo.proofs import NOT_ATTACKED, PROOFS, SMOOTHED, Bracket, bracket, has_proofs, proofs

__all__ = [
    "CERTIFIED",
    "brackets",
    "caption",
    "certified",
    "claims_finding",
    "codes_finding",
    "control_finding",
    "defence",
    "defence_finding",
    "exits",
    "narrowest",
    "proved_alone",
    "smoothed",
    "smoothed_finding",
]

RADII = (0.05, 0.1, 0.2)
SMALL = (0.005, 0.01, 0.02)
#: certified networks, spiking ones first
CERTIFIED = [
    name for name in zoo.names("certified") if zoo.recipe(name).coded and zoo.recipe(name)["network"] != "coded_mlp"
]
CONTROLS = [name for name in ("certified-ann", "certified-ann-binary") if name in PROOFS.models("mnist5k")]
DEFENCE, PLAIN, TRAINED = "sparse-direct", "direct", "fgsm-direct"


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
            "trained for ε": f"{of['certified']['eps']:g}",
            "exit": of["training_exit"] or "last",
            **{f"ε = {eps:g}" if eps else "clean": _ends(known[eps]) for eps in (0.0, *radii)},
            "seeds": ends.seeds,
            "suite": of.evaluation["suite"] if known[0.0].high else "—",
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
    told = [f"- {title}: {' and '.join(f'{100 * e.mean:.0f}' for e in low if e)} %" for title, low in ends.items()]
    listed = "\n".join(told)
    n, at = proofs("certified-onset").n, " and ".join(f"{eps:g}" for eps in radii)
    chance = "Where intervals overlap, the difference may be chance"
    return f"**Finding.** Proved at ε = {at}:\n\n{listed}\n\n(n = {n}. {chance}.)"


def caption(names: Sequence[str]) -> str:
    """Return what belongs below a table of brackets: n, seeds, attacks and the method of the proof."""
    attacked = next(zoo.results(name) for name in names if zoo.measured(name))
    proved = proofs(names[0])
    attacks = {name: text for name, text in attacked.attacks.items() if name != "worst"}
    return (
        f"Proved – not broken, in % of n = {proved.n} test digits. Lower end: {proved.attacks['proved']}. Upper end: the worst "
        "case of the suite in the last column. Means over the seeds of a row, with 95 % intervals (of one seed over digits, "
        f"Wilson). The list is that of `{attacked.suite}`; `quick` is its beginning.\n\n{attack_table(attacks)}"
    )


def exits(names: Sequence[str], radii: Sequence[float] = RADII) -> NotebookFigure:
    """Draw what is proved at every exit step, first seed: one panel a network, three a row, one line for each ε."""
    best, radii = [], (0.0, *radii)
    with style():
        figure = NotebookFigure(figsize=(8.4, 0.6 + 2.6 * ceil(len(names) / 3)), layout="constrained")
        axes = figure.subplots(ceil(len(names) / 3), 3, sharex=True, sharey=True, squeeze=False)
        for ax, name in zip_longest(axes.flat, names):
            if name is None:
                ax.remove()
                continue
            record = proofs(name)
            for k, eps in enumerate(radii):
                counts = [[record.count("proved", e, eps)] for e in record.exits]
                look = replace(mark(record.code), dash=DASHES[k], marker=MARKERS[k], label=f"ε = {eps:g}")
                curve_with_band(ax, record.exits, counts, record.n, look)
            last = [record.count("proved", e, radii[-1]) for e in record.exits]
            title = record.title.removesuffix(", certified")
            best.append(f"{title}, ε = {radii[-1]:g}: most at exit {record.exits[last.index(max(last))]}")
            ax.set(title=title, xlabel="exit step", xticks=range(1, 9), ylim=LIMITS)
            ax.xaxis.set_tick_params(labelbottom=True)
        for row in axes:
            row[0].set_ylabel("proved")
        lines = [Line2D([], [], color=INK, ls=DASHES[k], marker=MARKERS[k], label=f"ε = {e:g}") for k, e in enumerate(radii)]
        figure.legend(handles=lines, loc="outside upper center", ncols=len(radii), fontsize=8)
        figure.add_caption(f"n = {record.n} test digits, one training seed, 95 % intervals over digits (Wilson)")
    figure.alt = "Share of digits that is proved at every exit step: " + ", ".join(best) + "."
    return figure


def codes_finding(eps: float = 0.1, wide: float = 0.2) -> str:
    """Return the brackets of the certified codes, and which are widest at a larger ε, as Markdown."""
    shown = [name for name in CERTIFIED if has_proofs(name) and zoo.measured(name)]

    def ends(name: str, at: float) -> tuple[float, float]:
        known = bracket(name, at)
        return (100 * known.low.mean, 100 * known.high.mean) if known.low and known.high else (0.0, 100.0)

    def told(name: str, at: float) -> str:
        low, high = ends(name, at)
        return f"`{zoo.recipe(name).labels['title'].removesuffix(', certified')}` {low:.0f} – {high:.0f} %"

    listed = "\n".join(f"- {told(name, eps)}" for name in shown)
    far = sorted(shown, key=lambda name: ends(name, wide)[0] - ends(name, wide)[1])[:2]
    widest = " and ".join(told(name, wide) for name in far)
    return (
        f"**Finding.** Between proof and attack at ε = {eps:g}:\n\n{listed}\n\nAt ε = {wide:g} the brackets are widest for "
        f"{widest}: there nobody knows the robust accuracy."
    )


def defence(radii: Sequence[float] = RADII[:2]) -> pd.DataFrame:
    """Return a published defence beside the same network trained plainly and on attacked images, first seed."""
    columns = [("clean", "worst", 0.0)]
    for eps in radii:
        columns += [(f"{kind}, ε = {eps:g}", f"pgd.{kind}", eps) for kind in ("naive", "informed")]
        columns += [(f"worst case, ε = {eps:g}", "worst", eps)]
    return seed_summary({name: [zoo.results(name)] for name in _defended()}, columns)


def _defended() -> list[str]:
    return [name for name in (PLAIN, DEFENCE, TRAINED) if zoo.measured(name)]


def defence_finding(eps: float = 0.05) -> str:
    """Return what the defence keeps under its own attack and under all, as Markdown."""
    names = _defended()
    caption = small_print({name: [zoo.results(name)] for name in names})
    if DEFENCE not in names:
        return f"The defence is not measured yet. {caption}"
    record, plain, trained = (zoo.results(name) for name in (DEFENCE, PLAIN, TRAINED))
    own, worst = record.accuracy("pgd.naive", eps=eps), record.accuracy(eps=eps)
    return (
        f"**Finding.** At ε = {eps:g} the defence keeps {own:.2f} of the digits under PGD through its own surrogate, where plain "
        f"training keeps {plain.accuracy('pgd.naive', eps=eps):.2f}. All attacks together leave {worst:.2f} (plain: "
        f"{plain.accuracy(eps=eps):.2f}, trained on FGSM images: {trained.accuracy(eps=eps):.2f}). One seed each.\n\n{caption}"
    )


def smoothed() -> pd.DataFrame:
    """Return what is proved of the vote over draws, by code."""
    rows = {}
    for name in SMOOTHED.models("mnist5k"):
        record = SMOOTHED.record(name)
        n, counts = record["n"], record["correct"]
        shown = [(eps, count) for eps, count in zip(record["eps"], counts["proved"], strict=True) if eps]
        of = zoo.recipe(name)
        rows[f"ANN, {of['encoding']}" if of["network"] == "coded_mlp" else of["encoding"]] = {
            "vote right": str(estimate([counts["vote"]], n)),
            "radius": f"{record['norm']}: {record['radius']['median']:g}",
            "radius in L∞": f"{record['linf']['median']:g}",
            **{f"proved, ε = {eps:g}": str(estimate([count], n)) for eps, count in shown},
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def smoothed_finding() -> str:
    """Return how far a vote is proved, and what that means in L∞, as Markdown."""
    records = {name: SMOOTHED.record(name) for name in SMOOTHED.models("mnist5k")}
    first = records["poisson"]
    largest = {name: record["linf"]["largest"] for name, record in records.items()}
    grey = {name: floor(25500 * radius) / 100 for name, radius in largest.items()}  # rounded down, as radii are
    return (
        f"n = {first['n']} test digits, one training seed; votes of {first['draws']:,} draws, each bound wrong with probability "
        f"{first['alpha']:g}; radii are medians over the digits whose vote is right; 95 % intervals over digits (Wilson).\n\n"
        f"**Finding.** In L∞ the vote of `poisson` is proved up to ε = {largest['poisson']:g}, "
        f"{grey['poisson']:g} grey levels of 255. That of the ANN in Gaussian noise, which was trained with it, "
        f"is proved up to {largest['ann-gaussian']:g} ({grey['ann-gaussian']:g} grey levels). Both are below every ε "
        "at which the networks of digits are attacked. Radii are rounded down. A bound holds digit by digit: "
        f"that some bound of the table is wrong has a probability of at most {first['n']} × {first['alpha']:g}."
    )


def claims_finding() -> str:
    """Return how many claims are proved, the paper's and ours, as Markdown."""
    records = ledger()
    proved = [name for name, record in records.items() if record["measured"]["verdict"] == VERDICTS[0]]
    rows = [
        (record["source"] == "this book", row)
        for record in records.values()
        for row in record["measured"]["comparisons"]
        if any("proved" in row[side] for side in ("new", "old"))
    ]
    counted = [
        f"{sum('proved' in row for ours, row in rows if ours == mine)} of {sum(ours == mine for ours, _ in rows)}"
        for mine in (False, True)
    ]
    return (
        f"**Finding.** Proved are {counted[0]} comparisons of robust accuracies in the paper's claims, and {counted[1]} in ours. "
        f"Claims that hold (proved): {', '.join(f'`{name}`' for name in proved) or 'none'}."
    )
