r"""Input currents of a linear layer over a sequence of spikes, computed as seldom as the spikes allow.

.. math:: I[t] = W\,s[t] + b = b + \sum_{j:\,s_j[t] ≠ 0} s_j[t]\,W_j

Three ways to the same current:

* a sequence that is the same at every step (stride 0 in time, ``direct``) is multiplied once;
* of sparse spikes only the columns ``W_j`` of those that fired are added up: what is silent costs nothing, as on event-driven
  hardware. A digit in ``latency`` fires at 2 % of its pixels and steps, in ``onset`` at 11 %;
* otherwise all steps go into one matrix product.

With weights as the zoo stores them sums are exact in any order (``snnlab.zoo.storage``), so all three give the same bits; with
other weights they agree to rounding. Training asks for gradients of the weights and takes the product.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["current_of"]

#: Adding up events pays where fewer than one value in ``RATIO`` times the number of threads is not zero (the product uses all
#: threads, the search for events one), and the columns are long enough for the search to be the lesser part of it.
RATIO = 4
SHORTEST = 64


def current_of(layer: nn.Linear, sequence: Tensor) -> Tensor:
    """Input current ``I`` of a layer at every step.

    Args:
        layer: weights ``W`` and bias ``b``.
        sequence: what it reads, ``[T, N, in]``.

    Shapes: → ``[T, N, out]``.
    """
    if sequence.stride(0) == 0:
        current: Tensor = layer(sequence[0])
        return current.expand(len(sequence), *current.shape)
    fired = _sparse(layer, sequence)
    if fired is None:
        return F.linear(sequence, layer.weight, layer.bias)
    return _Events.apply(sequence, fired, layer.weight, layer.bias)  # type: ignore[no-any-return, no-untyped-call]


def _sparse(layer: nn.Linear, sequence: Tensor) -> Tensor | None:
    """Where a sequence is not zero, if it is worth while to add up these events; else ``None``."""
    learns = torch.is_grad_enabled() and any(p.requires_grad for p in layer.parameters())
    if learns or layer.bias is None or layer.out_features < SHORTEST or sequence.device.type != "cpu":
        return None
    fired = sequence.detach().bool()
    few = np.count_nonzero(fired.numpy()) * RATIO * torch.get_num_threads() < fired.numel()
    return fired if few else None


class _Events(torch.autograd.Function):
    """The sum over events in the forward pass; in the backward pass the transposed product, since no gradient is sparse."""

    @staticmethod
    def forward(ctx: Any, sequence: Tensor, fired: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(weight)
        width = sequence.shape[-1]
        events = torch.from_numpy(np.flatnonzero(fired.numpy()))
        begins = torch.searchsorted(events, torch.arange(0, fired.numel(), width))  # of every step of every sample
        values = sequence.reshape(-1)[events]
        columns = weight.T.contiguous()
        current = F.embedding_bag(events.remainder_(width), columns, begins, mode="sum", per_sample_weights=values)
        return current.add_(bias).view(*sequence.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        (weight,) = ctx.saved_tensors
        return grads[0] @ weight, None, None, None
