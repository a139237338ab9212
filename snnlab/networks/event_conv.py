r"""A small convolutional network for frames of events, ``[T, N, 2, H, W]``.

Two convolutions of stride 2 and a linear read-out, each before LIF neurons (``snntorch.Leaky``). Unlike the networks of
``snnlab.networks.conv`` it keeps the place of a feature until the read-out: a digit on a sensor is no picture of the world.

.. math:: I_l[t] = W_l * s_{l-1}[t] + b_l, \qquad (s_l, U_l) = \mathrm{LIF}(I_l)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import snntorch as snn
from torch import Tensor, nn

from snnlab.networks import Surrogate, unroll
from snnlab.networks.classifier import Trace
from snnlab.networks.sequence import Reset

__all__ = ["EventConvNet"]


class EventConvNet(nn.Module):
    """Two convolutions and a linear read-out of LIF neurons.

    Args:
        in_channels: of the frames.
        size: pixels a side of the sensor.
        channels: of the two convolutions.
        classes: ``K``.
        beta, threshold, reset, surrogate: of every neuron, as for ``SpikingMLP``.

    Shapes: ``[T, N, C, H, W]`` with any ``T`` → ``Trace``.
    """

    def __init__(
        self,
        in_channels: int = 2,
        size: int = 28,
        channels: Sequence[int] = (12, 24),
        classes: int = 10,
        *,
        beta: float = 0.9,
        threshold: float = 1.0,
        reset: Reset = "subtract",
        surrogate: Surrogate | None = None,
    ) -> None:
        super().__init__()
        halved = (size + 3) // 4  # by two strides of 2, each rounded up
        first, second = channels
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(in_channels, first, 5, stride=2, padding=2),
                nn.Conv2d(first, second, 3, stride=2, padding=1),
                nn.Sequential(nn.Flatten(), nn.Linear(second * halved**2, classes)),
            ]
        )
        spike = surrogate or Surrogate()
        self.neurons = nn.ModuleList(
            snn.Leaky(beta, threshold, spike_grad=spike, reset_mechanism=reset) for _ in self.layers
        )

    def forward(self, spikes: Tensor) -> Trace:
        """Run the whole sequence through all layers."""
        sequence = membrane = spikes
        trains: list[Tensor] = []
        for layer, neuron in zip(self.layers, self.neurons, strict=True):
            current = cast(Tensor, layer(sequence.flatten(0, 1)))
            sequence, membrane = unroll(neuron, current.reshape(*sequence.shape[:2], *current.shape[1:]))
            trains.append(sequence)
        return Trace(tuple(trains[:-1]), trains[-1], membrane)
