r"""The iteration of all gradient attacks: :math:`x_{k+1} = Π(\mathrm{step}(x_k, g_k))`, :math:`g_k = \mathrm{gradient}(x_k)`."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from snnlab.attacks.budget import Budget

__all__ = ["ascend", "iterate"]


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
        gradient: at an iterate; ``None`` ends the iteration.
        step: next iterate, from the present one and its gradient.
        project: nearest point inside the budget.
        steps: largest number of steps.
        on_step: called with each new iterate and its gradient; returns the iterate to continue from.

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


def ascend(
    start: Tensor, images: Tensor, budget: Budget, gradient: Callable[[Tensor], Tensor], size: float, steps: int
) -> Tensor:
    """Return the image after the budget's steepest steps of this size up ``gradient``, inside the budget around ``images``."""
    return iterate(start, gradient, lambda x, g: x + budget.step(g, size), lambda x: budget.project(x, images), steps)
