r"""Networks, and the classifier that puts encoder, network and decoder together.

A *network* maps a sequence ``[T, N, …]`` to a ``Trace``; a *classifier* maps images ``[N, C, H, W]`` to logits ``[N, K]``. The
conventional network (ANN) is a classifier with nothing to encode and one exit.

.. math:: I_l[t] = W_l\,s_{l-1}[t] + b_l, \qquad (s_l, U_l) = \mathrm{LIF}(I_l)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import snntorch as snn
import torch
from torch import Tensor, nn

from snnlab.encoding import Encoder, check_images
from snnlab.networks import Surrogate, unroll
from snnlab.networks.contexts import reset_state
from snnlab.networks.decoding import DECODERS, check_exit_step, logits_at_every_exit, predictions
from snnlab.networks.event_linear import synaptic_current
from snnlab.networks.sequence import Reset
from snnlab.networks.surrogate import SpikeGrad, derivative_step


@dataclass(frozen=True)
class Trace:
    """Activity of a spiking network: spikes of each hidden layer ``[T, N, H]``; read-out spikes and potential ``[T, N, K]``."""

    hidden: tuple[Tensor, ...]
    spikes: Tensor
    membrane: Tensor


class SpikingMLP(nn.Module):
    """Fully connected layers of LIF neurons; the last layer is the read-out.

    Args:
        sizes: neurons per layer, input first.
        beta, threshold, reset, surrogate: of every neuron, see ``snnlab.networks.sequence.lif``.

    Shapes: ``[T, N, …]`` with ``sizes[0]`` values per sample and any ``T`` → ``Trace``.

    Source: Eshraghian et al. 2023 (neuron), Ding et al. 2025 (use).
    """

    def __init__(
        self,
        sizes: Sequence[int] = (784, 256, 10),
        *,
        beta: float = 0.9,
        threshold: float = 1.0,
        reset: Reset = "subtract",
        surrogate: Surrogate | None = None,
    ) -> None:
        super().__init__()
        self.sizes, self.layers = tuple(sizes), _linear_layers(sizes)
        self.neurons = nn.ModuleList(
            snn.Leaky(beta, threshold, spike_grad=surrogate or Surrogate(), reset_mechanism=reset) for _ in self.layers
        )

    @property
    def beta(self) -> float:
        """``β`` of its neurons, as short as it was written: 0.9, not 0.89999998."""
        return round(float(cast(Tensor, self.neurons[0].beta)), 7)

    @property
    def threshold(self) -> float:
        """``θ`` of its neurons."""
        return round(float(cast(Tensor, self.neurons[0].threshold)), 7)

    @property
    def reset(self) -> Reset:
        """Reset mechanism of its neurons."""
        return cast(Reset, self.neurons[0].reset_mechanism)

    @property
    def surrogate(self) -> SpikeGrad:
        """The ``spike_grad`` of its neurons."""
        return cast(SpikeGrad, self.neurons[0].spike_grad)

    def forward(self, spikes: Tensor) -> Trace:
        """Run the whole sequence through all layers."""
        sequence = membrane = _flatten(spikes, self.sizes[0], dims=2)
        trains: list[Tensor] = []
        for layer, neuron in zip(self.layers, self.neurons, strict=True):
            sequence, membrane = self._run_layer(cast(nn.Linear, layer), neuron, sequence)
            trains.append(sequence)
        return Trace(tuple(trains[:-1]), trains[-1], membrane)

    def _run_layer(self, layer: nn.Linear, neuron: nn.Module, sequence: Tensor) -> tuple[Tensor, Tensor]:
        return unroll(neuron, synaptic_current(layer, sequence))


class MLP(nn.Module):
    """The ANN twin: the same layers with ReLU between them. Images ``[N, …]`` → logits ``[N, K]``."""

    def __init__(self, sizes: Sequence[int] = (784, 256, 10)) -> None:
        super().__init__()
        self.sizes, self.layers = tuple(sizes), _linear_layers(sizes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of one image each."""
        activity = _flatten(images, self.sizes[0], dims=1)
        for layer in self.layers[:-1]:
            activity = torch.relu(layer(activity))
        logits: Tensor = self.layers[-1](activity)
        return logits


