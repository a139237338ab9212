"""What becomes of attacked pictures that are saved as files.

Robustness is measured over all real-valued pictures within ε. A picture file holds whole grey levels, and what lies between
them is rounded away. Three counts of what a network still gets right:

=========== ==========================================================================================================
unsaved     the attack's own pictures: SA-PGD on the margin and on the cross-entropy, as in the adaptive suite
saved       the same pictures, rounded to 256 levels after the attack
known       files of an attacker who knows of the rounding and attacks through it (straight through in the backward
            pass), and of the one who does not: what no file broke
=========== ==========================================================================================================

Each ε is attacked for itself, at the last exit, with the randomness of one seed for every ``BATCH`` pictures.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from snnlab import data
from snnlab.attack import INFORMED, Budget, sa_pgd
from snnlab.network import Classifier
from snnlab.zoo import cifar10
from snnlab.zoo.cifar10.tasks import origin

__all__ = ["COUNTS", "FILE", "NAME", "measure", "record"]

#: the study, and the file with a model's record
NAME, FILE = "saved", "saved.json"
#: the counts of a record
COUNTS: tuple[str, ...] = ("unsaved", "saved", "known")
LOSSES, STEPS, LEVELS, BATCH = ("margin", "cross_entropy"), 50, 256, 100


def settings_sha256() -> str:
    """Hash of everything that decides a record beside the weights."""
    return hashlib.sha256(repr([cifar10.study_settings(NAME), LOSSES, STEPS, LEVELS, BATCH, INFORMED]).encode()).hexdigest()


def record(name: str, folder: Path = cifar10.MODELS) -> dict[str, Any]:
    """The record of a model at the first seed.

    Raises:
        ValueError: unknown name; a file that is missing, altered, or belongs to other settings.
    """
    return cifar10.study_record(FILE, name, folder, {"correct"}, settings_sha256())


def measure(name: str, seed: int, own: bytes, root: Path | None) -> dict[str, Any]:
    """Attack a small model with and without the knowledge that its pictures will be saved, and count what is left.

    Args:
        name: of its recipe.
        seed: of the attacks' randomness, and of the model.
        own: the model's weights.
        root: folder with the data set's official files; ``None``: the cache, fetched first if need be.
    """
    told, pictures = cifar10.study_settings(NAME), data.load("cifar10", root)
    samples = pictures.test[slice(told["samples"])]
    victim = cifar10.restored(name, own)
    from_files = Classifier(victim.network, victim.encoder, victim.decoder, levels=LEVELS).eval()
    correct: dict[str, list[int]] = {count: [] for count in COUNTS}
    for eps in told["eps"]:
        left = {count: torch.ones(len(samples), dtype=torch.bool) for count in COUNTS}
        for start in range(0, len(samples), BATCH):
            rows = slice(start, start + BATCH)
            for images in _attacked(victim, samples[rows], eps, seed):
                left["unsaved"][rows] &= _right(victim, images, samples.labels[rows])
                left["saved"][rows] &= _right(from_files, images, samples.labels[rows])
            for images in _attacked(from_files, samples[rows], eps, seed):
                left["known"][rows] &= _right(from_files, images, samples.labels[rows])
        left["known"] &= left["saved"]
        for count, standing in left.items():
            correct[count].append(int(standing.sum()))
    return {
        **origin(name, seed, own, pictures, len(samples)),
        "eps": [eps / cifar10.LEVELS for eps in told["eps"]],
        "attack": f"SA-PGD-{STEPS} on the margin and on the cross-entropy, relaxed code, surrogate of adaptive sharpness",
        "levels": LEVELS,
        "correct": correct,
        "settings_sha256": settings_sha256(),
    }


def _attacked(classifier: Classifier, batch: data.Split, eps: float, seed: int) -> list[Tensor]:
    """What each loss makes of a batch."""
    budget, generator = Budget(eps / cifar10.LEVELS), torch.Generator().manual_seed(seed)
    return [
        sa_pgd(classifier, batch.images, batch.labels, budget, INFORMED, loss=loss, steps=STEPS, generator=generator).images
        for loss in LOSSES
    ]


def _right(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    return classifier.predict(images)[-1] == labels
