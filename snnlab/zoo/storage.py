r"""How weights are stored: small integers times a power of two per neuron.

.. math:: W_{ij} = q_{ij}\,2^{e_i}, \quad b_i = r_i\,2^{e_i}, \qquad |q_{ij}| \le 45

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

__all__ = ["MAX_LEVEL", "packed", "quantise", "read_weights", "write_weights"]

MAX_LEVEL = 45


def quantise(network: nn.Module) -> None:
    """Round every linear layer of ``network`` to what can be stored, in place; twice is the same as once."""
    for layer in _layers(network):
        weight, bias, exponent = integers(layer)
        scale = torch.exp2(exponent.float())
        layer.weight.data = weight.float() * scale[:, None]
        layer.bias.data = bias.float() * scale


def integers(layer: nn.Linear) -> tuple[Tensor, Tensor, Tensor]:
    """``q`` int8 ``[out, in]``, ``r`` int32 ``[out]`` and ``e`` int8 ``[out]`` of a layer, nearest to its weights."""
    weight, bias = layer.weight.detach(), layer.bias.detach()
    largest = weight.abs().amax(1).clamp(min=2.0**-60)
    exponent = torch.ceil(torch.log2(largest / MAX_LEVEL)).clamp(-60, 60)
    scale = torch.exp2(exponent)
    q = (weight / scale[:, None]).round()
    return q.to(torch.int8), (bias / scale).round().to(torch.int32), exponent.to(torch.int8)


def write_weights(network: nn.Module, path: Path) -> None:
    """Write the linear layers of ``network`` to a safetensors file."""
    path.write_bytes(packed(network))


def packed(network: nn.Module) -> bytes:
    """The linear layers of ``network`` as the content of a safetensors file."""
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
        if q.shape != layer.weight.shape or r.shape != layer.bias.shape or e.shape != layer.bias.shape:
            raise ValueError(
                f"layer {i} of {name!r} has weights {list(q.shape)}, the network expects {list(layer.weight.shape)}"
            )
        scale = torch.exp2(e.float())
        layer.weight.data = q.float() * scale[:, None]
        layer.bias.data = r.float() * scale


def _layers(network: nn.Module) -> list[nn.Linear]:
    return [module for module in network.modules() if isinstance(module, nn.Linear)]
