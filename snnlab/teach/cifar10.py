"""Checks of the chapter *CIFAR-10*."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from snnlab.networks.conv import Block, SpikingConvNet, fold
from snnlab.networks.sequence import lif
from snnlab.statistics import wilson_interval
from snnlab.teach.exercises import Function, expect, tensor_of


def _charge(answer: Function) -> None:
    """cifar10.1: a function ``charge(spikes, membrane)``: the charge an integrating read-out has received, at every exit."""
    current = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(0))
    spikes, membrane = lif(current, beta=1.0)
    result = tensor_of(answer(spikes, membrane), current.shape).to(current)
    early = torch.allclose(result, membrane + spikes.cumsum(0), atol=1e-4)
    expect(
        not early, "the spike of this very step has not been taken from the potential yet: the reset comes one step later"
    )
    right = torch.allclose(result, current.cumsum(0), atol=1e-4)
    expect(right, "it is not the sum of the currents so far; what has a spike carried away, and when?")


def _factor(answer: Function) -> None:
    """cifar10.2: a function ``times(snn, ann, n)`` of two counts of n: the factor, or ``None`` if the first may be guessing."""
    for snn, ann, n in ((440, 120, 1000), (300, 290, 1000), (50, 5, 1000), (110, 20, 1000), (119, 60, 1000), (14, 5, 100)):
        result = answer(snn, ann, n)
        if wilson_interval(snn, n)[0] <= 0.1:
            hint = f"with {snn} of {n} right guessing is not excluded, whatever the other keeps: there is no factor"
            expect(result is None, hint)
        else:
            expect(result is not None, f"with {snn} of {n} right guessing is excluded: there is a factor")
            factor = float(tensor_of(result, (), "the factor"))
            expect(abs(factor - ann / snn) > 1e-6, "that is the ANN's share of the spiking network's: the other way round")
            expect(abs(factor - snn / ann) <= 1e-6 * factor, f"with {snn} against {ann} of {n} the factor is another")


def _fold(answer: Function) -> None:
    """cifar10.3: a function ``folded(weight, gain, offset, mean, variance)``: weight and bias of the convolution alone."""
    generator = torch.Generator().manual_seed(0)
    network = SpikingConvNet((Block(4),))
    layer: Any = network.layers[0].current
    norm, conv = layer.norm, layer.conv
    given: dict[str, Tensor] = {"weight": conv.weight.detach().clone()}
    for name, low, high in (("gain", 1, 3), ("offset", -1, 1), ("mean", -1, 1), ("variance", 0.2, 2)):
        given[name] = torch.empty(4).uniform_(low, high, generator=generator)
    for attribute, name in (("weight", "gain"), ("bias", "offset"), ("running_mean", "mean"), ("running_var", "variance")):
        getattr(norm, attribute).data.copy_(given[name])
    fold(network)
    result = answer(*(value.clone() for value in given.values()))  # by position: the reader may have named them otherwise
    expect(isinstance(result, tuple | list) and len(result) == 2, "give two tensors, the weight and the bias")
    weight, bias = tensor_of(result[0], conv.weight.shape, "the weight"), tensor_of(result[1], (4,), "the bias")
    weight, bias = weight.to(conv.weight), bias.to(conv.weight)
    right = torch.allclose(weight, conv.weight.detach(), atol=1e-3)
    expect(right, "the weights are others: the norm divides by a standard deviation, channel by channel")
    right = torch.allclose(bias, conv.bias.detach(), atol=1e-3)
    expect(right, "the bias is another: the mean is subtracted before the gain is applied")


CHECKS = {"cifar10.1": _charge, "cifar10.2": _factor, "cifar10.3": _fold}
