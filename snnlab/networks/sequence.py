r"""Run any snnTorch neuron over a whole sequence, time first.

A plain ``snntorch.Leaky`` with input current ``I``, decay ``β`` and threshold ``θ`` follows, for ``t = 0 … T-1``, ``U[-1] = 0``,

.. math::

    R[t] &= 1[U[t-1] > θ] \\
    U[t] &= β\,U[t-1] + I[t] - θ\,R[t]          && \text{(reset\_mechanism = "subtract")} \\
    U[t] &= β\,(1 - R[t])\,U[t-1] + I[t]        && \text{("zero")} \\
    U[t] &= β\,U[t-1] + I[t]                    && \text{("none")} \\
    S[t] &= 1[U[t] > θ]

These are the equations that ``snntorch.Leaky`` 1.0 runs (Eshraghian et al. 2023): the reset acts one step after the spike. Here
they run *fused*, over two buffers for the whole sequence. Spikes and potential equal snnTorch's to the last bit. Gradients:

.. math::

    \bar U[t] &= h(U[t]-θ)\,\bar S[t] + \bar U_{out}[t] + β\,\bar U[t+1], \qquad \bar I[t] = \bar U[t] \\
    \bar β &= \sum_t U[t-1]\,\bar U[t], \qquad \bar θ = -\sum_t \big(h(U[t]-θ)\,\bar S[t] + R[t]\,\bar U[t]\big)

with the surrogate ``h`` of the neuron's ``spike_grad``; the reset is not differentiated, as in snnTorch. Neurons that take all
steps at once (``LeakyParallel``, ``StateLeaky``, ``LinearLeaky``, ``AssociativeLeaky``) are called once, all others step by step.
"""

from __future__ import annotations

from typing import Any, Literal

import snntorch as snn
import torch
from torch import Tensor, nn
from torch.overrides import handle_torch_function, has_torch_function_unary

from snnlab.networks.contexts import TIME_PARALLEL, reset_state
from snnlab.networks.surrogate import SpikeGrad, Surrogate, derivative_of, is_step

Reset = Literal["subtract", "zero", "none"]

CHUNK = 1 << 17  # values whose derivatives are computed together, so that they stay in the processor's cache


def unroll(neuron: Any, current: Tensor) -> tuple[Tensor, Tensor]:
    """Run a snnTorch neuron over a sequence of input currents, from a fresh state.

    Args:
        neuron: of any class that snnTorch exports; the call does not change its state.
        current: ``I``, ``[T, N, …]``.

    Returns:
        Spikes ``[T, N, …]`` and membrane potential ``U``, ``[T, N, …]``: zeros for a neuron that does not return it
        (``LeakyParallel``, ``AssociativeLeaky``).

    Raises:
        ValueError: no step, or a neuron that emits no spikes (``output=False`` of ``StateLeaky`` and ``LinearLeaky``).

    Source: equations in the module docstring; Eshraghian et al. 2023.

    >>> spikes, membrane = unroll(snn.Leaky(beta=1.0), torch.full((3, 1, 1), 0.6))
    >>> spikes.flatten(), membrane.flatten()
    (tensor([0., 1., 0.]), tensor([0.6000, 1.2000, 0.8000]))
    """
    if has_torch_function_unary(current):  # whoever records operations sees this one
        return handle_torch_function(unroll, (current,), neuron, current)
    if current.dim() < 2 or len(current) == 0:
        raise ValueError(f"expected a current [T, N, …] with T ≥ 1, got {list(current.shape)}")
    if isinstance(neuron, TIME_PARALLEL):
        return _at_once(neuron, current)
    if is_fused(neuron):
        return fused(current, neuron.beta, neuron.threshold, neuron.reset_mechanism, neuron.spike_grad)
    return _by_steps(neuron, current)


def is_fused(neuron: Any) -> bool:
    """Return whether a neuron runs fused: a plain ``Leaky`` without inhibition, quantised state, graded spikes or hooks."""
    if neuron._forward_hooks or neuron._forward_pre_hooks:
        return False
    if type(neuron) is not snn.Leaky or neuron.inhibition or neuron.state_quant or not neuron.reset_delay:
        return False
    factor = neuron.graded_spikes_factor
    plain = not isinstance(factor, nn.Parameter) and bool((factor == 1).all())
    return plain and bool((neuron.threshold > 0).all()) and is_step(neuron.spike_grad)


