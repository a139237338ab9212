"""Figures, tables and sentences of the chapter *Hardware and weather*."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr

from snnlab import data, zoo
from snnlab.claims import ledger
from snnlab.data.corruptions import CORRUPTIONS, corrupted
from snnlab.evaluation.retiming import ended
from snnlab.networks.faults import FAULTS, OF_WEIGHTS, faulty
from snnlab.plotting.comparisons import reach
from snnlab.plotting.theme import ATTACK as RED
from snnlab.plotting.theme import INK, QUIET, NotebookFigure, mark, marks, style
from snnlab.statistics import NO_BOUND, Change, Estimate, change_over_seeds, estimate, over_seeds
from snnlab.zoo.everyday import EVERYDAY, everyday
from snnlab.zoo.retiming import ATTACK, RETIMING, retiming
from snnlab.zoo.retiming import retimed as survivors

__all__ = [
    "caption",
    "correlation",
    "damage",
    "enemies",
    "enemies_caption",
    "enemies_figure",
    "findings",
    "kinds",
    "plane",
    "retimed",
    "retimed_caption",
    "retimed_findings",
    "table",
    "verdicts",
    "weather",
]

EPS = 0.1
OF_SPIKES = tuple(name for name in FAULTS if name not in OF_WEIGHTS)
#: columns of the table: title, part of a record, kinds in it
COLUMNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "everyday noise": ("noise", tuple(CORRUPTIONS)),
    "faults of weights": ("faults", OF_WEIGHTS),
    "faults of spikes": ("faults", OF_SPIKES),
}
SHOWN = ("lost", "late", "dead", "stuck")


def names() -> list[str]:
    """Return the models that were measured."""
    return EVERYDAY.models("mnist5k")


@cache
def mean(name: str, part: str, kinds: tuple[str, ...]) -> Estimate | None:
    """Return the accuracy over kinds, severities and draws, mean over seeds with its interval; ``None``: not measured."""
    records = [of_seed[part] for of_seed in everyday(name)]
    if not set(kinds) <= set(records[0].correct):
        return None
    return estimate([record.n * record.mean(*kinds) for record in records], records[0].n)


def worst(name: str, eps: float = EPS) -> Estimate:
    """Return the worst case under attack, at the last exit."""
    return over_seeds(zoo.repeats(name), "worst", None, eps)


def weather(severity: int = 3) -> NotebookFigure:
    """Draw a test digit under every corruption."""
    image = data.load("mnist5k").test.images[:1]
    with style():
        figure = NotebookFigure(figsize=(7.6, 3.4), layout="constrained")
        axes = figure.subplots(2, 5).flat
        for ax, kind in zip(axes, ("clean", *CORRUPTIONS), strict=True):
            generator = torch.Generator().manual_seed(1)
            shown = image if kind == "clean" else corrupted(image, kind, severity, generator)
            ax.imshow(shown[0, 0].numpy(), cmap="gray", vmin=0, vmax=1)
            ax.set_title(kind.replace("_", " "), fontsize=9)
            ax.set(xticks=[], yticks=[])
    figure.caption = f"Severity {severity} of 5; shift, rotation, noise and the place of the square are drawn at random"
    figure.alt = f"A test digit, clean and under nine kinds of everyday noise: {', '.join(CORRUPTIONS).replace('_', ' ')}."
    return figure


def damage(name: str = "onset", severity: float = 0.3, neurons: int = 40) -> NotebookFigure:
    """Draw the spikes of hidden neurons for one digit: sound, and with each fault of spikes."""
    model, image = zoo.load(name), data.load("mnist5k").test.images[:1]
    counts = {}
    with style():
        figure = NotebookFigure(figsize=(8.2, 2.8), layout="constrained")
        for ax, fault in zip(figure.subplots(1, 1 + len(SHOWN), sharey=True), ("sound", *SHOWN), strict=True):
            with faulty(model, "lost" if fault == "sound" else fault, 0.0 if fault == "sound" else severity, _seeded()):
                (_, hidden), _, _ = model.trace(image)
            counts[fault] = int(hidden.sum())
            steps, rows = hidden[:, 0, :neurons].nonzero(as_tuple=True)
            ax.plot(steps + 1, rows, "|", color=INK, ms=4)
            ax.set_title(fault if fault == "sound" else FAULTS[fault].title.replace(" at firing", ""), fontsize=9)
            ax.set(xlabel="step", xticks=(1, 4, 8), xlim=(0.4, 8.6))
        figure.axes[0].set_ylabel("hidden neuron")
    figure.caption = f"{neurons} of 256 neurons of the network {name}, one digit, one draw"
    said = ", ".join(f"{fault}: {count}" for fault, count in counts.items())
    figure.alt = (
        f"Rasters of the hidden layer, sound and with four faults of severity {severity:g}: spikes of all neurons, {said}."
    )
    return figure


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def table() -> pd.DataFrame:
    """Return a row a model: clean, everyday noise, faults, and the worst case under attack, with intervals over seeds."""
    rows = {}
    for name in names():
        found = {title: mean(name, *of) for title, of in COLUMNS.items()}
        ends = {"clean": worst(name, 0.0), **found, f"attack, ε = {EPS:g}": worst(name)}
        rows[name] = {title: _percent(value) if value else "—" for title, value in ends.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def _percent(value: Estimate) -> str:
    lower = "" if not value.attacked else f"{NO_BOUND if value.proved is None else f'{100 * value.proved:.1f}'} – "
    return f"{lower}{100 * value.mean:.1f} [{100 * value.low:.0f}, {100 * value.high:.0f}]"


def caption() -> str:
    """Return what belongs below the table: n, seeds, draws, kinds, and the attacks of the last column."""
    record, attacked = everyday(names()[-1]), zoo.results(names()[-1])
    draws = {part: len(next(iter(record[0][part].correct.values()))[0]) for part in ("noise", "faults")}
    return (
        f"In %; n = {record[0]['noise'].n} test digits, {len(record)} training seeds, means with 95 % intervals. Everyday noise: "
        f"{len(CORRUPTIONS)} kinds in five severities, {draws['noise']} draw. Faults: {len(OF_WEIGHTS)} kinds of weights, "
        f"{len(OF_SPIKES)} of spikes, five severities, {draws['faults']} draws. "
        f"Attack: a bracket, from what is proved to the worst case of the suite `{attacked.suite}` (its interval)."
    )


def kinds(part: str, models: Sequence[str] = ("ann", "direct", "onset", "offset", "latency", "phase")) -> pd.DataFrame:
    """Return the accuracy by kind (rows) and model (columns), averaged over severities, draws and seeds."""
    every = tuple(CORRUPTIONS) if part == "noise" else tuple(FAULTS)
    rows: dict[str, dict[str, str]] = {}
    for kind in every:
        found = {name: mean(name, part, (kind,)) for name in models}
        rows[kind.replace("_", " ")] = {name: f"{value.mean:.3f}" if value else "—" for name, value in found.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def plane() -> NotebookFigure:
    """Draw the worst case under attack against the mean under everyday noise: a point a model."""
    title, of = next(iter(COLUMNS.items()))
    with style():
        figure = NotebookFigure(figsize=(6.4, 4.2), layout="constrained")
        ax = figure.subplots()
        for name, look in marks({name: zoo.repeats(name) for name in names()}).items():
            noise, attacked = mean(name, *of), worst(name)
            assert noise is not None
            x, y = (reach([value]) for value in (noise, attacked))
            drawn: dict[str, Any] = {"color": look.colour, "marker": look.marker, "ls": "none", "elinewidth": 0.8, "ms": 6}
            ax.errorbar(noise.mean, attacked.mean, xerr=x, yerr=y, label=name, **drawn)
        ax.set(xlabel=f"accuracy under {title}, mean", ylabel=f"worst-case accuracy at ε = {EPS:g}", ylim=(-0.03, 1))
        ax.legend(fontsize=7, ncols=2, loc="upper left")
        figure.add_caption(
            f"n = {everyday(names()[0])[0]['noise'].n}, 3 training seeds, 95 % intervals over seeds, at least Wilson's"
        )
    figure.alt = f"Worst case under attack against the mean under everyday noise, {len(names())} models: " + correlation(
        title
    ).replace("*", "")
    return figure


def correlation(column: str) -> str:
    """Return how far two orders of the models agree: by a column of the table, and by the worst case under attack."""
    pairs = [(value.mean, worst(name).mean) for name in names() if (value := mean(name, *COLUMNS[column]))]
    values = np.array(pairs)
    generator = np.random.default_rng(0)
    draws = [values[generator.integers(len(values), size=len(values))] for _ in range(2000)]
    low, high = np.quantile(
        [spearmanr(*draw.T).statistic for draw in draws if len(np.unique(draw, axis=0)) > 2], (0.025, 0.975)
    )
    rank = spearmanr(*values.T).statistic
    return (
        f"Spearman's rank correlation of *{column}* with the worst case: {rank:.2f} [{low:.2f}, {high:.2f}] "
        f"(95 % interval by bootstrap over {len(values)} models)."
    )


#: who may hurt a network, and of an attacker half of the budget and the budget that is shown
ENEMIES: dict[str, tuple[str, ...]] = {
    "intensity": ("0.05", "0.1"),
    "time": ("shift 1", "shift 2"),
    "chip, its weights": (),
    "chip, its spikes": (),
    "weather": (),
}
PART_OF = {"chip, its weights": "faults of weights", "chip, its spikes": "faults of spikes", "weather": "everyday noise"}


def codes() -> list[str]:
    """Return the codes of digits, in the order of the zoo."""
    return [name for name in zoo.names("codes") if zoo.recipe(name).coded and name in names()]


@cache
def loss(name: str, enemy: str, budget: str = "") -> Change | None:
    """Return the accuracy that an enemy takes from a model on the same digits, with its interval; ``None``: it has none."""
    if enemy == "time":
        if name not in RETIMING.models("mnist5k"):
            return None  # no spikes to move
        kind, _, limit = (budget or ENEMIES[enemy][-1]).partition(" ")
        of_seeds = [of["worst"] for of in retiming(name)]
        clean, after = [of.clean / of.n for of in of_seeds], [of.accuracy(kind, float(limit)).mean for of in of_seeds]
        return change_over_seeds(clean, after, of_seeds[0].n, nested=True)
    if enemy == "intensity":
        eps, records = float(budget or ENEMIES[enemy][-1]), zoo.repeats(name)
        clean, after = ([record.accuracy("worst", None, e) for record in records] for e in (0.0, eps))
        return change_over_seeds(clean, after, records[0].n, nested=True)
    part, kinds = COLUMNS[PART_OF[enemy]]
    parts = [of[part] for of in everyday(name)]
    return change_over_seeds([of.clean / of.n for of in parts], [of.mean(*kinds) for of in parts], parts[0].n)


def losses(name: str, *, half: bool = False) -> dict[str, Change]:
    """Return what each enemy takes from a model, by enemy; ``half``: attackers have half of their budgets."""
    budgets = {enemy: of[0 if half else -1] if of else "" for enemy, of in ENEMIES.items()}
    return {enemy: found for enemy, budget in budgets.items() if (found := loss(name, enemy, budget))}


def worst_enemies(name: str, *, half: bool = False) -> list[str]:
    """Return the enemy that takes most, and those whose interval reaches into its own."""
    found = losses(name, half=half)
    most = max(found.values(), key=lambda change: change.mean)
    return sorted((enemy for enemy in found if found[enemy].high >= most.low), key=lambda enemy: -found[enemy].mean)


def enemies() -> pd.DataFrame:
    """Return a row a code: the points that each enemy takes, with intervals, and which of them takes most."""
    rows = {}
    for name in codes():
        found = losses(name)
        row = {enemy: _points(found[enemy]) if enemy in found else "—" for enemy in ENEMIES}
        rows[name] = {"clean": _percent(worst(name, 0.0)), **row, "hurts most": " or ".join(worst_enemies(name))}
    return pd.DataFrame.from_dict(rows, orient="index")


def _points(change: Change) -> str:
    mean, low, high = (round(100 * value) for value in (change.mean, change.low, change.high))
    return f"{'−' if mean > 0 else ''}{abs(mean)} [{low}, {high}]"


def enemies_figure() -> NotebookFigure:
    """Draw what each enemy takes from each code, with intervals."""
    palette = (RED, mark("latency").colour, INK, QUIET, mark("onset").colour)
    looks = dict(zip(ENEMIES, zip(palette, ("o", "D", "s", "^", "P"), strict=True), strict=True))
    with style():
        figure = NotebookFigure(figsize=(7.4, 4.4), layout="constrained")
        ax = figure.subplots()
        for k, (enemy, (colour, marker)) in enumerate(looks.items()):
            rows = [(row, found[enemy]) for row, name in enumerate(codes()) if enemy in (found := losses(name))]
            at = [row + 0.16 * (k - 2) for row, _ in rows]
            reaches = [[100 * (c.mean - c.low) for _, c in rows], [100 * (c.high - c.mean) for _, c in rows]]
            drawn: dict[str, Any] = {"color": colour, "marker": marker, "ls": "none", "elinewidth": 1, "ms": 6}
            ax.errorbar([100 * c.mean for _, c in rows], at, xerr=reaches, label=enemy, **drawn)
        for row in range(len(codes()) - 1):
            ax.axhline(row + 0.5, color=QUIET, lw=0.4)
        ax.set(xlabel="points of accuracy that are lost", yticks=range(len(codes())), yticklabels=codes(), xlim=(-3, 102))
        ax.invert_yaxis()
        ax.grid(visible=False, axis="y")
        ax.legend(fontsize=8, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.13))
    said = "; ".join(f"of {name} by {' or '.join(worst_enemies(name))}" for name in codes())
    of_time, record = retiming("latency"), everyday("latency")
    figure.caption = (
        f"n = {record[0]['noise'].n} test digits ({of_time[0]['worst'].n} for time), {len(record)} training seeds, 95 % "
        "intervals; attacks and budgets stand below the table"
    )
    figure.alt = f"Points of accuracy that five enemies take from each of {len(codes())} codes: the largest loss {said}."
    return figure


def enemies_caption() -> str:
    """Return what belongs below the table: budgets, n, seeds, and how the order changes with half of the budgets."""
    of_time, record = retiming("latency"), everyday("latency")
    half = [name for name in codes() if worst_enemies(name, half=True)[0] != worst_enemies(name)[0]]
    changed = "; ".join(f"`{name}`: {worst_enemies(name, half=True)[0]}" for name in half) or "for no code"
    return (
        f"Points of accuracy lost, of clean digits in the same record, {len(record)} training seeds. Brackets are 95 % "
        "intervals of the difference.\n\n"
        f"- Intensity: worst case of the suite `{zoo.results('latency').suite}` at ε = {ENEMIES['intensity'][-1]}, "
        f"n = {zoo.results('latency').n}.\n"
        "- Time: worst case of retiming, no spike by more than 2 steps, "
        f"n = {of_time[0]['worst'].n}; a dash: the code has no spikes to move.\n"
        f"- Chip and weather: averages over kinds, five severities and draws, n = {record[0]['noise'].n}.\n"
        "- *Or*: the intervals overlap.\n"
        f"- With half of both budgets (ε = {ENEMIES['intensity'][0]}, 1 step) another enemy takes most: {changed}."
    )


def findings() -> str:
    """Return who wins under each condition, and how far the orders agree."""
    best = {}
    for title, of in COLUMNS.items():
        found = {name: value.mean for name in names() if (value := mean(name, *of))}
        best[title] = max(found, key=lambda name: found[name])
    attacked = max(names(), key=lambda name: worst(name).mean)
    leaders = "\n".join(f"- {title}: `{name}`" for title, name in {**best, "worst case": attacked}.items())
    spread = {title: [value.mean for name in names() if (value := mean(name, *of))] for title, of in COLUMNS.items()}
    width = "; ".join(f"{title} {min(values):.2f} to {max(values):.2f}" for title, values in spread.items())
    attack = [worst(name).mean for name in names()]
    return (
        f"**Finding.** Highest mean (the intervals of the next ones overlap with it, see the table):\n\n{leaders}\n\n"
        f"From the lowest to the highest model: {width}; worst case {min(attack):.2f} to {max(attack):.2f}. "
        f"{' '.join(correlation(column) for column in COLUMNS)} The bootstrap takes the models for independent; several are "
        "relatives, trained alike on attacked digits."
    )


BUDGETS: dict[str, tuple[str, int]] = {
    "no spike by more than 1 step": ("shift", 1),
    "2 steps": ("shift", 2),
    "4 steps": ("shift", 4),
    "50 steps in all": ("total", 50),
    "10 spikes": ("moved", 10),
    "40 spikes": ("moved", 40),
}


def retimed() -> pd.DataFrame:
    """Return a row a model: clean, and the worst case within each budget on time; last, early exits within 2 steps."""
    rows = {}
    for name in RETIMING.models("mnist5k"):
        row = {"clean": _percent(survivors(name))}
        row |= {title: _percent(survivors(name, f"{kind} {limit}")) for title, (kind, limit) in BUDGETS.items()}
        row |= {f"2 steps, {e}": _percent(survivors(name, "shift 2", e)) for e in ("exit 4", "exit 6")}
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def retimed_caption() -> str:
    """Return what belongs below the table of retiming: n, seeds, intervals, the attack, flags."""
    found = retiming("latency")
    flagged = ", ".join(f"`{name}`" for name in RETIMING.models("mnist5k") if not all(map(ended, retiming(name))))
    return (
        f"In %; n = {found[0]['worst'].n} test digits, {len(found)} training seeds, means with 95 % intervals. Read at exit 8 "
        f"unless another is named; each exit is attacked by itself. The attack is {ATTACK}. Earlier exits are attacked without "
        "the queries. An image that a smaller budget breaks counts within a larger one. These are upper ends: no bound from "
        f"below is known. *Flag.* The search without gradients still broke digits of {flagged or 'none'}."
    )


def retimed_findings() -> str:
    """Return the findings on retiming, with their numbers."""

    def left(name: str, budget: str = "", part: str = "worst") -> str:
        return f"{100 * survivors(name, budget, part).mean:.0f} %"

    return "\n".join(
        [
            f"- **Random jitter is harmless, chosen jitter is not.** `phase` keeps {left('phase', 'shift 1', 'noise')} of the "
            f"digits if its spikes move by a step at random, and {left('phase', 'shift 1')} if an attacker chooses. Its first "
            "step is worth half of the intensity.",
            f"- **Few spikes are enough where each spike is the message.** `latency` keeps {left('latency', 'moved 10')} if 10 "
            f"spikes move, and {left('latency', 'moved 40')} if 40 do.",
            f"- **Runs of spikes barely notice.** Within 4 steps `onset` keeps {left('onset', 'shift 4')}, `offset` "
            f"{left('offset', 'shift 4')}, `poisson` {left('poisson', 'shift 4')}: moving spikes inside a run changes nothing. "
            "`offset`, weak against an attacker of intensity, is among the strongest here.",
            "- **Training against intensities does not help against time.** `fgsm-latency` keeps "
            f"{left('fgsm-latency', 'shift 2')} within 2 steps, `latency` {left('latency', 'shift 2')}.",
            f"- **An early exit does not help either.** Within 2 steps `latency` keeps {left('latency', 'shift 2', 'exit 4')} "
            f"at exit 4 and {left('latency', 'shift 2')} at exit 8. A spike that moves behind the exit is not read at all.",
            f"- **A part without spikes cannot be moved.** `fusion` keeps {left('fusion', 'shift 4')} within 4 steps, because "
            "its analog part, `direct`, has no time to attack. That is a fact about the threat, not a defence against others.",
        ]
    )


def verdicts() -> str:
    """Return the claims about retiming with their verdicts."""
    records = {name: record for name, record in ledger().items() if name.startswith("retiming-")}
    return "\n".join(
        f"- {record['statement']} **{record['measured']['verdict'].capitalize()}.**" for record in records.values()
    )
