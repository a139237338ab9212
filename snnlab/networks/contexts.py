r"""Context managers that temporarily replace surrogates, reset state, freeze weights, or preserve train and eval modes.

They work on every neuron of snnTorch and SpikingJelly, and restore the network when they end, after an exception too.
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


_STATE = ("v", "i", "w")  # of neurons of SpikingJelly's kind that register no memories


def _surrogate_name(module: nn.Module) -> str:
    """Return the attribute that holds a neuron's surrogate: snnTorch's, SpikingJelly's, or none."""
    return next((name for name in ("spike_grad", "surrogate_function") if callable(getattr(module, name, None))), "")


def _of_jelly(module: nn.Module) -> bool:
    """Whether a module keeps state as SpikingJelly's do, which ``reset`` clears."""
    return ("_memories" in vars(module) or hasattr(module, "surrogate_function")) and callable(
        getattr(module, "reset", None)
    )


def _attributes(module: nn.Module) -> dict[str, Any]:
    return {name: getattr(module, name) for name in _STATE if hasattr(module, name)}


def is_neuron(module: nn.Module) -> bool:
    """Return whether a module is a spiking neuron of snnTorch's or SpikingJelly's kind."""
    return bool(_surrogate_name(module))


def all_steps_at_once(module: nn.Module) -> bool:
    """Return whether a neuron takes all steps in one call: snnTorch's time-parallel ones, SpikingJelly's in step mode ``m``."""
    return isinstance(module, TIME_PARALLEL) or getattr(module, "step_mode", "s") == "m"


def state_of(network: nn.Module) -> list[Tensor]:
    """Return the state of all neurons, as copies."""
    states: list[Any] = []
    for module in filter(is_neuron, network.modules()):
        states += [module._buffers[name] for name in sorted(module._non_persistent_buffers_set)]
        states += [*vars(module).get("_memories", {}).values(), *_attributes(module).values()]
    return [state.detach().clone() for state in states if isinstance(state, Tensor)]


@contextmanager
def preserve_buffers(network: nn.Module) -> Iterator[None]:
    """Restore every buffer on exit: statistics of batch norm, state."""
    before = [(module, name, value) for module in network.modules() for name, value in module._buffers.items()]
    copies = [None if value is None else value.detach().clone() for _, _, value in before]
    try:
        yield
    finally:
        for (module, name, value), copy in zip(before, copies, strict=True):
            module._buffers[name] = value
            if value is not None and copy is not None and value.shape == copy.shape:
                with torch.no_grad():
                    value.copy_(copy)


@contextmanager
def use_surrogate(network: nn.Module, surrogate: Surrogate | None) -> Iterator[None]:
    r"""Give every neuron another derivative ``h`` in the backward pass; its spikes stay. ``None``: the network's.

    .. math:: S = \text{spike\_grad}(U - θ), \qquad \frac{∂S}{∂U} := h(U - θ)
    """
    if surrogate is None:
        yield
        return
    neurons = [(module, name) for module in network.modules() if (name := _surrogate_name(module))]
    before = [vars(neuron).get(name, _ABSENT) for neuron, name in neurons]
    try:
        for number, (neuron, name) in enumerate(neurons):
            parallel = isinstance(neuron, TIME_PARALLEL)
            vars(neuron)[name] = _Replaced(cast(SpikeGrad, getattr(neuron, name)), surrogate, number, parallel)
        yield
    finally:
        for (neuron, name), value in zip(neurons, before, strict=True):
            if value is _ABSENT:  # a surrogate that is itself a module is registered elsewhere, and was only hidden
                vars(neuron).pop(name, None)
            else:
                vars(neuron)[name] = value


@contextmanager
def reset_state(network: nn.Module) -> Iterator[None]:
    """Run the block with neurons of snnTorch and SpikingJelly in a fresh state; they would keep theirs from batch to batch."""
    jelly = [module for module in network.modules() if _of_jelly(module)]
    memories = [dict(vars(module).get("_memories") or _attributes(module)) for module in jelly]
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
        for module in jelly:
            cast(Any, module).reset()
        yield
    finally:
        for module, values in zip(jelly, memories, strict=True):
            for name, value in values.items():
                setattr(module, name, value)
        for module, name, state in stored:
            module._buffers[name] = state


@contextmanager
def with_gradients() -> Iterator[None]:
    """Run the block with gradients, also inside a caller's ``torch.no_grad()`` or ``torch.inference_mode()``."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


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


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Run the block in evaluation mode: no dropout, batch norm by its running statistics."""
    with preserve_mode(network):
        network.eval()
        yield


@contextmanager
def probing(network: nn.Module) -> Iterator[None]:
    """Run the block in evaluation mode without gradients; restore buffers and the global random numbers on exit."""
    with torch.no_grad(), torch.random.fork_rng(devices=[]), evaluating(network), preserve_buffers(network):
        yield


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
    def through(self) -> Any:
        """The gradient through a whole neuron, of a surrogate that has one; else ``None``."""
        return getattr(self.surrogate, "through", None)

    @property
    def memoryless(self) -> bool:
        """Whether ``derivative`` may be asked for in parts."""
        return self.surrogate.memoryless
