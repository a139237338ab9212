r"""How weights are stored: small integers times a power of two per neuron.

.. math:: W_{ij} = q_{ij}\,2^{e_i}, \quad b_i = r_i\,2^{e_i}, \qquad |q_{ij}| \le 45

A neuron of a convolution is an output channel, with up to 127 levels. A weight needs one byte, and sums are exact: with spikes
in {0, 1} every input current is an integer below 2^24 times a power of two, which float32 holds without rounding in any order
of summation. So spikes are the same on every machine and in the browser. Accuracies are measured on the stored weights.
"""

from __future__ import annotations

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

_Layer = nn.Linear | nn.Conv2d

__all__ = ["MAX_LEVEL", "packed", "quantise", "read_weights"]

MAX_LEVEL = 45
MAX_LEVEL_CONVOLUTION = 127


def quantise(network: nn.Module) -> None:
    """Round every layer of ``network`` to what can be stored, in place; twice is the same as once."""
    for layer in _layers(network):
        _set(layer, *integers(layer))


def integers(layer: _Layer) -> tuple[Tensor, Tensor, Tensor]:
    """Return ``q`` int8 ``[out, in]``, ``r`` int32 ``[out]`` and ``e`` int8 ``[out]`` of a layer, nearest to its weights.

    Raises:
        ValueError: a convolution without bias: fold its batch norm first (``snnlab.networks.conv.fold``).
    """
    if layer.bias is None:
        raise ValueError("a convolution without bias cannot be stored; fold the batch norm behind it first")
    weight, bias = layer.weight.detach().flatten(1), layer.bias.detach()
    largest = weight.abs().amax(1).clamp(min=2.0**-60)
    levels = MAX_LEVEL if isinstance(layer, nn.Linear) else MAX_LEVEL_CONVOLUTION
    exponent = torch.ceil(torch.log2(largest / levels)).clamp(-60, 60)
    scale = torch.exp2(exponent)
    q = (weight / scale[:, None]).round()
    return q.to(torch.int8), (bias / scale).round().to(torch.int32), exponent.to(torch.int8)


def packed(network: nn.Module) -> bytes:
    """Return the layers of ``network`` as the content of a safetensors file; parameters beside them as they are."""
    tensors = {name: parameter.detach() for name, parameter in _others(network).items()}
    for i, layer in enumerate(_layers(network)):
        tensors |= dict(zip(_names(i), integers(layer), strict=True))
    content: bytes = save(tensors)
    return content


def read_weights(network: nn.Module, blob: bytes, name: str) -> None:
    """Load what ``packed`` gave into a network of the same sizes.

    Raises:
        ValueError: not a safetensors file, or tensors of other names or shapes than the network's layers.
    """
    try:
        tensors = load(blob)
    except SafetensorError as error:
        raise ValueError(f"weights of {name!r} are no safetensors file ({error}); rebuild with 'snnlab zoo build'") from None
    others = _others(network)
    shapes = {key: list(parameter.shape) for key, parameter in others.items()}
    for i, layer in enumerate(_layers(network)):
        shape = list(layer.weight.flatten(1).shape)
        shapes |= dict(zip(_names(i), (shape, shape[:1], shape[:1]), strict=True))
    stored = {key: list(tensor.shape) for key, tensor in tensors.items()}
    if stored != shapes:
        raise ValueError(f"weights of {name!r} have the shapes {stored}, the network expects {shapes}")
    for key, parameter in others.items():
        parameter.data = tensors[key]
    for i, layer in enumerate(_layers(network)):
        _set(layer, *(tensors[key] for key in _names(i)))


def _names(i: int) -> tuple[str, str, str]:
    return f"{i}.weight", f"{i}.bias", f"{i}.exponent"


def _set(layer: _Layer, q: Tensor, r: Tensor, exponent: Tensor) -> None:
    """Set weights and bias from integers, in the memory layout of the layer."""
    assert layer.bias is not None
    scale = torch.exp2(exponent.float())
    layer.weight.data = torch.empty_like(layer.weight).copy_((q.float() * scale[:, None]).view_as(layer.weight))
    layer.bias.data = r.float() * scale


def _layers(network: nn.Module) -> list[_Layer]:
    return [module for module in network.modules() if isinstance(module, nn.Linear | nn.Conv2d)]


def _others(network: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters of ``network`` that belong to none of its layers, as learned factors of steps."""
    of_layers = {id(parameter) for layer in _layers(network) for parameter in layer.parameters()}
    return {name: parameter for name, parameter in network.named_parameters() if id(parameter) not in of_layers}
