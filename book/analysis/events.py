"""Figures, tables and sentences of the chapter *Events*."""

from __future__ import annotations

import pandas as pd
from matplotlib.colors import LinearSegmentedColormap

from snnlab import data, zoo
from snnlab.attacks.event_changes import KINDS
from snnlab.claims import ledger
from snnlab.data.event_camera import EventCamera, saccades
from snnlab.plotting.theme import INK, NotebookFigure, colours, mark, style
from snnlab.statistics import Estimate, attack_table, over_seeds

__all__ = ["caption", "cloud", "curves", "findings", "kinds", "table", "verdicts"]

DATASET = "events5k"
MODELS = ("mlp", "conv", "mlp-summed")
DARKER, BRIGHTER = colours()["darker"], mark("latency").colour
LOOKS = {"mlp": mark("direct"), "conv": mark("fusion"), "mlp-summed": mark("ann")}
AT = 20.0


def names() -> list[str]:
    """Return the classifiers that were measured."""
    return [name for name in MODELS if len(zoo.measured(f"{DATASET}/{name}")) == len(zoo.seeds(DATASET))]


def title(name: str) -> str:
    """Return a classifier in words."""
    return zoo.recipe(name, DATASET).title


def accuracy(name: str, attack: str, number: float) -> Estimate:
    """Return an accuracy over seeds, with its interval."""
    return over_seeds(zoo.repeats(f"{DATASET}/{name}"), attack, None, number)


def numbers() -> list[float]:
    """Return the numbers of changed spikes that were measured, without zero."""
    return zoo.results(f"{DATASET}/{names()[0]}").eps[1:]


def cloud(index: int = 6) -> NotebookFigure:
    """Draw the events of a test digit: column against time, and the frames that they are counted in."""
    image = data.load("mnist5k").test.images[index : index + 1]
    camera = EventCamera()
    sequence = saccades(image)
    events, frames = camera.events(sequence), camera.frames(sequence)[:, 0]
    edges = LinearSegmentedColormap.from_list("edges", [DARKER, colours()["panel"], BRIGHTER])
    with style():
        figure = NotebookFigure(figsize=(8.2, 4.2), layout="constrained")
        above, *below = figure.subplot_mosaic([["a"] * 9, ["a"] * 9, list("bcdefghij")]).values()
        for polarity, colour, name in ((0, DARKER, "darker"), (1, BRIGHTER, "brighter")):
            some = events[events["p"] == polarity]
            above.plot(some["t"] / 1000, some["x"], "s", ms=1.1, mew=0, color=colour, alpha=0.8)
            above.plot([], [], "s", ms=4, color=colour, label=name)
        above.set(xlabel="time, ms", ylabel="column", xlim=(0, 300), ylim=(0, 27))
        above.legend(ncols=2, loc="upper right", fontsize=8)
        for step, ax in enumerate(below):
            above.axvline(step * 300 / 9, color=INK, lw=0.3)
            shown = frames[step, 1].clamp(max=1) - frames[step, 0].clamp(max=1)
            ax.imshow(shown.numpy(), cmap=edges, vmin=-1, vmax=1)
            ax.set_title(str(step + 1), fontsize=8)
            ax.set(xticks=[], yticks=[])
    figure.caption = f"{len(events):,} events of one digit on three strokes (simulated camera), and the nine frames of them"
    figure.alt = (
        f"{len(events):,} events of a digit as points over time, and nine frames with its edges, darker and brighter."
    )
    return figure


def _percent(value: Estimate) -> str:
    return f"{100 * value.mean:.0f} [{100 * value.low:.0f}, {100 * value.high:.0f}]"


def table() -> pd.DataFrame:
    """Return a row a classifier: clean, and the worst case at every number of changed spikes, with intervals."""
    columns = {"clean": 0.0} | {f"{number:g} changed": number for number in numbers()}
    rows = {title(name): {c: _percent(accuracy(name, "worst", number)) for c, number in columns.items()} for name in names()}
    return pd.DataFrame.from_dict(rows, orient="index")


