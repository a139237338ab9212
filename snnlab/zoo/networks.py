r"""The networks that recipes name, and the classifier of a recipe.

================== ==============================================================================================
network            what
================== ==============================================================================================
mlp                fully connected: spiking behind a code, ordinary without one
coded_mlp          an ordinary network that reads all steps of a code at once
shared_mlp         an ordinary network with the same weights at every step and a learned factor for each
summed_mlp         an ordinary network that reads the sum over all steps: time is gone
event_conv         a small spiking network of two convolutions (``snnlab.networks.event_conv``)
ConvNet, …         the classes of ``snnlab.networks.conv``
================== ==============================================================================================

``register_network`` adds one. Input and output have the sizes of the data set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from snnlab.encoding import Encoder, encoder
from snnlab.networks import conv
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.networks.event_conv import EventConvNet
from snnlab.networks.surrogate import Surrogate
from snnlab.training.tssl_bp import TsslMLP
from snnlab.zoo.registry import ModelRecipe

__all__ = ["NETWORKS", "CodedMLP", "SharedMLP", "SummedMLP", "classifier_for", "register_network"]

Builder = Callable[[ModelRecipe, Encoder | None], nn.Module]

NETWORKS: dict[str, Builder] = {}


def register_network(name: str, build: Builder) -> None:
    """Make a network known to recipes: ``build`` takes a recipe and its code, ``None`` where there is none."""
    NETWORKS[name] = build


def classifier_for(recipe: ModelRecipe, encoding: str | None = None) -> Classifier:
    """Return an untrained classifier with the architecture of a recipe; ValueError for an unknown network.

    Args:
        recipe: network, sizes, constants and code.
        encoding: the code in place of the recipe's, as after its gate was learned.
    """
    if recipe["network"] not in NETWORKS:
        raise ValueError(f"unknown network {recipe['network']!r} of {recipe.name!r}; choose one of {', '.join(NETWORKS)}")
    code = encoder(encoding or recipe["encoding"], num_steps=recipe["num_steps"]) if recipe.coded else None
    network = NETWORKS[recipe["network"]](recipe, code)
    return Classifier(network) if code is None else Classifier(network, code, recipe["decoder"])


class CodedMLP(nn.Module):
    """An ordinary network that reads all steps of a code side by side.

    Its logits are the potential of the last step: a ``Classifier`` with the decoder "membrane" reads them at the last exit.

    Shapes: ``[T, N, …]`` with ``sizes[0]`` values per sample and all steps → spikes (none) and potential ``[T, N, K]``.
    """

    #: what ``snnlab.networks.bounds`` asks for: the inner network reads the steps one beside the other
    side_by_side = True

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self.inner = MLP(sizes)

    def forward(self, sequence: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits once, at the end."""
        logits = self.inner(self.joined(sequence))
        before = logits.new_zeros(len(sequence) - 1, *logits.shape)
        membrane = torch.cat([before, logits[None]])
        return torch.zeros_like(membrane), membrane

    def joined(self, sequence: Tensor) -> Tensor:
        """Return what the ordinary network reads of all steps, ``[N, …]``."""
        return sequence.transpose(0, 1).flatten(1)


