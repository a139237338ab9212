r"""Interval bounds of a spiking network: what a set of images can do to it, layer by layer.

All values of a sequence lie between ``low`` and ``high``, centre ``c`` and radius ``r``. A linear layer, and a LIF neuron with
``f(U) = βU - θ 1[U > θ]`` (reset by subtraction), give (Gowal et al. 2019; Liang et al. 2022 for spikes)

.. math::

    I[t] &\in W c[t] + b \pm |W|\,r[t] \\
    U[t] &\in \Big[\min_{u} f(u),\ \max_{u} f(u)\Big] + I[t], \qquad u \in U[t-1] \\
    S[t] &\in \big[1[U_{low} > θ],\ 1[U_{high} > θ]\big]

Steps are not independent: a pixel of a ``latency`` code fires once, whenever it does. So every sequence is also bounded after the
filter of the next neuron, ``F[t] = βF[t-1] + s[t]``, for which the code's table gives the exact range of a pixel. Without resets
the potential is ``W F`` and the filtered bias; a reset only lowers it, by at most ``θ``. That bounds it from both sides.

Rounding: with ``unit`` the potentials are widened by the error that float32 can make in the network's own sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, cast

import snntorch as snn
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from snnlab.encoding import Encoder
from snnlab.encoding.rate import Direct
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.networks.conv import ConvNet, SpikingConvNet, _Layer
from snnlab.networks.sequence import is_fused

UNIT = 2.0**-24  # unit roundoff of float32


class Range(NamedTuple):
    """Lower and upper ends, of one shape."""

    low: torch.Tensor
    high: torch.Tensor

    def map(self, rising: Callable[[Tensor], Tensor]) -> Range:
        """Return the range of a function that rises with every value."""
        return Range(rising(self.low), rising(self.high))

    @property
    def largest(self) -> Tensor:
        """The largest magnitude inside."""
        return torch.maximum(self.low.abs(), self.high.abs())


@dataclass(frozen=True)
class Sequence:
    """The range of a sequence, and of the same sequence after the filter of a neuron of decay ``β``.

    Args:
        stepwise: returns the range of every step, ``[T, N, …]``; asked for at most once.
        filtered: returns the range after the filter, ``[T, N, …]``.
        precision: of both.
    """

    stepwise: Callable[[], Range]
    filtered: Callable[[float | Tensor], Range]
    precision: torch.dtype

    @cached_property
    def values(self) -> Range:
        """The range of every step."""
        return self.stepwise()

    @classmethod
    def of(cls, values: Range) -> Sequence:
        """Return a sequence whose steps are bounded one by one."""
        return cls(lambda: values, lambda beta: values.map(lambda x: decayed_sum(x, beta)), values.low.dtype)

    def map(self, linear: Callable[[Tensor], Tensor]) -> Sequence:
        """Return the range after a linear function without negative weights (a view, a mean)."""
        return Sequence(lambda: self.values.map(linear), lambda beta: self.filtered(beta).map(linear), self.precision)

    def __add__(self, other: Sequence) -> Sequence:
        return Sequence(
            lambda: _sum(self.values, other.values),
            lambda beta: _sum(self.filtered(beta), other.filtered(beta)),
            self.precision,
        )


def decayed_sum(values: Tensor, beta: float | Tensor) -> Tensor:
    """Return ``F[t] = β F[t-1] + s[t]`` of a sequence, time first."""
    if isinstance(beta, float) and beta == 1:
        return values.cumsum(0)
    steps = [values[0]]
    for value in values[1:]:
        steps.append(beta * steps[-1] + value)
    return torch.stack(steps)


def code_bounds(code: Encoder, pixels: Range) -> Sequence:
    """Return what a code can make of pixels in a range ``[N, C, H, W]``: exact for each pixel, step and filter.

    Raises:
        ValueError: a random code, or one that is neither ``direct`` nor a step function of each pixel.
    """
    parts = [_leaf_bounds(part, gate, pixels) for gate, part in code.leaves()]
    if len(parts) == 1:
        return parts[0]

    def side_by_side(ranges: list[Range]) -> Range:
        return Range(torch.cat([r.low for r in ranges], dim=2), torch.cat([r.high for r in ranges], dim=2))

    return Sequence(
        lambda: side_by_side([part.values for part in parts]),
        lambda beta: side_by_side([part.filtered(beta) for part in parts]),
        pixels.low.dtype,
    )


def _leaf_bounds(code: Encoder, gate: float, pixels: Range) -> Sequence:
    if isinstance(code, Direct):
        low, high = (1 - pixels.high, 1 - pixels.low) if code.inverted else pixels
        return Sequence.of(Range(low, high).map(lambda x: gate * x.expand(code.num_steps, *x.shape)))
    table = code.table
    if table is None:
        raise ValueError(f"no bound known for the code {code.title!r}: expected direct or a step function of each pixel")
    first, last = table.reachable(pixels.low.float(), pixels.high.float())

    def reached(trains: Tensor) -> Range:
        """Return the range of each pixel over its bins, for values ``[B, T]`` of trains: looked up by first and last bin."""
        bins, largest = len(trains), torch.full((len(trains), *trains.shape), -torch.inf, dtype=pixels.low.dtype)
        smallest = -largest
        for a in range(bins):
            largest[a, a:], smallest[a, a:] = trains[a:].cummax(0).values, trains[a:].cummin(0).values
        row = first * bins + last
        low, high = (F.embedding(row, ends.flatten(0, 1)).movedim(-1, 0) for ends in (smallest, largest))
        return Range(low, high)

    trains = gate * table.trains[..., 0].to(pixels.low.dtype)
    return Sequence(lambda: reached(trains), lambda beta: reached(decayed_sum(trains.T, beta).T), pixels.low.dtype)


def linear_bounds(layer: nn.Module, sequence: Sequence, unit: float = 0.0) -> Sequence:
    """Return the range of the currents of a layer that is affine in its input (linear, convolution, batch norm, pooling)."""
    weights = {
        name: value.to(sequence.precision) if value.is_floating_point() else value
        for name, value in layer.state_dict(keep_vars=True).items()
    }
    size = {name: _size_of(name, value) for name, value in weights.items()}

    def affine(values: Tensor, parameters: dict[str, Tensor]) -> Tensor:
        return cast(Tensor, functional_call(layer, parameters, (values,)))

    def bounds(inputs: Range, beta: float | Tensor | None = None) -> Range:
        own = affine(torch.zeros_like(inputs.low[:, :1]), weights)
        bias = own if beta is None else decayed_sum(own, beta)
        centre = affine((inputs.low + inputs.high) / 2, weights) - own + bias
        radius = affine((inputs.high - inputs.low) / 2, size)
        if unit:
            radius = radius + unit * _fan_in(layer) * (affine(inputs.largest, size) + bias.abs())
        return Range(centre - radius, centre + radius)

    return Sequence(lambda: bounds(sequence.values), lambda beta: bounds(sequence.filtered(beta), beta), sequence.precision)


def neuron_bounds(neuron: Any, current: Sequence, unit: float = 0.0) -> tuple[Sequence, Range]:
    """Return the ranges of spikes and potential of a plain ``snntorch.Leaky`` driven by a current in a range.

    Raises:
        ValueError: another neuron.
    """
    if not is_fused(neuron):
        raise ValueError(f"no bound known for the neuron {type(neuron).__name__}: expected a plain snntorch.Leaky")
    beta, theta = (value.detach().to(current.precision) for value in (neuron.beta.clamp(0, 1), neuron.threshold))
    reset, free = neuron.reset_mechanism, current.filtered(beta)
    if reset == "none":  # nothing but the filter
        slack = 4 * unit * decayed_sum(free.largest + theta, beta)
        membrane = Range(free.low - slack, free.high + slack)
        return Sequence.of(membrane.map(lambda u: neuron.spike_grad(u - theta).to(u))), membrane
    inputs = current.values
    low, high = inputs.low[0], inputs.high[0]
    rounding, removed = torch.zeros_like(low), torch.zeros_like(low)
    potentials, spikes = [], []
    for t in range(len(inputs.low)):
        if t:
            low, high, lowered = _after_reset(low, high, beta, theta, reset)
            removed = beta * removed + lowered
            low, high = low + inputs.low[t], high + inputs.high[t]
        rounding = beta * rounding + 4 * unit * (Range(low, high).largest + theta)
        low, high = low - 4 * unit * (low.abs() + theta), high + 4 * unit * (high.abs() + theta)
        low = torch.maximum(low, free.low[t] - removed - rounding)
        high = torch.minimum(high, free.high[t] + rounding)
        potentials.append((low, high))
        spikes.append(tuple(neuron.spike_grad(end - theta).to(end) for end in (low, high)))
    fired, membrane = (Range(*map(torch.stack, zip(*steps, strict=True))) for steps in (spikes, potentials))
    return Sequence.of(fired), membrane


def _after_reset(low: Tensor, high: Tensor, beta: Tensor, theta: Tensor, reset: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return the range of ``f(U)``, and by how much a reset can have lowered it."""
    surely, possibly = low > theta, high > theta
    if reset == "subtract":
        resting, lowered = beta * theta - theta, theta.expand_as(low)
        after_low, after_high = beta * low - theta, beta * high - theta
    else:
        resting, lowered = torch.zeros_like(theta), beta * high
        after_low = after_high = torch.zeros_like(low)
    across_low, across_high = torch.minimum(beta * low, resting), torch.maximum(beta * theta, after_high)
    new_low = torch.where(surely, after_low, torch.where(possibly, across_low, beta * low))
    new_high = torch.where(surely, after_high, torch.where(possibly, across_high, beta * high))
    return new_low, new_high, torch.where(possibly, lowered, torch.zeros_like(low))


