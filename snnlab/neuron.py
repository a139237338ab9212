r"""The leaky integrate-and-fire (LIF) neuron, run over a whole sequence at once.

With input current ``I``, decay ``β`` and threshold ``θ``, for ``t = 0 … T-1`` and ``U[-1] = 0``:

.. math::

    R[t] &= 1[U[t-1] > θ] \\
    U[t] &= β\,U[t-1] + I[t] - θ\,R[t]          && \text{(reset = "subtract")} \\
    U[t] &= β\,(1 - R[t])\,U[t-1] + I[t]        && \text{(reset = "zero")} \\
    S[t] &= 1[U[t] > θ]

These are the equations that ``snntorch.Leaky`` 1.0.0 runs (Eshraghian et al. 2023), not those of its
docstring: the reset takes effect one step after the spike, and "zero" keeps the input of that step. A
test holds the two together spike by spike. ``β = 1 - 1/τ_m`` for a time constant of τ_m steps.

Spikes are steps, so training and attacks replace ``dS/dU`` by a *surrogate* ``h(U - θ)`` (Neftci et al.
2019). The reset is not differentiated, as in snnTorch:

.. math:: \bar U[t] = h(U[t]-θ)\,\bar S[t] + \bar U_{out}[t] + β\,\bar U[t+1], \qquad \bar I[t] = \bar U[t]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi
from typing import Any, Literal

import torch
from torch import Tensor

__all__ = ["SURROGATES", "Surrogate", "lif"]

Reset = Literal["subtract", "zero"]
CHUNK = 1 << 17  # values whose derivatives are computed together


def _sigmoid(v: Tensor, alpha: float) -> Tensor:
    s = torch.sigmoid_(alpha * v)
    return torch.addcmul(s, s, s, value=-1).mul_(alpha)  # α (s - s²)


def _arctan(v: Tensor, alpha: float) -> Tensor:
    s = pi * alpha / 2 * v
    return s.square_().add_(1).reciprocal_().mul_(alpha / 2)


def _fast_sigmoid(v: Tensor, alpha: float) -> Tensor:
    return v.abs().mul_(alpha).add_(1).square_().reciprocal_()


def _triangular(v: Tensor, alpha: float) -> Tensor:
    return v.abs().mul_(-alpha).add_(1).clamp_(min=0).mul_(alpha)


#: shapes of the surrogate derivative, each a function of v = U - θ and the slope; in place on what is their own, which is
#: four times faster than a buffer an operation
SURROGATES: dict[str, Callable[[Tensor, float], Tensor]] = {
    "sigmoid": _sigmoid,
    "arctan": _arctan,
    "fast_sigmoid": _fast_sigmoid,
    "triangular": _triangular,
}


@dataclass(frozen=True)
class Surrogate:
    r"""A surrogate derivative ``h(v)`` of the spike, ``v = U - θ``.

    ============ ===================================== ======================================
    shape        ``h(v)``                               smooth step it is the derivative of
    ============ ===================================== ======================================
    sigmoid      ``α σ(αv) (1 - σ(αv))``                ``σ(αv)``
    arctan       ``(α/2) / (1 + (παv/2)²)``             ``1/2 + arctan(παv/2)/π``
    fast_sigmoid ``1 / (1 + α|v|)²``                    ``v / (1 + α|v|)``
    triangular   ``α max(0, 1 - α|v|)``                 a parabola's rise from 0 to 1
    ============ ===================================== ======================================

    Args:
        shape: a key of ``SURROGATES``.
        slope: ``α > 0``, larger is sharper.

    >>> Surrogate("sigmoid", 4)(torch.tensor([0.0]))
    tensor([1.])
    """

    shape: str = "sigmoid"
    slope: float = 4.0

    def __post_init__(self) -> None:
        if self.shape not in SURROGATES:
            raise ValueError(f"unknown surrogate {self.shape!r}; choose one of {', '.join(SURROGATES)}")
        if not self.slope > 0:
            raise ValueError(f"surrogate slope must be positive, got {self.slope!r}")

    def __call__(self, v: Tensor) -> Tensor:
        """``h(v)``, elementwise."""
        return SURROGATES[self.shape](v, self.slope)

    def of_neuron(self, number: int) -> Callable[[Tensor], Tensor]:
        """``h`` for the next step of a layer that is run step by step (``snnlab.swapping``): the same for all, here."""
        return self


class _Lif(torch.autograd.Function):
    """The two loops of the module docstring, over buffers of shape ``[T, …]``.

    Written out because autograd would record some ten small operations a step; the loop here allocates two
    buffers for the whole sequence.
    """

    @staticmethod
    def forward(
        ctx: Any, current: Tensor, beta: float, threshold: float, reset: Reset, surrogate: Surrogate
    ) -> tuple[Tensor, Tensor]:
        membrane = _buffer(current)
        spikes = torch.empty_like(membrane)
        inputs, potentials, fired = current.unbind(), membrane.unbind(), spikes.unbind()
        potentials[0].copy_(inputs[0])
        torch.gt(potentials[0], threshold, out=fired[0])
        for t in range(1, len(inputs)):
            # The order of the operations is snnTorch's, so that the rounding is too.
            u, before, reset_now = potentials[t], potentials[t - 1], fired[t - 1]
            if reset == "zero":
                torch.mul(before, 1 - reset_now, out=u)
                u.mul_(beta).add_(inputs[t])
            else:
                torch.mul(before, beta, out=u)
                u.add_(inputs[t]).sub_(reset_now, alpha=threshold)
            torch.gt(u, threshold, out=fired[t])
        ctx.save_for_backward(membrane, spikes)
        ctx.constants = beta, threshold, reset, surrogate
        ctx.set_materialize_grads(False)
        return spikes, membrane

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor, None, None, None, None]:
        spikes_grad, membrane_grad = grads
        membrane, spikes = ctx.saved_tensors
        beta, threshold, reset, surrogate = ctx.constants
        grad = torch.zeros_like(membrane) if spikes_grad is None else torch.empty_like(membrane)
        if spikes_grad is not None:
            # A surrogate with a memory of its own (snnlab.attack.AdaptiveSharpness) is given the whole sequence at once.
            for part in parts(membrane) if type(surrogate) is Surrogate else [(slice(None),)]:
                torch.mul(surrogate(membrane[part] - threshold), spikes_grad[part], out=grad[part])
        if membrane_grad is not None:
            grad.add_(membrane_grad)
        grads_at, fired = grad.unbind(), spikes.unbind()
        for t in range(len(grads_at) - 2, -1, -1):
            carried = grads_at[t + 1] * (1 - fired[t]) if reset == "zero" else grads_at[t + 1]
            grads_at[t].add_(carried, alpha=beta)
        return grad, None, None, None, None


def parts(sequence: Tensor) -> list[tuple[slice, ...]]:
    """Where ``[T, N, …]`` is cut so that what is computed of a part, on the way, stays in the processor's cache.

    Several steps make a part where they are small, some samples of one step where it is large.
    """
    num, step = len(sequence), max(1, sequence[0].numel())
    if step <= CHUNK or sequence.dim() == 1:
        steps = max(1, CHUNK // step)
        return [(slice(t, t + steps),) for t in range(0, num, steps)]
    rows = max(1, CHUNK * sequence.shape[1] // step)
    return [(slice(t, t + 1), slice(n, n + rows)) for t in range(num) for n in range(0, sequence.shape[1], rows)]


def _buffer(current: Tensor) -> Tensor:
    """An empty sequence like ``current``, each step laid out in memory as its own (convolutions like ``channels_last``)."""
    step = torch.empty_like(current[0])
    return torch.empty_strided(current.shape, (step.numel(), *step.stride()), dtype=current.dtype, device=current.device)


def lif(
    current: Tensor,
    *,
    beta: float = 0.9,
    threshold: float = 1.0,
    reset: Reset = "subtract",
    surrogate: Surrogate | None = None,
) -> tuple[Tensor, Tensor]:
    """Run LIF neurons over a sequence of input currents (equations in the module docstring).

    Args:
        current: ``I``, time first.
        beta: decay ``β`` per step, in [0, 1]; 1 is the non-leaky IF neuron.
        threshold: ``θ > 0``, in units of the current.
        reset: ``"subtract"`` or ``"zero"``.
        surrogate: ``h``; default ``Surrogate("sigmoid", 4)``.

    Returns:
        spikes in {0, 1} and membrane potential ``U``.

    Shapes: ``[T, …]`` → ``[T, …]``, ``[T, …]``.

    Raises:
        ValueError: no time axis or no step, ``β`` or ``θ`` out of range, unknown reset.

    >>> lif(torch.tensor([0.6, 0.6, 0.6]).view(3, 1), beta=1.0)[0].flatten()
    tensor([0., 1., 0.])
    """
    if current.dim() < 1 or len(current) == 0:
        raise ValueError(f"current must have shape [T, …] with T ≥ 1, got {list(current.shape)}")
    if not 0 <= beta <= 1:
        raise ValueError(f"beta must lie in [0, 1], got {beta!r}")
    if not threshold > 0:
        raise ValueError(f"threshold must be positive, got {threshold!r}")
    if reset not in ("subtract", "zero"):
        raise ValueError(f"unknown reset {reset!r}; choose 'subtract' or 'zero'")
    spikes, membrane = _Lif.apply(  # type: ignore[no-untyped-call]
        current, beta, threshold, reset, surrogate or Surrogate()
    )
    return spikes, membrane
