r"""Decoding: from output spikes and potentials to an answer, at every exit step at once.

Exit step ``e`` in ``1 … T`` reads the steps ``t = 0 … e-1``. One forward pass answers for every exit (Ding et al. 2025):

======== ============================================= ===========================================
rule     ``logit_k`` at exit ``e``                      reads as
======== ============================================= ===========================================
rate     ``Σ_{t<e} s_k[t]``                             the class with the most spikes
membrane ``Σ_{t<e} U_k[t]``                             the highest read-out potential over time
ttfs     ``max_{t<e} s_k[t] (T - t)``                   the class that fires first
current  ``U_k[e-1] + Σ_{t<e-1} s_k[t]``                the highest mean output current
======== ============================================= ===========================================

``current`` belongs to a read-out that integrates (``β = 1``, reset by subtraction, ``θ = 1``; ``snnlab.networks.conv``): the
potential and the spikes add up to the charge ``Σ_{t<e} I_k[t]``. The gradient of ``ttfs`` is that of the first spike's step
(``snnlab.training.losses``). Of classes with equal logits the one with the highest potential ``U_k[e-1]`` wins. If all logits are
zero, the prediction is ``SILENT`` (-1), which equals no label.
"""

from __future__ import annotations

import torch
from torch import Tensor

#: names of the read-outs
DECODERS: tuple[str, ...] = ("rate", "membrane", "ttfs", "current")
#: the answer of a network whose outputs are all zero
SILENT = -1


def logits_at_every_exit(spikes: Tensor, membrane: Tensor, rule: str = "rate", num_steps: int | None = None) -> Tensor:
    """Return logits for every exit step (table in the module docstring).

    Args:
        spikes, membrane: of the read-out, over the steps that were run.
        rule: one of ``DECODERS``.
        num_steps: ``T`` of the code, where fewer steps were run.

    Shapes: spikes and membrane ``[T, N, K]`` → ``[T, N, K]``; entry ``e-1`` belongs to exit step ``e``.

    Raises:
        ValueError: unknown rule, shapes that differ.

    >>> spikes = torch.tensor([[[0.0, 1.0]], [[1.0, 1.0]]])
    >>> logits_at_every_exit(spikes, spikes, "rate").squeeze(1)
    tensor([[0., 1.],
            [1., 2.]])
    """
    if rule not in DECODERS:
        raise ValueError(f"unknown decoder {rule!r}; choose one of {', '.join(DECODERS)}")
    if spikes.shape != membrane.shape or spikes.dim() != 3:
        raise ValueError(f"expected spikes and membrane [T, N, K], got {list(spikes.shape)}, {list(membrane.shape)}")
    if rule == "rate":
        return spikes.cumsum(0)
    if rule == "membrane":
        return membrane.cumsum(0)
    if rule == "current":
        return membrane + (spikes.cumsum(0) - spikes).detach()  # the potential alone carries the gradient of the charge
    whole = num_steps or len(spikes)
    fired = 1 - (1 - spikes).cumprod(0)  # from the first spike on
    ahead = whole - torch.arange(1, len(spikes) + 1, dtype=spikes.dtype, device=spikes.device)
    return fired.cumsum(0) + fired.detach() * ahead.view(-1, 1, 1)  # steps since the first spike, and those to come


def predictions(logits: Tensor, membrane: Tensor) -> Tensor:
    """Predicted class, or ``SILENT``, for logits and potentials ``[…, K]`` of the same exits.

    >>> predictions(torch.tensor([[2.0, 2.0], [0.0, 0.0]]), torch.tensor([[0.1, 0.3], [0.0, 0.0]]))
    tensor([ 1, -1])
    """
    tied = logits == logits.amax(-1, keepdim=True)
    chosen = membrane.masked_fill(~tied, float("-inf")).argmax(-1)
    silent = (logits == 0).all(-1)
    return chosen.masked_fill(silent, SILENT)


def check_exit_step(exit_step: int | None, num_steps: int) -> int:
    """``exit_step`` if it lies in ``1 … T`` (``None`` means ``T``), else ``ValueError``."""
    if exit_step is None:
        return num_steps
    if isinstance(exit_step, bool) or not isinstance(exit_step, int) or not 1 <= exit_step <= num_steps:
        raise ValueError(f"exit_step must be an integer from 1 to num_steps={num_steps}, got {exit_step!r}")
    return exit_step
