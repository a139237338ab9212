"""Table and sentences of the chapter *CIFAR-10*, a picture drawn by code, and test pictures if the data set is on disk.

Accuracies are means over seeds with 95 % Wilson intervals over pictures: all seeds classify the same pictures, and two seeds are
too few for an interval over seeds.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.attacks import Budget, sa_pgd_attack
from snnlab.data import Split
from snnlab.data.cifar10 import CLASSES
from snnlab.data.downloads import folder_of
from snnlab.data.drawings import drawings
from snnlab.evaluation.result import Evaluation
from snnlab.plotting.theme import NotebookFigure, style
from snnlab.statistics import Estimate, attack_table, flags_line, flags_of, wilson_interval
from snnlab.zoo.results_table import THREATS

__all__ = [
    "accuracy",
    "attacked_drawing",
    "caption",
    "drawing",
    "energy",
    "factor",
    "factors_of",
    "finding",
    "pictures",
    "table",
    "three_factors",
    "trained_finding",
]

SHARED = THREATS["transfer"]  # attacks made on one network and shown to the others
DATASET = "cifar10"
LEVELS = data.describe(DATASET).eps_unit
CHANCE = 1 / len(CLASSES)
#: verdict of ``factor`` → words on a fused code
FUSED = {"reached": "twice", "missed": "not twice", "undecided": "perhaps twice", "chance": "no more than guessing might"}
#: column, attack, ε of 255
COLUMNS = (
    ("clean", "worst", 0.0),
    ("transfer, 4/255", "transfer", 4.0),
    ("naive, 2/255", "pgd.naive", 2.0),
    ("adaptive, ½/255", "worst", 0.5),
    ("adaptive, 1/255", "worst", 1.0),
    ("adaptive, 2/255", "worst", 2.0),
    ("adaptive, 4/255", "worst", 4.0),
)


@cache
def records(decoder: str = "current") -> dict[str, list[Evaluation]]:
    """Return the records of every measured model at every seed; an ANN has one read-out for all decoders."""
    result = {}
    for name, recipe in zoo.recipes(dataset=DATASET).items():
        if zoo.measured(recipe.path):
            result[name] = zoo.repeats(recipe.path, decoder=decoder if recipe.coded else "current")
    return result


def accuracy(
    name: str, attack: str, level: float, *, decoder: str = "current", exit_step: int | None = None
) -> Estimate | None:
    """Return the accuracy of a model under an attack at ε = level/255 over all seeds; ``None`` if it was not measured.

    Later seeds are measured at the last exit only: at other exits the result is that of the first seed.
    """
    measured = [r for r in records(decoder).get(name, []) if exit_step is None or exit_step in r.exits]
    if not measured or attack not in measured[0].correct:
        return None
    counts = [record.count(attack, exit_step, level / LEVELS) for record in measured]
    n = measured[0].n
    # The pictures of CIFAR-10 are bounded from above alone.
    return replace(share(sum(counts) / len(counts), n, len(counts)), attacked=attack == "worst" and level > 0)


def energy(name: str) -> float:
    """Return the energy of a clean picture up to the last exit, in µJ, mean over pictures and seeds."""
    spent = [record.energy_pj[-1] for record in records()[name] if record.energy_pj]
    return float(sum(spent)) / len(spent) / 1e6


def share(correct: float, n: int, seeds: int = 1) -> Estimate:
    """Return a share with Wilson's interval over the ``n`` pictures; ``correct`` is a mean over seeds."""
    return Estimate(correct / n, *wilson_interval(correct, n), n, seeds)


