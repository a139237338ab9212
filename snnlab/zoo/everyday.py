"""Robustness without an attacker: faults and everyday noise of the zoo's models, in a file beside their results.

A record holds one ``snnlab.evaluation.everyday.Everyday`` of each, on the samples that the suite attacks. An ordinary network
has no spikes to lose: of the faults it has those of weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snnlab.data import Split
from snnlab.data.corruptions import CORRUPTIONS, SEVERITIES
from snnlab.evaluation.everyday import Everyday, under_corruptions, under_faults
from snnlab.networks.classifier import Classifier
from snnlab.networks.faults import FAULTS, OF_WEIGHTS
from snnlab.zoo.registry import recipe
from snnlab.zoo.storage import MODELS
from snnlab.zoo.studies import Study

__all__ = ["EVERYDAY", "KINDS", "everyday"]

#: what a record holds
KINDS: tuple[str, ...] = ("faults", "noise")
DRAWS = {"faults": 5, "noise": 1}
AMOUNTS = {name: amounts for name, (_, amounts) in CORRUPTIONS.items()}
LEVELS = {name: fault.severities for name, fault in FAULTS.items()}


def _measured(victim: Classifier, samples: Split, radii: list[float], seed: int) -> dict[str, Any]:
    del radii  # nobody attacks
    faults = tuple(FAULTS) if victim.encoder else OF_WEIGHTS
    return {
        "faults": under_faults(victim, samples, faults, draws=DRAWS["faults"], seed=seed).plain(),
        "noise": under_corruptions(victim, samples, draws=DRAWS["noise"], seed=seed).plain(),
    }


EVERYDAY = Study("everyday", KINDS, (LEVELS, AMOUNTS, SEVERITIES, DRAWS), _measured, every_seed=True)


def everyday(name: str, folder: Path = MODELS) -> list[Mapping[str, Everyday]]:
    """Return what was measured of a model, at each seed: one ``Everyday`` for each of ``KINDS``.

    Args:
        name: of the model.
        folder: where the models are.

    Raises:
        ValueError: unknown name; no record, or one that is altered or belongs to other settings.

    >>> first, *others = everyday("onset")
    >>> first["noise"].mean("blur") > first["noise"].mean("shift"), len(others)
    (True, 2)
    """
    records = [EVERYDAY.record(name, folder, seed=seed) for seed in recipe(name).evaluation["seeds"]]
    return [{kind: Everyday.of(record[kind]) for kind in KINDS} for record in records]
