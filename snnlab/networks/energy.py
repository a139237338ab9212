r"""Energy of an answer, counted in operations (Horowitz 2014, 45 nm, 32-bit floating point).

An ANN multiplies and adds once per weight (a MAC); a spike adds its weights (synaptic operations, SynOps). Up to exit step ``e``,
with ``s_l`` the spikes of layer ``l`` and ``n_{l+1}`` their fan-out:

.. math::

    E(e) = 4.6\,\mathrm{pJ} · \mathrm{MACs}(e) + 0.9\,\mathrm{pJ} · \mathrm{SynOps}(e), \qquad
    \mathrm{SynOps}(e) = \sum_{t<e} \sum_l n_{l+1} \sum_i 1[s_{l,i}[t] ≠ 0]

The first layer multiplies where the code is analog (``Encoder.is_analog``), at every step whose input is not that of the step
before; zeros are multiplied too, unless ``skip_zeros``. A spike counts as one SynOp whatever its weight; a silenced part of a
fusion costs nothing, and neither do read-out spikes. In a convolution the fan-out is the number of kernel positions that
contain the spike times the output channels. Average pooling and synaptic filters (``snnlab.training.tssl_bp``) are linear and
not counted.

This is an estimate from counts, not a measurement of a chip; ``LEFT_OUT`` lists what it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
        return self.with_reads(0.0)

    def with_reads(self, pj_per_weight: float) -> Tensor:
        r"""Return the energy ``[T, N]`` in pJ if each MAC and each SynOp also reads a weight, at a price :math:`x` in pJ.

        .. math:: E = (4.6 + x) · \mathrm{MACs} + (0.9 + x) · \mathrm{SynOps}
        """
        return (PJ_PER_MAC + pj_per_weight) * self.macs + (PJ_PER_SYNOP + pj_per_weight) * self.synops

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
def energy(classifier: Classifier, images: Tensor, *, skip_zeros: bool = False) -> Energy:
    """Count the operations of each sample up to every exit step, in one forward pass.

    Args:
        classifier: a ``SpikingMLP`` or ``SpikingConvNet`` with its encoder; an ``MLP`` or ``ConvNet``.
        images: ``[N, C, H, W]`` in [0, 1].
        skip_zeros: whether a product with a zero costs nothing, of an ANN (black pixels, silent units) and of an analog code.

    Raises:
        ValueError: bad images; a network whose hidden spikes cannot be seen.

    Source: Horowitz 2014 (energy per operation); Ding et al. 2025 (use).

    >>> print(energy(Classifier(MLP((4, 3, 2))), torch.ones(1, 1, 2, 2)).picojoules)
    tensor([[82.8000]])
    """
    network, code = classifier.network, classifier.encoder
    if isinstance(network, SpikingMLP | SpikingConvNet) and code is not None:
        return energy_of_trace(network, code, classifier.trace(images)[0], skip_zeros=skip_zeros)
    if not isinstance(network, MLP | ConvNet) or code is not None:
        raise ValueError(
            "can count a SpikingMLP or SpikingConvNet with an encoder, an MLP or ConvNet without, got "
            f"{type(network).__name__} with {'no encoder' if code is None else code.title}"
        )
    classifier(images)  # checks images and sizes
    sequence = images.unsqueeze(0)
    if isinstance(network, ConvNet):
        read = [sequence, *network.run(sequence)[0]]
        reached = [_reached(conv, _multiplied(read[k], skip_zeros)) for conv, k in network.synapses()]
        pooled = _multiplied(read[-1], skip_zeros).flatten(3).amax(-1)  # once a channel
        macs = torch.stack(reached).sum(0) + _reached(network.readout, pooled)
    else:
        macs, activity = torch.zeros(1, len(images)), sequence.flatten(2)
        for layer in network.layers:
            macs, activity = macs + _reached(layer, _multiplied(activity, skip_zeros)), torch.relu(layer(activity))
    return Energy(macs, torch.zeros_like(macs))


def energy_of_trace(
    network: SpikingMLP | SpikingConvNet, code: Encoder, layers: Sequence[Tensor], *, skip_zeros: bool = False
) -> Energy:
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
                macs += (_changes(part) * _reached(layer, _multiplied(part, skip_zeros))).cumsum(0)
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


def _multiplied(values: Tensor, skip_zeros: bool) -> Tensor:
    """Mark the inputs that a layer multiplies by 1."""
    return (values != 0).float() if skip_zeros else torch.ones_like(values)


def _changes(part: Tensor) -> Tensor:
    """Return 1 at every step whose input is not that of the step before, ``[T, N]``."""
    changed = torch.ones(part.shape[:2])
    changed[1:] = (part[1:] != part[:-1]).flatten(2).any(-1).float()
    return changed


def _parts(code: Encoder, sequence: Tensor) -> Iterator[tuple[bool, Tensor]]:
    """Every code that is no fusion and not silenced: whether it is analog, and its channels ``[T, N, C, H, W]``."""
    leaves, channels = code.leaves(), sequence.shape[2] // code.channel_factor
    widths = [part.channel_factor * channels for _, part in leaves]
    for (gate, part), block in zip(leaves, torch.split(sequence, widths, dim=2), strict=True):
        if gate > 0:
            yield part.is_analog, block
