r"""What is put into a network for a while and taken out again: surrogates, fresh state, frozen weights.

Works on the layers of this package and on the neurons of ``snntorch`` alike (``Leaky``, ``Synaptic``, ``Alpha``,
``Lapicque``, their recurrent kin), wherever in a network they stand:

* ``surrogate_of`` gives another ``h`` to every neuron, in the backward pass only. A ``snntorch`` neuron asks its
  ``spike_grad`` for the spike of every step; the replacement answers with that same spike and another derivative:

  .. math:: S = \text{spike\_grad}(U - θ), \qquad \frac{∂S}{∂U} := h(U - θ)

* ``fresh_state`` clears what ``snntorch`` neurons keep from one call to the next. They keep it whether ``init_hidden`` is set
  or not, and a network that is not reset answers a second batch by the end of the first.
* ``frozen_weights`` asks for no gradient of any parameter.
* ``kept_modes`` lets others switch between training and evaluation.

Each leaves the network as it found it, after an exception too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from snnlab.neuron import Surrogate

__all__ = ["fresh_state", "frozen_weights", "kept_modes", "surrogate_of"]


@contextmanager
def surrogate_of(network: nn.Module, surrogate: Surrogate | None) -> Iterator[None]:
    """Run the block with another surrogate in every neuron of the network, and put the old ones back whatever happens.

    Args:
        network: any module; one without spiking neurons is left alone.
        surrogate: ``h``; ``None`` keeps the network's own.
    """
    if surrogate is None:
        yield
        return
    own = [(module, name, vars(module).get(name, _ABSENT)) for module, name in _neurons(network)]
    try:
        for number, (module, name, _) in enumerate(own):
            if name == "surrogate":
                vars(module)[name] = surrogate
            else:
                vars(module)[name] = _Spike(getattr(module, name), surrogate, number)
        yield
    finally:
        for module, name, value in own:
            if value is _ABSENT:  # a spike_grad that is itself a module stands elsewhere, and was only hidden
                vars(module).pop(name, None)
            else:
                vars(module)[name] = value


@contextmanager
def fresh_state(network: nn.Module) -> Iterator[None]:
    """Run the block with ``snntorch`` neurons as they were made: without state; the state of before is there again after."""
    kept = [
        (module, name, module._buffers[name])
        for module in network.modules()
        if hasattr(module, "spike_grad")
        for name in sorted(module._non_persistent_buffers_set)
    ]
    try:
        for module, name, state in kept:
            # Empty, a neuron makes its own at the first step, in the shape of its input.
            module._buffers[name] = state if state is None else state.new_zeros(0)
        yield
    finally:
        for module, name, state in kept:
            module._buffers[name] = state


@contextmanager
def frozen_weights(network: nn.Module) -> Iterator[None]:
    """Run the block with no parameter asking for a gradient, and let those ask again that did."""
    asking = [p for p in network.parameters() if p.requires_grad]
    try:
        for p in asking:
            p.requires_grad_(False)
        yield
    finally:
        for p in asking:
            p.requires_grad_(True)


@contextmanager
def kept_modes(network: nn.Module) -> Iterator[None]:
    """Run the block, and put every module back into the mode, training or evaluation, that it was in."""
    modes = [(module, module.training) for module in network.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


_ABSENT: Any = object()


def _neurons(network: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    """Every module that holds a surrogate, and the name it goes by there."""
    for module in network.modules():
        if isinstance(getattr(module, "surrogate", None), Surrogate):
            yield module, "surrogate"
        elif callable(getattr(module, "spike_grad", None)):
            yield module, "spike_grad"


class _Spike:
    """Stands in for a neuron's ``spike_grad``: the same spikes, the derivative of ``surrogate``."""

    def __init__(self, own: Callable[[Tensor], Tensor], surrogate: Surrogate, neuron: int) -> None:
        self.own, self.surrogate, self.neuron = own, surrogate, neuron

    def __call__(self, v: Tensor) -> Tensor:
        with torch.no_grad():
            spikes = self.own(v)
        if not (torch.is_grad_enabled() and v.requires_grad):
            return spikes
        derivative = self.surrogate.of_neuron(self.neuron)
        swapped: Tensor = _Swapped.apply(v, spikes, derivative)  # type: ignore[no-untyped-call]
        return swapped


class _Swapped(torch.autograd.Function):
    """Given spikes in the forward pass, ``h(v)`` in the backward pass."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, spikes: Tensor, derivative: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.save_for_backward(v)
        ctx.derivative = derivative
        return spikes.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (v,) = ctx.saved_tensors
        return ctx.derivative(v) * grads[0], None, None
