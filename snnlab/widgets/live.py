"""Networks of a reader as data of a page, in which the browser engine runs and attacks them (``js/src/layers``).

Weights travel as base64 of whole numbers with a power of two a row: int8 where that holds them exactly, else 24 bits, which
change a sum by less than the order of its terms does; or as float32 (``packed``).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from snnlab.attacks import INFORMED, has_trains
from snnlab.networks.chain import Chain, Layer, NoChain, chain_of, surrogate_of
from snnlab.networks.classifier import Classifier
from snnlab.vocabulary import VOCABULARY
from snnlab.zoo import export

__all__ = ["NotLive", "model_payloads", "packed"]

#: read-outs that the engine has: all but the charge
DECODERS = tuple(name for name in VOCABULARY.decoders if name != "current")


class NotLive(ValueError):
    """The engine of a page cannot run a network; the message is a sentence that says why."""


def model_payloads(classifiers: Mapping[str, Classifier], images: Tensor) -> dict[str, Any]:
    """Return ``"model/<name>"`` of every classifier and ``"network/<k>"`` of every network among them, as plain JSON values.

    Args:
        classifiers: by name; several may share a network.
        images: ``[N, C, H, W]``, on which the layers are compared with the network.

    Raises:
        NotLive: a layer, code or read-out that the engine does not have, or a network that is no chain of layers.
    """
    found: dict[str, Any] = {}
    chains: dict[int, str] = {}
    for name, classifier in classifiers.items():
        try:
            network = id(classifier.network)
            if network not in chains:
                chains[network] = f"network/{len(chains)}"
                found[chains[network]] = _network(chain_of(classifier, images))
            found[f"model/{name}"] = _model(name, classifier) | {"network": chains[network]}
        except NoChain as reason:
            raise NotLive(f"The page's engine cannot run this network: {reason}.") from None
    return found


def _model(name: str, classifier: Classifier) -> dict[str, Any]:
    code = classifier.encoder
    if code is None:
        return {"name": name, "kind": "layers", "encoder": None}
    if classifier.decoder not in DECODERS:
        raise NoChain(f"it is read by the decoder {classifier.decoder!r}, and not by {', '.join(DECODERS)}")
    try:
        described = code.payload()
    except ValueError:
        raise NoChain(f"it has no code {code.title!r}") from None
    return {
        "name": name,
        "kind": "layers",
        "encoder": described,
        "decoder": classifier.decoder,
        "threshold": float(getattr(classifier.network, "threshold", 1.0)),  # as the attack on spike trains takes it
        "attack_surrogate": vars(INFORMED.surrogate),
        "eot": INFORMED.eot if classifier.stochastic else 1,
        "spike_train": export.search_settings() if has_trains(code) else None,
    }


def _network(chain: Chain) -> dict[str, Any]:
    return {
        "inputs": list(chain.inputs),
        "potential": chain.potential,
        "population": chain.population,
        "layers": [_layer(layer) for layer in chain.layers],
    }


def _layer(layer: Layer) -> dict[str, Any]:
    about: dict[str, Any] = {"kind": layer.kind, "inputs": list(layer.inputs), "outputs": list(layer.outputs)}
    if layer.kind == "neuron":
        return about | _neurons(layer)
    if layer.kind == "conv":
        about["kernel"] = list(layer.values["weight"].shape[2:])
    for name, value in layer.values.items():
        about[name] = packed(value) if isinstance(value, Tensor) else value
    return about


def _neurons(layer: Layer) -> dict[str, Any]:
    neuron = layer.values["module"]

    def each(value: Any) -> dict[str, Any]:
        """A number for all neurons, or one for each."""
        numbers = cast(Tensor, value).detach().float().cpu()
        numbers = numbers.view(-1) if numbers.numel() == 1 else numbers.expand(layer.outputs)
        return packed(numbers) | {"count": numbers.numel()}

    constants = {"beta": each(neuron.beta.clamp(0, 1)), "threshold": each(neuron.threshold)}
    if hasattr(neuron, "alpha"):
        constants["alpha"] = each(neuron.alpha.clamp(0, 1))
    return {"reset": neuron.reset_mechanism, "surrogate": vars(surrogate_of(neuron.spike_grad))} | constants


def packed(values: Tensor) -> dict[str, Any]:
    """Return numbers as base64, with the exponent of a power of two for each row, or as float32.

    ============ ============================================================================================================
    ``int8``     where it holds the numbers exactly
    ``int24``    matrices: a number is off by at most half of the last float32 digit of the largest in its row. A quarter
                 smaller than float32, since leading digits stand together and compress: the four characters of a number
                 come in four runs, first the first ones
    ``float32``  all others: vectors, and matrices with a row whose largest number is over 128 times the average
    ============ ============================================================================================================

    >>> packed(torch.tensor([[0.5, -1.0], [3.0, 0.0]]))
    {'int8': 'IMBgAA==', 'exponent': [-6, -5]}
    >>> packed(torch.tensor([[0.1, -0.3]]).repeat(2, 1))
    {'int24': 'mMmMZzZzmMmMazaz', 'exponent': [-24, -24]}
    """
    rows = values.detach().float().cpu().reshape(len(values) if values.dim() > 1 else 1, -1)
    largest = rows.abs().amax(1).clamp(min=2.0**-100)
    if (whole := _whole(rows, largest, 127))[2]:
        return {"int8": base64.b64encode(whole[0].to(torch.int8).numpy().tobytes()).decode(), "exponent": whole[1]}
    average = rows.abs().sum(1) / (rows != 0).sum(1).clamp(min=1)
    if values.dim() > 1 and bool((largest <= 128 * average.clamp(min=2.0**-100)).all()):
        digits, exponent, _ = _whole(rows, largest, 2**23 - 1)
        big_endian = (digits.flatten().int().numpy() + 2**23).astype(">i4").view(np.uint8).reshape(-1, 4)[:, 1:]
        characters = np.frombuffer(base64.b64encode(big_endian.tobytes()), np.uint8).reshape(-1, 4)
        return {"int24": characters.T.tobytes().decode(), "exponent": exponent}
    return {"float32": base64.b64encode(rows.contiguous().numpy().astype("<f4").tobytes()).decode()}


def _whole(rows: Tensor, largest: Tensor, most: int) -> tuple[Tensor, list[int], bool]:
    """Return rows as whole numbers up to ``most``, the exponent of each row, and whether nothing was rounded."""
    exponent = torch.ceil(torch.log2(largest.double() / most))
    scaled = rows.double() / torch.exp2(exponent)[:, None]
    whole = scaled.round().clamp(-most, most)
    return whole, exponent.int().tolist(), bool((whole == scaled).all())
