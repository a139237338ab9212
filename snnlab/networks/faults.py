r"""Faults of a chip, as reversible contexts on any network of snnTorch or SpikingJelly neurons.

================ ===================================================================================================
fault            at severity ``s``
================ ===================================================================================================
``lost``         each spike is lost with probability ``s``; the neuron that fired has reset itself
``late``         each spike arrives a step later with probability ``s``; two that meet are one
``dead``         a share ``s`` of the hidden neurons never fires
``stuck``        a share ``s`` of the hidden neurons fires at every step
``threshold``    ``θ(1 + s z)`` for each neuron, ``z`` normal: its input current is divided by ``1 + s z``
``weight``       ``w(1 + s z)`` for each weight, ``z`` normal
``flipped_bits`` each bit of the eight of a stored weight is flipped with probability ``s``
``fewer_bits``   weights are rounded to ``8 - 7 s`` bits with a sign
================ ===================================================================================================

Faults of the last two kinds act on the integers that the zoo stores (``snnlab.zoo.quantised``): :math:`w = q\,2^e` with ``q`` in
two's complement. A divided current is a multiplied threshold in other units, for every reset. The neurons of the read-out are
taken to be sound in ``dead`` and ``stuck``: one stuck output decides every answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from snnlab.networks.contexts import all_steps_at_once, is_neuron

__all__ = ["FAULTS", "OF_WEIGHTS", "Fault", "faulty"]

BITS = 8
SMALLEST = 0.05  # a threshold stays above this share of itself

#: ``(network, severity, generator)``: puts a fault into a network, and returns what removes it
Install = Callable[[nn.Module, float, torch.Generator], Callable[[], None]]


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Args:
        name: by which ``faulty`` knows it.
        title: in figures.
        install: puts it into a network.
        severities: at which it is measured.
    """

    name: str
    title: str
    install: Install
    severities: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5)


@contextmanager
def faulty(network: nn.Module, fault: str, severity: float, generator: torch.Generator | None = None) -> Iterator[None]:
    """Run the block with a fault in every layer of a network, and restore the network when it ends.

    Args:
        network: of neurons of snnTorch or SpikingJelly; for the two faults of weights, of any layers.
        fault: a key of ``FAULTS``.
        severity: ``s`` in [0, 1], see the module docstring; 0 changes nothing.
        generator: which neurons, spikes and weights; ``None``: the global one.

    Raises:
        ValueError: an unknown fault, a severity outside [0, 1], a network without spiking neurons.

    >>> from snnlab import data, zoo
    >>> model, digits = zoo.load("onset"), data.load("mnist5k").test[:50]
    >>> with faulty(model, "lost", 1.0):
    ...     silent = model.predict(digits.images)[-1]
    >>> silent.unique().tolist()
    [-1]
    """
    if fault not in FAULTS:
        raise ValueError(f"unknown fault {fault!r}; choose one of {', '.join(FAULTS)}")
    if not 0 <= severity <= 1:
        raise ValueError(f"the severity of a fault lies in [0, 1], got {severity!r}")
    if severity == 0:
        yield
        return
    source = generator or torch.Generator().manual_seed(int(torch.randint(2**31 - 1, (1,))))
    remove = FAULTS[fault].install(network, severity, source)
    try:
        yield
    finally:
        remove()


def _neurons(network: nn.Module, hidden: bool = False) -> list[nn.Module]:
    """Return the spiking neurons in their order; the hidden ones are all but the last, unless there is only one."""
    neurons = [module for module in network.modules() if is_neuron(module)]
    if not neurons:
        raise ValueError("this fault is one of spiking neurons, and the network has none; use 'weight' or 'flipped_bits'")
    return neurons[:-1] if hidden and len(neurons) > 1 else neurons


def _uniform(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(like.shape, generator=generator).to(like.device)


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator).to(like.device)


def _removed(handles: list[Any]) -> Callable[[], None]:
    def remove() -> None:
        for handle in handles:
            handle.remove()

    return remove


