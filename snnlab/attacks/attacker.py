"""Attackers: how an attack differentiates a spiking network; forward passes stay the same.

``NAIVE`` takes the encoder's straight-through rule and the surrogate of training, as is common. ``INFORMED`` replaces the code
by a smooth one in the backward pass (BPDA, Athalye et al. 2018), with a surrogate of heavier tails.
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
    """Replace code and surrogate of a spiking network in the backward pass.

    Args:
        name: in records and figures.
        backward: the encoder's backward rule.
        slope: slope of the relaxed code; ``None``: that of the encoder.
        surrogate: of the neurons; ``None``: that of the network.
        eot: encodings averaged for a stochastic code.
    """

    name: str
    backward: Backward
    slope: float | None = None
    surrogate: Surrogate | None = None
    eot: int = 10

    @contextmanager
    def view(self, classifier: Classifier) -> Iterator[Classifier]:
        """Yield the classifier as this attacker differentiates it."""
        code = classifier.encoder
        eot = self.eot if classifier.stochastic else 1
        backward = code and code.with_backward(self.backward, self.slope)
        view = classifier.at(exit_step=classifier.exit_step, encoder=backward, eot=eot)
        with use_surrogate(classifier.network, self.surrogate):
            yield view


#: the usual attacker
NAIVE = Attacker("naive", "straight_through")
#: an attacker that knows the code
INFORMED = Attacker("informed", "relaxed", surrogate=Surrogate("arctan", 2.0))
#: surrogates of several shapes and slopes; the worst case per sample counts (Özdenizci & Legenstein 2024)
ENSEMBLE: tuple[Attacker, ...] = tuple(
    Attacker(f"{shape}-{slope:g}", "relaxed", surrogate=Surrogate(shape, slope))
    for shape, slope in (("arctan", 1.0), ("arctan", 4.0), ("sigmoid", 2.0), ("fast_sigmoid", 4.0), ("triangular", 0.5))
)
#: attackers by name
ATTACKERS: dict[str, Attacker] = {a.name: a for a in (NAIVE, INFORMED)}