class Classifier(nn.Module):
    """Images → logits: an encoder, a network and a decoder (or an ANN alone).

    Args:
        network: maps the encoded sequence ``[T, N, …]`` to a ``Trace``, a pair ``(spikes, membrane)`` of shape ``[T, N, K]``
            each, or the spikes alone (equal logits then go to the lowest class); without an encoder, images to logits. The state
            of ``snntorch`` neurons is fresh in every call.
        encoder: the code; ``None`` for an ANN.
        decoder: a rule of ``snnlab.networks.decoding``.
        exit_step: steps that are read, ``1 … T``; ``None`` reads all.
        eot: encodings over which logits are averaged (expectation over transformation, Athalye et al. 2018).
        levels: images are first rounded to this many intensities (``rounded``); ``None``: they are not.
        generator: randomness of stochastic codes.

    Shapes: images ``[N, C, H, W]`` in [0, 1] → logits ``[N, K]``.
    """

    def __init__(
        self,
        network: nn.Module,
        encoder: Encoder | None = None,
        decoder: str = "rate",
        *,
        exit_step: int | None = None,
        eot: int = 1,
        levels: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        _check_levels(levels)
        if decoder not in DECODERS:
            raise ValueError(f"unknown decoder {decoder!r}; choose one of {', '.join(DECODERS)}")
        if eot < 1:
            raise ValueError(f"eot must be at least 1 encoding, got {eot!r}")
        self.network, self.encoder, self.decoder = network, encoder, decoder
        self.exit_step = check_exit_step(exit_step, self.num_steps)
        self.eot, self.levels, self.generator = eot, levels, generator

    #: whether nobody named ``T``, and a default stands in for it
    steps_assumed: bool = False

    @classmethod
    def of(cls, network: nn.Module, images: Tensor, **options: Any) -> Classifier:
        """Return a classifier of any network, recognised by a probe: see ``snnlab.networks.adapters.classifier_of``."""
        from snnlab.networks.adapters import classifier_of  # it builds on this module

        return classifier_of(network, images, **options)

    @property
    def options(self) -> dict[str, Any]:
        """Exit step, EOT, levels and generator that it is read with, as arguments by name."""
        return {name: getattr(self, name) for name in ("exit_step", "eot", "levels", "generator")}

    @property
    def num_steps(self) -> int:
        """``T``; an ANN has one step."""
        return self.encoder.num_steps if self.encoder else 1

    @property
    def stochastic(self) -> bool:
        """Whether two forward passes may differ."""
        return self.encoder is not None and self.encoder.stochastic

    def forward(self, images: Tensor) -> Tensor:
        """Logits at the exit step in use, averaged over ``eot`` encodings."""
        # A spiking network is causal: what comes after the exit cannot change the answer, so it is not computed.
        logits = [self.read(images, self.exit_step)[0][-1] for _ in range(self.eot)]
        return logits[0] if self.eot == 1 else torch.stack(logits).mean(0)

    def read(self, images: Tensor, num_steps: int | None = None) -> tuple[Tensor, Tensor]:
        """Logits and read-out potential at every exit up to ``num_steps``, ``[T, N, K]`` each; one forward pass."""
        if self.encoder is None:
            check_images(images)
            with reset_state(self.network):
                answer = self.network(rounded(images, self.levels))
            logits = _checked(answer, "logits", N=len(images)).unsqueeze(0)
            return logits, logits
        return self.respond(self.encode(images, num_steps))

    def encode(self, images: Tensor, num_steps: int | None = None) -> Tensor:
        """The sequence that the network reads, ``[T, N, …]``, up to ``num_steps``."""
        if self.encoder is None:
            raise ValueError("an ANN has no spikes to trace; give the classifier an encoder")
        sequence = self.encoder(rounded(images, self.levels), generator=self.generator)
        # A slice of all steps would cost a copy on the way back.
        return sequence if num_steps is None or num_steps >= len(sequence) else sequence[:num_steps]

    def respond(self, sequence: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and read-out potential at every exit for a sequence ``[T, N, …]``, be it the code's or another."""
        if sequence.dim() < 3 or not 1 <= len(sequence) <= self.num_steps:
            raise ValueError(f"expected a sequence [T, N, …] with T up to {self.num_steps}, got {list(sequence.shape)}")
        trace = self._run(sequence)
        return logits_at_every_exit(trace.spikes, trace.membrane, self.decoder, self.num_steps), trace.membrane

    def trace(self, images: Tensor, num_steps: int | None = None) -> tuple[tuple[Tensor, ...], Tensor, Tensor]:
        """Spikes of the code and of every hidden layer, then read-out spikes and potential, all time first."""
        sequence = self.encode(images, num_steps)
        trace = self._run(sequence)
        return (sequence, *trace.hidden), trace.spikes, trace.membrane

    def _run(self, sequence: Tensor) -> Trace:
        with reset_state(self.network):
            output = self.network(sequence)
        if isinstance(output, tuple) and len(output) == 2:
            output = Trace((), *output)
        elif isinstance(output, Tensor) and self.decoder != "membrane":
            output = Trace((), output, torch.zeros_like(output))  # equal potentials: no tie is decided by them
        elif not isinstance(output, Trace):
            raise ValueError(
                "a spiking network must return a Trace, a pair (spikes, membrane) of shape [T, N, K] each, or spikes alone "
                f"(not for the decoder 'membrane'), got {type(output).__name__} for the decoder {self.decoder!r}"
            )
        _checked(output.spikes, "spikes", T=len(sequence), N=sequence.shape[1])
        _checked(output.membrane, "membrane", T=len(sequence), N=sequence.shape[1])
        return output

    @torch.no_grad()
    def predict(self, images: Tensor) -> Tensor:
        """Predicted classes at every exit, ``[T, N]``; ``SILENT`` where no spike was read."""
        return self.answers(*self.read(images))

    def answers(self, logits: Tensor, membrane: Tensor) -> Tensor:
        """Predicted classes ``[…]`` for what ``read`` gave, ``[…, K]`` each; ``SILENT`` where no spike was read."""
        return predictions(logits, membrane) if self.encoder else logits.argmax(-1)

    def at(self, *, exit_step: int | None = None, encoder: Encoder | None = None, eot: int = 1) -> Classifier:
        """The same network (shared weights) read at another exit, through another view of the code, or with EOT."""
        options = self.options | {"exit_step": exit_step, "eot": eot}
        return Classifier(self.network, encoder or self.encoder, self.decoder, **options)


def rounded(images: Tensor, levels: int | None = 256) -> Tensor:
    r"""Return images in ``L`` equidistant intensities from 0 to 1, as an image file stores them.

    .. math:: x \mapsto \frac{\mathrm{round}((L-1)\,x)}{L-1}, \qquad \bar x := \bar y

    The backward pass ignores the step (BPDA, Athalye et al. 2018). ``levels`` is an integer of at least 2, else ``ValueError``;
    ``None`` leaves images alone.

    >>> rounded(torch.tensor([0.1, 0.6]), levels=3)
    tensor([0.0000, 0.5000])
    """
    _check_levels(levels)
    if levels is None:
        return images
    return derivative_step(images, (images.detach() * (levels - 1)).round() / (levels - 1), torch.ones_like)


def constants(network: nn.Module) -> list[tuple[str, str, dict[str, object]]]:
    """Return name, class and constants (sizes, ``β``, ``θ``, the surrogate …) of every module: what is not learned."""
    plain = (bool, int, float, str, tuple, Surrogate)

    def described(module: nn.Module) -> dict[str, object]:
        values: dict[str, object] = {key: value for key, value in vars(module).items() if isinstance(value, plain)}
        if isinstance(module, snn.SpikingNeuron):
            values |= {key: module._buffers[key].tolist() for key in ("beta", "threshold") if key in module._buffers}
        return values

    return [(name, type(module).__qualname__, described(module)) for name, module in network.named_modules()]


def bytes_of(values: Tensor) -> bytes:
    """Return the numbers of a tensor as bytes, to hash them."""
    return values.detach().cpu().contiguous().numpy().tobytes()


def _linear_layers(sizes: Sequence[int]) -> nn.ModuleList:
    if len(sizes) < 2 or any(int(n) < 1 for n in sizes):
        raise ValueError(f"sizes must name at least input and output neurons, all ≥ 1, got {tuple(sizes)}")
    return nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))


def _flatten(values: Tensor, expected: int, dims: int) -> Tensor:
    flat = values.flatten(dims) if values.dim() > dims else values
    if flat.dim() != dims + 1 or flat.shape[-1] != expected:
        axes = "[T, N, …]" if dims == 2 else "[N, …]"
        raise ValueError(f"expected {axes} with {expected} values per sample, got shape {list(values.shape)}")
    return flat


def _check_levels(levels: int | None) -> None:
    if levels is not None and (not isinstance(levels, int) or levels < 2):
        raise ValueError(f"levels must be an integer of at least 2 (black and white), got {levels!r}")


def _checked(value: Any, name: str, **sizes: int) -> Tensor:
    """The output of a network, if it has these axes and the classes."""
    if isinstance(value, Tensor) and value.dim() == len(sizes) + 1 and value.shape[:-1] == tuple(sizes.values()):
        return value
    got = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
    expected = f"{name} [{', '.join([*sizes, 'K'])}] with {', '.join(f'{axis}={size}' for axis, size in sizes.items())}"
    raise ValueError(f"the network must return {expected}, got {got}")