def _on_spikes(change: Callable[[nn.Module, Tensor], Tensor], neurons: list[nn.Module]) -> list[Any]:
    """Change the spikes that neurons give, by hooks."""

    def hook(module: nn.Module, inputs: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return (change(module, output[0]), *output[1:])
        return change(module, output)

    return [neuron.register_forward_hook(hook) for neuron in neurons]


def _lost(network: nn.Module, severity: float, generator: torch.Generator) -> Callable[[], None]:
    return _removed(_on_spikes(lambda _, spikes: spikes * (_uniform(spikes, generator) >= severity), _neurons(network)))


def _late(network: nn.Module, severity: float, generator: torch.Generator) -> Callable[[], None]:
    waiting: dict[nn.Module, Tensor] = {}

    def delayed(module: nn.Module, spikes: Tensor) -> Tensor:
        held = spikes * (_uniform(spikes, generator) < severity)
        if all_steps_at_once(module):
            before = torch.cat([torch.zeros_like(held[:1]), held[:-1]])
        else:
            before = waiting.get(module, torch.zeros_like(held))
            waiting[module] = held
        return torch.maximum(spikes - held, before)

    # A call of the whole network is one sequence: nothing waits from the sequence before.
    fresh = network.register_forward_pre_hook(lambda *_: waiting.clear())
    return _removed([fresh, *_on_spikes(delayed, _neurons(network))])


def _fixed(neurons: list[nn.Module], value: float, severity: float, generator: torch.Generator) -> Callable[[], None]:
    chosen: dict[nn.Module, Tensor] = {}

    def change(module: nn.Module, spikes: Tensor) -> Tensor:
        one = spikes[0, 0] if all_steps_at_once(module) else spikes[0]
        if module not in chosen:
            chosen[module] = _uniform(one, generator) < severity
        return torch.where(chosen[module], torch.full_like(spikes, value), spikes)

    return _removed(_on_spikes(change, neurons))


def _threshold(network: nn.Module, severity: float, generator: torch.Generator) -> Callable[[], None]:
    factors: dict[nn.Module, Tensor] = {}

    def divide(module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        if not inputs:
            raise ValueError(f"{type(module).__name__} is called without its current as first argument; pass it by position")
        current = inputs[0]
        if module not in factors:
            one = current[0, 0] if all_steps_at_once(module) else current[0]
            factors[module] = (1 + severity * _normal(one, generator)).clamp(min=SMALLEST)
        return (current / factors[module], *inputs[1:])

    return _removed([neuron.register_forward_pre_hook(divide) for neuron in _neurons(network)])


def _weights(change: Callable[[Tensor, float, torch.Generator], Tensor]) -> Install:
    """Return what replaces the weights ``[out, …]`` of every layer by ``change`` of them."""

    def install(network: nn.Module, severity: float, generator: torch.Generator) -> Callable[[], None]:
        weights = [getattr(module, "weight", None) for module in network.modules()]
        before = [(w, w.data) for w in weights if isinstance(w, nn.Parameter) and w.dim() >= 2]
        for parameter, value in before:
            parameter.data = change(value, severity, generator)

        def remove() -> None:
            for parameter, value in before:
                parameter.data = value

        return remove

    return install


def _integers(weight: Tensor, bits: int = BITS) -> tuple[Tensor, Tensor]:
    """Return integers ``q`` of so many bits and the power of two of each neuron: their product is nearest to a weight."""
    largest = weight.flatten(1).abs().amax(1).clamp(min=2.0**-60).view(-1, *[1] * (weight.dim() - 1))
    levels = 2 ** (bits - 1) - 1
    scale = torch.exp2(torch.ceil(torch.log2(largest / max(levels, 0.5))))
    return (weight / scale).round().clamp(-levels - 1, max(levels, 0)), scale


def _flipped(weight: Tensor, severity: float, generator: torch.Generator) -> Tensor:
    q, scale = _integers(weight)
    mask = sum((_uniform(q, generator) < severity).to(torch.int16) << bit for bit in range(BITS))
    flipped = (q.to(torch.int16) & 0xFF) ^ mask
    return torch.where(flipped >= 128, flipped - 256, flipped).to(weight.dtype) * scale


def _rounded(weight: Tensor, severity: float, generator: torch.Generator) -> Tensor:
    q, scale = _integers(weight, max(1, round(BITS - (BITS - 1) * severity)))
    return q * scale


def _mismatched(weight: Tensor, severity: float, generator: torch.Generator) -> Tensor:
    return weight * (1 + severity * _normal(weight, generator))


#: faults that need no spiking neurons
OF_WEIGHTS: tuple[str, ...] = ("weight", "flipped_bits", "fewer_bits")
#: the faults by name
FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("lost", "lost spikes", _lost),
        Fault("late", "late spikes", _late, (0.2, 0.4, 0.6, 0.8, 1.0)),
        Fault("dead", "dead neurons", lambda net, s, g: _fixed(_neurons(net, hidden=True), 0.0, s, g)),
        Fault(
            "stuck",
            "neurons stuck at firing",
            lambda net, s, g: _fixed(_neurons(net, hidden=True), 1.0, s, g),
            (0.01, 0.02, 0.05, 0.1, 0.2),
        ),
        Fault("threshold", "mismatch of thresholds", _threshold),
        Fault("weight", "mismatch of weights", _weights(_mismatched)),
        Fault("flipped_bits", "flipped bits of weights", _weights(_flipped), (0.001, 0.003, 0.01, 0.03, 0.1)),
        Fault(
            "fewer_bits", "fewer bits of weights", _weights(_rounded), tuple(bits / (BITS - 1) for bits in (2, 3, 4, 5, 6))
        ),
    )
}
