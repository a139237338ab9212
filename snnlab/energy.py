r"""Energy: what an answer costs, counted in operations (Horowitz 2014, 45 nm, 32-bit floating point).

An ANN multiplies and adds once per weight (a MAC). A spike brings its weight by an addition only, and only when it comes (a
synaptic operation, SynOp). Up to exit step ``e``, with ``s_l`` the spikes of layer ``l`` and ``n_{l+1}`` their fan-out:

.. math::

    E(e) = 4.6\,\mathrm{pJ} · \mathrm{MACs}(e) + 0.9\,\mathrm{pJ} · \mathrm{SynOps}(e), \qquad
    \mathrm{SynOps}(e) = \sum_{t<e} \sum_l n_{l+1} \sum_i 1[s_{l,i}[t] ≠ 0]

The first layer multiplies where the code is analog, at every step whose input is not that of the step before. ``direct``
feeds the same current at every step, so its product is computed once, whatever the exit; an analog code that changes (an
encoder of your own) pays every step. A spike counts as one SynOp whatever it is worth: a power of two in ``phase``, the gate
in a fusion. In a fusion each part is counted its own way, and a part that is silenced costs nothing. Read-out spikes reach
no synapse and cost nothing. A synaptic filter (``snnlab.tsslbp``) is linear, so it may follow the weights: a spike is still
one SynOp. In a convolution a spike's fan-out is the number of kernels' positions that see it times the output channels, fewer
at the edges and where the convolution strides; average pooling adds spikes up behind the weights or before the read-out.

This is an estimate from counts, not a measurement of a chip. ``LEFT_OUT`` says what it leaves out; memory access alone can
outweigh all that is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snnlab.convolution import ConvNet, SpikingConvNet
from snnlab.encoding import Direct, Encoder, Fusion, Phase
from snnlab.network import MLP, Classifier, SpikingMLP

__all__ = ["LEFT_OUT", "PJ_PER_MAC", "PJ_PER_SYNOP", "Energy", "energy", "energy_of_trace"]

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
    """Operations per sample up to every exit step; entry ``e-1`` belongs to exit step ``e``.

    Args:
        macs: multiply-accumulates, ``[T, N]``; ``T = 1`` for an ANN.
        synops: synaptic operations, ``[T, N]``.
        left_out: what the figure does not contain.
    """

    macs: Tensor
    synops: Tensor
    left_out: tuple[str, ...] = LEFT_OUT

    @property
    def picojoules(self) -> Tensor:
        """Energy per sample at every exit, ``[T, N]``, in pJ."""
        return PJ_PER_MAC * self.macs + PJ_PER_SYNOP * self.synops

    def at(self, exit_steps: Tensor | int) -> Tensor:
        """Energy per sample ``[N]`` in pJ where sample ``n`` leaves at ``exit_steps[n]``, as a dynamic exit does.

        Raises:
            ValueError: not one exit step, or one per sample, in ``1 … T``.
        """
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
        layers, _, _ = classifier.trace(images)
        return energy_of_trace(network, code, layers)
    if isinstance(network, ConvNet) and code is None:
        activity, _ = network.run(images.unsqueeze(0))
        read = [images.unsqueeze(0), *activity]
        macs = sum((_seen(conv, torch.ones_like(read[k])) for conv, k in network.synapses()), torch.zeros(1, len(images)))
        macs = macs + activity[-1].shape[2] * network.classes
        return Energy(macs, torch.zeros_like(macs))
    if isinstance(network, MLP) and code is None:
        classifier(images)  # checks images and sizes
        macs = torch.full((1, len(images)), float(sum(a * b for a, b in pairwise(network.sizes))))
        return Energy(macs, torch.zeros_like(macs))
    raise ValueError(
        f"can count a SpikingMLP or SpikingConvNet with an encoder, an MLP or ConvNet without, got {type(network).__name__} with "
        f"{'no encoder' if code is None else code.title}"
    )


def energy_of_trace(network: SpikingMLP | SpikingConvNet, code: Encoder, layers: Sequence[Tensor]) -> Energy:
    """As ``energy``, of a pass that has been made: the spikes of the code and of every hidden layer (``Classifier.trace``).

    Shapes: ``[T, N, …]`` per layer.
    """
    if isinstance(network, SpikingConvNet):
        return _of_convolutions(network, code, layers)
    sequence, *hidden = layers
    fan_out = network.sizes[1:]
    macs = torch.zeros(sequence.shape[:2])
    synops = torch.zeros_like(macs)
    for single, part in _parts(code, sequence, sequence.shape[2] // code.channel_factor):
        if isinstance(single, Direct) or not (isinstance(single, Phase) or _all_or_nothing(part)):
            macs += _changes(part) * part[0, 0].numel() * fan_out[0]
        else:
            synops += _events(part) * fan_out[0]
    for spikes, targets in zip(hidden, fan_out[1:], strict=True):
        synops += _events(spikes) * targets
    return Energy(macs, synops)


def _of_convolutions(network: SpikingConvNet, code: Encoder, layers: Sequence[Tensor]) -> Energy:
    """As ``energy_of_trace``, for convolutions: what each spike reaches depends on where it is."""
    macs = torch.zeros(layers[0].shape[:2])
    synops = torch.zeros_like(macs)
    for conv, reads in network.synapses():
        if reads > 0:
            synops += _seen(conv, (layers[reads] != 0).float()).cumsum(0)
            continue
        for single, part in _parts(code, layers[0], layers[0].shape[2] // code.channel_factor):
            if isinstance(single, Direct) or not (isinstance(single, Phase) or _all_or_nothing(part)):
                macs += _changes(part) * _seen(conv, torch.ones_like(part[:1]))
            else:
                synops += _seen(conv, (part != 0).float()).cumsum(0)
    return Energy(macs, synops + _events(layers[-1]) * network.classes)


def _seen(conv: nn.Conv2d, events: Tensor) -> Tensor:
    """How many products of a convolution ``[T, N, C, H, W]`` events take part in, ``[T, N]``."""
    kernel = torch.ones(1, 1, *conv.kernel_size)
    there = events.flatten(0, 1).sum(1, keepdim=True)
    found = F.conv2d(there, kernel, stride=conv.stride, padding=conv.padding)
    return found.flatten(1).sum(1).view(events.shape[:2]) * conv.out_channels


def _all_or_nothing(part: Tensor) -> bool:
    """Whether a part of a code is spikes, all of one value (the gate)."""
    return bool(((part == 0) | (part == part.amax())).all())


def _changes(part: Tensor) -> Tensor:
    """Number of steps of each sample up to every exit step whose input is not that of the step before, ``[T, N]``."""
    changed = torch.ones(part.shape[:2])
    changed[1:] = (part[1:] != part[:-1]).flatten(2).any(-1).float()
    return changed.cumsum(0)


def _events(spikes: Tensor) -> Tensor:
    """Number of spikes of each sample up to every exit step, ``[T, N]``."""
    return (spikes != 0).flatten(2).sum(-1).cumsum(0).float()


def _parts(code: Encoder, sequence: Tensor, channels: int) -> Iterator[tuple[Encoder, Tensor]]:
    """Every code that is no fusion and not silenced, with its channels ``[T, N, C, H, W]`` of the sequence."""
    if not isinstance(code, Fusion):
        yield code, sequence
        return
    widths = [part.channel_factor * channels for part in code.parts]
    for part, gate, own in zip(code.parts, code.gate, torch.split(sequence, widths, dim=2), strict=True):
        if gate > 0:
            yield from _parts(part, own, channels)
