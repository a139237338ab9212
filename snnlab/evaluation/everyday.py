"""Robustness without an attacker: accuracy under faults of a chip (``snnlab.networks.faults``) and everyday noise
(``snnlab.data.corruptions``), over severities and draws.

Beside a worst case it answers another question: how a network fares on average where nobody searches for its weakness.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, Self

import torch
from torch import nn

from snnlab.data import Split
from snnlab.data.corruptions import CORRUPTIONS, SEVERITIES, corrupted
from snnlab.networks.adapters import as_batch
from snnlab.networks.classifier import Classifier
from snnlab.networks.faults import FAULTS, faulty
from snnlab.statistics import Estimate, estimate
from snnlab.statistics.parts import place

__all__ = ["Everyday", "under_corruptions", "under_faults"]


@dataclass(frozen=True)
class Everyday:
    """Right answers of one network, by kind of trouble, severity and draw.

    Args:
        n: samples.
        clean: right answers without trouble.
        severities: that were measured, by kind.
        correct: ``[severity][draw]``, by kind.
        exit_step: at which the answers are read.
        seed: of all draws.

    >>> found = Everyday(10, 9, {"lost": [0.1]}, {"lost": [[8, 6]]}, exit_step=8)
    >>> found.accuracy("lost", 0.1).mean, found.mean("lost")
    (0.7, 0.7)
    """

    n: int
    clean: int
    severities: Mapping[str, Sequence[float]]
    correct: Mapping[str, Sequence[Sequence[int]]]
    exit_step: int
    seed: int = 0

    def accuracy(self, kind: str, severity: float) -> Estimate:
        """Return the mean accuracy over draws, with the wider of the intervals over draws and over samples."""
        place(list(self.correct), kind, "the kind of trouble")
        return estimate(self.correct[kind][place(self.severities[kind], severity, "severity")], self.n)

    def mean(self, *kinds: str) -> float:
        """Return the accuracy averaged over draws, severities and these kinds (default: all)."""
        return fmean(self.accuracy(kind, s).mean for kind in kinds or self.correct for s in self.severities[kind])

    def plain(self) -> dict[str, Any]:
        """Return plain JSON values, of which ``Everyday.of`` makes the same."""
        return asdict(self)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """Return what ``plain`` gave."""
        return cls(**content)

    def __str__(self) -> str:
        draws = max(len(of_severity) for of_kind in self.correct.values() for of_severity in of_kind)
        lines = [
            f"accuracy at exit {self.exit_step}, n = {self.n}, mean of {draws} draw{'s' * (draws > 1)} (seed {self.seed})"
        ]
        lines.append(f"{'clean':15} {self.clean / self.n:.3f}")
        for kind, severities in self.severities.items():
            shown = "  ".join(f"{s:g}: {self.accuracy(kind, s).mean:.3f}" for s in severities)
            lines.append(f"{kind:15} {self.mean(kind):.3f}   {shown}")
        return "\n".join([*lines, f"{'mean':15} {self.mean():.3f}"])


def under_faults(
    model: nn.Module,
    data: Split,
    faults: Sequence[str] | Mapping[str, Sequence[float]] = tuple(FAULTS),
    *,
    draws: int = 5,
    seed: int = 0,
) -> Everyday:
    """Measure a network with faults in it, each drawn several times; the network is afterwards what it was.

    Args:
        model: a ``Classifier``, or any module that ``Classifier.of(net, images)`` recognises.
        data: images and labels.
        faults: keys of ``snnlab.networks.faults.FAULTS``, measured at their usual severities; or severities by fault.
        draws: of each fault at each severity.
        seed: of all draws.

    Raises:
        ValueError: as ``snnlab.networks.faults.faulty``; no draw.

    >>> from snnlab import data, zoo
    >>> found = under_faults(zoo.load("onset"), data.load("mnist5k").test[:50], {"lost": [0.1, 0.9]}, draws=2)
    >>> found.accuracy("lost", 0.1).mean > found.accuracy("lost", 0.9).mean
    True
    """
    chosen = (
        faults
        if isinstance(faults, Mapping)
        else {name: FAULTS[name].severities if name in FAULTS else () for name in faults}
    )

    def right(
        classifier: Classifier, images: torch.Tensor, kind: str, severity: float, draw: torch.Generator
    ) -> torch.Tensor:
        with faulty(classifier, kind, severity, draw):
            return classifier.predict(images)[classifier.exit_step - 1]

    return _measured(model, data, chosen, right, draws, seed)


def under_corruptions(
    model: nn.Module,
    data: Split,
    corruptions: Sequence[str] = tuple(CORRUPTIONS),
    *,
    severities: Sequence[int] = SEVERITIES,
    draws: int = 1,
    seed: int = 0,
) -> Everyday:
    """Measure a network on corrupted images; arguments and errors as ``under_faults``.

    >>> from snnlab import data, zoo
    >>> found = under_corruptions(zoo.load("ann"), data.load("mnist5k").test[:50], ["contrast"])
    >>> found.accuracy("contrast", 1).mean >= found.accuracy("contrast", 5).mean
    True
    """

    def answers(
        classifier: Classifier, images: torch.Tensor, kind: str, severity: float, draw: torch.Generator
    ) -> torch.Tensor:
        return classifier.predict(corrupted(images, kind, int(severity), draw))[classifier.exit_step - 1]

    return _measured(model, data, {name: list(severities) for name in corruptions}, answers, draws, seed)


def _measured(
    model: nn.Module,
    data: Split,
    severities: Mapping[str, Sequence[float]],
    answers: Callable[[Classifier, torch.Tensor, str, float, torch.Generator], torch.Tensor],
    draws: int,
    seed: int,
) -> Everyday:
    if draws < 1:
        raise ValueError(f"every severity needs at least one draw, got {draws!r}")
    given = Classifier.of(model, data.images)
    images, labels = as_batch(given, data.images, data.labels)
    classifier = given.at(exit_step=given.exit_step)

    def right(kind: str, severity: float, draw: int) -> int:
        classifier.generator = torch.Generator().manual_seed(seed)  # of a random code: the same draws for all
        source = torch.Generator().manual_seed(1000 * seed + draw)
        return int((answers(classifier, images, kind, severity, source) == labels).sum())

    classifier.generator = torch.Generator().manual_seed(seed)
    clean = int((classifier.predict(images)[classifier.exit_step - 1] == labels).sum())
    correct = {
        kind: [[right(kind, s, draw) for draw in range(draws)] for s in of_kind] for kind, of_kind in severities.items()
    }
    return Everyday(len(labels), clean, dict(severities), correct, classifier.exit_step, seed)
