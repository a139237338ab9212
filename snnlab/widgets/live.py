"""Networks of a reader as data of a page, in which the browser engine runs and attacks them (``js/src/layers``).

Weights travel as base64 of float32, or of int8 with a power of two a row where that holds them exactly.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, cast

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
    """Return numbers as base64: int8 and the exponent of a power of two a row where this holds them exactly, else float32.

    >>> packed(torch.tensor([[0.5, -1.0], [3.0, 0.0]]))
    {'int8': 'IMBgAA==', 'exponent': [-6, -5]}
    """
    rows = values.detach().float().cpu().reshape(len(values) if values.dim() > 1 else 1, -1)
    largest = rows.abs().amax(1).clamp(min=2.0**-100)
    exponent = torch.ceil(torch.log2(largest / 127)).int()
    whole = rows / torch.exp2(exponent.float())[:, None]
    if bool(((whole == whole.round()) & (whole.abs() <= 127)).all()):
        text = base64.b64encode(whole.to(torch.int8).numpy().tobytes()).decode()
        return {"int8": text, "exponent": exponent.tolist()}
    return {"float32": base64.b64encode(rows.contiguous().numpy().astype("<f4").tobytes()).decode()}
