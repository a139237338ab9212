r"""How weights are stored: small integers times a power of two per neuron.

.. math:: W_{ij} = q_{ij}\,2^{e_i}, \quad b_i = r_i\,2^{e_i}, \qquad |q_{ij}| \le 45

A convolution's weights are stored alike, a neuron being an output channel, with up to 127 levels: few meet in one sum.

Two reasons. The zoo is small (a byte a weight). And sums are exact: with spikes in {0, 1} every input current is an
integer below 2^24 times a power of two, which float32 holds without rounding, in any order of summation. The same
spikes therefore come out on every machine and in the browser. Accuracies are measured on the stored weights, so they
belong to the network that is shipped; what rounding costs stands in each model card.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

_Layer = nn.Linear | nn.Conv2d

__all__ = ["MAX_LEVEL", "packed", "quantise", "read_weights", "write_weights"]

MAX_LEVEL = 45
MAX_LEVEL_CONVOLUTION = 127


def quantise(network: nn.Module) -> None:
    """Round every layer of ``network`` to what can be stored, in place; twice is the same as once."""
    for layer in _layers(network):
        weight, bias, exponent = integers(layer)
        scale = torch.exp2(exponent.float())
        _set(layer, _scaled(weight, scale, layer), bias.float() * scale)


def integers(layer: _Layer) -> tuple[Tensor, Tensor, Tensor]:
    """``q`` int8 ``[out, in]``, ``r`` int32 ``[out]`` and ``e`` int8 ``[out]`` of a layer, nearest to its weights.

    Raises:
        ValueError: a convolution without bias: fold its batch norm first (``snnlab.convolution.fold``).
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


def write_weights(network: nn.Module, path: Path) -> None:
    """Write the layers of ``network`` to a safetensors file."""
    path.write_bytes(packed(network))


def packed(network: nn.Module) -> bytes:
    """The layers of ``network`` as the content of a safetensors file."""
    tensors: dict[str, Tensor] = {}
    for i, layer in enumerate(_layers(network)):
        q, r, e = integers(layer)
        tensors |= {f"{i}.weight": q, f"{i}.bias": r, f"{i}.exponent": e}
    content: bytes = save(tensors)
    return content


def read_weights(network: nn.Module, blob: bytes, name: str) -> None:
    """Load what ``write_weights`` wrote into a network of the same sizes.

    Raises:
        ValueError: not a safetensors file, or tensors of other names or shapes than the network's layers.
    """
    try:
        tensors = load(blob)
    except SafetensorError as error:
        raise ValueError(f"weights of {name!r} are no safetensors file ({error}); rebuild with 'snnlab zoo build'") from None
    layers = _layers(network)
    expected = {f"{i}.{part}" for i in range(len(layers)) for part in ("weight", "bias", "exponent")}
    if set(tensors) != expected:
        raise ValueError(f"weights of {name!r} hold {sorted(tensors)}, expected {sorted(expected)}")
    for i, layer in enumerate(layers):
        q, r, e = (tensors[f"{i}.{part}"] for part in ("weight", "bias", "exponent"))
        if q.shape != layer.weight.flatten(1).shape or {r.shape, e.shape} != {layer.weight.shape[:1]}:
            raise ValueError(
                f"layer {i} of {name!r} has weights {list(q.shape)}, the network expects {list(layer.weight.shape)}"
            )
        scale = torch.exp2(e.float())
        _set(layer, _scaled(q, scale, layer), r.float() * scale)


def _set(layer: _Layer, weight: Tensor, bias: Tensor) -> None:
    assert layer.bias is not None
    layer.weight.data, layer.bias.data = weight, bias


def _scaled(levels: Tensor, scale: Tensor, layer: _Layer) -> Tensor:
    """Weights from their levels ``[out, in]``, in the shape and memory layout of the layer."""
    return torch.empty_like(layer.weight).copy_((levels.float() * scale[:, None]).view_as(layer.weight))


def _layers(network: nn.Module) -> list[_Layer]:
    return [module for module in network.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
