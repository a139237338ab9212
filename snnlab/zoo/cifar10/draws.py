"""Codes that draw at random: do more draws a gradient find more, and does it take spikes?

The suite counts a picture on one draw, and its attacker averages over three draws a gradient. Here every picture is answered
by ``READ`` fresh draws, and the share of right answers counts; once the attacker averages over few draws, once over many. One
of the models is a control: an ordinary network that reads the same draws (``snnlab.convolution.CodedConvNet``); beside them
stands one that draws nothing.

=========== ==========================================================================================================
clean       no attack
few         SA-PGD on the margin, ``DRAWS["few"]`` draws a gradient, as in the adaptive suite
many        the same with ``DRAWS["many"]`` draws
=========== ==========================================================================================================

Each ε is attacked for itself, at the last exit; every ``BATCH`` pictures have randomness of their own.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from snnlab import data
from snnlab.attack import INFORMED, Budget, sa_pgd
from snnlab.network import Classifier
from snnlab.zoo import cifar10
from snnlab.zoo.cifar10.tasks import EOT, origin

__all__ = ["DRAWS", "FILE", "NAME", "READ", "measure", "record"]

#: the study, and the file with a model's record
NAME, FILE = "draws", "draws.json"
#: draws a gradient of the two attackers
DRAWS = {"few": EOT, "many": 10}
READ = 40  # draws that answer a picture
STEPS, BATCH = 50, 100


def settings_sha256() -> str:
    """Hash of everything that decides a record beside the weights; not of which other models have one."""
    told = {key: value for key, value in cifar10.study_settings(NAME).items() if key != "models"}
    return hashlib.sha256(repr([told, DRAWS, READ, STEPS, BATCH, INFORMED]).encode()).hexdigest()


def record(name: str, folder: Path = cifar10.MODELS) -> dict[str, Any]:
    """The record of a model at the first seed: ``right`` answers, the mean count over draws, of ``n``.

    Raises:
        ValueError: unknown name; a file that is missing, altered, or belongs to other settings.
    """
    return cifar10.study_record(FILE, name, folder, {"clean", "right"}, settings_sha256())


def measure(name: str, seed: int, own: bytes, root: Path | None) -> dict[str, Any]:
    """Attack a model through few and through many draws a gradient, and count right answers over draws.

    A network without a stochastic code has but one answer: it is attacked once, by the same attack on the same pictures.

    Args:
        name: of its recipe.
        seed: of all randomness, and of the model.
        own: the model's weights.
        root: folder with the data set's official files; ``None``: the cache, fetched first if need be.
    """
    told, pictures = cifar10.study_settings(NAME), data.load("cifar10", root)
    samples = pictures.test[slice(told["samples"])]
    victim = cifar10.restored(name, own)
    counts = DRAWS if victim.stochastic else {"few": 1}
    return {
        **origin(name, seed, own, pictures, len(samples)),
        "eps": [eps / cifar10.LEVELS for eps in told["eps"]],
        "attack": f"SA-PGD-{STEPS} on the margin, relaxed code, surrogate of adaptive sharpness",
        "draws": counts,
        "read": READ,
        "clean": _right(victim, samples.images, samples.labels, seed),
        "right": {
            count: [
                _right(victim, _attacked(victim, samples, eps, draws, seed), samples.labels, seed) for eps in told["eps"]
            ]
            for count, draws in counts.items()
        },
        "settings_sha256": settings_sha256(),
    }


def _attacked(victim: Classifier, samples: data.Split, eps: float, draws: int, seed: int) -> Tensor:
    found = []
    for start in range(0, len(samples), BATCH):
        batch, generator = samples[start : start + BATCH], torch.Generator().manual_seed(seed + start)
        victim.generator = generator
        attacker, budget = replace(INFORMED, eot=draws), Budget(eps / cifar10.LEVELS)
        found.append(sa_pgd(victim, batch.images, batch.labels, budget, attacker, steps=STEPS, generator=generator).images)
    return torch.cat(found)


def _right(victim: Classifier, images: Tensor, labels: Tensor, seed: int) -> float:
    """How many are read correctly, a mean over draws that no attack has seen."""
    victim.generator = torch.Generator().manual_seed(seed + 10_000)
    right = [int((victim.predict(images)[-1] == labels).sum()) for _ in range(READ)]
    return sum(right) / READ
