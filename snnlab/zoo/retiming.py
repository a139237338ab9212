"""Retiming of the zoo's models: accuracy while an attacker moves their input spikes, in a file beside their results.

A record holds one ``Everyday`` for each of ``snnlab.evaluation.retiming.SEARCHES`` at the last exit, and the worst case of a
limited shift at earlier exits, each attacked by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snnlab.data import Split
from snnlab.evaluation.everyday import Everyday
from snnlab.evaluation.retiming import CHECKED, LEVELS, QUERIES, SEARCHES, STEPS, under_retiming
from snnlab.networks.classifier import Classifier
from snnlab.zoo.storage import MODELS
from snnlab.zoo.studies import Study

__all__ = ["ATTACK", "EXITS", "RETIMING", "retiming"]

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


RETIMING = Study("retiming", SEARCHES, (LEVELS, STEPS, QUERIES, CHECKED, EXITS, SHIFTS), _measured)


def retiming(name: str, folder: Path = MODELS) -> Mapping[str, Everyday]:
    """Return what was measured of a model at the first seed: by search at the last exit, and by exit, as ``"exit 4"``.

    Args:
        name: of the model.
        folder: where the models are.

    Raises:
        ValueError: unknown name; no record, or one that is altered or belongs to other settings.

    >>> found = retiming("phase")
    >>> found["noise"].accuracy("shift", 1).mean > 0.9 > 0.2 > found["worst"].accuracy("shift", 1).mean
    True
    """
    record = RETIMING.record(name, folder)
    early = {f"exit {e}": Everyday.of(part) for e, part in record["exits"].items()}
    return {search: Everyday.of(record[search]) for search in SEARCHES} | early
