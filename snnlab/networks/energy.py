r"""Energy of an answer, counted in operations (Horowitz 2014, 45 nm, 32-bit floating point).

An ANN multiplies and adds once per weight (a MAC); a spike adds its weights (synaptic operations, SynOps). Up to exit step ``e``,
with ``s_l`` the spikes of layer ``l`` and ``n_{l+1}`` their fan-out:

.. math::

    E(e) = 4.6\,\mathrm{pJ} · \mathrm{MACs}(e) + 0.9\,\mathrm{pJ} · \mathrm{SynOps}(e), \qquad
    \mathrm{SynOps}(e) = \sum_{t<e} \sum_l n_{l+1} \sum_i 1[s_{l,i}[t] ≠ 0]

The first layer multiplies where the code is analog (``Encoder.is_analog``), at every step whose input is not that of the step
before. A spike counts as one SynOp whatever its weight; a silenced part of a fusion costs nothing, and neither do read-out
spikes. In a convolution the fan-out is the number of kernel positions that contain the spike times the output channels. Average
pooling and synaptic filters (``snnlab.training.tssl_bp``) are linear and not counted.

This is an estimate from counts, not a measurement of a chip; ``LEFT_OUT`` lists what it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snnlab.encoding import Encoder
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.networks.conv import ConvNet, SpikingConvNet

#: energy of a multiply-accumulate, in pJ (45 nm)
PJ_PER_MAC = 4.6
#: energy of an accumulate for one spike at one synapse, in pJ
PJ_PER_SYNOP = 0.9

#: what the estimate does not count
LEFT_OUT: tuple[str, ...] = (
    "memory access: reading weights, reading and writing membrane potentials",
    "the neurons' own work at every step: leak, threshold, reset, biases; an ANN's ReLU",
    "encoding the image, comparing the read-out, deciding when to exit",
    "moving spikes across a chip, and static power while waiting",
)


@dataclass(frozen=True)
class Energy:
    """Operations per sample up to every exit step, ``[T, N]``; entry ``e-1`` belongs to exit step ``e``, an ANN has one."""

    macs: Tensor
    synops: Tensor
    left_out: tuple[str, ...] = LEFT_OUT

    @property
    def picojoules(self) -> Tensor:
        """Energy per sample at every exit, ``[T, N]``, in pJ."""
        return PJ_PER_MAC * self.macs + PJ_PER_SYNOP * self.synops

    def at(self, exit_steps: Tensor | int) -> Tensor:
        """Energy per sample ``[N]`` in pJ at its exit step in ``1 … T``, one for each sample or one for all."""
        num_steps, num = self.macs.shape
        steps = torch.as_tensor(exit_steps)
        steps = steps.expand(num) if steps.dim() == 0 else steps
        if steps.shape != (num,) or steps.is_floating_point() or not (steps.min() >= 1 and steps.max() <= num_steps):
            raise ValueError(
                f"expected one exit step from 1 to {num_steps}, or one for each of {num} samples, got {exit_steps}"
            )
        return self.picojoules.gather(0, steps.view(1, -1) - 1)[0]

    def __str__(self) -> str:
        last = self.at(len(self.macs)).mean() / 1000
        return f"{last:.4g} nJ per sample at exit {len(self.macs)}, without {'; '.join(self.left_out)}"


@torch.no_grad()
def energy(classifier: Classifier, images: Tensor) -> Energy:
    """Count the operations of each sample up to every exit step, in one forward pass.

    Args:
        classifier: a ``SpikingMLP`` or ``SpikingConvNet`` with its encoder; an ``MLP`` or ``ConvNet``.
        images: ``[N, C, H, W]`` in [0, 1].

    Raises:
        ValueError: bad images; a network whose hidden spikes cannot be seen.

    Source: Horowitz 2014 (energy per operation); Ding et al. 2025 (use).

    >>> print(energy(Classifier(MLP((4, 3, 2))), torch.ones(1, 1, 2, 2)).picojoules)
    tensor([[82.8000]])
    """
    network, code = classifier.network, classifier.encoder
    if isinstance(network, SpikingMLP | SpikingConvNet) and code is not None:
        return energy_of_trace(network, code, classifier.trace(images)[0])
    if not isinstance(network, MLP | ConvNet) or code is not None:
        raise ValueError(
            "can count a SpikingMLP or SpikingConvNet with an encoder, an MLP or ConvNet without, got "
            f"{type(network).__name__} with {'no encoder' if code is None else code.title}"
        )
    classifier(images)  # checks images and sizes
    sequence = images.unsqueeze(0)
    if isinstance(network, ConvNet):
        read = [sequence, *network.run(sequence)[0]]
        reached = [_reached(conv, torch.ones_like(read[k])) for conv, k in network.synapses()]
        macs = torch.stack(reached).sum(0) + network.readout.weight.numel()  # once a channel, pooled
    else:
        macs = torch.full((1, len(images)), float(sum(a * b for a, b in pairwise(network.sizes))))
    return Energy(macs, torch.zeros_like(macs))


def energy_of_trace(network: SpikingMLP | SpikingConvNet, code: Encoder, layers: Sequence[Tensor]) -> Energy:
    """Return the energy of a pass from the spikes of the code and of every hidden layer, ``[T, N, …]`` (``Classifier.trace``)."""
    if isinstance(network, SpikingConvNet):
        synapses = [*network.synapses(), (network.readout, len(layers) - 1)]
    else:
        synapses = [(layer, k) for k, layer in enumerate(network.layers)]
    macs = torch.zeros(layers[0].shape[:2])
    synops = torch.zeros_like(macs)
    for layer, reads in synapses:
        parts = _parts(code, layers[0]) if reads == 0 else [(False, layers[reads])]
        for analog, part in parts:
            if analog:
                macs += _changes(part) * _reached(layer, torch.ones_like(part[:1]))
            else:
                synops += _reached(layer, (part != 0).float()).cumsum(0)
    return Energy(macs, synops)


def _reached(layer: nn.Module, events: Tensor) -> Tensor:
    """How many products of a layer the events ``[T, N, …]`` take part in, ``[T, N]``."""
    if not isinstance(layer, nn.Conv2d):
        return events.flatten(2).sum(-1) * cast(nn.Linear, layer).out_features
    kernel = torch.ones(1, 1, *layer.kernel_size)
    there = events.flatten(0, 1).sum(1, keepdim=True)
    reached = F.conv2d(there, kernel, stride=layer.stride, padding=layer.padding)
    return reached.flatten(1).sum(1).view(events.shape[:2]) * layer.out_channels


def _changes(part: Tensor) -> Tensor:
    """Number of steps of each sample up to every exit step whose input is not that of the step before, ``[T, N]``."""
    changed = torch.ones(part.shape[:2])
    changed[1:] = (part[1:] != part[:-1]).flatten(2).any(-1).float()
    return changed.cumsum(0)


def _parts(code: Encoder, sequence: Tensor) -> Iterator[tuple[bool, Tensor]]:
    """Every code that is no fusion and not silenced: whether it is analog, and its channels ``[T, N, C, H, W]``."""
    leaves, channels = code.leaves(), sequence.shape[2] // code.channel_factor
    widths = [part.channel_factor * channels for _, part in leaves]
    for (gate, part), block in zip(leaves, torch.split(sequence, widths, dim=2), strict=True):
        if gate > 0:
            yield part.is_analog, block
