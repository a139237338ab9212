r"""Gradients of other papers, as attackers: how they differentiate a ``snntorch.Leaky`` that reads a current ``I[t]``.

With the spikes ``S``, the potential ``U``, the decay ``β``, the threshold ``θ``, means over all steps :math:`\overline{I}` and
:math:`\overline{S}`, and the gradient ``g[t]`` that arrives at the spikes, the current gets the gradient

=========== =============================================================== ==========================================
attacker    gradient of ``I[t]``                                            source
=========== =============================================================== ==========================================
``bptr``    :math:`g[t]\, 1[\overline{S} > 0]`                              Ding et al. 2022 (rates)
``rga``     :math:`g[t]\, ρ(\overline{I}/θ)/θ`                              Bu et al. 2023 (slope of the rate)
``hart``    :math:`\overline{g\, h_γ(U - θ)}`                               Hao et al. 2024 (rate and time)
``pdsg``    that of the equations, with ``h = N(U - θ; σ/2, σ)``            Lun et al. 2025 (width from the potential)
=========== =============================================================== ==========================================

with :math:`ρ(x) = 0.2` for :math:`0 ≤ x < 1-β`, :math:`(0.8 + 0.2β)/(1+β)` for :math:`1-β ≤ x ≤ 2`, else 0; the triangle ``h`` of
width ``γ``, which the authors search for each network; and the standard deviation ``σ`` of ``U`` up to this step, of each neuron
(channel of a convolution) over the batch. The first three forget through which step a current acted. What reaches the potential
of a read-out is differentiated as usual. RGA's run over more steps than the network has is left out: a code has its own number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import pi, sqrt
from typing import ClassVar

import torch
from torch import Tensor

from snnlab.attacks.attacker import Attacker
from snnlab.networks.surrogate import Derivative, Surrogate

__all__ = ["BPTR", "HART", "PDSG", "PEERS", "RGA"]

DARK = 0.2  # slope of the rate below the smallest constant current that fires, in RGA


class _WholeNeuron(Surrogate):
    """A gradient of a whole neuron: it has no derivative at a step."""

    def through(self, gradient: Tensor, current: Tensor, spikes: Tensor, v: Tensor, decay: Tensor, theta: Tensor) -> Tensor:
        """Return the gradient of the current, ``[T, N, …]``.

        Args:
            gradient: that of the spikes, ``[T, N, …]``.
            current, spikes, v: what the neuron read and fired, and ``U - θ`` at each step, ``[T, N, …]`` each.
            decay, theta: β and θ, of all neurons (scalars) or of each.
        """
        raise NotImplementedError

    def derivative(self, v: Tensor) -> Tensor:
        """Raise ``ValueError``."""
        raise ValueError(f"{type(self).__name__} differentiates plain snntorch.Leaky neurons; use INFORMED or PDSG")


@dataclass(frozen=True)
class BPTR(_WholeNeuron):
    """Pass the gradient through every neuron that fires at all (Ding et al. 2022)."""

    def through(self, gradient: Tensor, current: Tensor, spikes: Tensor, v: Tensor, decay: Tensor, theta: Tensor) -> Tensor:
        """Return the gradient where the mean of the spikes is above 0."""
        return gradient * (spikes.amax(0) > 0)


@dataclass(frozen=True)
class RGA(_WholeNeuron):
    """Pass the gradient through the slope of the rate at the mean current (Bu et al. 2023)."""

    def through(self, gradient: Tensor, current: Tensor, spikes: Tensor, v: Tensor, decay: Tensor, theta: Tensor) -> Tensor:
        """Return the gradient times the slope."""
        x = current.mean(0) / theta
        steep = ((x >= 1 - decay) & (x <= 2)) * (1 - DARK + DARK * decay) / (1 + decay)
        return gradient * (steep + ((x >= 0) & (x < 1 - decay)) * DARK) / theta


@dataclass(frozen=True)
class HART(_WholeNeuron):
    """Pass the mean over steps of the gradient through a triangle of width ``γ = 1 / slope`` (Hao et al. 2024)."""

    shape: str = field(default="triangular", init=False)
    slope: float = 1.0

    def through(self, gradient: Tensor, current: Tensor, spikes: Tensor, v: Tensor, decay: Tensor, theta: Tensor) -> Tensor:
        """Return the same gradient at every step."""
        return (gradient * Surrogate(self.shape, self.slope).derivative(v)).mean(0).expand_as(gradient)


@dataclass(frozen=True)
class PDSG(Surrogate):
    """Gaussian surrogate whose centre and width follow the spread of the potential (Lun et al. 2025).

    A neuron that is run step by step gets the spread of that step alone.

    >>> round(float(PDSG().derivative(torch.tensor([[[-1.0]], [[1.0]]]))[1]), 4)  # N(1; σ/2, σ) with σ = √2
    0.2761
    """

    memoryless: ClassVar[bool] = False

    def derivative(self, v: Tensor) -> Tensor:
        """Return ``h(v)`` of ``[T, N, C, …]``."""
        flat = v.movedim(2, 1).flatten(2).double()
        count = flat.shape[2] * torch.arange(1, len(v) + 1, device=v.device).unsqueeze(1)
        total, squares = flat.sum(2).cumsum(0), flat.square().sum(2).cumsum(0)
        variance = (squares - total**2 / count) / (count - 1)
        sigma = torch.where(variance > 1e-12, variance, 1.0).sqrt().to(v.dtype).view(len(v), 1, -1, *[1] * (v.dim() - 3))
        apart = v / sigma - 0.5
        return torch.exp(-apart.square_() / 2).div_(sigma * sqrt(2 * pi))

    def of_step(self, neuron: int) -> Derivative:
        """Return ``h`` for one step ``[N, C, …]``."""
        return lambda v: self.derivative(v.unsqueeze(0))[0]


#: the attackers by name, with the relaxed code in the backward pass; HART with three widths
PEERS: dict[str, Attacker] = {
    name: Attacker(name, "relaxed", surrogate=surrogate)
    for name, surrogate in {
        "bptr": BPTR(),
        "rga": RGA(),
        "hart": HART(),
        "hart-narrow": HART(slope=4.0),
        "hart-wide": HART(slope=0.4),
        "pdsg": PDSG(),
    }.items()
}