def input_bounds(classifier: Classifier, pixels: Range) -> Sequence:
    """Return the range of what the network reads for images between the ends of ``pixels``, ``[N, C, H, W]`` in [0, 1].

    Raises:
        ValueError: a code without a bound (``code_bounds``), or images that are rounded first.
    """
    if classifier.levels is not None:
        raise ValueError("no bound known for images that are rounded first; certify the classifier without levels")
    if classifier.encoder is None:
        return Sequence.of(pixels.map(lambda x: x.unsqueeze(0)))
    return code_bounds(classifier.encoder, pixels)


def difference_bounds(classifier: Classifier, inputs: Sequence, labels: Tensor, unit: float = 0.0) -> Tensor:
    r"""Return an upper bound of ``z_k - z_y`` at every exit, for all images in a range of pixels.

    Where the logits are linear in the last hidden spikes (an ANN, the read-out ``current``, the potential of a read-out without
    reset) the last layer is folded into the difference, ``Σ (W_k - W_y) s + b_k - b_y``; elsewhere it is
    ``z_k^{high} - z_y^{low}``.

    Args:
        classifier: an ANN or a spiking network of ``snnlab.networks``, fully connected or convolutional.
        inputs: what the network reads (``input_bounds``).
        labels: ``y``, ``[N]``.
        unit: unit roundoff of the network's arithmetic, ``UNIT`` for a proof; 0 while training.

    Returns:
        ``[T, N, K]``; 0 at the true class.

    Raises:
        ValueError: a code, a layer or a network without a bound.
    """
    last, layer, neuron = _to_read_out(classifier.network, inputs, unit)
    if neuron is None:
        bounds = _folded(layer, last.values, torch.ones(1), labels, unit)
        silent = torch.full_like(bounds, torch.inf).scatter(2, labels.view(1, -1, 1), 0.0)
        return torch.cat([*[silent] * (classifier.num_steps - 1), bounds])  # behind a code it answers at the last step
    if classifier.decoder == "membrane" and _only_leaks(neuron):
        beta = neuron.beta.detach().clamp(0, 1).to(last.precision)
        charge = last.filtered(beta).map(lambda x: x.cumsum(0))
        steps = decayed_sum(torch.ones(len(charge.low), dtype=last.precision), beta).cumsum(0)
        return _folded(layer, charge, steps, labels, unit * (1 + 3 * len(steps) / (2 + layer.in_features)))
    if classifier.decoder == "current" and _integrates(neuron):
        charge, steps = last.filtered(1.0), torch.arange(1.0, len(last.values.low) + 1)
        return _folded(layer, charge, steps, labels, unit * len(steps))
    fired, membrane = neuron_bounds(neuron, linear_bounds(layer, last, unit), unit)
    spikes = fired.values
    if classifier.decoder == "rate":
        logits = spikes.map(lambda s: s.cumsum(0))
    elif classifier.decoder == "ttfs":
        ahead = torch.arange(classifier.num_steps, 0, -1.0).to(spikes.low)[: len(spikes.low)].view(-1, 1, 1)
        logits = spikes.map(lambda s: (s * ahead).cummax(0).values)
    elif classifier.decoder == "membrane":
        summed = membrane.map(lambda u: u.cumsum(0))
        slack = unit * len(summed.low) * summed.largest.cumsum(0)
        logits = Range(summed.low - slack, summed.high + slack)
    else:
        earlier = spikes.map(lambda s: s.cumsum(0) - s)
        logits = Range(membrane.low + earlier.low, membrane.high + earlier.high)
    own = labels.view(1, -1, 1).expand(len(logits.low), -1, 1)
    return (logits.high - logits.low.gather(2, own)).scatter(2, own, 0.0)