class SharedMLP(CodedMLP):
    r"""An ordinary network with the same weights at every step, and a learned factor ``a_t`` per step.

    .. math:: h = \mathrm{ReLU}\Big(W \sum_t a_t s_t + b\Big)

    The factors start at ``(T - t)/T``: a network that integrates without leak counts a spike at step ``t`` in the ``T - t``
    steps after it. Shapes as ``CodedMLP``.

    Args:
        sizes: of the layers; ``sizes[0]`` values per sample and step.
        num_steps: ``T``.

    Raises:
        ValueError: a sequence of another number of steps.
    """

    side_by_side = False

    def __init__(self, sizes: Sequence[int], num_steps: int) -> None:
        super().__init__(sizes)
        self.factors = nn.Parameter(torch.empty(num_steps))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the factors to their start."""
        steps = torch.arange(len(self.factors))
        self.factors.data = 1 - steps / len(steps)

    def joined(self, sequence: Tensor) -> Tensor:
        """Return ``Σ_t a_t s_t``, ``[N, …]``."""
        if len(sequence) != len(self.factors):
            raise ValueError(f"expected all {len(self.factors)} steps at once, got a sequence of {len(sequence)}")
        weighted: Tensor = torch.tensordot(self.factors, sequence, dims=1)
        return weighted


class SummedMLP(CodedMLP):
    r"""An ordinary network that reads ``Σ_t s_t``: it has no time, and moving a spike in time changes nothing.

    Shapes as ``CodedMLP``.

    >>> network, spikes = SummedMLP([2, 3]), torch.eye(2)[:, None]
    >>> torch.equal(network(spikes)[1][-1], network(spikes.flip(0))[1][-1])
    True
    """

    side_by_side = False

    def joined(self, sequence: Tensor) -> Tensor:
        """Return the sum over all steps, ``[N, …]``."""
        return sequence.sum(0).flatten(1)


def _sizes(recipe: ModelRecipe, code: Encoder | None) -> list[int]:
    data = recipe.dataset
    channels, *pixels = data.shape
    return [prod(pixels) * (code.channels(channels) if code else channels), *recipe["hidden"], data.classes]


def _steps(recipe: ModelRecipe, code: Encoder | None) -> int:
    if code is None:
        raise ValueError(f"the network {recipe['network']!r} of {recipe.name!r} needs a code, got encoding = 'none'")
    return code.num_steps


def _spiking(recipe: ModelRecipe) -> dict[str, Any]:
    """Return the constants of spiking neurons."""
    return {key: recipe[key] for key in ("beta", "threshold", "reset")} | {"surrogate": Surrogate(**recipe["surrogate"])}


def _mlp(recipe: ModelRecipe, code: Encoder | None) -> nn.Module:
    sizes = _sizes(recipe, code)
    if code is None:
        return MLP(sizes)
    constants = _spiking(recipe)
    if recipe["rule"] == "tsslbp":
        del constants["surrogate"]
        return TsslMLP(sizes, **constants)
    if recipe["rule"] == "conversion":
        constants["beta"] = 1.0  # integrate-and-fire: the ANN's activation is a rate, and no charge may leak
    return SpikingMLP(sizes, **constants)


def _convolutional(network: type[nn.Module], recipe: ModelRecipe, code: Encoder | None) -> nn.Module:
    data, options = recipe.dataset, {"checkpointing": recipe["checkpointing"]}
    if recipe["blocks"]:
        options["blocks"] = [conv.Block(channels, stride=2) for channels in recipe["blocks"]]
    if network is conv.CodedConvNet:
        options["num_steps"] = _steps(recipe, code)
    elif issubclass(network, conv.SpikingConvNet):
        _steps(recipe, code)  # raises without a code
        options |= _spiking(recipe)
    channels = code.channels(data.shape[0]) if code else data.shape[0]
    return network(in_channels=channels, classes=data.classes, **options)


def _event_conv(recipe: ModelRecipe, code: Encoder | None) -> nn.Module:
    _steps(recipe, code)  # raises without a code
    assert code is not None  # it has
    channels, size, _ = recipe.dataset.shape
    return EventConvNet(code.channels(channels), size, classes=recipe.dataset.classes, **_spiking(recipe))


def _coded_mlp(recipe: ModelRecipe, code: Encoder | None) -> nn.Module:
    first, *rest = _sizes(recipe, code)
    return CodedMLP([first * _steps(recipe, code), *rest])


register_network("mlp", _mlp)
register_network("psp_mlp", lambda recipe, code: TsslMLP(_sizes(recipe, code), gradient="surrogate", **_spiking(recipe)))
register_network("coded_mlp", _coded_mlp)
register_network("shared_mlp", lambda recipe, code: SharedMLP(_sizes(recipe, code), _steps(recipe, code)))
register_network("summed_mlp", lambda recipe, code: SummedMLP(_sizes(recipe, code)))
register_network("event_conv", _event_conv)
for _network in (
    *(conv.CodedConvNet, conv.ConvNet, conv.VGG11, conv.ResNet18),
    *(conv.SpikingConvNet, conv.SpikingVGG11, conv.SpikingResNet18),
):
    register_network(_network.__name__, partial(_convolutional, _network))
