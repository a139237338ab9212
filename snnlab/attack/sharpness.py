"""Adaptive sharpness (ASSG, Wang et al. 2025): a surrogate whose width follows each neuron's distance from threshold."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import pi, tan

import torch
from torch import Tensor

from snnlab.neuron import Surrogate, parts

__all__ = ["AdaptiveSharpness"]


class AdaptiveSharpness(Surrogate):
    r"""Arctan surrogate whose slope follows the membrane, per neuron and step (ASSG, Wang et al. 2025).

    Over the iterations of an attack, with :math:`d = |U - θ|`:

    .. math::

        M ← β_1 M + (1-β_1) d, \quad D ← β_2 D + (1-β_2) |d - M|, \quad
        α = \frac{2}{π} \frac{\tan(aπ)}{M + 1.5 D + 10^{-4}}

    A neuron far from threshold gets a wide surrogate, one that hovers near it a sharp one. The first iteration has
    ``M = d``, ``D = 0``. An object holds the state of one attack on one batch; make a new one for the next.

    Args:
        a: sharpness, 0 < a < 1/2; the surrogate has fallen by ``1 + tan²(aπ)`` at distance ``M + 1.5 D``. A tensor ``[N]``
            gives each sample of the batch its own.
        beta1: rate of the mean distance.
        beta2: rate of its mean absolute deviation.
    """

    def __init__(self, a: float | Tensor = 0.425, beta1: float = 0.9, beta2: float = 0.9) -> None:
        super().__init__("arctan", 2.0)
        levels = torch.as_tensor(a)
        if levels.dim() > 1 or not ((levels > 0) & (levels < 0.5)).all():
            raise ValueError(f"a must lie between 0 and 1/2, one number or one for each sample, got {a!r}")
        if not (0 <= beta1 < 1 and 0 <= beta2 < 1):
            raise ValueError(f"beta1 and beta2 must lie in [0, 1), got {beta1!r} and {beta2!r}")
        factor = (2 / pi) * tan(a * pi) if isinstance(a, float) else (2 / pi) * torch.tan(levels * pi)
        for name, value in (
            ("a", a),
            ("factor", factor),
            ("beta1", beta1),
            ("beta2", beta2),
            ("state", {}),
            ("turn", [0]),
            ("steps", {}),
        ):
            object.__setattr__(self, name, value)  # Surrogate is frozen

    a: float | Tensor
    factor: float | Tensor
    beta1: float
    beta2: float
    state: dict[int | tuple[int, int], tuple[Tensor, Tensor]]
    turn: list[int]
    steps: dict[int, int]

    def keep(self, rows: Tensor) -> None:
        """Follow these samples of the batch alone from now on; ``rows`` as for indexing."""
        for key, (mean, deviation) in self.state.items():
            sample = rows if isinstance(key, tuple) else (slice(None), rows)  # one step [N, …], or all [T, N, …]
            self.state[key] = mean[sample], deviation[sample]
        if isinstance(self.factor, Tensor) and self.factor.dim():
            object.__setattr__(self, "factor", self.factor[rows])

    def begin(self) -> None:
        """A new iteration, before its forward pass: layers and steps are counted from the first one again."""
        self.turn[0] = 0
        self.steps.clear()

    def __call__(self, v: Tensor) -> Tensor:
        """``h(v)`` for the next layer of the backward pass, all steps at once, and an update of its state."""
        layer = self.turn[0]
        self.turn[0] += 1
        return self._follow(layer, v)

    def of_neuron(self, number: int) -> Callable[[Tensor], Tensor]:
        """``h`` for the next step of a layer that is run step by step; its state is updated when the derivative is asked."""
        step = self.steps.get(number, 0)
        self.steps[number] = step + 1
        return partial(self._follow, (number, step))

    def _follow(self, layer: int | tuple[int, int], v: Tensor) -> Tensor:
        if layer not in self.state:
            self.state[layer] = v.abs(), torch.zeros_like(v)
        mean, deviation = self.state[layer]
        if mean.shape != v.shape:
            raise ValueError(
                f"this AdaptiveSharpness has followed {list(mean.shape)}, got {list(v.shape)}; make a new one for each "
                "attack, and call begin() before each iteration"
            )
        found = torch.empty_like(v)
        samples = 0 if isinstance(layer, tuple) else 1  # the axis of the batch
        factor = self.factor
        if isinstance(factor, Tensor) and factor.dim():
            factor = factor.view(*[1] * samples, -1, *[1] * (v.dim() - samples - 1)).expand_as(v)
        for part in parts(v):
            of_part = factor[part] if isinstance(factor, Tensor) and factor.dim() else factor
            found[part] = self._of_part(v[part], mean[part], deviation[part], of_part)
        return found

    def _of_part(self, v: Tensor, mean: Tensor, deviation: Tensor, factor: float | Tensor) -> Tensor:
        """``h(v)``; ``M`` and ``D`` are brought up to date in place."""
        distance = v.abs()
        mean.mul_(self.beta1).add_(distance * (1 - self.beta1))
        deviation.mul_(self.beta2).add_(distance.sub_(mean).abs_().mul_(1 - self.beta2))
        alpha = deviation.mul(1.5).add_(mean).add_(1e-4).reciprocal_().mul_(factor)
        falls = alpha.mul(pi / 2).mul_(v).square_().add_(1)
        return alpha.div_(2).div_(falls)
