r"""Conversion: an ANN's weights, run by spikes, with no training in between.

Over ``T`` steps an integrate-and-fire (IF) neuron, ``β = 1`` with reset by subtraction, computes ``min(max(I, 0), θ)`` to a
precision of ``θ/T``. *Threshold balancing* (Diehl et al. 2015) measures the activations ``a_l`` on training data and rescales:

.. math::

    λ_l = \text{percentile}_p\{a_l > 0\}, \quad λ_0 = 1, \qquad
    W_l ← W_l\,\frac{λ_{l-1}}{λ_l}, \qquad b_l ← \frac{b_l}{λ_l}, \qquad θ = 1

Every layer is divided by one positive number, so the rescaled ANN gives the same answers. ``p = 100`` is max-norm; with a
smaller ``p`` (Rueckauer et al. 2017) the rarest activations saturate and all others fire sooner. A code whose spike count over
``T`` steps is not ``T x``, such as ``latency``, gives the converted network another input than its ANN had.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from snnlab.encoding import Encoder, check_images, encoder
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP

READ_OUTS = ("rate", "membrane")


@torch.no_grad()
def activation_scales(network: MLP, images: Tensor, percentile: float = 99.9) -> tuple[float, ...]:
    """Return ``λ_1 … λ_L``: a percentile of the positive activations of every layer, the logits last.

    Args:
        network: the trained ANN.
        images: training images in [0, 1], in one pass.
        percentile: ``p`` in (0, 100]; 100 is the maximum.

    Raises:
        ValueError: not an ``MLP``, bad or no images, ``p`` out of range, a layer that is never active.

    Source: Diehl et al. 2015, Algorithm 2; percentile and biases after Rueckauer et al. 2017.

    >>> ann = MLP((2, 1))
    >>> _ = ann.layers[0].weight.data.copy_(torch.tensor([[2.0, 1.0]])), ann.layers[0].bias.data.zero_()
    >>> activation_scales(ann, torch.tensor([[[[1.0, 0.5]]], [[[0.5, 0.0]]]]), percentile=100)
    (2.5,)
    """
    _check_network(network)
    check_images(images)
    if not 0 < percentile <= 100:  # NaN fails this too
        raise ValueError(f"percentile must lie in (0, 100], got {percentile!r}; 100 is max-norm")
    scales = []
    activity = images.flatten(1)
    for number, layer in enumerate(network.layers, 1):
        activity = torch.relu(layer(activity))
        active = activity[activity > 0]
        if not len(active):
            raise ValueError(
                f"layer {number} of {len(network.layers)} is never active on these {len(images)} images, so its "
                "threshold cannot be balanced; give more images, or an ANN that was trained on them"
            )
        rank = -(-len(active) * percentile // 100)  # torch.quantile refuses 2^24 values and more
        scales.append(float(active.kthvalue(max(1, min(len(active), int(rank)))).values))
    return tuple(scales)


@torch.no_grad()
def rescale(network: MLP, scales: Sequence[float]) -> MLP:
    """Return a copy of the ANN whose layer ``l`` computes ``a_l / λ_l``, for ``scales`` ``λ_1 … λ_L``.

    Raises:
        ValueError: not an ``MLP``, a number of scales other than ``L``, a scale that is not positive.

    >>> ann, image = MLP((4, 3, 2)), torch.rand(1, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    >>> torch.allclose(rescale(ann, (2.0, 5.0))(image), ann(image) / 5)
    True
    """
    _check_network(network)
    if len(scales) != len(network.layers) or not all(0 < s < float("inf") for s in scales):
        raise ValueError(f"expected {len(network.layers)} positive scales, one a layer, got {list(scales)}")
    copy = MLP(network.sizes)
    copy.load_state_dict(network.state_dict())
    before = 1.0
    for layer, scale in zip(cast(Sequence[nn.Linear], copy.layers), scales, strict=True):
        layer.weight.mul_(before / scale)
        layer.bias.div_(scale)
        before = scale
    return copy.train(network.training)


@torch.no_grad()
def convert(
    network: MLP,
    images: Tensor,
    *,
    percentile: float = 99.9,
    code: Encoder | None = None,
    decoder: str = "rate",
) -> Classifier:
    """Return the spiking classifier with the ANN's weights: IF neurons of threshold 1, balanced on ``images``.

    With decoder ``"membrane"`` the read-out integrates and never fires: its last layer is divided by the largest charge of any
    input in ``T`` steps.

    Args:
        network: the trained ANN; unchanged.
        images: training images, on which activations are measured.
        percentile: ``p`` in (0, 100]; 100 is max-norm.
        code: encoder of the input; default ``direct`` with 64 steps.
        decoder: ``"rate"`` or ``"membrane"``.

    Raises:
        ValueError: as ``activation_scales``; a code that makes more channels than the ANN has inputs, another decoder.

    Source: Diehl et al. 2015.

    >>> from snnlab import data, zoo
    >>> spiking = convert(zoo.load("ann").network, data.load("mnist5k").train[:500].images)
    >>> spiking.network.beta, spiking.network.threshold, spiking.num_steps
    (1.0, 1.0, 64)
    """
    code = code or encoder("direct", num_steps=64)
    if decoder not in READ_OUTS:
        raise ValueError(f"unknown decoder {decoder!r} for a converted network; choose one of {', '.join(READ_OUTS)}")
    if code.channel_factor != 1:
        raise ValueError(
            f"{code.title} makes {code.channel_factor} channels of one, but the ANN learnt from images as they are; "
            "choose a code that is no fusion"
        )
    balanced = rescale(network, activation_scales(network, images, percentile))
    if decoder == "membrane":
        last = cast(nn.Linear, balanced.layers[-1])
        most = last.weight.clamp(min=0).sum(1).add(last.bias.clamp(min=0)).max() * code.num_steps
        if most > 0:  # a read-out without any positive weight is silent already
            last.weight.div_(most)
            last.bias.div_(most)
    spiking = SpikingMLP(network.sizes, beta=1.0, threshold=1.0, reset="subtract")
    spiking.layers.load_state_dict(balanced.layers.state_dict())
    return Classifier(spiking, code, decoder).eval()


def _check_network(network: object) -> None:
    if not isinstance(network, MLP):
        hint = "; give its .network" if isinstance(network, Classifier) else ""
        raise ValueError(
            f"only an MLP (linear layers with ReLU between) can be converted, got {type(network).__name__}{hint}"
        )