def fused(current: Tensor, beta: Tensor, threshold: Tensor, reset: str, spike_grad: SpikeGrad) -> tuple[Tensor, Tensor]:
    """Return spikes and potential of a plain ``Leaky`` with these parameters, scalars or one for each neuron."""
    spikes, membrane = _Leaky.apply(current, beta, threshold, reset, spike_grad)  # type: ignore[no-untyped-call]
    return spikes, membrane


def lif(
    current: Tensor,
    *,
    beta: float = 0.9,
    threshold: float = 1.0,
    reset: Reset = "subtract",
    surrogate: Surrogate | None = None,
) -> tuple[Tensor, Tensor]:
    """Run LIF neurons over a sequence of input currents (equations in ``snnlab.networks.sequence``).

    Args:
        current: ``I``, ``[T, …]``.
        beta: decay ``β`` per step, in [0, 1]; 1 is the non-leaky IF neuron.
        threshold: ``θ > 0``, in units of the current.
        reset: ``"subtract"``, ``"zero"`` or ``"none"``.
        surrogate: ``h``; default ``Surrogate("sigmoid", 4)``.

    Returns:
        spikes in {0, 1} and membrane potential ``U``, ``[T, …]`` each.

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
    if reset not in ("subtract", "zero", "none"):
        raise ValueError(f"unknown reset {reset!r}; choose 'subtract', 'zero' or 'none'")
    return fused(current, torch.tensor(beta), torch.tensor(threshold), reset, surrogate or Surrogate())


def _at_once(neuron: Any, current: Tensor) -> tuple[Tensor, Tensor]:
    result = neuron(current)
    if isinstance(result, tuple):
        spikes, membrane = result
        return spikes, membrane
    if isinstance(neuron, snn.StateLeaky):  # LinearLeaky is one, too
        raise ValueError(f"{type(neuron).__name__} emits no spikes; make it with output=True")
    return result, torch.zeros_like(result)


def _by_steps(neuron: Any, current: Tensor) -> tuple[Tensor, Tensor]:
    """Call a neuron that keeps its state from call to call, as with ``init_hidden``."""
    if isinstance(neuron, snn.DeltaLeaky):
        return _delta_by_steps(neuron, current)
    spikes, potentials = [], []
    with reset_state(neuron):
        for step in current:
            result = neuron(step)
            spikes.append(result[0] if isinstance(result, tuple) else result)
            potentials.append(neuron.mem)
    return torch.stack(spikes), torch.stack(potentials)


def _delta_by_steps(neuron: snn.DeltaLeaky, current: Tensor) -> tuple[Tensor, Tensor]:
    """``DeltaLeaky`` marks a fresh state by ``None``, keeps a part of it outside its buffers, and takes it as an argument."""
    before = neuron.mem, neuron.mem_prev
    spikes, potentials = [], []
    state = neuron.reset_mem()
    for step in current:
        emitted, state = neuron(step) if neuron.init_hidden else neuron(step, state)
        spikes.append(emitted)
        potentials.append(neuron.mem)
    neuron.mem, neuron.mem_prev = before
    return torch.stack(spikes), torch.stack(potentials)


class _Leaky(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, current: Tensor, beta: Tensor, threshold: Tensor, reset: str, spike_grad: SpikeGrad
    ) -> tuple[Tensor, Tensor]:
        membrane = _buffer(current)
        spikes = torch.empty_like(membrane)
        decay, theta = _plain(beta.detach().clamp(0, 1)), _plain(threshold.detach())
        inputs, potentials, fired = current.unbind(), membrane.unbind(), spikes.unbind()
        potentials[0].copy_(inputs[0])
        torch.gt(potentials[0], theta, out=fired[0])
        for t in range(1, len(inputs)):
            # The order of the operations is snnTorch's, so that the rounding is too.
            u, before, reset_now = potentials[t], potentials[t - 1], fired[t - 1]
            if reset == "zero":
                torch.mul(before, 1 - reset_now, out=u)
                u.mul_(decay).add_(inputs[t])
            else:
                torch.mul(before, decay, out=u)
                u.add_(inputs[t])
                if reset == "subtract":
                    u.sub_(reset_now * theta) if isinstance(theta, Tensor) else u.sub_(reset_now, alpha=theta)
            torch.gt(u, theta, out=fired[t])
        ctx.save_for_backward(membrane, spikes, beta, threshold)
        ctx.settings = decay, theta, reset, spike_grad
        ctx.set_materialize_grads(False)
        return spikes, membrane

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor, Tensor | None, Tensor | None, None, None]:
        spikes_grad, membrane_grad = grads
        membrane, spikes, beta, threshold = ctx.saved_tensors
        decay, theta, reset, spike_grad = ctx.settings
        through = getattr(spike_grad, "through", None)  # of a gradient of whole neurons (snnlab.attacks.peers)
        steps = spikes_grad is not None and through is None
        grad = torch.empty_like(membrane) if steps else torch.zeros_like(membrane)
        if steps and spikes_grad is not None:
            derivative = derivative_of(spike_grad)
            for part in parts(membrane) if getattr(spike_grad, "memoryless", False) else [(slice(None),)]:
                torch.mul(derivative(membrane[part] - theta), spikes_grad[part], out=grad[part])
        of_spikes = grad.clone() if ctx.needs_input_grad[2] else None
        if membrane_grad is not None:
            grad.add_(membrane_grad)
        grads_at, fired = grad.unbind(), spikes.unbind()
        for t in range(len(grads_at) - 2, -1, -1):
            carried = grads_at[t + 1] * (1 - fired[t]) if reset == "zero" else grads_at[t + 1]
            grads_at[t].add_(carried * decay) if isinstance(decay, Tensor) else grads_at[t].add_(carried, alpha=decay)
        if through is not None and spikes_grad is not None:
            current = _current(membrane, spikes, decay, theta, reset)
            values = (torch.as_tensor(value, dtype=grad.dtype, device=grad.device) for value in (decay, theta))
            grad.add_(through(spikes_grad, current, spikes, membrane - theta, *values))
        of_beta = of_threshold = None
        if ctx.needs_input_grad[1]:
            before = membrane[:-1] * (1 - spikes[:-1]) if reset == "zero" else membrane[:-1]
            inside = ((beta >= 0) & (beta <= 1)).to(beta.dtype)
            of_beta = (before * grad[1:]).sum((0, 1)).sum_to_size(beta.shape) * inside
        if of_spikes is not None:
            of_threshold = -of_spikes.sum((0, 1)).sum_to_size(threshold.shape)
            if reset == "subtract":
                of_threshold = of_threshold - (spikes[:-1] * grad[1:]).sum((0, 1)).sum_to_size(threshold.shape)
        return grad, of_beta, of_threshold, None, None


def _current(membrane: Tensor, spikes: Tensor, decay: float | Tensor, theta: float | Tensor, reset: str) -> Tensor:
    """Return the current that led to this potential."""
    before, reset_now = membrane[:-1], spikes[:-1]
    left = before * (1 - reset_now) * decay if reset == "zero" else before * decay
    current = membrane.clone()
    current[1:] -= left - reset_now * theta if reset == "subtract" else left
    return current


def _plain(value: Tensor) -> float | Tensor:
    return float(value) if value.numel() == 1 else value


def parts(sequence: Tensor) -> list[tuple[slice, ...]]:
    """Return slices of ``[T, N, …]`` of at most ``CHUNK`` values: several steps, or some samples of one large step."""
    num, step = len(sequence), max(1, sequence[0].numel())
    if step <= CHUNK or sequence.dim() == 1:
        steps = max(1, CHUNK // step)
        return [(slice(t, t + steps),) for t in range(0, num, steps)]
    rows = max(1, CHUNK * sequence.shape[1] // step)
    return [(slice(t, t + 1), slice(n, n + rows)) for t in range(num) for n in range(0, sequence.shape[1], rows)]


def _buffer(current: Tensor) -> Tensor:
    """An empty sequence like ``current``, each step laid out in memory by itself (convolutions like ``channels_last``)."""
    step = torch.empty_like(current[0])
    return torch.empty_strided(current.shape, (step.numel(), *step.stride()), dtype=current.dtype, device=current.device)
