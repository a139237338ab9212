"""What an explorer shows for one state, computed by PyTorch: state in, plain arrays out, no browser needed.

The browser engine answers the same requests with the same fields; ``tests/test_browser_engine.py`` holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from snnlab.attack import ATTACKERS, INFORMED, AttackResult, Budget, attack, has_trains, spike_train_attack
from snnlab.convolution import ConvNet, SpikingConvNet
from snnlab.decoding import SILENT, check_exit_step, logits_at_every_exit, predictions
from snnlab.encoding import Encoder
from snnlab.energy import energy, energy_of_trace
from snnlab.fusion import silenced
from snnlab.late import Late
from snnlab.network import MLP, Classifier, SpikingMLP
from snnlab.zoo.web import TRAIN_STEPS

__all__ = ["ATTACKS", "SPIKE_TRAIN", "WHO", "Request", "frame", "pack"]

#: attacks that explorers show, those that the page can compute as well
ATTACKS = ("none", "noise", "fgsm", "pgd")

#: the attacker who searches among the code's spike trains, in place of a gradient of the image
SPIKE_TRAIN = "spike_train"
#: who can attack
WHO = (*ATTACKERS, SPIKE_TRAIN)
PGD_STEPS = 10
NO_PART = -1  # of a fusion is silenced


@dataclass(frozen=True)
class Request:
    """One state of an explorer: an image ``[C, H, W]`` in [0, 1], its class (``None`` if unknown) and the settings.

    The attacker ``spike_train`` searches among the code's trains: an iterative attack, of ``attack="pgd"`` alone, for codes that
    have trains. ``silenced`` is the index of a fusion's part that is silenced (-1: none). The perturbation acts on steps
    ``t ≥ from_step`` only, and is made knowing this.

    Raises:
        ValueError: unknown attack or attacker, or two that do not go together, ε outside [0, 1] or not a number.
    """

    image: Tensor
    label: int | None
    encoding: str
    attack: str = "none"
    attacker: str = "informed"
    eps: float = 0.0
    exit_step: int = 8
    seed: int = 0
    silenced: int = NO_PART
    from_step: int = 0

    def __post_init__(self) -> None:
        if self.attack not in ATTACKS:
            raise ValueError(f"unknown attack {self.attack!r}; choose one of {', '.join(ATTACKS)}")
        if self.attacker not in WHO:
            raise ValueError(f"unknown attacker {self.attacker!r}; choose one of {', '.join(WHO)}")
        if self.attacker == SPIKE_TRAIN and self.attack == "fgsm":
            raise ValueError('the search among spike trains is iterative: use attack="pgd", got "fgsm"')
        Budget(self.eps)


def frame(classifier: Classifier, request: Request) -> dict[str, Any]:
    """Clean and attacked image, spikes, votes and answers at every exit, as numpy arrays.

    An image without a label is attacked as what the network takes it for (if silent: as the class of the highest
    potential). ``attacked`` is ``None`` without an attack. ``energy`` is in pJ up to every exit, ``None`` for a network whose
    operations cannot be counted.

    Raises:
        ValueError: an exit step, a part or a late step that this classifier does not have.
    """
    started = perf_counter()
    images = request.image.unsqueeze(0)
    num_steps = classifier.num_steps
    if request.silenced != NO_PART:
        classifier = silenced(classifier, request.silenced)
    # An ANN has one exit, but stands beside networks that have several.
    exit_step = 1 if classifier.encoder is None else check_exit_step(request.exit_step, num_steps)
    aimed = classifier.at(exit_step=exit_step)
    late = _late(aimed, images, request.from_step)
    clean = _side(aimed, images, request.seed, aimed.encoder)
    target = _taken_for(clean, exit_step) if request.label is None else request.label
    shown: dict[str, Any] = {
        "shape": list(request.image.shape),
        "num_steps": num_steps,
        "encoding": request.encoding,
        "exit_step": request.exit_step,
        "computed_by": "kernel",
        "label": request.label,
        "target": target,
        "clean": clean,
        "attacked": None,
        "order": {"input": _input_order(request.image, clean), **_hidden_order(classifier, clean)},
        "gradient_zero": None,
        "moved": 0.0,
    }
    if request.attack != "none" and request.eps > 0:
        result = _attacked(late, images, target, request)
        shown |= {
            "attacked": _side(late, result.images, request.seed, aimed.encoder),
            "gradient_zero": result.zero_gradient,
            "moved": result.moved,
        }
    return shown | {"ms": 1000 * (perf_counter() - started)}


def _attacked(late: Classifier, images: Tensor, target: int, request: Request) -> AttackResult:
    """What the attacker makes of the image."""
    generator = torch.Generator().manual_seed(request.seed)
    late.generator = generator
    labels, budget = torch.tensor([target]), Budget(request.eps)
    if request.attacker == SPIKE_TRAIN and request.attack == "pgd":
        if not has_trains(late.encoder):
            name = "an ANN" if late.encoder is None else f"the code {late.encoder.title}"
            raise ValueError(f'{name} has no spike trains to search among; use the attacker "informed"')
        return spike_train_attack(late, images, labels, budget, steps=TRAIN_STEPS, generator=generator)
    attacker = ATTACKERS.get(request.attacker, INFORMED)  # of noise it does not matter
    return attack(late, images, labels, budget, request.attack, attacker, steps=PGD_STEPS, generator=generator)


def pack(shown: Mapping[str, Any]) -> tuple[dict[str, Any], list[memoryview]]:
    """Split a frame into JSON and binary buffers; ``buffers`` names them, in order, with their dtype."""
    plain: dict[str, Any] = {}
    names: list[tuple[str, str]] = []
    buffers: list[memoryview] = []
    for key, value in shown.items():
        if not isinstance(value, Mapping):
            plain[key] = value
            continue
        plain[key] = {}
        for part, array in value.items():
            if array is not None:
                names.append((f"{key}.{part}", str(array.dtype)))
                buffers.append(memoryview(np.ascontiguousarray(array).tobytes()))
    return plain | {"buffers": names}, buffers


def _late(classifier: Classifier, images: Tensor, from_step: int) -> Classifier:
    """The classifier as an attack meets it: the steps before ``from_step`` show the clean images whatever it does."""
    if from_step == 0:
        return classifier
    if classifier.encoder is None:
        raise ValueError(f"an ANN has no steps that could be late, got from_step = {from_step!r}; use 0")
    return classifier.at(exit_step=classifier.exit_step, encoder=Late.of(classifier.encoder, images, from_step))


def _side(classifier: Classifier, images: Tensor, seed: int, code: Encoder | None) -> dict[str, Any]:
    """One image through the network; the same seed gives a stochastic code the same random numbers.

    ``code`` is the classifier's own, without what makes an attack late: the parts that energy is counted by.
    """
    if code is None:
        return _ann_side(classifier, images)
    classifier.generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        layers, spikes, membrane = classifier.trace(images)
    logits = logits_at_every_exit(spikes, membrane, classifier.decoder)
    network = classifier.network
    spent = None
    if isinstance(network, SpikingMLP | SpikingConvNet):
        spent = energy_of_trace(network, code, layers).picojoules[:, 0]
    return {
        "image": images[0].flatten().numpy(),
        "input": layers[0][:, 0].flatten().numpy(),
        "hidden": layers[-1][:, 0].flatten().to(torch.uint8).numpy() if len(layers) > 1 else None,
        "output": spikes[:, 0].flatten().to(torch.uint8).numpy(),
        "votes": logits[:, 0].flatten().numpy(),
        "membrane": membrane[:, 0].flatten().numpy(),
        "predictions": predictions(logits, membrane)[:, 0].to(torch.int8).numpy(),
        "energy": None if spent is None else spent.numpy(),
    }


def _taken_for(clean: Mapping[str, Any], exit_step: int) -> int:
    """The class that an unlabelled image is read as."""
    answer = int(clean["predictions"][exit_step - 1])
    if answer != SILENT:
        return answer
    scores = clean["votes"] if clean["membrane"] is None else clean["membrane"]
    return int(scores.reshape(len(clean["predictions"]), -1)[exit_step - 1].argmax())


def _ann_side(classifier: Classifier, images: Tensor) -> dict[str, Any]:
    with torch.no_grad():
        logits, network = classifier(images), classifier.network
        activation = torch.relu(network.layers[0](images.flatten(1))) if isinstance(network, MLP) else None
    answer = logits[0].argmax() if logits.any() else torch.tensor(SILENT)
    return {
        "image": images[0].flatten().numpy(),
        "input": None,
        "hidden": None,
        "output": None,
        "activation": None if activation is None else activation[0].numpy(),
        "votes": logits[0].numpy(),
        "membrane": None,
        "predictions": answer.to(torch.int8).reshape(1).numpy(),
        "energy": energy(classifier, images).picojoules[:, 0].numpy() if isinstance(network, MLP | ConvNet) else None,
    }


def _input_order(image: Tensor, clean: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """Input neurons by intensity of their pixel in the clean image, brightest first, part by part of a fusion."""
    pixels = image.flatten().numpy()
    by_intensity = np.argsort(-pixels, kind="stable")
    trains = clean["input"]
    steps = len(clean["predictions"])
    parts = 1 if trains is None else len(trains) // steps // len(pixels)
    return np.concatenate([by_intensity + k * len(pixels) for k in range(parts)]).astype(np.int32)


def _hidden_order(classifier: Classifier, clean: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any] | None]:
    """Hidden neurons by the class they excite most, so that neighbours in the raster speak for the same class.

    ``hidden`` is their order, ``preferred`` the class of each in that order (unknown for a network of the reader's own).
    """
    network = classifier.network
    if not isinstance(network, SpikingMLP | MLP):
        trains = clean["hidden"]
        count = 0 if trains is None else len(trains) // len(clean["predictions"])
        return {"hidden": np.arange(count, dtype=np.int32) if count else None, "preferred": None}
    readout = network.layers[-1].weight
    assert isinstance(readout, Tensor)
    preferred = readout.detach().argmax(0).numpy()
    order = np.argsort(preferred, kind="stable")
    return {"hidden": order.astype(np.int32), "preferred": preferred[order].astype(np.int8)}