def table(decoder: str = "current") -> pd.DataFrame:
    """Return accuracies over all seeds with intervals: a row a model, a column an attack."""
    rows = {}
    for name in records(decoder):
        cells = {title: accuracy(name, attack, level, decoder=decoder) for title, attack, level in COLUMNS}
        rows[name] = {title: "—" if cell is None else str(cell) for title, cell in cells.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def factor(attack: str, level: float, *, decoder: str = "current") -> tuple[str, Estimate, str, Estimate, str]:
    """Compare the best plainly trained spiking network with the ANN: is it twice as accurate?

    Returns:
        the network, its accuracy, the ANN, its accuracy, and a verdict: ``"chance"`` if the network is not clearly better than
        guessing (a ratio is then meaningless); ``"reached"`` or ``"missed"`` if all ratios within the intervals agree; else
        ``"undecided"``.

    Raises:
        ValueError: an attack or ε that was not measured.
    """
    transferred = attack in THREATS["transfer"]
    rival = "ann-second" if transferred else "ann"
    plain = [n for n in records(decoder) if zoo.recipe(n, DATASET)["rule"] == "bptt"]
    spiking = {n: accuracy(n, attack, level, decoder=decoder) for n in plain if zoo.recipe(n, DATASET).coded}
    ann = accuracy(rival, attack, level, decoder=decoder)
    known = {n: estimate for n, estimate in spiking.items() if estimate is not None}
    if ann is None or not known:
        raise ValueError(f"{attack!r} at {level:g}/255 was not measured on a spiking network and {rival!r}")
    best = max(known, key=lambda n: known[n].mean)
    return best, known[best], rival, ann, _verdict(known[best], ann)


def _verdict(snn: Estimate, ann: Estimate, times: float = 2.0) -> str:
    if snn.low <= CHANCE:
        return "chance"
    if snn.low >= times * ann.high:
        return "reached"
    return "missed" if snn.high < times * ann.low else "undecided"


def finding(attack: str, level: float, title: str) -> str:
    """Return a sentence on the claim of a factor of two under one attack, as Markdown."""
    best, of_best, rival, of_ann, verdict = factor(attack, level)
    accuracies = (
        f"**{title}, ε = {level:g}/255.** `{best}`, the best plainly trained spiking network, keeps {of_best}, "
        f"`{rival}` {of_ann}"
    )
    if verdict == "chance":
        return f"{accuracies}: nothing that clearly beats guessing, so no factor."
    if of_ann.low <= CHANCE:
        more = "clearly more" if of_best.low > of_ann.high else "not clearly more"
        return f"{accuracies}: {more} than a network that does no better than guessing, so no factor."
    times = f"{of_best.mean / of_ann.mean:.1f} times as much" if of_ann.mean else "where the other keeps nothing"
    words = {
        "reached": "the factor of two is reached",
        "missed": "the factor of two is missed",
        "undecided": "whether that is twice is not decided: the intervals allow both",
    }
    if not best.startswith("fusion"):  # the claim is about fused codes
        shares = {n: accuracy(n, attack, level) for n in records() if n.startswith("fusion")}
        fused = max(((n, share) for n, share in shares.items() if share is not None), key=lambda pair: pair[1].mean)
        words[verdict] += f". Of the fused codes `{fused[0]}` keeps most, {fused[1]}: {FUSED[_verdict(fused[1], of_ann)]}"
    clean = accuracy(best, "worst", 0.0)
    if verdict == "missed" and clean and 2 * of_ann.mean > clean.mean:
        words[verdict] += (
            f" (no network could reach it: twice the ANN is above the clean accuracy of `{best}`, {clean.mean:.3f})"
        )
    flags = [note for note in flags_of(records()[best], attack) if note != "single seed"]
    noted = f" ⚑ `{best}`: {'; '.join(flags)}." if flags else ""
    return f"{accuracies}: {times}; {words[verdict]}.{noted}"


def factors_of(name: str, *levels: float) -> str:
    """Return the factor of one network over the fair ANN in each threat model, as Markdown.

    The fair ANN is one that a transferred attack was not made on, and the first ANN in the other threat models.

    Args:
        name: the network.
        levels: ε of 255: one for all, or one for each of transfer, naive and adaptive attacks.
    """
    parts = []
    threats = (("transfer", "transfer"), ("naive", "pgd.naive"), ("adaptive", "worst"))
    each = levels * (3 // len(levels))
    for (title, attack), level in zip(threats, each, strict=True):
        baseline = "ann-second" if attack in THREATS["transfer"] else "ann"
        snn, ann = accuracy(name, attack, level), accuracy(baseline, attack, level)
        if snn is None or ann is None:
            raise ValueError(f"{attack!r} at {level:g}/255 was not measured on both {name!r} and {baseline!r}")
        guessing = min(snn.low, ann.low) <= CHANCE
        times = "no factor (one is not above guessing)" if guessing else f"{snn.mean / ann.mean:.1f} times"
        at = "" if len(levels) == 1 else f" at {level:g}/255"
        parts.append(f"- {title}{at}: {snn.mean:.3f} against {ann.mean:.3f} (`{baseline}`), {times}")
    rows = "\n".join(parts)
    at = f", ε = {levels[0]:g}/255" if len(levels) == 1 else ", each at an ε where both beat guessing"
    return f"**One network, three factors{at}.** `{name}` beside the ANN:\n\n{rows}\n"


def three_factors() -> str:
    """Return the factors of ``latency`` at the largest ε at which both networks beat guessing, as Markdown."""
    return factors_of("latency", 4.0, 2.0, 1.0)


def trained_finding(level: float) -> str:
    """Return the accuracies of adversarially trained networks and of the best other network, as Markdown."""
    known = {name: accuracy(name, "worst", level) for name in records()}
    shares = {name: share for name, share in known.items() if share is not None}
    trained = {name: shares[name] for name in shares if zoo.recipe(name, DATASET)["rule"] != "bptt"}
    plain = max(shares.keys() - trained.keys(), key=lambda name: shares[name].mean)
    listed = ", ".join(f"`{n}` {s}" for n, s in sorted(trained.items(), key=lambda pair: -pair[1].mean))
    flags = {n: [note for note in flags_of(records()[n], "worst") if note != "single seed"] for n in (*trained, plain)}
    noted = "".join(f" ⚑ `{n}`: {'; '.join(notes)}." for n, notes in flags.items() if notes)
    return (
        f"**Trained on attacked pictures, adaptive, ε = {level:g}/255.** {listed}. Of the networks that were not, "
        f"`{plain}` keeps most, {shares[plain]}.{noted}"
    )


def caption() -> str:
    """Return n, seeds, attacks and flags of the table, as Markdown."""
    measured = records()
    first = next(iter(measured.values()))[0]
    seeds = {name: len(r) for name, r in measured.items()}
    attacks = {k: v for r in measured.values() for k, v in r[0].attacks.items() if k != "worst"}
    for attack in attacks:
        if without := [n for n, r in measured.items() if attack not in r[0].attacks and attack not in SHARED]:
            attacks[attack] += f" (not of {', '.join(without)})"
    flagged: dict[str, list[str]] = {}
    for name, repeats in measured.items():
        for note in flags_of(repeats, "worst"):
            flagged.setdefault(note, []).append(name)
    return (
        f"n = {first.n:,} test pictures; {_counted(seeds)}; means over seeds with 95 % Wilson intervals over pictures. The "
        f"adaptive number counts a picture as lost if any attack broke it."
        f"\n\n{attack_table(attacks)}\n\n{flags_line(flagged)}"
    )


def _counted(seeds: Mapping[str, int]) -> str:
    low, high = min(seeds.values()), max(seeds.values())
    return f"{low} training seed{'s' * (low > 1)} a model" if low == high else f"{low} to {high} training seeds a model"


def pictures(num: int = 30) -> Split | None:
    """Return the first test pictures if CIFAR-10 is on this machine, else ``None``. Nothing is downloaded.

    Looks in the folder named by ``SNNLAB_CIFAR10``; without it in ``data`` and in the cache of ``snnlab.data.load("cifar10")``.

    Raises:
        ValueError: the named folder has no data set; damaged files.
    """
    if named := os.environ.get("SNNLAB_CIFAR10"):
        return data.load("cifar10", named, progress=False).test[:num]
    for folder in (Path("data"), folder_of("cifar10")):
        if data.cifar10_in(folder):
            return data.load("cifar10", folder, progress=False).test[:num]
    return None


def drawing() -> Tensor:
    """Return a picture of a frog, drawn by code, ``[1, 3, 32, 32]`` in whole grey levels; it is not of the data set."""
    k = CLASSES.index("frog")
    return drawings().images[k : k + 1]


def attacked_drawing(models: Sequence[str], level: float) -> NotebookFigure:
    """Show the drawing, and for every model an attacked one and what was added, enlarged.

    Args:
        models: models of CIFAR-10, attacked by SA-PGD away from the class that they name first.
        level: ε of 255.
    """
    clean, said = drawing(), []
    gain = 32 / level
    with style():
        figure = NotebookFigure(figsize=(2.1 + 2.1 * len(models), 4.6), layout="constrained")
        axes = figure.subplots(2, 1 + len(models))
        axes[0, 0].imshow(clean[0].permute(1, 2, 0).numpy())
        axes[0, 0].set_title("drawn, 32 × 32")
        for ax in axes.flat:
            ax.axis("off")
        for (above, below), name in zip(axes.T[1:], models, strict=True):
            model = zoo.load(f"{DATASET}/{name}")
            label = model.predict(clean)[-1].clamp(min=0)
            result = sa_pgd_attack(
                model, clean, label, Budget(level / LEVELS), steps=50, generator=torch.Generator().manual_seed(0)
            )
            classes = [CLASSES[int(k)] for k in (label, model.predict(result.images)[-1].clamp(min=0))]
            change = (result.images - clean)[0].permute(1, 2, 0)
            above.imshow(result.images[0].permute(1, 2, 0).numpy())
            above.set_title(f"{name}:\n{classes[0]} → {classes[1]}")
            below.imshow((0.5 + gain * change).clamp(0, 1).numpy())
            below.set_title(f"change × {gain:g}")
            said.append(f"{name} calls it {classes[0]}, and {classes[1]} after the attack")
        figure.add_caption(f"own drawing, not of CIFAR-10; SA-PGD-50 within {level:g}/255, one image, one seed")
    figure.alt = f"A drawn frog, and attacked copies that look like it: {'; '.join(said)}."
    return figure
