r"""Networks, and the classifier that puts encoder, network and decoder together.

A *network* maps a sequence ``[T, N, …]`` to a ``Trace`` (every layer's spikes, the read-out over time). A
*classifier* maps images ``[N, C, H, W]`` to logits ``[N, K]`` and is what training, attacks and evaluation
work on. The conventional network (ANN) is a classifier too, with nothing to encode and one exit.

.. math:: I_l[t] = W_l\,s_{l-1}[t] + b_l, \qquad (s_l, U_l) = \mathrm{LIF}(I_l)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from snnlab.currents import current_of
from snnlab.decoding import DECODERS, check_exit_step, logits_at_every_exit, predictions
from snnlab.encoding import Encoder, check_images
from snnlab.neuron import Reset, Surrogate, lif
from snnlab.swapping import fresh_state, surrogate_of

__all__ = ["MLP", "Classifier", "SpikingMLP", "Trace", "constants", "rounded", "surrogate_of"]


@dataclass(frozen=True)
class Trace:
    """What a spiking network did, time first.

    ``hidden`` holds the spikes of each hidden layer ``[T, N, H]``; ``spikes`` and ``membrane`` are those of the
    read-out, ``[T, N, K]``.
    """

    hidden: tuple[Tensor, ...]
    spikes: Tensor
    membrane: Tensor


class SpikingMLP(nn.Module):
    """Fully connected layers of LIF neurons; the last layer is the read-out.

    Args:
        sizes: neurons per layer, input first.
        beta, threshold, reset: of every neuron, see ``snnlab.neuron.lif``.
        surrogate: derivative of the spike in the backward pass.

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
        _check_sizes(sizes)
        self.sizes = tuple(sizes)
        self.beta, self.threshold, self.reset = beta, threshold, reset
        self.surrogate = surrogate or Surrogate()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))

    def forward(self, spikes: Tensor) -> Trace:
        """Run the whole sequence through all layers."""
        sequence = _flatten(spikes, self.sizes[0], dims=2)
        trains: list[Tensor] = []
        membrane = sequence
        for layer in self.layers:
            assert isinstance(layer, nn.Linear)
            sequence, membrane = lif(
                current_of(layer, sequence),
                beta=self.beta,
                threshold=self.threshold,
                reset=self.reset,
                surrogate=self.surrogate,
            )
            trains.append(sequence)
        return Trace(tuple(trains[:-1]), trains[-1], membrane)


class MLP(nn.Module):
    """The ANN twin: the same layers with ReLU between them. Images ``[N, …]`` → logits ``[N, K]``."""

    def __init__(self, sizes: Sequence[int] = (784, 256, 10)) -> None:
        super().__init__()
        _check_sizes(sizes)
        self.sizes = tuple(sizes)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))

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
        network: takes the encoded sequence ``[T, N, …]`` and returns a ``Trace`` or a pair ``(spikes, membrane)``
            of shape ``[T, N, K]`` each, as a loop over ``snntorch`` neurons does, or the spikes alone; without an encoder,
            takes images and returns logits. Of spikes alone nothing decides a tie: it goes to the class of lowest index.
            State that ``snntorch`` neurons keep (``init_hidden``) is cleared for every call and put back after it.
        encoder: the code; ``None`` for an ANN.
        decoder: a rule of ``snnlab.decoding``.
        exit_step: steps that are read, ``1 … T``; ``None`` reads all.
        eot: logits are averaged over this many fresh encodings (expectation over transformation, Athalye et
            al. 2018), for attacks on stochastic codes.
        levels: images are first rounded to this many equidistant intensities, as a picture file does (256); in the backward
            pass the rounding is passed over. ``None`` takes them as they are.
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
        self.exit_step = check_exit_step(exit_step, encoder.num_steps if encoder else 1)
        self.eot, self.levels, self.generator = eot, levels, generator

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
            logits = _check_output(self.network(rounded(images, self.levels)), len(images)).unsqueeze(0)
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
        _, spikes, membrane = self._run(sequence)
        return logits_at_every_exit(spikes, membrane, self.decoder, self.num_steps), membrane

    def trace(self, images: Tensor, num_steps: int | None = None) -> tuple[tuple[Tensor, ...], Tensor, Tensor]:
        """Spikes of the code and of every hidden layer, then read-out spikes and potential, all time first."""
        sequence = self.encode(images, num_steps)
        hidden, spikes, membrane = self._run(sequence)
        return (sequence, *hidden), spikes, membrane

    def _run(self, sequence: Tensor) -> tuple[tuple[Tensor, ...], Tensor, Tensor]:
        """Spikes of every hidden layer that can be seen, then read-out spikes and potential."""
        with fresh_state(self.network):
            output = self.network(sequence)
        if isinstance(output, Trace):
            hidden, spikes, membrane = output.hidden, output.spikes, output.membrane
        elif isinstance(output, tuple) and len(output) == 2:
            hidden, (spikes, membrane) = (), output
        elif isinstance(output, Tensor) and self.decoder != "membrane":
            hidden, spikes, membrane = (), output, torch.zeros_like(output)  # equal potentials: no tie is decided by them
        else:
            raise ValueError(
                "a spiking network must return a Trace, a pair (spikes, membrane) of shape [T, N, K] each, or spikes alone "
                f"(not for the decoder 'membrane'), got {type(output).__name__} for the decoder {self.decoder!r}"
            )
        _check_trace(spikes, membrane, *sequence.shape[:2])
        return hidden, spikes, membrane

    @torch.no_grad()
    def predict(self, images: Tensor) -> Tensor:
        """Predicted classes at every exit, ``[T, N]``; ``SILENT`` where no spike was read."""
        return self.answers(*self.read(images))

    def answers(self, logits: Tensor, membrane: Tensor) -> Tensor:
        """Predicted classes ``[…]`` for what ``read`` gave, ``[…, K]`` each; ``SILENT`` where no spike was read."""
        return predictions(logits, membrane) if self.encoder else logits.argmax(-1)

    def at(self, *, exit_step: int | None = None, encoder: Encoder | None = None, eot: int = 1) -> Classifier:
        """The same network (shared weights) read at another exit, through another view of the code, or with EOT."""
        return Classifier(
            self.network,
            encoder or self.encoder,
            self.decoder,
            exit_step=exit_step,
            eot=eot,
            levels=self.levels,
            generator=self.generator,
        )


