r"""Context managers that temporarily replace surrogates, reset state, freeze weights, or preserve train and eval modes.

They work on every snnTorch neuron, and restore the network when they end, after an exception too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import snntorch as snn
import torch
from torch import Tensor, nn

from snnlab.networks.surrogate import SpikeGrad, Surrogate, derivative_step

#: neurons that take the whole sequence in one call
TIME_PARALLEL: tuple[type[nn.Module], ...] = (snn.LeakyParallel, snn.StateLeaky, snn.LinearLeaky, snn.AssociativeLeaky)


@contextmanager
def use_surrogate(network: nn.Module, surrogate: Surrogate | None) -> Iterator[None]:
    r"""Give every neuron another derivative ``h`` in the backward pass; its spikes stay. ``None``: the network's.

    .. math:: S = \text{spike\_grad}(U - θ), \qquad \frac{∂S}{∂U} := h(U - θ)
    """
    if surrogate is None:
        yield
        return
    neurons = [module for module in network.modules() if callable(getattr(module, "spike_grad", None))]
    own = [vars(neuron).get("spike_grad", _ABSENT) for neuron in neurons]
    try:
        for number, neuron in enumerate(neurons):
            parallel = isinstance(neuron, TIME_PARALLEL)
            vars(neuron)["spike_grad"] = _Replaced(cast(SpikeGrad, neuron.spike_grad), surrogate, number, parallel)
        yield
    finally:
        for neuron, value in zip(neurons, own, strict=True):
            if value is _ABSENT:  # a spike_grad that is itself a module is registered elsewhere, and was only hidden
                vars(neuron).pop("spike_grad", None)
            else:
                vars(neuron)["spike_grad"] = value


@contextmanager
def reset_state(network: nn.Module) -> Iterator[None]:
    """Run the block with snnTorch neurons in a fresh state; they would keep theirs from batch to batch."""
    stored = [
        (module, name, module._buffers[name])
        for module in network.modules()
        if hasattr(module, "spike_grad")
        for name in sorted(module._non_persistent_buffers_set)
    ]
    try:
        for module, name, state in stored:
            # Empty, a neuron makes its own at the first step, in the shape of its input.
            module._buffers[name] = state if state is None else state.new_zeros(0)
        yield
    finally:
        for module, name, state in stored:
            module._buffers[name] = state


@contextmanager
def freeze_weights(network: nn.Module) -> Iterator[None]:
    """Run the block without gradients of parameters."""
    trainable = [p for p in network.parameters() if p.requires_grad]
    try:
        network.requires_grad_(False)
        yield
    finally:
        for p in trainable:
            p.requires_grad_(True)


@contextmanager
def preserve_mode(network: nn.Module) -> Iterator[None]:
    """Restore every module's train or eval mode on exit."""
    modes = [(module, module.training) for module in network.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


_ABSENT: Any = object()


class _Replaced:
    """A neuron's ``spike_grad`` with the derivative of another surrogate.

    A surrogate with a memory must know whether it is called once a step or, ``parallel`` or fused, once a sequence.
    """

    def __init__(self, own: SpikeGrad, surrogate: Surrogate, neuron: int, parallel: bool) -> None:
        self.own, self.surrogate, self.neuron, self.parallel = own, surrogate, neuron, parallel

    def __call__(self, v: Tensor) -> Tensor:
        with torch.no_grad():
            spikes = self.own(v)
        if not (torch.is_grad_enabled() and v.requires_grad):
            return spikes
        derivative = self.derivative if self.parallel else self.surrogate.of_step(self.neuron)
        return derivative_step(v, spikes, derivative)

    def derivative(self, v: Tensor) -> Tensor:
        """Return ``h(v)`` for all steps ``[T, N, …]``."""
        return self.surrogate.of_sequence(self.neuron)(v)

    @property
    def memoryless(self) -> bool:
        """Whether ``derivative`` may be asked for in parts."""
        return self.surrogate.memoryless
