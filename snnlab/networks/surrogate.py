r"""Surrogates: the spike of a neuron in the forward pass, a smooth derivative in the backward pass.

.. math:: S = 1[v > 0], \qquad \frac{∂S}{∂v} := h(v), \qquad v = U - θ

A surrogate is a snnTorch ``spike_grad``: give it to any snnTorch neuron, as in ``Leaky(beta=0.9, spike_grad=Surrogate())``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi
from typing import Any, ClassVar

import torch
from torch import Tensor

SpikeGrad = Callable[[Tensor], Tensor]  # v → spikes
Derivative = Callable[[Tensor], Tensor]  # v → h(v)


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


#: shapes of the derivative, as functions of ``v`` and the slope. They work in place on their own buffer, which is four times
#: faster than a new buffer for each operation.
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
        slope: ``α > 0``; a larger slope is sharper.

    Raises:
        ValueError: unknown shape, slope that is not positive.

    Source: Neftci et al. 2019; snnTorch's ``atan(alpha)`` and ``fast_sigmoid(slope)`` are "arctan" and "fast_sigmoid".

    >>> v = torch.tensor([-0.5, 0.0, 0.5], requires_grad=True)
    >>> spikes = Surrogate("sigmoid", 4)(v)
    >>> spikes.detach(), torch.autograd.grad(spikes.sum(), v)[0][1]
    (tensor([0., 0., 1.]), tensor(1.))
    """

    shape: str = "sigmoid"
    slope: float = 4.0

    def __post_init__(self) -> None:
        if self.shape not in SURROGATES:
            raise ValueError(f"unknown surrogate {self.shape!r}; choose one of {', '.join(SURROGATES)}")
        if not self.slope > 0:
            raise ValueError(f"surrogate slope must be positive, got {self.slope!r}")

    #: whether ``derivative`` may be asked for parts of a sequence one by one
    memoryless: ClassVar[bool] = True

    def __call__(self, v: Tensor) -> Tensor:
        """Return the spikes ``1[v > 0]``, whose derivative is ``h(v)``."""
        return derivative_step(v, (v > 0).to(v.dtype), self.derivative)

    def derivative(self, v: Tensor) -> Tensor:
        """Return ``h(v)``, elementwise."""
        return SURROGATES[self.shape](v, self.slope)

    def of_sequence(self, neuron: int) -> Derivative:
        """Return ``h`` for all steps ``[T, N, …]`` of a neuron, known by its number in the network."""
        return self.derivative

    def of_step(self, neuron: int) -> Derivative:
        """Return ``h`` for the next step ``[N, …]`` of a neuron that is run step by step."""
        return self.derivative


def derivative_step(v: Tensor, spikes: Tensor, derivative: Derivative) -> Tensor:
    """Return ``spikes``, with ``derivative(v)`` as their derivative with respect to ``v``."""
    return _Spike.apply(v, spikes, derivative)  # type: ignore[no-any-return, no-untyped-call]


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, v: Tensor, spikes: Tensor, derivative: Derivative) -> Tensor:
        ctx.save_for_backward(v)
        ctx.derivative = derivative
        return spikes.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (v,) = ctx.saved_tensors
        return ctx.derivative(v) * grads[0], None, None


def derivative_of(spike_grad: SpikeGrad) -> Derivative:
    """Return the derivative of a snnTorch ``spike_grad`` as a function of ``v``, zero where it has none.

    >>> import snntorch.surrogate
    >>> derivative_of(snntorch.surrogate.atan(alpha=2.0))(torch.zeros(1))
    tensor([1.])
    """
    own = getattr(spike_grad, "derivative", None)
    if callable(own):
        return own  # type: ignore[no-any-return]

    def derivative(v: Tensor) -> Tensor:
        with torch.enable_grad():
            leaf = v.detach().requires_grad_(True)
            spikes = spike_grad(leaf)
            if not spikes.requires_grad:
                return torch.zeros_like(v)
            return torch.autograd.grad(spikes.sum(), leaf)[0]

    return derivative


@torch.no_grad()
def is_step(spike_grad: SpikeGrad) -> bool:
    """Return whether a ``spike_grad`` is the plain step ``1[v > 0]`` in the forward pass: neither random nor smooth.

    >>> import snntorch.surrogate
    >>> is_step(snntorch.surrogate.sigmoid()), is_step(torch.sigmoid)
    (True, False)
    """
    if isinstance(getattr(spike_grad, "own", spike_grad), Surrogate):
        return True
    v = torch.tensor([-10.0, -1.0, -1e-6, 0.0, 1e-6, 1.0, 10.0])
    return all(torch.equal(spike_grad(v), (v > 0).to(v.dtype)) for _ in range(2))
