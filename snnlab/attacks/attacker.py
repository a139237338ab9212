"""Attackers: what replaces the two steps of a spiking network, in the backward pass only.

What the gradient is, the *attacker* decides. ``NAIVE`` takes the encoder's straight-through rule and the surrogate the
network was trained with, as the field does. ``INFORMED`` knows that the code is a step and replaces it, in the backward
pass only, by a smooth one (BPDA, Athalye et al. 2018), with a surrogate of heavier tails. Forward passes are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from snnlab.encoding import Backward
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import use_surrogate
from snnlab.networks.surrogate import Surrogate

__all__ = ["ATTACKERS", "ENSEMBLE", "INFORMED", "NAIVE", "Attacker"]


@dataclass(frozen=True)
class Attacker:
    """Replace the two steps of a spiking network, in the backward pass only.

    Args:
        name: how records and figures call it.
        backward: the encoder's backward rule.
        slope: slope of the relaxed code, ``None`` keeps the encoder's.
        surrogate: the neurons' surrogate, ``None`` keeps that of the network.
        eot: encodings averaged for a stochastic code.
    """

    name: str
    backward: Backward
    slope: float | None = None
    surrogate: Surrogate | None = None
    eot: int = 10

    @contextmanager
    def view(self, classifier: Classifier) -> Iterator[Classifier]:
        """Yield the classifier as this attacker differentiates it, and restore the network afterwards."""
        code = classifier.encoder
        eot = self.eot if classifier.stochastic else 1
        view = classifier.at(
            exit_step=classifier.exit_step, encoder=code and code.with_backward(self.backward, self.slope), eot=eot
        )
        with use_surrogate(classifier.network, self.surrogate):
            yield view


#: what the field's usual attacks know
NAIVE = Attacker("naive", "straight_through")
#: an attacker who knows the code, with a surrogate of heavier tails
INFORMED = Attacker("informed", "relaxed", surrogate=Surrogate("arctan", 2.0))
#: surrogates of several shapes and slopes, through the relaxed code; the per-sample worst case over them counts
#: (Özdenizci & Legenstein 2024)
ENSEMBLE: tuple[Attacker, ...] = tuple(
    Attacker(f"{shape}-{slope:g}", "relaxed", surrogate=Surrogate(shape, slope))
    for shape, slope in (("arctan", 1.0), ("arctan", 4.0), ("sigmoid", 2.0), ("fast_sigmoid", 4.0), ("triangular", 0.5))
)
#: both by name
ATTACKERS: dict[str, Attacker] = {a.name: a for a in (NAIVE, INFORMED)}
