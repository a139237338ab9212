r"""Input currents of a linear layer over a sequence of spikes, with no work where nothing fires.

.. math:: I[t] = W\,s[t] + b = b + \sum_{j:\,s_j[t] ≠ 0} s_j[t]\,W_j

A sequence that is the same at every step (stride 0 in time, ``direct``) is multiplied once; of sparse spikes only the columns
``W_j`` of those that fired are added up, unless the weights learn; otherwise one matrix product takes all steps. With weights as
the zoo stores them (``snnlab.zoo.quantised``) all three give the same bits, with others they agree to rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import handle_torch_function, has_torch_function_unary

# Adding up events pays where fewer than one value in ``RATIO`` times the number of threads is not zero, and columns are long.
RATIO = 4
SHORTEST = 64


def synaptic_current(layer: nn.Linear, sequence: Tensor) -> Tensor:
    """Return the input current ``I`` of a layer with weights ``W`` and bias ``b`` at every step.

    Shapes: sequence ``[T, N, in]`` → ``[T, N, out]``.

    >>> synaptic_current(nn.Linear(3, 2), torch.ones(4, 1, 3)).shape
    torch.Size([4, 1, 2])
    """
    if has_torch_function_unary(sequence):  # whoever records operations sees this one
        return handle_torch_function(synaptic_current, (sequence,), layer, sequence)
    if sequence.stride(0) == 0:
        current: Tensor = layer(sequence[0])
        return current.expand(len(sequence), *current.shape)
    fired = _sparse(layer, sequence)
    if fired is None:
        return F.linear(sequence, layer.weight, layer.bias)
    return _Events.apply(sequence, fired, layer.weight, layer.bias)  # type: ignore[no-any-return, no-untyped-call]


def _sparse(layer: nn.Linear, sequence: Tensor) -> Tensor | None:
    """Where a sequence is not zero, if adding up these events is faster than the product; else ``None``."""
    learns = torch.is_grad_enabled() and any(p.requires_grad for p in layer.parameters())
    if learns or layer.bias is None or layer.out_features < SHORTEST or sequence.device.type != "cpu":
        return None
    fired = sequence.detach().bool()
    sparse = np.count_nonzero(fired.numpy()) * RATIO * torch.get_num_threads() < fired.numel()
    return fired if sparse else None


class _Events(torch.autograd.Function):
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
