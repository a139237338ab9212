"""Proofs: how many samples no attacker inside a budget can have misclassified, in a file beside each model's results.

A record is a ``snnlab.statistics.Record`` whose counts ``correct["proved"]``, ``[exit][ε]``, are those of interval bounds
(``snnlab.evaluation.certificates``), on the samples that the suite attacks. So a robust accuracy lies between ``proved`` and
``results(…).count()``: a *bracket*. Random codes and networks with a synaptic filter have no bound, and no record.

Of the vote over many draws of a random code there is another proof (``snnlab.evaluation.smoothing``), in a record of its own: it
is another classifier than the single draw that the suite attacks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from snnlab import zoo
from snnlab.attacks import Budget
from snnlab.data import Split
from snnlab.evaluation.certificates import TOLERANCE, certify
from snnlab.evaluation.smoothing import certify_vote
from snnlab.networks.classifier import Classifier
from snnlab.statistics import NO_BOUND, Estimate, Record, over_seeds
from snnlab.zoo.registry import recipe
from snnlab.zoo.storage import MODELS, path_of
from snnlab.zoo.studies import Study

__all__ = ["NOT_ATTACKED", "PROOFS", "SMOOTHED", "Bracket", "bracket", "has_proofs", "proofs"]

NOT_ATTACKED = "not attacked"
DRAWS, ALPHA = 1000, 0.001  # of a smoothed vote


def _proved(victim: Classifier, samples: Split, radii: list[float], seed: int) -> dict[str, Any]:
    del seed  # nothing is random
    certificates = [certify(victim, samples.images, samples.labels, Budget(eps)) for eps in radii]
    by_exit = [[int(proved.sum()) for proved in certificate.proved_at_every_exit] for certificate in certificates]
    return {
        "num_steps": victim.num_steps,
        "exits": list(range(1, victim.num_steps + 1)),
        "correct": {"proved": [list(row) for row in zip(*by_exit, strict=True)]},
        "attacks": {"proved": "interval bounds of every layer, with the rounding of float32; whatever the attacker does"},
        "seconds": [round(certificate.seconds, 2) for certificate in certificates],
    }


PROOFS = Study("proofs", ("proved",), (TOLERANCE,), _proved, every_seed=True)


def _smoothed(victim: Classifier, samples: Split, radii: list[float], seed: int) -> dict[str, Any]:
    started, generator = perf_counter(), torch.Generator().manual_seed(seed)
    vote = certify_vote(victim, samples.images, samples.labels, draws=DRAWS, alpha=ALPHA, generator=generator)
    own = vote.radius[vote.right]
    return {
        "correct": {"proved": [int(vote.proved(eps).sum()) for eps in radii], "vote": int(vote.right.sum())},
        "norm": vote.norm,
        "radius": {"median": _down(own.median(), 4), "largest": _down(own.max(), 4)},
        "linf": {"median": _down(vote.linf[vote.right].median()), "largest": _down(vote.linf.max())},
        "draws": DRAWS,
        "alpha": ALPHA,
        "seconds": round(perf_counter() - started, 1),
    }


def _down(radius: torch.Tensor, digits: int = 2) -> float:
    """Return a proved radius to so many digits, rounded down: a larger one is not proved."""
    value = Decimal(float(radius))
    return float(value.quantize(Decimal(1).scaleb(value.adjusted() - digits + 1), ROUND_DOWN)) if value else 0.0


SMOOTHED = Study("smoothed", ("proved", "vote"), (DRAWS, ALPHA), _smoothed)


def has_proofs(name: str, folder: Path = MODELS) -> bool:
    """Return whether a model has a record of proofs at the first seed.

    >>> has_proofs("onset"), has_proofs("poisson")
    (True, False)
    """
    of = recipe(name)
    return PROOFS.wanted(of) and (folder / of.path / PROOFS.file).exists()


def proofs(name: str, seed: int | None = None, folder: Path = MODELS) -> Record:
    """Return the proofs of a model at one seed.

    Args:
        name, seed, folder: as of ``snnlab.zoo.load``.

    Raises:
        ValueError: unknown name; no record, one that is altered or belongs to other settings or weights.

    >>> record = proofs("onset")
    >>> record.count("proved", None, 0.01) > record.count("proved", None, 0.02)
    True
    """
    content = PROOFS.record(name, folder, seed=seed)
    record = Record.of({key: value for key, value in content.items() if key != "seconds"})
    return replace(record, **recipe(name).labels)


@dataclass(frozen=True)
class Bracket:
    """Robust accuracy of a model lies between ``low``, which is proved, and ``high``, which attacks leave.

    Both are means over seeds with their 95 % intervals; ``None`` where no bound is known, or nothing was attacked.
    """

    low: Estimate | None
    high: Estimate | None

    def __str__(self) -> str:
        return f"{self.low or NO_BOUND} – {self.high or NOT_ATTACKED}"


def bracket(name: str, eps: float, exit_step: int | None = None, folder: Path = MODELS) -> Bracket:
    """Return what is known of a model's robust accuracy from both sides, over the seeds that have every record.

    Args:
        name: of the model.
        eps: one of the radii of both records, in pixel units.
        exit_step: steps that are read; ``None``: the exit that the recipe trains, or the last.
        folder: where the models are.

    Raises:
        ValueError: unknown name, a record that is missing or altered, ε or exit that were not measured.

    >>> print(bracket("poisson", 0.1).low)
    None
    """
    of, attacked = recipe(name), zoo.measured(name, folder)
    exit_step = exit_step or of["training_exit"] or None
    proved = [seed for seed in of.evaluation["seeds"] if path_of(of.at_seed(seed), PROOFS.file, folder).exists()]
    both = [seed for seed in proved if seed in attacked] or proved
    low = [proofs(name, seed, folder) for seed in both]
    high = [zoo.results(name, seed, folder) for seed in (both if proved else attacked) if seed in attacked]
    return Bracket(
        over_seeds(low, "proved", exit_step, eps) if low else None,
        over_seeds(high, "worst", exit_step, eps) if high else None,
    )
