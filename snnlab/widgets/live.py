"""Networks of a reader as data of a page, in which the browser engine runs and attacks them (``js/src/layers``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from snnlab.networks.chain import NoChain, chain_of
from snnlab.networks.classifier import Classifier
from snnlab.vocabulary import VOCABULARY
from snnlab.zoo import export

__all__ = ["NotLive", "model_payloads"]

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
                found[chains[network]] = chain_of(classifier, images).payload()
            found[f"model/{name}"] = _model(name, classifier) | {"network": chains[network]}
        except NoChain as reason:
            raise NotLive(f"The page's engine cannot run this network: {reason}.") from None
    return found


def _model(name: str, classifier: Classifier) -> dict[str, Any]:
    code = classifier.encoder
    if code is None:
        return export.layered_payload(name, classifier)
    if classifier.decoder not in DECODERS:
        raise NoChain(f"it is read by the decoder {classifier.decoder!r}, and not by {', '.join(DECODERS)}")
    try:
        return export.layered_payload(name, classifier)
    except ValueError:
        raise NoChain(f"it has no code {code.title!r}") from None
