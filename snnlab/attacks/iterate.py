r"""The iteration that all gradient attacks share.

.. math:: x_{k+1} = Π(\mathrm{step}(x_k, g_k)), \qquad g_k = \mathrm{gradient}(x_k)

FGSM is one step; PGD, SA-PGD, adversarial training and the searches among spikes and spike trains differ in their gradient,
step and projection alone.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

__all__ = ["iterate"]


def iterate(
    start: Tensor,
    gradient: Callable[[Tensor], Tensor | None],
    step: Callable[[Tensor, Tensor], Tensor],
    project: Callable[[Tensor], Tensor],
    steps: int,
    on_step: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> Tensor:
    """Repeat gradient, step and projection, and return the last iterate.

    Args:
        start: first iterate ``x_0``.
        gradient: gradient at an iterate; ``None`` ends the iteration.
        step: next iterate, from the present one and its gradient.
        project: nearest point inside the budget.
        steps: largest number of steps.
        on_step: called with each new iterate and the gradient that led to it; returns the iterate to continue from, which is
            the same, or another one, or only its samples that are still of interest.

    >>> import torch
    >>> up = iterate(torch.zeros(1), torch.ones_like, lambda x, g: x + 0.4 * g, lambda x: x.clamp(max=1), steps=3)
    >>> up.item()
    1.0
    """
    current = start
    for _ in range(steps):
        direction = gradient(current)
        if direction is None:
            break
        current = project(step(current, direction))
        if on_step is not None:
            current = on_step(current, direction)
    return current