def _to_read_out(network: nn.Module, inputs: Sequence, unit: float) -> tuple[Sequence, nn.Linear, Any]:
    """Return the last hidden sequence, the layer that reads it, and its neuron; ``None`` in an ANN."""
    if isinstance(network, SpikingMLP) and type(network)._run_layer is SpikingMLP._run_layer:
        sequence = inputs.map(lambda x: x.flatten(2))
        for layer, neuron in zip(network.layers[:-1], network.neurons[:-1], strict=True):
            sequence, _ = neuron_bounds(neuron, linear_bounds(layer, sequence, unit), unit)
        return sequence, cast(nn.Linear, network.layers[-1]), network.neurons[-1]
    if getattr(network, "side_by_side", False) and isinstance(network.inner, MLP):
        network, inputs = network.inner, inputs.map(lambda x: x.transpose(0, 1).flatten(1).unsqueeze(0))
    if type(network) is MLP:
        sequence = inputs.map(lambda x: x.flatten(2))
        for layer in network.layers[:-1]:
            sequence = Sequence.of(linear_bounds(layer, sequence, unit).values.map(torch.relu))
        return sequence, cast(nn.Linear, network.layers[-1]), None
    if isinstance(network, SpikingConvNet | ConvNet) and type(network).forward in (SpikingConvNet.forward, ConvNet.forward):
        for block in network.layers:
            inputs = _block_bounds(cast(_Layer, block), inputs, unit)
        pooled = inputs.map(lambda x: x.mean((-2, -1)))
        return pooled, network.readout, getattr(network, "output", None)
    raise ValueError(
        f"no bound known for a network {type(network).__name__}: expected SpikingMLP, MLP, SpikingConvNet or ConvNet"
    )


