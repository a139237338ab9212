"""What a search among spike trains breaks beside attacks on the image, of networks behind codes that are step functions.

The adaptive suite climbs on the image. The spike-train attack (``snnlab.attack.spike_train``) searches among the trains that a
budget can reach. Three counts of what a network still gets right at the last exit, by its mean output current:

=========== ==========================================================================================================
images      after SA-PGD on the margin and on the cross-entropy, as in the adaptive suite
trains      after the search among spike trains on the cross-entropy and on the margin
both        what neither broke
=========== ==========================================================================================================

Each ε is attacked for itself, with the randomness of one seed for every ``BATCH`` pictures.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch

from snnlab import data
from snnlab.attack import INFORMED, Budget, sa_pgd, spike_train_attack
from snnlab.zoo import cifar10
from snnlab.zoo.cifar10.tasks import origin

__all__ = ["COUNTS", "FILE", "NAME", "measure", "record"]

#: the study, and the file with a model's record
NAME, FILE = "trains", "trains.json"
#: the counts of a record
COUNTS: tuple[str, ...] = ("images", "trains", "both")
LOSSES, STEPS, RESTARTS, BATCH = ("margin", "cross_entropy"), 50, 2, 100


def settings_sha256() -> str:
    """Hash of everything that decides a record beside the weights."""
    told = [cifar10.study_settings(NAME), LOSSES, STEPS, RESTARTS, BATCH, INFORMED]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def record(name: str, folder: Path = cifar10.MODELS) -> dict[str, Any]:
    """The record of a model at the first seed.

    Raises:
        ValueError: unknown name; a file that is missing, altered, or belongs to other settings.
    """
    return cifar10.study_record(FILE, name, folder, {"correct"}, settings_sha256())


def measure(name: str, seed: int, own: bytes, root: Path | None) -> dict[str, Any]:
    """Attack a small model on the image and on its spike trains, and count what is left.

    Args:
        name: of its recipe.
        seed: of the attacks' randomness, and of the model.
        own: the model's weights.
        root: folder with the data set's official files; ``None``: the cache, fetched first if need be.
    """
    told, pictures = cifar10.study_settings(NAME), data.load("cifar10", root)
    samples = pictures.test[slice(told["samples"])]
    victim = cifar10.restored(name, own)
    correct: dict[str, list[int]] = {count: [] for count in COUNTS}
    for eps in told["eps"]:
        budget = Budget(eps / cifar10.LEVELS)
        left = {count: torch.ones(len(samples), dtype=torch.bool) for count in COUNTS}
        for start in range(0, len(samples), BATCH):
            rows = slice(start, start + BATCH)
            x, y = samples.images[rows], samples.labels[rows]
            generator = torch.Generator().manual_seed(seed)
            for loss in LOSSES:
                climbed = sa_pgd(victim, x, y, budget, INFORMED, loss=loss, steps=STEPS, generator=generator)
                left["images"][rows] &= ~climbed.success
                searched = spike_train_attack(
                    victim, x, y, budget, loss=loss, steps=STEPS, restarts=RESTARTS, generator=generator
                )
                left["trains"][rows] &= ~searched.success
        left["both"] = left["images"] & left["trains"]
        for count, standing in left.items():
            correct[count].append(int(standing.sum()))
    return {
        **origin(name, seed, own, pictures, len(samples)),
        "eps": [eps / cifar10.LEVELS for eps in told["eps"]],
        "attack": f"SA-PGD-{STEPS} on the image and {STEPS} steps of the search among spike trains ({RESTARTS} restarts), "
        "each on the margin and on the cross-entropy, surrogate of adaptive sharpness",
        "correct": correct,
        "settings_sha256": settings_sha256(),
    }
