"""Adaptive sharpness (ASSG, Wang et al. 2025): a surrogate whose width follows each neuron's distance from threshold."""

from __future__ import annotations

from functools import partial
from math import pi, tan
from typing import ClassVar

import torch
from torch import Tensor

from snnlab.networks.sequence import parts
from snnlab.networks.surrogate import Derivative, Surrogate

__all__ = ["AdaptiveSharpness"]

MEMORY = 0.9  # β, of the mean distance and of its deviation


class AdaptiveSharpness(Surrogate):
    r"""Arctan surrogate whose slope follows the membrane, per neuron and step (ASSG, Wang et al. 2025).

    Over the iterations of an attack, with :math:`d = |U - θ|` and :math:`β = 0.9`:

    .. math::

        M ← β M + (1-β) d, \quad D ← β D + (1-β) |d - M|, \quad
        α = \frac{2}{π} \frac{\tan(aπ)}{M + 1.5 D + 10^{-4}}

    The first iteration has ``M = d``, ``D = 0``. Make a new object for each attack on each batch.

    Args:
        a: sharpness, 0 < a < 1/2: the surrogate has fallen by ``1 + tan²(aπ)`` at distance ``M + 1.5 D``. A tensor ``[N]``
            gives each sample its own.
    """

    def __init__(self, a: float | Tensor = 0.425) -> None:
        super().__init__("arctan", 2.0)
        levels = a if isinstance(a, Tensor) else torch.tensor(a, device="cpu")
        if levels.dim() > 1 or not ((levels > 0) & (levels < 0.5)).all():
            raise ValueError(f"a must lie between 0 and 1/2, one number or one for each sample, got {a!r}")
        factor = (2 / pi) * (torch.tan(levels * pi) if levels.dim() else tan(float(a) * pi))
        vars(self).update(factor=factor, state={}, steps={})  # Surrogate is frozen

    factor: float | Tensor
    state: dict[int | tuple[int, int], tuple[Tensor, Tensor]]
    steps: dict[int, int]
    memoryless: ClassVar[bool] = False

    def keep(self, rows: Tensor) -> None:
        """Follow only these samples of the batch from now on; ``rows`` as for indexing."""
        for key, (mean, deviation) in self.state.items():
            sample = rows if isinstance(key, tuple) else (slice(None), rows)  # one step [N, …], or all [T, N, …]
            self.state[key] = mean[sample], deviation[sample]
        if isinstance(self.factor, Tensor):
            vars(self)["factor"] = self.factor[rows]

    def begin(self) -> None:
        """Begin a new iteration, before its forward pass."""
        self.steps.clear()

    def derivative(self, v: Tensor) -> Tensor:
        """Return ``h(v)`` of a network's first neuron, and update its state."""
        return self.of_sequence(0)(v)

    def of_sequence(self, neuron: int) -> Derivative:
        """Return ``h`` for all steps of a neuron."""
        return partial(self._follow, neuron)

    def of_step(self, neuron: int) -> Derivative:
        """Return ``h`` for the next step of a neuron."""
        step = self.steps.get(neuron, 0)
        self.steps[neuron] = step + 1
        return partial(self._follow, (neuron, step))

    def _follow(self, layer: int | tuple[int, int], v: Tensor) -> Tensor:
        if layer not in self.state:
            self.state[layer] = v.abs(), torch.zeros_like(v)
        mean, deviation = self.state[layer]
        if mean.shape != v.shape:
            raise ValueError(
                f"this AdaptiveSharpness has followed {list(mean.shape)}, got {list(v.shape)}; make a new one for each "
                "attack, and call begin() before each iteration"
            )
        derivative = torch.empty_like(v)
        factor = self.factor
        if isinstance(factor, Tensor):  # [N], along the axis of the batch
            before = 0 if isinstance(layer, tuple) else 1
            factor = factor.view(*[1] * before, -1, *[1] * (v.dim() - before - 1)).expand_as(v)
        for part in parts(v):
            of_part = factor[part] if isinstance(factor, Tensor) else factor
            derivative[part] = self._of_part(v[part], mean[part], deviation[part], of_part)
        return derivative

    def _of_part(self, v: Tensor, mean: Tensor, deviation: Tensor, factor: float | Tensor) -> Tensor:
        """Return ``h(v)``; ``M`` and ``D`` are brought up to date in place."""
        distance = v.abs()
        mean.mul_(MEMORY).add_(distance * (1 - MEMORY))
        deviation.mul_(MEMORY).add_(distance.sub_(mean).abs_().mul_(1 - MEMORY))
        alpha = deviation.mul(1.5).add_(mean).add_(1e-4).reciprocal_().mul_(factor)
        falls = alpha.mul(pi / 2).mul_(v).square_().add_(1)
        return alpha.div_(2).div_(falls)