def _block_bounds(block: _Layer, inputs: Sequence, unit: float) -> Sequence:
    def activity(number: int, current: Sequence) -> Sequence:
        neuron = block.activations[number]
        if isinstance(neuron, snn.SpikingNeuron):
            return neuron_bounds(neuron, current, unit)[0]
        return Sequence.of(current.values.map(neuron))

    first = activity(0, linear_bounds(block.current, inputs, unit))
    if block.second is None:
        return first
    beside = inputs if block.shortcut is None else linear_bounds(block.shortcut, inputs, unit)
    return activity(1, linear_bounds(block.second, first, unit) + beside)


def _folded(layer: nn.Linear, inputs: Range, steps: Tensor, labels: Tensor, unit: float) -> Tensor:
    """Return the upper bound of ``(W_k - W_y) x + t (b_k - b_y)`` for ``x`` in a range ``[T, N, H]`` and ``t`` in ``steps``."""
    weight, bias = layer.weight.to(inputs.low), layer.bias.to(inputs.low)
    apart = weight.unsqueeze(0) - weight[labels].unsqueeze(1)  # [N, K, H]
    centre, radius = (inputs.low + inputs.high) / 2, (inputs.high - inputs.low) / 2
    upper = torch.einsum("tnh,nkh->tnk", centre, apart) + torch.einsum("tnh,nkh->tnk", radius, apart.abs())
    constant = steps.to(bias).view(-1, 1, 1) * (bias - bias[labels].unsqueeze(1))
    if unit:
        size = inputs.largest @ weight.abs().T + steps.to(bias).view(-1, 1, 1) * bias.abs()
        own = labels.view(1, -1, 1).expand(len(size), -1, 1)
        upper = upper + (unit * (2 + layer.in_features) * (size + size.gather(2, own))).scatter(2, own, 0.0)
    return upper + constant


def _integrates(neuron: Any) -> bool:
    return neuron.reset_mechanism == "subtract" and bool((neuron.beta == 1).all() and (neuron.threshold == 1).all())


def _only_leaks(neuron: Any) -> bool:
    return is_fused(neuron) and neuron.reset_mechanism == "none" and neuron.beta.numel() == 1


def _size_of(name: str, value: Tensor) -> Tensor:
    """Return what a parameter becomes for a radius: weights lose their sign, offsets vanish, variances stay."""
    last = name.rpartition(".")[2]
    if last in ("bias", "running_mean"):
        return torch.zeros_like(value)
    return value.abs() if last == "weight" else value


def _fan_in(layer: nn.Module) -> int:
    """Return how many roundings a sum of this layer can take: its products, and some for norm and pooling."""
    counts = [p[0].numel() for p in _weights(layer)]
    return max(counts, default=1) + 16


def _weights(layer: nn.Module) -> Iterator[Tensor]:
    return (p for name, p in layer.named_parameters() if name.rpartition(".")[2] == "weight" and p.dim() > 1)


def _sum(one: Range, other: Range) -> Range:
    return Range(one.low + other.low, one.high + other.high)
