r"""TSSL-BP: learning through the *times* of spikes (temporal spike sequence learning, Zhang and Li 2020).

Surrogate gradients ask how much more a neuron would fire; TSSL-BP asks when. Neurons pass on post-synaptic potentials (PSPs):

.. math::

    a[t] = \big(1 - \tfrac{1}{τ_s}\big) a[t-1] + \tfrac{1}{τ_s} s[t] = \sum_{m \le t} ε[t-m]\,s[m], \qquad
    I_l[t] = W_l\,a_{l-1}[t] + b_l

**Between neurons.** The gradient at the spike of step ``m`` sums over all later steps that its PSP reaches:

.. math:: \bar s[m] = \sum_{t \ge m} ε[t-m]\,\bar a[t]

**Within a neuron.** Let ``U`` cross the threshold at step ``m`` while rising by ``ΔU[m] = U[m] - U_+[m-1]`` a step (``U_+``
is what the reset has left). Raised by ``δ``, it crosses ``δ/ΔU`` earlier: ``∂t_m/∂U = -1/ΔU``. A spike that comes earlier acts
for longer, ``∂a[t]/∂t_m = -ε[t-m]``, and so does its reset: of the drop ``r`` that it caused (``U[m]`` for "zero", ``θ`` for
"subtract") ``(1-β) r`` more has decayed for each step. With ``κ[t] = min(1/ΔU[t], 8)``, 0 where ``ΔU < 0``:

.. math::

    \bar U[t] = \begin{cases}
        κ[t]\,\bar s[t] + \big(k + (1-β)\,r\,κ[t]\big)\,\bar U[t+1] & \text{it spikes} \\
        h(U[t]-θ)\,\bar s[t] + β\,\bar U[t+1] & \text{it is nearly silent: } a[t] < 1/(4τ_s) \\
        β\,\bar U[t+1] & \text{otherwise}
    \end{cases} \qquad \bar I[t] = \bar U[t]

where ``k`` is what the reset lets through: 0 for "zero", β for "subtract". A neuron that has not fired for a while has no spike
time to move: there a surrogate ``h`` acts. ``-ε[t-m]``, the bound of 8, the limit ``1/(4τ_s)`` and ``h`` (sigmoid, slope 5) are
those of the authors' public code; we use ``κ`` at spikes only, and allow reset by subtraction.

Between spikes an attacker gets no gradient. ``gradient="surrogate"`` differentiates the same network by surrogate gradients, for
attacks, and for training its twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from snnlab.networks.classifier import SpikingMLP
from snnlab.networks.sequence import Reset, lif, unroll
from snnlab.networks.surrogate import Surrogate

Gradient = Literal["timing", "surrogate"]
GRADIENTS: tuple[Gradient, ...] = ("timing", "surrogate")
MOST_STEPS = 8.0  # a spike is moved by at most this many steps per unit of potential
WARM_UP = Surrogate("sigmoid", 5.0)


def post_synaptic_potential(spikes: Tensor, tau_s: float = 2.0) -> Tensor:
    """Return the PSP ``a`` of spikes ``[T, …]``: each adds ``1/τ_s`` (in steps, at least 1) and decays by ``1 - 1/τ_s`` a step.

    Raises:
        ValueError: no step, ``τ_s`` below 1.

    >>> post_synaptic_potential(torch.tensor([1.0, 0.0, 1.0]), tau_s=2)
    tensor([0.5000, 0.2500, 0.6250])
    """
    if spikes.dim() < 1 or len(spikes) == 0:
        raise ValueError(f"spikes must have shape [T, …] with T ≥ 1, got {list(spikes.shape)}")
    _check_tau(tau_s)
    potentials = [spikes[0] / tau_s]
    for now in spikes[1:]:
        potentials.append(potentials[-1] * (1 - 1 / tau_s) + now / tau_s)
    return torch.stack(potentials)


class _Timing(torch.autograd.Function):
    """The neuron of ``snnlab.networks.sequence`` forward, the cases of the module docstring backward, over ``[T, …]``."""

    @staticmethod
    def forward(
        ctx: Any, current: Tensor, beta: float, threshold: float, reset: Reset, tau_s: float, surrogate: Surrogate
    ) -> tuple[Tensor, Tensor]:
        spikes, membrane = lif(current, beta=beta, threshold=threshold, reset=reset)
        ctx.save_for_backward(current, spikes, membrane)
        ctx.constants = beta, threshold, reset, tau_s, surrogate
        ctx.set_materialize_grads(False)
        return spikes, membrane

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        spikes_grad, membrane_grad = grads
        current, spikes, membrane = ctx.saved_tensors
        beta, threshold, reset, tau_s, surrogate = ctx.constants
        moved = _steps_per_potential(current, spikes, membrane, beta, threshold, reset)
        grad = torch.zeros_like(membrane)
        if spikes_grad is not None:
            silent = post_synaptic_potential(spikes, tau_s) < 1 / (4 * tau_s)
            grad += torch.where(silent, surrogate.derivative(membrane - threshold), moved) * spikes_grad
        if membrane_grad is not None:
            grad += membrane_grad
        keep = beta * (1 - spikes) if reset == "zero" else torch.full_like(spikes, beta)
        drop = membrane if reset == "zero" else torch.full_like(membrane, threshold)
        carry = keep + (1 - beta) * drop * moved
        for t in range(len(grad) - 2, -1, -1):
            grad[t] += carry[t] * grad[t + 1]
        return grad, None, None, None, None, None


def _steps_per_potential(
    current: Tensor, spikes: Tensor, membrane: Tensor, beta: float, threshold: float, reset: Reset
) -> Tensor:
    """``κ`` where a neuron spikes, else 0: how many steps earlier the spike comes per unit of potential."""
    rise = current.clone()  # ΔU[t] = I[t] - (1-β) times the potential that decays
    before = membrane[:-1] * (1 - spikes[:-1]) if reset == "zero" else membrane[:-1]
    rise[1:] -= (1 - beta) * before
    return torch.where(rise >= 0, (1 / rise).clamp(max=MOST_STEPS), torch.zeros_like(rise)) * spikes


def timing_lif(
    current: Tensor,
    *,
    beta: float = 0.9,
    threshold: float = 1.0,
    reset: Reset = "subtract",
    tau_s: float = 2.0,
    surrogate: Surrogate = WARM_UP,
) -> tuple[Tensor, Tensor]:
    """Run LIF neurons as ``snnlab.networks.sequence.lif`` does, to be differentiated through their spike times.

    Args:
        current: ``I``, ``[T, …]``.
        beta, threshold, reset: of the neuron.
        tau_s: time constant of its PSP in steps.
        surrogate: ``h``, used where the neuron is nearly silent.

    Returns:
        spikes in {0, 1} and membrane potential ``U``, ``[T, …]`` each.

    Raises:
        ValueError: as ``lif``; ``τ_s`` below 1.

    Source: Zhang and Li 2020; gradient as in the module docstring.

    >>> current = torch.tensor([[0.6], [0.8]], requires_grad=True)
    >>> spikes, _ = timing_lif(current, beta=1.0)
    >>> torch.autograd.grad(spikes[1].sum(), current)[0].flatten()  # U rises by 0.8 when it fires: 1/0.8
    tensor([1.2500, 1.2500])
    """
    if reset not in ("subtract", "zero"):
        raise ValueError(f"unknown reset {reset!r}; choose 'subtract' or 'zero'")
    _check_tau(tau_s)
    constants = beta, threshold, reset, tau_s, surrogate
    return _Timing.apply(current, *constants)  # type: ignore[no-any-return, no-untyped-call]


class TsslMLP(SpikingMLP):
    """A ``SpikingMLP`` with a PSP filter before each layer, on the input too, that learns through spike times.

    Args:
        sizes, beta, threshold, reset: as for ``SpikingMLP``.
        tau_s: synaptic time constant, in steps, at least 1.
        surrogate: ``h``.
        gradient: ``"timing"`` (TSSL-BP) or ``"surrogate"`` (BPTT through the same PSPs); the forward pass is the same.

    Shapes: ``[T, N, …]`` with ``sizes[0]`` values per sample and any ``T`` → ``Trace``.

    Raises:
        ValueError: unknown gradient, ``τ_s`` below 1, no layers, input of another size.

    Source: Zhang and Li 2020.
    """

    def __init__(
        self,
        sizes: Sequence[int] = (784, 256, 10),
        *,
        tau_s: float = 2.0,
        beta: float = 0.9,
        threshold: float = 1.0,
        reset: Reset = "subtract",
        surrogate: Surrogate | None = None,
        gradient: Gradient = "timing",
    ) -> None:
        super().__init__(sizes, beta=beta, threshold=threshold, reset=reset, surrogate=surrogate or WARM_UP)
        _check_tau(tau_s)
        if gradient not in GRADIENTS:
            raise ValueError(f"unknown gradient {gradient!r}; choose one of {', '.join(GRADIENTS)}")
        self.tau_s, self.gradient = tau_s, gradient

    def _run_layer(self, layer: nn.Linear, neuron: nn.Module, sequence: Tensor) -> tuple[Tensor, Tensor]:
        current = layer(post_synaptic_potential(sequence, self.tau_s))
        if self.gradient == "surrogate":
            return unroll(neuron, current)
        constants = {"beta": self.beta, "threshold": self.threshold, "reset": self.reset, "tau_s": self.tau_s}
        return timing_lif(current, surrogate=neuron.spike_grad, **constants)  # type: ignore[arg-type]


def _check_tau(tau_s: float) -> None:
    if not 1 <= tau_s < float("inf"):
        raise ValueError(f"tau_s must be at least 1 step, got {tau_s!r}")
