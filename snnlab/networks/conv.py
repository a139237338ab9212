r"""Convolutional spiking networks for colour images, and their ANN twins.

Blocks of convolution, average pooling, batch norm and LIF neurons (``snnlab.networks.sequence``); all but the neurons take the
steps folded into the batch, ``[T·N, C, H, W]``. If all steps are the same (``direct``) the first block is computed once.

.. math:: I_l[t] = \mathrm{BN}(\mathrm{pool}(W_l * s_{l-1}[t])), \qquad s_l = \mathrm{LIF}(I_l)

*Threshold-dependent batch norm* (Zheng et al. 2021) gives the currents mean 0 and standard deviation ``θ``, over images,
pixels and steps. The last layer drives integrate-and-fire neurons (``β = 1``, reset by subtraction, ``θ = 1``), read by the
decoders ``current``, on which the network is trained, ``rate`` or ``ttfs`` (``snnlab.networks.decoding``); trained on a spike
count alone it stays silent. The twin has ReLU in the place of neurons and a single step.

Sources: Simonyan & Zisserman 2015 (VGG); He et al. 2016 (residual blocks); Zheng et al. 2021 (norm, residual LIF blocks).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import snntorch as snn
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from snnlab.networks import Surrogate, unroll
from snnlab.networks.classifier import Trace
from snnlab.networks.sequence import Reset


@dataclass(frozen=True)
class Block:
    """One block: ``channels`` of 3 x 3 kernels; ``stride`` of the convolution; ``pool``, the window of average pooling.

    ``shortcut``: a residual block of two convolutions, the second added to the block's input before the neurons.
    """

    channels: int
    stride: int = 1
    pool: int = 1
    shortcut: bool = False

    def __post_init__(self) -> None:
        if min(self.channels, self.stride, self.pool) < 1:
            raise ValueError(f"channels, stride and pool must be at least 1, got {self}")
        if self.shortcut and self.pool > 1:
            raise ValueError(f"a block with a shortcut is made smaller by its stride, not by pooling, got {self}")


#: blocks of the small network, each of which halves the picture
SMALL = tuple(Block(channels, stride=2) for channels in (32, 64, 128, 256))
VGG11_BLOCKS = tuple(
    Block(c, pool=p) for c, p in ((64, 2), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2), (512, 1), (512, 2))
)
RESNET18_BLOCKS = (
    Block(64),
    *(Block(c, s, shortcut=True) for c, s in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1))),
)


class _ThresholdNorm(nn.BatchNorm2d):
    """Batch norm whose gain starts at the threshold: that is all that makes it threshold-dependent."""

    def __init__(self, channels: int, threshold: float) -> None:
        self.threshold = threshold  # before the parameters are set
        super().__init__(channels)

    def reset_parameters(self) -> None:
        """The norm at the start of training."""
        super().reset_parameters()
        nn.init.constant_(self.weight, self.threshold)


class _Convolution(nn.Module):
    """Convolution, average pooling and (threshold-dependent) batch norm of a sequence ``[T, N, C, H, W]``: the current."""

    def __init__(self, inputs: int, block: Block, threshold: float, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, block.channels, kernel, block.stride, kernel // 2, bias=False)
        self.pool = block.pool
        self.norm: nn.Module = _ThresholdNorm(block.channels, threshold)

    def forward(self, sequence: Tensor) -> Tensor:
        """``[T, N, C, H, W]`` → ``[T, N, C', H', W']``."""
        if len(sequence) > 1 and sequence.stride(0) == 0:  # the same at every step: once
            return self(sequence[:1]).expand(len(sequence), -1, -1, -1, -1)  # type: ignore[no-any-return]
        current = self.conv(sequence.flatten(0, 1))
        if self.pool > 1:
            current = F.avg_pool2d(current, self.pool)
        return self.norm(current).unflatten(0, sequence.shape[:2])  # type: ignore[no-any-return]


class _Layer(nn.Module):
    def __init__(self, inputs: int, block: Block, activation: Callable[[], nn.Module], threshold: float) -> None:
        super().__init__()
        self.current = _Convolution(inputs, block, threshold)
        self.activations = nn.ModuleList(activation() for _ in range(1 + block.shortcut))
        self.second = _Convolution(block.channels, Block(block.channels), threshold) if block.shortcut else None
        changes = block.stride > 1 or inputs != block.channels
        narrow = Block(block.channels, block.stride)
        self.shortcut = _Convolution(inputs, narrow, threshold, kernel=1) if block.shortcut and changes else None

    def forward(self, sequence: Tensor) -> list[Tensor]:
        """The activity after each activation, the last one being the block's output."""
        first = _activity(self.activations[0], self.current(sequence))
        if self.second is None:
            return [first]
        beside = sequence if self.shortcut is None else self.shortcut(sequence)
        return [first, _activity(self.activations[1], self.second(first) + beside)]


def _activity(activation: nn.Module, current: Tensor) -> Tensor:
    return unroll(activation, current)[0] if isinstance(activation, snn.SpikingNeuron) else activation(current)


class _Body(nn.Module):
    """What twin and spiking network share: blocks, global average pooling, a linear layer."""

    default: ClassVar[tuple[Block, ...]] = SMALL

    def __init__(
        self,
        blocks: Sequence[Block] | None = None,
        *,
        in_channels: int = 3,
        classes: int = 10,
        checkpointing: bool = False,
        activation: Callable[[], nn.Module] = nn.ReLU,
        threshold: float = 1.0,
    ) -> None:
        super().__init__()
        self.blocks = self.default if blocks is None else tuple(blocks)
        if not self.blocks:
            raise ValueError("a network needs at least one block, got none")
        self.in_channels, self.classes, self.checkpointing = in_channels, classes, checkpointing
        widths = [in_channels, *(block.channels for block in self.blocks)]
        self.layers = nn.ModuleList(
            _Layer(inputs, block, activation, threshold) for inputs, block in zip(widths, self.blocks, strict=False)
        )
        self.readout = nn.Linear(widths[-1], classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a convolution is twice as fast so

    def synapses(self) -> Iterator[tuple[nn.Conv2d, int]]:
        """Every convolution with what it reads: 0 is the network's input, ``k`` the activity after the ``k``-th activation."""
        reads = produced = 0
        for layer in self.layers:
            assert isinstance(layer, _Layer)
            yield layer.current.conv, reads
            produced += 1
            if layer.second is not None:
                yield layer.second.conv, produced
                produced += 1
            if layer.shortcut is not None:
                yield layer.shortcut.conv, reads
            reads = produced

    def run(self, sequence: Tensor) -> tuple[list[Tensor], Tensor]:
        """Activity after every activation, and the current of the read-out ``[T, N, K]``."""
        if sequence.dim() != 5 or sequence.shape[2] != self.in_channels:
            raise ValueError(
                f"expected [T, N, C, H, W] with C={self.in_channels} channels, got shape {list(sequence.shape)}"
            )
        activity: list[Tensor] = []
        for layer in self.layers:
            if self.checkpointing and self.training and torch.is_grad_enabled():
                activity += checkpoint(layer, sequence, use_reentrant=False, context_fn=partial(_once, layer))
            else:
                activity += layer(sequence)
            sequence = activity[-1]
        # In full precision: logits decide, and cost nothing.
        with torch.autocast(sequence.device.type, enabled=False):
            pooled = sequence.float().mean((-2, -1))
            return activity, self.readout(pooled)


def _once(layer: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Contexts of the forward pass and of its repetition in the backward pass, which must not count in running statistics."""
    return nullcontext(), _uncounted(layer)


@contextmanager
def _uncounted(layer: nn.Module) -> Iterator[None]:
    kept = [(b, b.clone()) for m in layer.modules() if isinstance(m, _BatchNorm) for b in m.buffers()]
    try:
        yield
    finally:
        for statistic, before in kept:
            statistic.copy_(before)


class ConvNet(_Body):
    """The ANN twin: images ``[N, C, H, W]`` → logits ``[N, K]``; arguments as ``SpikingConvNet``."""

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        return self.run(images.unsqueeze(0))[1][0]


class CodedConvNet(ConvNet):
    """A control: an ordinary network that reads all steps of a code at once, as channels side by side.

    Its logits are the potential of the last step, so that a ``Classifier`` reads them at the last exit.

    Args:
        blocks: as for ``ConvNet``; so are further options.
        in_channels: ``C'`` of the code.
        num_steps: ``T`` of the code.

    Shapes: ``[T, N, C', H, W]`` → spikes (none) and potential ``[T, N, K]``.

    Raises:
        ValueError: no blocks; a sequence of other channels or length.
    """

    def __init__(
        self, blocks: Sequence[Block] | None = None, *, in_channels: int = 3, num_steps: int = 4, **options: Any
    ) -> None:
        super().__init__(blocks, in_channels=in_channels * num_steps, **options)

    def forward(self, sequence: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]  # it reads another thing
        """Logits once, at the end."""
        logits = super().forward(sequence.transpose(0, 1).flatten(1, 2))
        membrane = F.pad(logits[None], (0, 0, 0, 0, len(sequence) - 1, 0))
        return torch.zeros_like(membrane), membrane


class SpikingConvNet(_Body):
    """Convolutional blocks of LIF neurons and an integrating read-out (module docstring).

    Args:
        blocks: of the body; default four blocks of 32, 64, 128 and 256 channels.
        in_channels: ``C'`` of the code: the image's channels times ``Encoder.channel_factor``.
        classes: ``K``.
        beta, threshold, reset, surrogate: of every hidden neuron, as for ``SpikingMLP``.
        checkpointing: recompute activations in the backward pass, for less memory and more time.

    Shapes: ``[T, N, C', H, W]`` with any ``T`` → ``Trace``.

    Raises:
        ValueError: no blocks; a sequence of other channels.
    """

    def __init__(
        self,
        blocks: Sequence[Block] | None = None,
        *,
        beta: float = 0.5,
        threshold: float = 1.0,
        reset: Reset = "subtract",
        surrogate: Surrogate | None = None,
        **options: Any,
    ) -> None:
        spike = surrogate or Surrogate()
        neuron = partial(snn.Leaky, beta, threshold, spike_grad=spike, reset_mechanism=reset)
        super().__init__(blocks, activation=neuron, threshold=threshold, **options)
        self.output = snn.Leaky(beta=1.0, threshold=1.0, spike_grad=spike)

    def forward(self, spikes: Tensor) -> Trace:
        """Run the whole sequence through all blocks."""
        hidden, current = self.run(spikes)
        return Trace(tuple(hidden), *unroll(self.output, current))


class SpikingVGG11(SpikingConvNet):
    """VGG-11 of LIF neurons, eight blocks of 64 to 512 channels."""

    default = VGG11_BLOCKS


class SpikingResNet18(SpikingConvNet):
    """ResNet-18 of LIF neurons: currents add up in front of the neurons that end a block."""

    default = RESNET18_BLOCKS


class VGG11(ConvNet):
    """The ANN twin of ``SpikingVGG11``."""

    default = VGG11_BLOCKS


class ResNet18(ConvNet):
    """The ANN twin of ``SpikingResNet18``."""

    default = RESNET18_BLOCKS


@torch.no_grad()
def fold(network: ConvNet | SpikingConvNet) -> None:
    r"""Move every batch norm into the convolution in front of it, in place; its answers in evaluation mode stay.

    With running mean ``μ``, variance ``v``, gain ``γ`` and offset ``b`` (pooling between them is linear),

    .. math:: W' = \frac{γ}{\sqrt{v + ϵ}}\,W, \qquad b' = b - \frac{γ μ}{\sqrt{v + ϵ}}
    """
    for module in network.modules():
        if isinstance(module, _Convolution) and isinstance(module.norm, _BatchNorm):
            norm: Any = module.norm
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            module.conv.weight.mul_(gain.view(-1, 1, 1, 1))
            module.conv.bias = nn.Parameter(norm.bias - gain * norm.running_mean)
            module.norm = nn.Identity()
