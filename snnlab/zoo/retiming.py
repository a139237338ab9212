"""Retiming of the zoo's models: accuracy while an attacker moves their input spikes, in a file beside their results.

A record of a model at a seed holds one ``Everyday`` for each of ``snnlab.evaluation.retiming.SEARCHES`` at the last exit, and
the worst case of a limited shift at earlier exits, each attacked by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snnlab.data import Split
from snnlab.evaluation.everyday import Everyday
from snnlab.evaluation.retiming import CHECKED, LEVELS, QUERIES, SEARCHES, STEPS, under_retiming
from snnlab.networks.classifier import Classifier
from snnlab.statistics import Estimate, estimate
from snnlab.statistics.parts import place
from snnlab.zoo.registry import recipe
from snnlab.zoo.storage import MODELS
from snnlab.zoo.studies import Study

__all__ = ["ATTACK", "EXITS", "RETIMING", "retimed", "retiming"]

#: earlier exits that are measured
EXITS: tuple[int, ...] = (4, 6)
#: the attack in words
ATTACK = (
    f"retiming of the input spikes: one at random, {STEPS} steps along the gradient (momentum, adaptive sharpness), and on the "
    f"survivors among the first {CHECKED} digits {QUERIES} queries without gradients"
)
SHIFTS = {"shift": (1, 2)}


def _measured(victim: Classifier, samples: Split, radii: list[float], seed: int) -> dict[str, Any]:
    del radii  # budgets are steps and spikes
    found = under_retiming(victim, samples, seed=seed)
    early = {
        str(e): under_retiming(victim.at(exit_step=e), samples, SHIFTS, queries=0, seed=seed)["worst"].plain()
        for e in EXITS
        if e < victim.num_steps
    }
    return {"attack": ATTACK, **{name: found[name].plain() for name in SEARCHES}, "exits": early}


RETIMING = Study("retiming", SEARCHES, (LEVELS, STEPS, QUERIES, CHECKED, EXITS, SHIFTS), _measured, every_seed=True)


def retiming(name: str, folder: Path = MODELS) -> list[Mapping[str, Everyday]]:
    """Return what was measured of a model, at each seed: by search at the last exit, and by exit, as ``"exit 4"``.

    Args:
        name: of the model.
        folder: where the models are.

    Raises:
        ValueError: unknown name; no record, or one that is altered or belongs to other settings.

    >>> first, *others = retiming("phase")
    >>> first["noise"].accuracy("shift", 1).mean > first["worst"].accuracy("shift", 1).mean, len(others)
    (True, 2)
    """
    records = [RETIMING.record(name, folder, seed=seed) for seed in recipe(name).evaluation["seeds"]]
    return [
        {search: Everyday.of(record[search]) for search in SEARCHES}
        | {f"exit {e}": Everyday.of(part) for e, part in record["exits"].items()}
        for record in records
    ]


def retimed(name: str, budget: str = "", part: str = "worst") -> Estimate:
    """Return the accuracy of a model whose spikes moved within a budget: mean over seeds, with its interval.

    Args:
        name: of the model.
        budget: a kind and a limit that were measured, as ``"shift 2"``; empty: on clean spikes.
        part: a search, or an exit, as ``"exit 4"``.

    Raises:
        ValueError: as ``retiming``; a part or budget that was not measured.

    >>> retimed("latency", "shift 4").mean < retimed("latency").mean
    True
    """
    found = retiming(name)
    place(list(found[0]), part, "the part")
    kind, _, limit = budget.partition(" ")
    measured = [of_seed[part] for of_seed in found]
    counts = [of.n * of.accuracy(kind, float(limit)).mean if budget else of.clean for of in measured]
    return estimate(counts, measured[0].n)