def kinds(number: float = AT) -> pd.DataFrame:
    """Return accuracies by kind of change (rows) and classifier (columns): chosen by an attacker, and by chance."""
    rows = {
        f"{kind}, {who}": {title(name): _percent(accuracy(name, key, number)) for name in names()}
        for kind in KINDS
        for who, key in (("chosen", kind), ("by chance", f"noise.{kind}"))
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def curves() -> NotebookFigure:
    """Draw the accuracy against the number of changed spikes: worst case, and by chance."""
    every = [0.0, *numbers()]
    with style():
        figure = NotebookFigure(figsize=(6.4, 3.6), layout="constrained")
        ax = figure.subplots()
        for name in (n for n in names() if n in LOOKS):
            look = LOOKS[name]
            found = [accuracy(name, "worst", number) for number in every]
            ax.plot(every, [e.mean for e in found], ls=look.dash, marker=look.marker, color=look.colour, label=title(name))
            ax.fill_between(every, [e.low for e in found], [e.high for e in found], color=look.colour, alpha=0.15, lw=0)
        chance = [accuracy("mlp", "noise.change", number).mean for number in every]
        ax.plot(every, chance, color=INK, lw=1, ls="-.", label="spiking MLP, by chance")
        ax.axhline(0.1, color=INK, lw=0.6, ls=":")
        ax.set(xlabel="changed spikes of a recording", ylabel="accuracy", ylim=(0, 1), xlim=(0, every[-1]))
        ax.legend(fontsize=8)
        figure.add_caption(f"worst case over {len(KINDS)} kinds of change, n = {_n()}, 3 training seeds, 95 % intervals")
    said = ", ".join(
        f"{title(name)} {_percent(accuracy(name, 'worst', every[-1]))} % at {every[-1]:g} changes"
        for name in names()
        if name in LOOKS
    )
    figure.alt = (
        f"Accuracy against the number of changed spikes: {said}; by chance the spiking MLP keeps {100 * chance[-1]:.0f} %."
    )
    return figure


def _n() -> int:
    return zoo.results(f"{DATASET}/{names()[0]}").n


def caption() -> str:
    """Return what belongs below the tables: n, seeds, attacks, and that no bound from below is known."""
    attacks = zoo.results(f"{DATASET}/{names()[0]}").attacks
    searches = attack_table({name: text for name, text in attacks.items() if name != "worst"})
    return (
        f"In %; n = {_n()} test recordings of a simulated camera, {len(zoo.seeds(DATASET))} training seeds, means with 95 % "
        f"intervals. The table *Chance and choice* has {AT:g} changes. The worst "
        "case is over all attacks of the list, and as many random changes of each kind are among them. "
        "Every accuracy is an upper bound: a better attack may break more, and for changed spikes no bound from below is known "
        "here.\n\n"
        f"{searches}"
    )


def findings() -> str:
    """Return what the records say of chance and choice, of the kinds of change, and of the control without time."""
    chosen, chance = accuracy("mlp", "change", AT), accuracy("mlp", "noise.change", AT)
    by_kind = {kind: accuracy("mlp", kind, AT).mean for kind in KINDS}
    worst = min(by_kind, key=lambda kind: by_kind[kind])
    mildest = max(by_kind, key=lambda kind: by_kind[kind])
    clean = {name: accuracy(name, "worst", 0.0) for name in names()}
    left = "\n".join(f"- {title(name)}: {_percent(accuracy(name, 'worst', AT))} %" for name in names())
    sure = "" if accuracy("mlp", worst, AT).high < accuracy("mlp", mildest, AT).low else " (their intervals overlap)"
    return (
        f"**Finding.** {AT:g} changed spikes of about 1,200 leave the spiking MLP {_percent(chance)} % if chance picks them and "
        f"{_percent(chosen)} % if an attacker adds or removes them. Of the four kinds, *{worst}* breaks most "
        f"({100 * by_kind[worst]:.0f} % left) and *{mildest}* least ({100 * by_kind[mildest]:.0f} %){sure}. Without time, clean "
        f"accuracy is {_percent(clean['mlp-summed'])} % instead of {_percent(clean['mlp'])} %. The worst case of {AT:g} "
        f"changes leaves:\n\n{left}"
    )


def verdicts() -> str:
    """Return the claims about events with their verdicts."""
    records = {name: record for name, record in ledger().items() if name.startswith("events-")}
    return "\n".join(f"- {record['statement']} **{record['measured']['verdict']}**" for record in records.values())