def rounded(images: Tensor, levels: int | None = 256) -> Tensor:
    r"""Images in ``L`` equidistant intensities from 0 to 1, as a picture file keeps them.

    .. math:: x \mapsto \frac{\mathrm{round}((L-1)\,x)}{L-1}, \qquad \bar x := \bar y

    In the backward pass the step is passed over (BPDA, Athalye et al. 2018).

    Args:
        images: in [0, 1].
        levels: ``L``, at least 2; ``None`` leaves images alone.

    Shapes: any → the same.

    Raises:
        ValueError: levels that are no integer of at least 2.

    >>> rounded(torch.tensor([0.1, 0.6]), levels=3)
    tensor([0.0000, 0.5000])
    """
    _check_levels(levels)
    if levels is None:
        return images
    found: Tensor = _Rounded.apply(images, levels)  # type: ignore[no-untyped-call]
    return found


def constants(network: nn.Module) -> list[tuple[str, str, dict[str, object]]]:
    """Name, class and plain attributes (``β``, ``θ``, the surrogate …) of every module: what its weights do not say."""
    plain = (bool, int, float, str, tuple, Surrogate)
    return [
        (name, type(module).__qualname__, {key: value for key, value in vars(module).items() if isinstance(value, plain)})
        for name, module in network.named_modules()
    ]


class _Rounded(torch.autograd.Function):
    """The nearest of some levels; in the backward pass nothing happened."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, levels: int) -> Tensor:
        return (images * (levels - 1)).round() / (levels - 1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None


def _flatten(values: Tensor, expected: int, dims: int) -> Tensor:
    """Flatten all but the first ``dims`` axes and check that ``expected`` values per sample are left."""
    flat = values.flatten(dims) if values.dim() > dims else values
    if flat.dim() != dims + 1 or flat.shape[-1] != expected:
        axes = "[T, N, …]" if dims == 2 else "[N, …]"
        raise ValueError(f"expected {axes} with {expected} values per sample, got shape {list(values.shape)}")
    return flat


def _check_levels(levels: int | None) -> None:
    if levels is not None and (not isinstance(levels, int) or levels < 2):
        raise ValueError(f"levels must be an integer of at least 2 (black and white), got {levels!r}")


def _check_sizes(sizes: Sequence[int]) -> None:
    if len(sizes) < 2 or any(int(n) < 1 for n in sizes):
        raise ValueError(f"sizes must name at least input and output neurons, all ≥ 1, got {tuple(sizes)}")


def _check_output(logits: object, num: int) -> Tensor:
    if not isinstance(logits, Tensor) or logits.dim() != 2 or len(logits) != num:
        got = list(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ValueError(f"the network must return logits [N, K] with N={num}, got {got}")
    return logits


def _check_trace(spikes: Tensor, membrane: Tensor, num_steps: int, num: int) -> None:
    for name, value in (("spikes", spikes), ("membrane", membrane)):
        if not isinstance(value, Tensor) or value.dim() != 3 or value.shape[:2] != (num_steps, num):
            got = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise ValueError(f"the network must return {name} [T, N, K] with T={num_steps}, N={num}, got {got}")
